"""Numbers that staff choose for lines of a quote: looked up when they are typed, held as long as the quote is
valid, and the order's when it is accepted.

They stand with their line (``OfferLine.numbers``). Of its other pieces whichever are given when the quote is
accepted: only what was chosen is held. It is never passed on with its hold, which knows things and not lines:
it is let go and taken again, behind the lock of its level, so that nobody comes between.
"""

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from cart.quotes import sent
from cart.quotes.models import QuoteLine, QuoteVersion
from core.catalog.models import Variant
from core.orders.models import OrderLine
from core.stock import holds, picks
from core.stock.holds import Demand, Owner


def problem(
    session: Session,
    wanted: Sequence[str],
    variant: Variant | None,
    quantity: int,
    taken: Collection[uuid.UUID],
) -> tuple[str, dict[uuid.UUID, str]]:
    """What is wrong with the numbers of a line, empty when nothing is; and those that they are, by key, as
    they are written. ``taken`` are those of the lines before."""
    found: dict[uuid.UUID, str] = {}
    if variant is None or not variant.numbered:
        return "Only what is sold by numbers has some.", found
    there = picks.to_choose(session, variant.id, wanted, by_staff=True)
    for value in wanted:
        one = there.get(value)
        if one is None:
            return f"{value} is not one that can be chosen here.", found
        if one.id in found or one.id in taken:
            return f"{one.value} is chosen twice.", found
        found[one.id] = one.value
    if len(found) > quantity:
        return f"It has only {quantity} to choose.", found
    return "", found


def hold(session: Session, version: QuoteVersion, now: datetime) -> None:
    """What was chosen for the lines of a version is held for it. Raises NumberTaken, and NoSuchNumber for one
    that was withdrawn meanwhile."""
    owner, demands = Owner("quote", version.id), []
    assert version.expires_at is not None
    for row in sent.lines(session, version):
        if row.numbers and row.variant_id is not None:
            _choose(session, owner, row.id, row, now)
            demands.append(Demand(row.id, row.variant_id, len(row.numbers), numbered=True))
    if demands:
        holds.hold(session, owner, demands, version.expires_at, now)


def hand_over(
    session: Session,
    version: QuoteVersion,
    owner: Owner,
    lines: Sequence[OrderLine],
    now: datetime,
) -> None:
    """The lines of an order want what was chosen for those of its version, which lets it go. Whoever passes
    the version's holds on in the same transaction takes it for them."""
    for row, line in zip(sent.lines(session, version), lines, strict=True):
        if row.numbers:
            holds.release(session, Owner("quote", version.id), row.id)
            picks.forget(session, row.id)
            _choose(session, owner, line.id, row, now)


def _choose(
    session: Session, owner: Owner, line_id: uuid.UUID, row: QuoteLine, now: datetime
) -> None:
    assert row.variant_id is not None
    picks.choose_by_staff(session, owner, line_id, row.variant_id, row.numbers, now)
