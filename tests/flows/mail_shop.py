"""The small shop with the acts that lead up to a mail: an order, its bill, money that comes."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import address
from core.kernel import blobs
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import business, items
from core.ledger.business import Receipt
from core.notices.models import Notice
from core.orders import placing
from core.orders.drafting import NewLine, NewOrder
from core.orders.models import Order
from core.parties import accounts
from core.parties.models import Account, User
from core.tax.arithmetic import Tax, tax_lines
from flows.links import Links
from invoices import issue
from invoices.models import Invoice
from invoices.wording import Printing
from payments.models import Payment
from tests.world import ADDRESS, OHIO_PPM, Goods, World, account, user

SECRET = "a secret of the shop that is long enough"
LINKS = Links("https://shop.example.com", SECRET)
SALES_TAX = Tax("Ohio", "Sales tax", OHIO_PPM)
PDF = "a" * 64


@dataclass(frozen=True)
class Shop:
    """The small shop, with the acts that lead up to a mail."""

    db: Database
    world: World
    clock: ManualClock

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def today(self) -> date:
        return date(2026, 11, 17)

    def mails(self) -> list[Notice]:
        with self.db.reading() as session:
            return list(session.scalars(select(Notice).order_by(Notice.to_address, Notice.id)))

    def mail(self) -> Notice:
        (only,) = self.mails()
        return only

    def twice(self, tell: Callable[[Session], None]) -> None:
        """Run a handler as a job that was done and runs again."""
        for _ in range(2):
            self.db.run_tx(tell)

    def person(self, name: str = "Riley Moreno") -> Account:
        with self.db.transaction() as session:
            return account(session, self.world, self.now, name=name)

    def member(self, payer: Account, email: str, role: str = "owner") -> User:
        with self.db.transaction() as session:
            made = user(session, self.now, email=email)
            accounts.join(session, made.id, payer.id, role, self.now)
            return made

    def order(self, payer: Account, payment: str = "on_terms", name: str = "Riley Moreno") -> Order:
        """A router for Riley, a plan's first month and delivery; with a deposit when it is paid."""
        lines = [
            _line("Wi-Fi 6 router", self.world.router, "physical", 2, 25800, [SALES_TAX]),
            _line("River 100", self.world.plan, "plan", 1, 4500, [], charge_kind="monthly"),
            _line("Delivery, Standard delivery", None, "delivery", 1, 690, []),
        ]
        with self.db.transaction() as session:
            order = placing.write(
                session,
                NewOrder(
                    legal_entity_id=self.world.legal_entity_id,
                    channel_id=self.world.channel_id,
                    currency="USD",
                    payer_account_id=payer.id,
                    service_account_id=payer.id,
                    cart_id=new_id(),
                    payment_method="card" if payment == "paid" else "invoice",
                    email="riley.moreno@example.com",
                    shipping_address=ADDRESS | {"name": name},
                    shipping_method="standard",
                    lines=lines,
                ),
                self.now,
            )
            placing.confirm(session, order, payment, self.now)
            if payment == "paid":
                got = self._payment(session, payer, order.due_now_minor, order.id)
                business.receive_for_order(session, _receipt(got, self.today), order.id, self.now)
            return order

    def bill(self, order: Order) -> Invoice:
        with self.db.transaction() as session:
            blobs.note(session, PDF, 9, "application/pdf", self.now)
            printing = Printing(page_url=LINKS.bill, postal=address.lines)
            return issue.for_order(session, order.id, printing, self.now)

    def pay(self, payer: Account, minor: int, wanted: Sequence[tuple[Invoice, int]]) -> Payment:
        with self.db.transaction() as session:
            payment = self._payment(session, payer, minor, None)
            found = items.of_sources(session, [invoice.id for invoice, _ in wanted])
            parts = [(found[invoice.id], Money(part, "USD")) for invoice, part in wanted]
            receipt = _receipt(payment, self.today)
            business.receive_for_items(session, receipt, parts, self.now)
            return payment

    def _payment(
        self, session: Session, payer: Account, minor: int, order_id: uuid.UUID | None
    ) -> Payment:
        payment = Payment(
            number=f"P-{uuid.uuid4().hex[:6]}",
            legal_entity_id=self.world.legal_entity_id,
            account_id=payer.id,
            operation_id=new_id(),
            order_id=order_id,
            gateway_id=f"pi_{uuid.uuid4().hex}",
            amount_minor=minor,
            currency="USD",
            instrument="Visa ending 4242",
            captured_at=self.now,
        )
        session.add(payment)
        session.flush()
        return payment


def _line(
    name: str,
    goods: Goods | None,
    kind: str,
    quantity: int,
    net_minor: int,
    taxes: Sequence[Tax],
    charge_kind: str = "one_off",
) -> NewLine:
    return NewLine(
        variant_id=goods.variant_id if goods else None,
        sku=goods.sku if goods else "delivery:standard",
        name=name,
        kind=kind,
        tax_category="device",
        charge_kind=charge_kind,
        quantity=quantity,
        unit_price_micros=net_minor * 10_000 // quantity,
        price_trace={},
        taxed=tax_lines([(net_minor, taxes)], "document")[0],
    )


def _receipt(payment: Payment, on: date) -> Receipt:
    return Receipt(
        payment.id,
        payment.legal_entity_id,
        payment.account_id,
        payment.number,
        Money(payment.amount_minor, payment.currency),
        on,
    )
