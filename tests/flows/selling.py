"""A small shop in another country, for tests of taxes: euros or pounds, with or without tax in its prices."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select, update

from cart.checkout import Details
from cart.delivery_models import DeliveryMethod
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.orders.models import Order
from core.parties import accounts
from core.parties.accounts import NewAccount
from core.parties.models import Account, Channel, LegalEntity
from core.prices.models import PriceList
from core.tax.models import TaxRate
from flows import issue_invoice
from flows.house import House
from flows.place_order import Placed, Wish, place
from invoices.document import InvoiceDocument
from invoices.models import Invoice, InvoiceLine, InvoiceLineTax
from payments.gateway import Gateway
from tests import world as worlds
from tests.paying import fill_cart
from tests.shop import make_house
from tests.world import ADDRESS, World

CATEGORIES = ("device", "service", "internet", "delivery")
PARIS = {**ADDRESS, "city": "Paris", "region": "", "postal_code": "75002", "country": "FR"}
BERLIN = {**ADDRESS, "city": "Berlin", "region": "", "postal_code": "10115", "country": "DE"}
LEEDS = {**ADDRESS, "city": "Leeds", "region": "", "postal_code": "LS1 1AA", "country": "GB"}


@dataclass
class Seller:
    """Fernway, moved abroad."""

    house: House
    world: World

    @classmethod
    def open(cls, db: Database, clock: ManualClock, world: World, folder: Path) -> "Seller":
        return cls(make_house(db, clock, folder, cast(Gateway, None)), world)

    @property
    def db(self) -> Database:
        return self.house.db

    def with_house(self, **parts: Any) -> "Seller":
        return replace(self, house=replace(self.house, **parts))

    def move(self, country: str, currency: str, *, included: bool, rounding: str) -> None:
        """Sell from another country in its currency."""
        with self.db.transaction() as session:
            session.execute(
                update(LegalEntity).values(
                    country=country, functional_currency=currency, tax_rounding=rounding
                )
            )
            session.execute(update(Channel).values(currency=currency, prices_include_tax=included))
            session.execute(update(PriceList).values(currency=currency))
            for place_ in {"DE", "FR", "GB"}:
                session.add(
                    DeliveryMethod(
                        channel_id=self.world.channel_id,
                        country=place_,
                        code="standard",
                        name="Standard",
                        price_minor=690,
                    )
                )

    def levy(
        self, country: str, name: str, ppm: int, categories: Sequence[str] = CATEGORIES
    ) -> None:
        """A tax in the whole country."""
        with self.db.transaction() as session:
            session.add_all(
                TaxRate(
                    legal_entity_id=self.world.legal_entity_id,
                    country=country,
                    category=category,
                    jurisdiction=country,
                    name=name,
                    rate_ppm=ppm,
                    valid_from=date(2020, 1, 1),
                )
                for category in categories
            )

    def customer(self, **values: Any) -> uuid.UUID:
        """Somebody who can log in, with an account."""
        now = self.house.clock.now()
        with self.db.transaction() as session:
            entity = session.get_one(LegalEntity, self.world.legal_entity_id)
            channel = session.get_one(Channel, self.world.channel_id)
            user = worlds.user(session, now, email="riley@example.com")
            new = NewAccount("Riley Moreno", user.email, dict(ADDRESS))
            account = accounts.open_account(session, entity, channel, new, now)
            for name, value in values.items():
                setattr(account, name, value)
            accounts.join(session, user.id, account.id, "owner", now)
            return user.id

    def account(self) -> Account:
        with self.db.reading() as session:
            return session.scalars(select(Account)).one()

    def order(
        self,
        *skus: str,
        to: dict[str, str],
        who: uuid.UUID | None = None,
        vat_id: str = "",
    ) -> Placed:
        details = Details("riley@example.com", dict(to), None, "invoice", vat_id)
        return place(self.house, Wish(fill_cart(self.house, *skus), details, who))

    def bill(self, placed: Placed) -> "Billed":
        with self.db.transaction() as session:
            issue_invoice.for_order(session, self.house, placed.order_id)
        with self.db.reading() as session:
            invoice = session.scalars(
                select(Invoice).where(Invoice.order_id == placed.order_id)
            ).one()
            taxes = session.scalars(
                select(InvoiceLineTax)
                .join(InvoiceLine, InvoiceLine.id == InvoiceLineTax.invoice_line_id)
                .where(InvoiceLine.invoice_id == invoice.id)
            ).all()
            order = session.get_one(Order, placed.order_id)
        return Billed(order, invoice, InvoiceDocument.from_dict(invoice.document), list(taxes))


@dataclass(frozen=True)
class Billed:
    """An order with its bill."""

    order: Order
    invoice: Invoice
    document: InvoiceDocument
    taxes: list[InvoiceLineTax]

    @property
    def amounts(self) -> tuple[int, int, int]:
        """Net, tax and total."""
        row = self.invoice
        return row.net_minor, row.tax_minor, row.total_minor
