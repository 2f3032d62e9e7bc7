"""What all news for programs is written with. Called by ``flows.tell_programs`` and its parts."""

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.hooks.deliveries import News
from core.parties.models import Account

Compose = Callable[[Session, Any, datetime], Iterator[News]]
#: Event -> the types that it may bring, and what puts them together.
Table = dict[str, tuple[tuple[str, ...], Compose]]


def money(minor: int, currency: str) -> dict[str, Any]:
    """As the API writes it."""
    return {"amount": minor, "currency": currency}


def number_of(session: Session, account_id: uuid.UUID | None) -> str | None:
    """An account's number; None for none."""
    return None if account_id is None else session.get_one(Account, account_id).number
