"""Who works at the desk: inviting, roles, shutting out, letting in. Each act stands in the audit log."""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from cart.checkout import email_problem
from core.kernel import audit
from core.kernel.errors import Invalid
from core.parties import staff, users
from core.parties.models import User
from flows import enter, second_step
from flows.house import House


def invite(house: House, email: str, name: str, roles: Sequence[str], actor: str) -> bool:
    """Let somebody in at the desk; False when they have a password already and no mail goes out.

    Raises Invalid by field (``email``, ``roles``).
    """
    problem = email_problem(email.strip())
    if problem is not None:
        raise Invalid({"email": problem})
    wanted = staff.ordered(roles)
    if not wanted:
        raise Invalid({"roles": "Choose what they do."})

    def work(session: Session) -> bool:
        now = house.clock.now()
        user = users.find(session, email)
        if user is not None and user.is_staff:
            raise Invalid({"email": "They are at the desk already."})
        if user is None:
            user = users.add(session, email, name, None, now)
            if user is None:
                raise Invalid({"email": "Somebody was quicker: look at the list."})
        user.is_staff, user.roles = True, wanted
        needs_link = user.password_hash is None
        if needs_link:
            enter.send_link(session, house, "invite", user)
        subject = ("user", user.public_id)
        audit.write(session, now, actor, "staff.invited", subject, roles=wanted, link=needs_link)
        return needs_link

    return house.db.run_tx(work)


def set_roles(house: House, public_id: str, roles: Sequence[str], actor: str) -> User:
    """They do this and nothing else from now on. Raises LastAdmin, Invalid, NotFound."""

    def work(session: Session, user: User) -> dict[str, object]:
        before = list(user.roles)
        staff.set_roles(session, user, roles)
        return {"roles": list(user.roles), "before": before}

    return _change(house, public_id, actor, "staff.roles_set", work)


def lock_out(house: House, public_id: str, actor: str) -> User:
    """They are logged out everywhere and stay out, and so do keys that they made.

    Raises LastAdmin, NotFound.
    """

    def work(session: Session, user: User) -> dict[str, object]:
        staff.lock_out(session, user, house.clock.now())
        return {}

    return _change(house, public_id, actor, "staff.locked_out", work)


def let_in(house: House, public_id: str, actor: str) -> User:
    """They may log in again. Raises NotFound."""

    def work(session: Session, user: User) -> dict[str, object]:
        user.disabled_at = None
        return {}

    return _change(house, public_id, actor, "staff.let_in", work)


def reset_second_step(house: House, public_id: str, actor: str) -> User:
    """Their telephone and recovery codes are forgotten; they set it up anew. Raises NotFound."""

    def work(session: Session) -> User:
        user = staff.one(session, public_id)
        second_step.reset(session, user, actor, house.clock.now())
        return user

    return house.db.run_tx(work)


def _change(
    house: House,
    public_id: str,
    actor: str,
    act: str,
    change: Callable[[Session, User], dict[str, object]],
) -> User:
    def work(session: Session) -> User:
        user = staff.one(session, public_id)
        facts = change(session, user)
        subject = ("user", user.public_id)
        audit.write(session, house.clock.now(), actor, act, subject, personal=None, **facts)
        return user

    return house.db.run_tx(work)
