"""What a bundle costs for each charge kind, and how that is shared among its pieces.

Kinds are never mixed: what is paid once is shared by the pieces that are paid once, what is paid each month
by those of each month. The arithmetic is pure; ``offered`` reads what it needs.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from core.catalog import bundles as catalog
from core.catalog.bundles import Component
from core.kernel.db import table
from core.kernel.money import Money, extend, micros_of, total
from core.prices import resolve
from core.prices.models import BundlePrice, PriceList
from core.prices.resolve import Resolved

#: In the order in which they are told.
CHARGE_KINDS = ("one_off", "monthly", "yearly")
INTERVALS = {"monthly": "month", "yearly": "year"}


@dataclass(frozen=True)
class Piece:
    """A component with what it costs by itself. Its charge kind is the one that it has by itself."""

    component: Component
    alone: Resolved

    @property
    def charge_kind(self) -> str:
        """``one_off``, ``monthly`` or ``yearly``."""
        return self.alone.charge_kind


@dataclass(frozen=True)
class Share:
    """A piece's part of what so many bundles cost: ``weight`` of ``of_weight`` of ``of``."""

    piece: Piece
    quantity: int
    amount: Money
    of: Money
    weight: int
    of_weight: int

    @property
    def unit_price_micros(self) -> int:
        """Of one piece, in millionths; of a plan's, times the quantity it is ``amount`` again."""
        return (2 * micros_of(self.amount) + self.quantity) // (2 * self.quantity)

    @property
    def apart(self) -> Money:
        """What as many cost by themselves."""
        return extend(self.piece.alone.unit_price_micros, self.quantity, self.amount.currency)


@dataclass(frozen=True)
class KindPrice:
    """What so many bundles cost for one charge kind, and what their pieces cost apart."""

    charge_kind: str
    together: Money
    apart: Money

    @property
    def interval(self) -> str | None:
        """``month`` or ``year``; None for what is paid once."""
        return INTERVALS.get(self.charge_kind)

    @property
    def saving(self) -> Money:
        """What is kept by not buying apart; never below zero."""
        return max(self.apart - self.together, Money.zero(self.together.currency))


@dataclass(frozen=True)
class Bundle:
    """A bundle that can be bought: its unit price for each charge kind, with why, and its pieces."""

    prices: Mapping[str, Resolved]
    pieces: tuple[Piece, ...]
    currency: str

    @property
    def kinds(self) -> tuple[str, ...]:
        """The charge kinds that it has, in their order."""
        return tuple(kind for kind in CHARGE_KINDS if kind in self.prices)

    @property
    def now(self) -> Resolved:
        """What one costs now, the first periods of its plans included, with the prices it is made of."""
        micros = sum(self.prices[kind].unit_price_micros for kind in self.kinds)
        return Resolved(micros, self.currency, None, 1, self.trace)

    @property
    def trace(self) -> dict[str, Any]:
        """Which lists its prices are from."""
        told = {
            kind: {**self.prices[kind].trace, "unit_price_micros": micros}
            for kind, micros in self.unit_prices.items()
        }
        return {"list": self.prices[self.kinds[0]].trace.get("list", ""), "bundle": told}

    @property
    def unit_prices(self) -> dict[str, int]:
        """Millionths, by charge kind."""
        return {kind: self.prices[kind].unit_price_micros for kind in self.kinds}

    def shares(self, quantity: int) -> tuple[Share, ...]:
        """What each piece of ``quantity`` bundles costs: for each charge kind exactly what it costs.

        By largest remainder; of equal remainders the earlier piece takes the last minor unit.
        """
        found: dict[int, Share] = {}
        for kind in self.kinds:
            places = [n for n, piece in enumerate(self.pieces) if piece.charge_kind == kind]
            of = extend(self.prices[kind].unit_price_micros, quantity, self.currency)
            weights = [self.pieces[place].component.weight for place in places]
            if sum(weights) == 0:
                weights = [1] * len(weights)
            for place, weight, amount in zip(places, weights, of.split(weights), strict=True):
                piece = self.pieces[place]
                pieces = piece.component.quantity * quantity
                found[place] = Share(piece, pieces, amount, of, weight, sum(weights))
        return tuple(found[place] for place in sorted(found))

    def charges(self, quantity: int) -> tuple[KindPrice, ...]:
        """What ``quantity`` bundles cost for each charge kind, beside what they cost apart."""
        shares = self.shares(quantity)
        return tuple(
            KindPrice(
                kind,
                extend(self.prices[kind].unit_price_micros, quantity, self.currency),
                total((s.apart for s in shares if s.piece.charge_kind == kind), self.currency),
            )
            for kind in self.kinds
        )

    def due_now(self, quantity: int) -> Money:
        """What so many cost now: what is paid once, and the first periods."""
        return total((charge.together for charge in self.charges(quantity)), self.currency)


