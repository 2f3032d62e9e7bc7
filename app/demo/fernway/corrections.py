"""What Fernway's desk wrote itself: a part given back on a bill, and an invoice that is still a draft."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.demo.fernway.people import Person
from app.demo.fernway.scene import Ago, Scene
from core.kernel.money import to_micros
from core.orders.models import OrderLine
from core.parties import accounts
from core.parties.models import Account
from flows import correct_invoice, draft_invoice
from flows.correct_invoice import Correction
from flows.house import House
from invoices.drafts import Draft, DraftLine
from invoices.models import Invoice, InvoiceDraft, InvoiceLine

ACTOR = "system"


@dataclass(frozen=True)
class Credited:
    """So much before tax is given back on one SKU of an order's bill."""

    when: Ago
    who: Person
    sku: str
    minor: int
    reason: str
    message: str

    def happen(self, scene: Scene) -> None:
        """Once, by its name."""
        _credit(scene.house, self)


@dataclass(frozen=True)
class Drafted:
    """An invoice that staff have begun to write."""

    when: Ago
    who: Person
    lines: Sequence[tuple[str, str, str, str]]  # text, quantity, price, tax category

    def happen(self, scene: Scene) -> None:
        """Begin it, unless it is begun, and write it, unless it is written."""
        _draft(scene.house, self)


def _credit(house: House, act: Credited) -> None:
    with house.db.reading() as session:
        public_id, number = _line(session, act)
    correct_invoice.credit(
        house,
        Correction(
            public_id,
            {number: act.minor},
            act.reason,
            f"fernway-{act.when.days}",
            ACTOR,
            message=act.message,
        ),
    )


def _line(session: Session, act: Credited) -> tuple[str, int]:
    account = accounts.by_number(session, act.who.account_number or "")
    public_id, number = session.execute(
        select(Invoice.public_id, InvoiceLine.line_number)
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .join(OrderLine, OrderLine.id == InvoiceLine.order_line_id)
        .where(Invoice.payer_account_id == account.id, OrderLine.sku == act.sku)
    ).one()
    return public_id, number


def _draft(house: House, act: Drafted) -> None:
    number = act.who.account_number or ""
    with house.db.reading() as session:
        begun = session.scalar(
            select(InvoiceDraft)
            .join(Account, Account.id == InvoiceDraft.payer_account_id)
            .where(Account.number == number)
        )
    row = begun or draft_invoice.start(house, number, ACTOR)
    if row.revision > 1:
        return
    lines = tuple(
        DraftLine(text, Decimal(quantity), _micros(price), category)
        for text, quantity, price, category in act.lines
    )
    draft_invoice.change(house, row.public_id, Draft(lines), row.revision)


def _micros(price: str) -> int:
    return -to_micros(price[1:]) if price.startswith("-") else to_micros(price)
