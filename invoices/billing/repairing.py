"""What was billed for days that are not used goes back: a credit memo for each bill, by its lines.

A memo takes the line's own taxes and never more than is left of it; it first lowers what is open of the
bill, and the rest is the payer's to use.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.ledger import items, reversals
from core.ledger.items import Open
from core.ledger.memos import Credited
from invoices import correctable, correcting, memos
from invoices.billing.comparing import Repair
from invoices.content import TaxPart
from invoices.correctable import Corrected
from invoices.memos import Because, Wish
from invoices.models import NOT_USED, Invoice
from invoices.wording import Printing


@dataclass(frozen=True)
class Part:
    """What one line of a bill gives back: its net, and the line's own taxes with it."""

    line_id: uuid.UUID
    name: str
    net: int
    taxes: tuple[TaxPart, ...]

    @property
    def tax(self) -> int:
        """All its taxes."""
        return sum(part.amount_minor for part in self.taxes)

    @property
    def contained(self) -> int:
        """Those that its price contains."""
        return sum(part.amount_minor for part in self.taxes if part.inclusive)


@dataclass(frozen=True)
class Back:
    """What one bill gives back, and how much is ``open`` of the bill, which that lowers first."""

    bill: Invoice
    parts: tuple[Part, ...]
    open: int

    @property
    def total(self) -> int:
        """Tax included."""
        return sum(part.net + part.tax for part in self.parts)

    @property
    def settled(self) -> int:
        """So much was not paid yet."""
        return min(self.total, self.open)

    @property
    def kept(self) -> int:
        """So much becomes the payer's credit."""
        return self.total - self.settled


def by_bill(repairs: Sequence[Repair]) -> dict[uuid.UUID, list[Repair]]:
    """The repairs of each bill."""
    found: dict[uuid.UUID, list[Repair]] = {}
    for repair in repairs:
        found.setdefault(repair.line.invoice_id, []).append(repair)
    return found


def credit(
    session: Session, repairs: Sequence[Repair], printing: Printing, actor: str, now: datetime
) -> list[tuple[Invoice, Credited]]:
    """Write the memos. Raises what ``memos.credit`` raises, and ``core.ledger.memos.ChargedBack``."""
    return [
        memos.credit(session, _wish(bill_id, mine, actor), printing, now)
        for bill_id, mine in by_bill(repairs).items()
    ]


def _wish(bill_id: uuid.UUID, repairs: Sequence[Repair], actor: str) -> Wish:
    before = sum(repair.line.memos for repair in repairs)
    first = min(repair.line.line_number for repair in repairs)
    return Wish(
        bill_id,
        {repair.line.line_number: repair.net for repair in repairs},
        NOT_USED,
        f"{NOT_USED}:{bill_id.hex}:{first}:{before}",
        actor,
        because={
            repair.line.line_number: Because(repair.change.why, repair.rated) for repair in repairs
        },
    )


def foresee(session: Session, repairs: Sequence[Repair]) -> list[Back]:
    """What the memos would come to; writes nothing."""
    found = []
    for bill_id, mine in by_bill(repairs).items():
        bill = session.get_one(Invoice, bill_id)
        nets = {repair.line.line_number: repair.net for repair in mine}
        parts = [
            _part(line, nets[line.row.line_number], bill.currency)
            for line in correctable.lines_of(session, bill_id)
            if line.row.line_number in nets
        ]
        owed = items.of_sources(session, [bill_id]).get(bill_id)
        still = _open_with_given_up(session, owed) if owed is not None else 0
        found.append(Back(bill, tuple(parts), still))
    return found


def _part(line: Corrected, net: int, currency: str) -> Part:
    taxes = correcting.credit(line.creditable, net, currency)
    return Part(line.row.id, line.row.name, net, taxes)


def _open_with_given_up(session: Session, owed: Open) -> int:
    """A write-off is owed again when a credit comes for it."""
    given_up = [
        found.left.minor
        for found in reversals.of_bill(session, owed)
        if found.row.source_kind == "write_off"
    ]
    return owed.open.minor + sum(given_up)
