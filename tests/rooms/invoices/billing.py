"""What tests of invoices and memos do: write a draft and issue it, correct it, and read what is open."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import address
from core.kernel.clock import ManualClock
from core.kernel.ids import new_public_id
from core.kernel.money import to_micros
from core.ledger import items
from core.ledger.memos import Credited
from core.parties.models import Account
from core.tax.models import TaxRate
from invoices import drafts, memos
from invoices.drafts import Draft, DraftLine
from invoices.memos import Wish
from invoices.models import Invoice, InvoiceLine
from invoices.terms import Terms
from invoices.wording import Printing
from tests.world import World, account

PRINTING = Printing(lambda public_id: f"http://localhost/i/{public_id}", address.lines)


def line(price: str, quantity: str = "1", name: str = "A line", **more: Any) -> DraftLine:
    """A line taxed at 20 %, unless ``more`` says otherwise."""
    told = {"tax_category": "twenty"} | more
    return DraftLine(
        name,
        Decimal(quantity),
        -to_micros(price[1:]) if price[0] == "-" else to_micros(price),
        **told,
    )


@dataclass
class Billing:
    """One account's bills, within one session."""

    session: Session
    world: World
    clock: ManualClock
    payer: Account

    @classmethod
    def open(
        cls, session: Session, world: World, clock: ManualClock, terms: Terms | None = None
    ) -> "Billing":
        """An account in Ohio, where the category ``twenty`` is taxed at 20 %."""
        payer = account(session, world, clock.now())
        payer.terms = terms.to_dict() if terms is not None else None
        session.add(
            TaxRate(
                legal_entity_id=world.legal_entity_id,
                country="US",
                region="OH",
                category="twenty",
                jurisdiction="Ohio",
                name="Sales tax",
                rate_ppm=200_000,
                valid_from=date(2020, 1, 1),
            )
        )
        session.flush()
        return cls(session, world, clock, payer)

    def bill(self, *lines: DraftLine, **more: str) -> Invoice:
        """An issued invoice."""
        now = self.clock.now()
        draft = drafts.start(self.session, self.payer.id, Draft(lines, **more), "test", now)
        return drafts.issue(self.session, draft.public_id, draft.revision, PRINTING, "test", now)

    def credit(
        self, bill: Invoice, parts: Mapping[int, int] | None = None, reason: str = "goodwill"
    ) -> tuple[Invoice, Credited]:
        """A credit memo over net amounts by line number; None: all that is left."""
        wish = Wish(bill.id, parts, reason, new_public_id(), "test")
        return memos.credit(self.session, wish, PRINTING, self.clock.now())

    def debit(self, bill: Invoice, parts: Mapping[int, int]) -> Invoice:
        """A debit memo over net amounts by line number."""
        wish = Wish(bill.id, parts, "more_used", new_public_id(), "test")
        return memos.debit(self.session, wish, PRINTING, self.clock.now())

    def open_of(self, document: Invoice) -> int:
        """What the ledger says is open of a document's item, owed or held."""
        item = items.of_sources(self.session, [document.id]).get(document.id)
        return item.open.minor if item is not None else 0

    def lines(self, document: Invoice) -> list[InvoiceLine]:
        """Its rows, in order."""
        query = select(InvoiceLine).where(InvoiceLine.invoice_id == document.id)
        return list(self.session.scalars(query.order_by(InvoiceLine.line_number)))


def line_ids(session: Session, document: Invoice) -> list[uuid.UUID]:
    """The keys of a document's lines, in order."""
    query = select(InvoiceLine.id).where(InvoiceLine.invoice_id == document.id)
    return list(session.scalars(query.order_by(InvoiceLine.line_number)))
