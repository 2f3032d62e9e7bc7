"""The table of how carts hold things: reading and keeping it. ``cart.holds`` says which row counts."""

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart.models import HoldPolicy
from core.catalog.models import Product
from core.kernel.errors import NotFound
from core.parties.models import Channel

#: Kinds of customers, in words.
SEGMENTS = {
    "guest": "Whoever is not logged in",
    "person": "People",
    "organisation": "Businesses",
}
LONGEST = 10_080
MOST_ROWS = 500


@dataclass(frozen=True)
class Terms:
    """What a row says."""

    minutes: int
    extends: bool = True
    most_for_one: int | None = None
    holds_beyond: bool = False


@dataclass(frozen=True)
class Row:
    """A row in words: ``product`` is its slug, ``channel`` its code; "" is all of them."""

    id: uuid.UUID
    product: str
    product_name: str
    segment: str
    channel: str
    terms: Terms


def every(session: Session) -> list[Row]:
    """All rows, those that go first on top."""
    query = (
        select(HoldPolicy, Product.slug, Product.name, Channel.code)
        .outerjoin(Product, Product.id == HoldPolicy.product_id)
        .outerjoin(Channel, Channel.id == HoldPolicy.channel_id)
        .order_by(
            HoldPolicy.product_id.is_(None),
            HoldPolicy.segment == "",
            HoldPolicy.channel_id.is_(None),
            Product.name,
            HoldPolicy.id,
        )
        .limit(MOST_ROWS)
    )
    return [
        Row(one.id, slug or "", name or "", one.segment, code or "", _terms(one))
        for one, slug, name, code in session.execute(query)
    ]


def one(session: Session, policy_id: uuid.UUID) -> Row:
    """One row. NotFound when there is none."""
    for row in every(session):
        if row.id == policy_id:
            return row
    raise NotFound("rule about holds")


def _terms(row: HoldPolicy) -> Terms:
    return Terms(row.minutes, row.extends, row.most_for_one, row.holds_beyond)


def put(
    session: Session,
    product_id: uuid.UUID | None,
    segment: str,
    channel_id: uuid.UUID | None,
    terms: Terms,
) -> tuple[uuid.UUID, Terms | None]:
    """Set what counts for these; answers the row's key, and what it said before."""
    scope = f"{product_id or ''}/{segment}/{channel_id or ''}"
    row = session.scalar(select(HoldPolicy).where(HoldPolicy.scope == scope).with_for_update())
    before = _terms(row) if row is not None else None
    if row is None:
        row = HoldPolicy(scope=scope, product_id=product_id, segment=segment, channel_id=channel_id)
        session.add(row)
    row.minutes, row.extends = terms.minutes, terms.extends
    row.most_for_one, row.holds_beyond = terms.most_for_one, terms.holds_beyond
    session.flush()
    return row.id, before


def remove(session: Session, policy_id: uuid.UUID) -> None:
    """It counts no more. NotFound when there is none."""
    row = session.get(HoldPolicy, policy_id)
    if row is None:
        raise NotFound("rule about holds")
    session.delete(row)
    session.flush()
