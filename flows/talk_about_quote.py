"""Customer and house write to each other about a quote."""

import uuid

from sqlalchemy.orm import Session

from cart.quotes import drafting, messages
from core.kernel import audit
from flows.house import House
from flows.once import once


def write(
    house: House,
    public_id: str,
    side: str,
    text: str,
    *,
    author: str = "",
    user_id: uuid.UUID | None = None,
    named: str = "",
) -> None:
    """Write a message from ``customer`` or ``staff``; the other side is told by mail.

    Sent twice under one name it is one message. Invalid when it is empty or too long.
    """
    now = house.clock.now()

    def work(session: Session) -> str:
        quote = drafting.lock(session, drafting.by_public_id(session, public_id).id)
        name = author.strip()[:200] or quote.name
        messages.write(session, quote, side, name, text, user_id, now)
        actor = f"user:{user_id}" if user_id is not None else "guest"
        audit.write(session, now, actor, "quote.message", ("quote", quote.public_id), side=side)
        return ""

    asked = (public_id, side, text, user_id)
    house.db.run_tx(lambda session: once(session, named, asked, now, lambda: work(session)))