def offered(
    session: Session,
    channel_id: uuid.UUID,
    currency: str,
    quantities: Mapping[uuid.UUID, int],
    now: datetime,
) -> dict[uuid.UUID, Bundle]:
    """Each bundle at its quantity; one that can't be bought is not in the answer. Three queries."""
    return offered_until(session, channel_id, currency, quantities, now, now)[0]


def offered_until(
    session: Session,
    channel_id: uuid.UUID,
    currency: str,
    quantities: Mapping[uuid.UUID, int],
    now: datetime,
    horizon: datetime,
) -> tuple[dict[uuid.UUID, Bundle], datetime]:
    """As ``offered``, and until when: ``horizon``, or earlier if a price list begins or ends."""
    if not quantities:
        return {}, horizon
    components = catalog.components(session, quantities)
    wanted: dict[uuid.UUID, int] = {}
    for bundle_id, pieces in components.items():
        for one in pieces:
            more = one.quantity * quantities[bundle_id]
            wanted[one.variant_id] = wanted.get(one.variant_id, 0) + more
    asked = (session, channel_id, currency)
    alone, alone_until = resolve.prices_until(*asked, wanted, now, horizon)
    prices, until = _prices(*asked, list(quantities), now, horizon)
    found = {
        bundle_id: assemble(components.get(bundle_id, ()), prices.get(bundle_id, {}), alone)
        for bundle_id in quantities
    }
    buyable = {bundle_id: bundle for bundle_id, bundle in found.items() if bundle is not None}
    return buyable, min(until, alone_until)


def assemble(
    components: Sequence[Component],
    prices: Mapping[str, Resolved],
    alone: Mapping[uuid.UUID, Resolved],
) -> Bundle | None:
    """The bundle, if it can be bought: each component is sold and priced, by itself and for its kind.

    A plan in it recurs every month or every year. Prices of kinds that no component has are left out.
    """
    if not components:
        return None
    for one in components:
        if not one.sold or one.variant_id not in alone:
            return None
        by_itself = alone[one.variant_id]
        if by_itself.charge_kind not in prices or by_itself.interval_count != 1:
            return None
    pieces = tuple(Piece(one, alone[one.variant_id]) for one in components)
    kinds = {piece.charge_kind for piece in pieces}
    kept = {kind: prices[kind] for kind in CHARGE_KINDS if kind in kinds}
    return Bundle(kept, pieces, pieces[0].alone.currency)


def _prices(
    session: Session,
    channel_id: uuid.UUID,
    currency: str,
    bundle_ids: list[uuid.UUID],
    now: datetime,
    horizon: datetime,
) -> tuple[dict[uuid.UUID, dict[str, Resolved]], datetime]:
    values = {"variants": bundle_ids, "channel": channel_id, "currency": currency}
    rows = session.execute(_query(), {**values, "now": now, "horizon": horizon}).all()
    begun, until = resolve.held(rows, now, horizon)
    found: dict[uuid.UUID, dict[str, Resolved]] = {}
    for row in begun:
        trace = {"list": row.code, "priority": row.priority}
        price = Resolved(row.unit_price_micros, currency, INTERVALS.get(row.charge_kind), 1, trace)
        found.setdefault(row.variant_id, {}).setdefault(row.charge_kind, price)
    return found, until


@cache
def _query() -> Select[Any]:
    """The prices of some bundles, as ``resolve`` asks for those of other variants."""
    price, book = table(BundlePrice), table(PriceList)
    return (
        select(
            price.c.variant_id,
            price.c.charge_kind,
            price.c.unit_price_micros,
            book.c.code,
            book.c.priority,
            book.c.valid_from,
            book.c.valid_to,
        )
        .select_from(price.join(book, book.c.id == price.c.price_list_id))
        .where(
            price.c.variant_id.in_(bindparam("variants", expanding=True)),
            *resolve.lists_that_hold(),
        )
        .order_by(book.c.priority.desc(), book.c.code)
    )
