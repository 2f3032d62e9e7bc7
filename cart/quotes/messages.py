"""What customer and house write to each other about a quote: plain text, both ways, kept for good."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart.quotes.models import Quote, QuoteMessage
from core.events import QuoteMessaged
from core.kernel import jobs, typed
from core.kernel.errors import Invalid
from core.kernel.ids import new_id

LONGEST = 4000


def clean(text: str) -> str:
    """What was typed, without signs that cannot be printed; its lines stay. Invalid when nothing is left."""
    kept = typed.lines(text)
    if not kept:
        raise Invalid({"text": "Write what you want to say."})
    if len(kept) > LONGEST:
        raise Invalid({"text": f"At most {LONGEST} characters."})
    return kept


def note(
    session: Session,
    quote: Quote,
    side: str,
    author: str,
    text: str,
    user_id: uuid.UUID | None,
    now: datetime,
) -> QuoteMessage:
    """Keep a message; nobody is written to."""
    row = QuoteMessage(
        id=new_id(),
        quote_id=quote.id,
        side=side,
        author=author,
        user_id=user_id,
        text=text,
        at=now,
    )
    session.add(row)
    quote.last_side, quote.last_at, quote.changed_at = side, now, now
    if side == "staff" and quote.answered_at is None:
        quote.answered_at = now
    session.flush()
    return row


def write(
    session: Session,
    quote: Quote,
    side: str,
    author: str,
    text: str,
    user_id: uuid.UUID | None,
    now: datetime,
) -> QuoteMessage:
    """Keep a message and have the other side told. Invalid when it is empty or too long."""
    row = note(session, quote, side, author, clean(text), user_id, now)
    jobs.record(session, QuoteMessaged(str(row.id)), now, key=f"quote-message:{row.id}")
    return row


def of_quote(session: Session, quote_id: uuid.UUID) -> Sequence[QuoteMessage]:
    """All messages, the oldest first."""
    return session.scalars(
        select(QuoteMessage)
        .where(QuoteMessage.quote_id == quote_id)
        .order_by(QuoteMessage.at, QuoteMessage.id)
    ).all()
