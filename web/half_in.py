"""Who has given their password at the desk's door and not yet their code; kept for ten minutes."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import session
from flask_limiter.util import get_remote_address

from core.parties.models import User
from web.context import house
from web.login import person

_KEY = "half_in"
LIFE = timedelta(minutes=10)


@dataclass(frozen=True)
class HalfIn:
    """Somebody between the two steps, and where they wanted to go."""

    user: User
    onward: str


def remember(user: User, onward: str) -> None:
    """The password was right; the code comes next."""
    session[_KEY] = [str(user.id), house().clock.now().isoformat(), onward]


def found() -> HalfIn | None:
    """Who it is; None when nobody gave a password lately, or they may not come in any more."""
    kept = session.get(_KEY)
    if kept is None or house().clock.now() - datetime.fromisoformat(kept[1]) > LIFE:
        return None
    with house().db.reading() as db:
        user = db.get(User, uuid.UUID(kept[0]))
    if user is None or not user.is_staff or user.disabled_at is not None:
        return None
    return HalfIn(user, kept[2])


def whose_code() -> str:
    """Whose codes a limit counts: the person's, from wherever they are tried."""
    kept, who = session.get(_KEY), person()
    if who is not None:
        return who.id
    return str(kept[0]) if kept is not None else get_remote_address()
