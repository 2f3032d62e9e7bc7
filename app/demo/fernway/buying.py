"""Acts of buying and paying: orders, bills that are paid by card, transfers that come to the bank."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.demo.fernway.people import DESK, Person
from app.demo.fernway.scene import Ago, Scene
from cart import lines
from cart.checkout import Details
from cart.models import Cart
from core.kernel.ids import derived_token
from core.kernel.money import Money
from core.ledger import items
from core.parties import accounts, users
from flows import pay_bill, place_order, settle_payment, take_transfer
from flows.pay_bill import PayWish
from flows.place_order import Wish
from flows.take_transfer import Transfer
from invoices.models import Invoice
from payments import operations
from payments.models import PaymentOperation


@dataclass(frozen=True)
class Ordered:
    """An order, on terms or paid by card at once; ``way`` is that of its delivery."""

    when: Ago
    who: Person
    pieces: Mapping[str, int] = field(hash=False)
    by: str = "invoice"
    way: str = "standard"

    def happen(self, scene: Scene) -> None:
        """Fill a cart, place its order, and pay it where it is paid by card."""
        house = scene.house
        # The cart of an act: the same again, and nobody can guess it.
        about = f"{self.who.email} {self.when.days} {self.when.months}"
        cart_id = derived_token(house.links.secret, "fernway-cart", about)
        house.db.run_tx(lambda session: self._fill(session, scene, cart_id))
        scene.clock.advance(timedelta(minutes=3))
        details = Details(self.who.email, dict(self.who.address), self.way, self.by)
        with house.db.reading() as session:
            user = users.find(session, self.who.email)
        wish = Wish(cart_id, details, user_id=user.id if user else None)
        placed = place_order.place(house, wish)
        if placed.redirect_url is None:
            return
        scene.clock.advance(timedelta(minutes=2))
        with house.db.reading() as session:
            operation = operations.of_order(session, placed.order_id)
        assert operation is not None  # there is a page to pay on
        settle_payment.settle(house, operation.id)

    def _fill(self, session: Session, scene: Scene, cart_id: str) -> None:
        if session.scalar(select(Cart.id).where(Cart.public_id == cart_id)) is not None:
            return
        rules, now = scene.house.rules, scene.clock.now()
        channel, _ = accounts.channel_by_code(session, rules.channel)
        user = users.find(session, self.who.email)
        cart = lines.open_cart(session, channel, now, user.id if user else None)
        cart.public_id = cart_id
        for sku, quantity in self.pieces.items():
            lines.add(session, cart, sku, quantity, rules.hold_for, now)


@dataclass(frozen=True)
class BillsPaid:
    """Somebody pays everything that is open then, by card."""

    when: Ago
    who: Person

    def happen(self, scene: Scene) -> None:
        """Begin the payment, unless that is done, and settle it."""
        house, account_id = scene.house, scene.account(self.who).id
        begun = select(PaymentOperation.id).where(
            PaymentOperation.account_id == account_id,
            PaymentOperation.created_at == scene.clock.now(),
        )
        with house.db.reading() as session:
            key = session.scalar(begun)
            owed = _owed(session, account_id)
        if key is None:
            pay_bill.pay(house, PayWish(scene.user_id(self.who), list(owed)))
            with house.db.reading() as session:
                key = session.scalars(begun).one()
        scene.clock.advance(timedelta(minutes=2))
        settle_payment.settle(house, key)


@dataclass(frozen=True)
class Transferred:
    """The bank tells of a transfer that pays everything that is open then."""

    when: Ago
    who: Person

    def happen(self, scene: Scene) -> None:
        """Staff write it down."""
        scene.step("transfer.recorded", lambda: self._record(scene))

    def _record(self, scene: Scene) -> None:
        account = scene.account(self.who)
        with scene.house.db.reading() as session:
            owed = sum(_owed(session, account.id).values())
        reference = f"{self.who.name.upper()} {account.number}"
        transfer = Transfer(reference, Money(owed, account.currency), scene.today, account.number)
        by = scene.actor(DESK)
        take_transfer.record(scene.house, account.legal_entity_id, transfer, by)


def _owed(session: Session, account_id: uuid.UUID) -> dict[uuid.UUID, int]:
    """What an account's bills ask for, in minor units; what is paid is left out."""
    of_account = (Invoice.payer_account_id == account_id, Invoice.kind == "invoice")
    keys = session.scalars(select(Invoice.id).where(*of_account)).all()
    found = items.of_sources(session, keys)
    return {key: found[key].open.minor for key in keys if key in found and found[key].open}
