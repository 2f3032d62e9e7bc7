"""Who works at the desk: their roles, and shutting somebody out. There is always an admin.

Called by the desk's page of staff and by ``./shop staff``. What changes is written into the audit log by
whoever calls, who knows the actor.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.kernel.errors import Invalid, NotFound, ShopError
from core.kernel.looking import found_in
from core.kernel.sorting import By, Place, Sorts
from core.parties.models import User, UserSession
from core.parties.roles import Role


@dataclass(eq=False)
class LastAdmin(ShopError):
    """Nobody would be left who may do everything."""

    code: ClassVar[str] = "last_admin"
    text: ClassVar[str] = "{name} is the last admin. Make somebody else an admin first."
    name: str


def admins(session: Session) -> Sequence[User]:
    """The admins who can log in; on PostgreSQL the rows of all staff stay locked until the end of the
    transaction, so that two who take each other's role away do it one after the other."""
    found = session.scalars(
        select(User)
        .where(User.is_staff, User.disabled_at.is_(None))
        .order_by(User.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return [user for user in found if Role.ADMIN in user.roles]


def with_role(session: Session, role: Role) -> Sequence[User]:
    """Who has this very part of the work and can log in."""
    found = session.scalars(
        select(User).where(User.is_staff, User.disabled_at.is_(None)).order_by(User.id)
    )
    return [user for user in found if role in user.roles]


def ordered(wanted: Iterable[str]) -> list[str]:
    """Roles as they are stored. Raises Invalid for one that there isn't."""
    found = set(wanted)
    if not found <= {role.value for role in Role}:
        raise Invalid({"roles": f"Choose of {', '.join(Role)}."})
    return [role.value for role in Role if role in found]


def set_roles(session: Session, user: User, wanted: Iterable[str]) -> None:
    """Give somebody these roles and no other. Raises LastAdmin, Invalid for a role that there isn't."""
    roles = ordered(wanted)
    if Role.ADMIN not in roles:
        keep_an_admin(session, user)
    user.roles = roles


def keep_an_admin(session: Session, without: User) -> None:
    """Raise LastAdmin when they are the only admin there is."""
    if [admin.id for admin in admins(session)] == [without.id]:
        raise LastAdmin(without.name)


def end_sessions(session: Session, user_id: uuid.UUID) -> None:
    """Log somebody out everywhere."""
    session.execute(delete(UserSession).where(UserSession.user_id == user_id))


def one(session: Session, public_id: str) -> User:
    """Somebody who works at the desk, locked out or not. NotFound for anybody else."""
    found = session.scalar(select(User).where(User.public_id == public_id, User.is_staff))
    if found is None:
        raise NotFound("person at the desk")
    return found


#: What the desk's list may be sorted by.
SORTS = Sorts(
    User.id,
    {"email": User.email, "name": By(User.name, ignores_case=True), "since": User.created_at},
)
BY_EMAIL = Place("email")


def listing(
    session: Session, *, words: str = "", place: Place = BY_EMAIL, limit: int = 50
) -> Sequence[User]:
    """Everybody who works at the desk, locked out or not, from a place on; ``words`` in name and e-mail."""
    query = select(User).where(User.is_staff)
    if words:
        query = query.where(found_in(words, User.name, User.email))
    return session.scalars(SORTS.apply(query, place, limit)).all()


def lock_out(session: Session, user: User, now: datetime) -> None:
    """Shut somebody out of everything, at once. Raises LastAdmin."""
    keep_an_admin(session, user)
    user.disabled_at = user.disabled_at or now
    end_sessions(session, user.id)
