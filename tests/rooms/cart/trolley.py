"""A shopper with a cart, for the tests of the cart's room."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cart import lines, pricing
from cart.delivery import TableDelivery
from cart.lines import Entry
from cart.models import Cart, CartLine
from cart.priced import PricedCart
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.parties.models import Channel, LegalEntity
from core.prices.models import Price
from core.stock.models import Hold, StockLevel
from tests.world import Goods, World

HALF_AN_HOUR = timedelta(minutes=30)


@dataclass
class Trolley:
    """What one shopper does, each step in a transaction of its own."""

    db: Database
    clock: ManualClock
    world: World
    public_id: str

    @classmethod
    def take(cls, db: Database, clock: ManualClock, world: World) -> "Trolley":
        def work(session: Session) -> str:
            channel = session.get_one(Channel, world.channel_id)
            return lines.open_cart(session, channel, clock.now()).public_id

        return cls(db, clock, world, db.run_tx(work))

    def put(self, goods: Goods | str, quantity: int = 1) -> Entry:
        return self.db.run_tx(lambda session: self.put_in(session, goods, quantity))

    def put_in(self, session: Session, goods: Goods | str, quantity: int = 1) -> Entry:
        """As ``put``, in somebody's transaction."""
        sku = goods if isinstance(goods, str) else goods.sku
        cart = lines.lock_open(session, self.public_id)
        return lines.put(session, cart, sku, quantity, HALF_AN_HOUR, self.clock.now())

    def set(self, line_id: str, quantity: int) -> Entry | None:
        def work(session: Session) -> Entry | None:
            cart = lines.lock_open(session, self.public_id)
            now = self.clock.now()
            return lines.set_quantity(session, cart, line_id, quantity, HALF_AN_HOUR, now)

        return self.db.run_tx(work)

    def remove(self, line_id: str) -> None:
        def work(session: Session) -> None:
            cart = lines.lock_open(session, self.public_id)
            lines.remove(session, cart, line_id, self.clock.now())

        self.db.run_tx(work)

    def hold_again(self) -> None:
        def work(session: Session) -> None:
            cart = lines.lock_open(session, self.public_id)
            lines.hold_again(session, cart, HALF_AN_HOUR, self.clock.now())

        self.db.run_tx(work)

    def hold_what_is_left(self) -> None:
        def work(session: Session) -> None:
            cart = lines.lock_open(session, self.public_id)
            lines.hold_what_is_left(session, cart, HALF_AN_HOUR, self.clock.now())

        self.db.run_tx(work)

    def priced(self, place: dict[str, Any] | None = None, method: str | None = None) -> PricedCart:
        with self.db.reading() as session:
            return pricing.price(
                session,
                lines.find(session, self.public_id),
                session.get_one(Channel, self.world.channel_id),
                session.get_one(LegalEntity, self.world.legal_entity_id),
                TableDelivery(),
                self.clock.now(),
                place=place,
                method_code=method,
            )

    def rows(self) -> list[tuple[uuid.UUID, int]]:
        """Variant and quantity of each line."""
        query = (
            select(CartLine.variant_id, CartLine.quantity)
            .join(Cart, Cart.id == CartLine.cart_id)
            .where(Cart.public_id == self.public_id)
            .order_by(CartLine.added_at, CartLine.id)
        )
        with self.db.reading() as session:
            return [(variant_id, quantity) for variant_id, quantity in session.execute(query)]


def held(db: Database, goods: Goods) -> int:
    """What the level says is held."""
    with db.reading() as session:
        query = select(StockLevel.held).where(StockLevel.id == goods.level_id)
        return session.scalars(query).one()


def ends(db: Database) -> list[datetime]:
    """When the active holds end."""
    with db.reading() as session:
        query = select(Hold.expires_at).where(Hold.state == "active")
        return sorted(session.scalars(query))


def reprice(db: Database, goods: Goods, micros: int | None) -> None:
    """Another price for it; None takes its price away."""
    with db.transaction() as session:
        mine = Price.variant_id == goods.variant_id
        if micros is None:
            session.query(Price).where(mine).delete()
        else:
            session.execute(update(Price).where(mine).values(unit_price_micros=micros))
