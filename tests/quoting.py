"""How tests ask for a quote, work on it, and have it sent and accepted."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from typing import Any

from sqlalchemy import select

from cart.quotes import drafting
from cart.quotes.models import Quote, QuoteLine, QuoteVersion
from cart.quotes.offer import Discount, Offer
from cart.quotes.wanting import Wanted
from core.kernel.clock import ManualClock
from core.kernel.money import to_micros
from core.orders.models import Order, OrderLine
from flows import accept_quote, ask_quote, draft_quote, send_quote
from flows.accept_quote import Answer
from flows.ask_quote import Contact
from flows.draft_quote import Draft
from flows.house import House
from flows.place_order import Placed
from tests.shop import PostBox
from tests.world import ADDRESS, World

ANN, BOB = f"user:{uuid.UUID(int=1)}", f"user:{uuid.UUID(int=2)}"
DEPOT = ADDRESS | {"name": "The depot"}
MILL = ADDRESS | {"name": "The mill", "line1": "3 Weir Street"}
UNTAXED = ADDRESS | {"name": "The bend", "city": "Portland", "region": "OR", "postal_code": "97201"}
YARD = ADDRESS | {"name": "The yard", "line1": "9 Quay Street", "city": "Fern Harbor"}


def contact(**more: Any) -> Contact:
    """Somebody of a firm, with one place."""
    base: dict[str, Any] = {
        "name": "Pat Rowan",
        "email": "pat@rowan.example.com",
        "company": "Rowan Mills",
        "message": "Three places, please.",
        "sites": (DEPOT,),
    }
    return Contact(**(base | more))


@dataclass
class Quoting:
    """One quote and everything that tests do with it."""

    house: House
    world: World
    public_id: str = ""

    @classmethod
    def ask(
        cls, house: House, world: World, sku: str = "", pieces: int = 1, **more: Any
    ) -> "Quoting":
        """Somebody asks for so many of one thing."""
        wanted = sku or world.router.sku
        return cls(house, world, ask_quote.of_product(house, wanted, pieces, contact(**more)))

    # --- looking ---------------------------------------------------------------------------------

    @property
    def quote(self) -> Quote:
        with self.house.db.reading() as session:
            return drafting.by_public_id(session, self.public_id)

    def version(self, number: int = 0) -> QuoteVersion:
        """The version with this number, or the last."""
        with self.house.db.reading() as session:
            found = drafting.by_public_id(session, self.public_id)
            query = select(QuoteVersion).where(QuoteVersion.quote_id == found.id)
            if number:
                return session.scalars(query.where(QuoteVersion.number == number)).one()
            return drafting.latest(session, found.id)

    def offer(self) -> Offer:
        with self.house.db.reading() as session:
            found = drafting.by_public_id(session, self.public_id)
            return drafting.offer_of(session, drafting.latest(session, found.id))

    def lines(self, number: int = 0) -> list[QuoteLine]:
        """The frozen lines of a version."""
        version = self.version(number)
        with self.house.db.reading() as session:
            query = select(QuoteLine).where(QuoteLine.version_id == version.id)
            return list(session.scalars(query.order_by(QuoteLine.line_number)))

    def orders(self) -> list[Order]:
        with self.house.db.reading() as session:
            return list(session.scalars(select(Order).order_by(Order.created_at, Order.id)))

    def order_lines(self, order_id: uuid.UUID) -> list[OrderLine]:
        with self.house.db.reading() as session:
            query = select(OrderLine).where(OrderLine.order_id == order_id)
            return list(session.scalars(query.order_by(OrderLine.line_number)))

    # --- doing -----------------------------------------------------------------------------------

    @property
    def today(self) -> date:
        return self.house.clock.now().date()

    def write(
        self,
        *wanted: Wanted,
        sites: Sequence[dict[str, str]] = (DEPOT,),
        discount: Discount | None = None,
        days: int = 14,
        by: str = ANN,
        **more: Any,
    ) -> None:
        """Write the version in the making: lines, places, discount, validity."""
        offer = Offer(
            sites=tuple(sites),
            discount=discount or Discount(),
            valid_through=self.today + timedelta(days=days),
            **more,
        )
        draft_quote.change(
            self.house, self.public_id, Draft(wanted, offer), self.version().revision, by
        )

    def send(self, by: str = ANN) -> QuoteVersion:
        """Send it, approved by somebody else where that is needed."""
        version = self.version()
        with self.house.db.reading() as session:
            found = draft_quote.preview(session, self.house, self.quote)
        assert found is not None
        if send_quote.reasons(self.house, found[0]):
            send_quote.ask_approval(self.house, self.public_id, version.revision, "", ANN)
            send_quote.decide(
                self.house, self.public_id, version.revision, approved=True, answer="", actor=BOB
            )
        send_quote.send(self.house, self.public_id, version.revision, by)
        return self.version()

    def ready(self, *wanted: Wanted, **more: Any) -> "Quoting":
        """Written and sent."""
        self.write(*(wanted or (Wanted(sku=self.world.router.sku, quantity=2),)), **more)
        self.send()
        return self

    def another(self, *wanted: Wanted, **more: Any) -> "Quoting":
        """The next version, written and sent."""
        draft_quote.another(self.house, self.public_id, ANN)
        return self.ready(*wanted, **more)

    def answer(self, payment: str = "terms", version: int = 0, **more: Any) -> Answer:
        number = version or self.version().number
        base = Answer(self.public_id, number, "Pat Rowan", "Owner", True, payment, "203.0.113.9")
        return replace(base, **more)

    def accept(self, payment: str = "terms", version: int = 0, **more: Any) -> Placed:
        return accept_quote.accept(self.house, self.answer(payment, version, **more))


def mails(house: House) -> list[EmailMessage]:
    """What the post box of a test's house holds."""
    assert isinstance(house.sender, PostBox)
    return house.sender.mails


def stand_at(house: House, moment: datetime | None) -> None:
    """Move the test's clock."""
    assert isinstance(house.clock, ManualClock)
    assert moment is not None
    house.clock.set(moment)


def off(percent: str = "0", amount: int = 0, reason: str = "For three places") -> Discount:
    """A discount in percent or in minor units."""
    return Discount(to_micros(percent) // 100, amount, reason)
