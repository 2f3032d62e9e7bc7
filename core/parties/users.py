"""Users: registering, logging in, passwords, and the links that mails carry."""

import functools
import re
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Select, bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from core.kernel.db import changed, insert_once
from core.kernel.errors import Invalid, ShopError
from core.kernel.ids import derived_token, new_id, new_public_id, same_token
from core.parties.models import LinkToken, User, UserSession

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200
#: How long a link in a mail works.
LINK_LIFE = {
    "reset": timedelta(hours=2),
    "invite": timedelta(days=14),
    "verify": timedelta(days=7),
}

_TOKEN = re.compile("[0-9a-f]{64}")
_hasher = PasswordHasher()
#: Verified against when there is no such user, so that the answer takes as long. The password is thrown
#: away; hashing one here would cost every process a fifth of a second before it does anything.
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$clJ2YL2zWb6/vOfrTxMPhw"
    "$doosyQ/t9IZ7l/TiS+RSegVwoPhUIzF3LhQlllVwrU0"
)


@dataclass(eq=False)
class WrongLogin(ShopError):
    code: ClassVar[str] = "wrong_login"
    text: ClassVar[str] = "That e-mail and password do not belong together."


@dataclass(eq=False)
class DeadLink(ShopError):
    code: ClassVar[str] = "dead_link"
    text: ClassVar[str] = "This link has been used or is too old. Ask for a new one."


def normal(email: str) -> str:
    """An e-mail address as it is stored and compared."""
    return email.strip().lower()


def check_password(password: str, email: str = "") -> None:
    """Raise Invalid for a password that would be too easy."""
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid({"password": f"Use at least {SHORTEST_PASSWORD} characters."})
    if len(password) > LONGEST_PASSWORD:
        raise Invalid({"password": f"Use at most {LONGEST_PASSWORD} characters."})
    if normal(password) == normal(email) or len(set(password)) < 4:
        raise Invalid({"password": "That is too easy to guess. Try a few words together."})


def hash_password(password: str) -> str:
    """The argon2 hash. Takes tens of milliseconds: call it outside a transaction."""
    return _hasher.hash(password)


def find(session: Session, email: str) -> User | None:
    """The user with this e-mail address."""
    return session.scalar(select(User).where(User.email == normal(email)))


def by_key(session: Session, user_id: uuid.UUID) -> User | None:
    """The user with this key."""
    return session.scalar(_by_key(), {"key": user_id})


@functools.cache
def _by_key() -> Select[User]:
    return select(User).where(User.id == bindparam("key"))


def session_of(session: Session, hashed: str) -> tuple[UserSession, User | None] | None:
    """The session with this token, by its hash, and who is logged in there; asked on every page."""
    found = session.execute(_session_of(), {"hashed": hashed}).first()
    return (found[0], found[1]) if found is not None else None


@functools.cache
def _session_of() -> Select[UserSession, User | None]:
    return (
        select(UserSession, User)
        .outerjoin(User, User.id == UserSession.user_id)
        .where(UserSession.token_hash == bindparam("hashed"))
    )


def names(session: Session, actors: Iterable[str]) -> dict[str, str]:
    """Names of people as the audit log calls them (``user:ID``); others are left out."""
    keys: dict[uuid.UUID, str] = {}
    for actor in actors:
        kind, _, key = actor.partition(":")
        with suppress(ValueError):
            keys |= {uuid.UUID(key): actor} if kind == "user" else {}
    rows = session.execute(select(User.id, User.name).where(User.id.in_(keys)))
    return {keys[key]: name for key, name in rows}


def keys_like(session: Session, wanted: str, limit: int = 50) -> Sequence[uuid.UUID]:
    """The keys of people with this e-mail address, or whose name has these words in it."""
    return session.scalars(
        select(User.id)
        .where(or_(User.email == normal(wanted), User.name.icontains(wanted, autoescape=True)))
        .order_by(User.is_staff.desc(), User.id)
        .limit(limit)
    ).all()


def add(
    session: Session, email: str, name: str, password_hash: str | None, now: datetime
) -> User | None:
    """A new user; None when the address is taken."""
    key = new_id()
    new = insert_once(
        session,
        User,
        id=key,
        email=normal(email),
        name=name.strip(),
        password_hash=password_hash,
        created_at=now,
    )
    return session.get_one(User, key) if new else None


def verify_login(user: User | None, password: str) -> User:
    """The user when the password is theirs. Raises WrongLogin, after the same time in each case.

    Takes tens of milliseconds: call it outside a transaction.
    """
    stored = user.password_hash if user is not None else None
    try:
        _hasher.verify(stored or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        raise WrongLogin from None
    if user is None or not stored or user.disabled_at is not None:
        raise WrongLogin
    return user


def set_password(session: Session, user_id: uuid.UUID, password_hash: str) -> None:
    """Change it, and end every session of the user."""
    session.execute(update(User).where(User.id == user_id).values(password_hash=password_hash))
    session.execute(delete(UserSession).where(UserSession.user_id == user_id))


def new_link(
    session: Session,
    purpose: str,
    user_id: uuid.UUID,
    now: datetime,
    account_id: uuid.UUID | None = None,
) -> str:
    """A link for a mail: answers its id. The token is derived from it when the mail is written."""
    link = LinkToken(
        id=new_public_id(),
        purpose=purpose,
        user_id=user_id,
        account_id=account_id,
        created_at=now,
        expires_at=now + LINK_LIFE[purpose],
    )
    session.add(link)
    session.flush()
    return link.id


def link_token(secret: str, link: LinkToken) -> str:
    """What stands in the address: the link's id and its proof."""
    return f"{link.id}{derived_token(secret, link.purpose, link.id)}"


def read_link(session: Session, secret: str, purpose: str, token: str, now: datetime) -> LinkToken:
    """The live link behind a token. Raises DeadLink for any that is forged, used or too old."""
    link = session.get(LinkToken, token[:32]) if _TOKEN.fullmatch(token) else None
    if link is None or not same_token(token, link_token(secret, link)):
        raise DeadLink
    if link.purpose != purpose or link.used_at is not None or link.expires_at <= now:
        raise DeadLink
    return link


def use_link(session: Session, link_id: str, now: datetime) -> None:
    """Mark a link used, and with it all others that lead to the same; raises DeadLink when somebody
    was faster."""
    unused = LinkToken.used_at.is_(None)
    result = session.execute(
        update(LinkToken).where(LinkToken.id == link_id, unused).values(used_at=now)
    )
    if changed(result) == 0:
        raise DeadLink
    link = session.get_one(LinkToken, link_id)
    same = ["verify"] if link.purpose == "verify" else ["reset", "invite"]
    session.execute(
        update(LinkToken)
        .where(LinkToken.user_id == link.user_id, LinkToken.purpose.in_(same), unused)
        .values(used_at=now)
    )
