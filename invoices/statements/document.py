"""The frozen document model of a statement: what page, PDF and CSV show, kept as JSON in its row.

Pure, like ``invoices.document``. Amounts are ``Decimal`` in major units with exactly the currency's
decimals; payments and credits are negative. Dates are local to the account; the period's last day is
included.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from invoices import frozen
from invoices.document import Buyer, Seller, UnknownSchema
from invoices.statements.rolling import Kind

SCHEMA = 1
ZERO = Decimal(0)


@dataclass(frozen=True)
class Movement:
    """One journal entry that changed the balance."""

    kind: Kind
    on: date
    what: str  # "Bill", "Payment", "Credit memo"
    number: str
    amount: Decimal
    posting: int  # its number in the posting sequence
    detail: str = ""
    due: date | None = None
    is_late: bool = False  # dated before the period: it came after the last statement was made


@dataclass(frozen=True)
class Section:
    """What happened for one service account, by date."""

    name: str
    account_number: str
    payments: Decimal
    adjustments: Decimal
    charges: Decimal
    movements: tuple[Movement, ...]
    place: str = ""

    @property
    def change(self) -> Decimal:
        """What all of it comes to."""
        return self.payments + self.adjustments + self.charges


@dataclass(frozen=True)
class Moved:
    """The balance of an account that is stated here from now on, or below zero no longer."""

    name: str
    account_number: str
    amount: Decimal


@dataclass(frozen=True)
class Age:
    """What is owed, by how long it has been due."""

    label: str
    amount: Decimal


@dataclass(frozen=True)
class Composition:
    """What the closing balance is made of; credit and unapplied money are taken off."""

    receivable: Decimal
    charged_back: Decimal
    credit: Decimal
    unapplied: Decimal

    @property
    def balance(self) -> Decimal:
        return self.receivable + self.charged_back - self.credit - self.unapplied


@dataclass(frozen=True)
class Block:
    """The movements of one kind within a section, with their sum: one table of page and PDF."""

    kind: Kind
    movements: tuple[Movement, ...]
    total: Decimal

    @property
    def has_several(self) -> bool:
        """More than one movement: their sum says something new."""
        return len(self.movements) > 1


@dataclass(frozen=True)
class StatementDocument:
    """One statement. Everything a reader sees is in here or derived by the properties below."""

    number: str
    issue_date: date
    period_start: date
    period_end: date
    currency: str
    seller: Seller
    buyer: Buyer
    opening: Decimal
    moved: Decimal
    payments: Decimal
    adjustments: Decimal
    charges: Decimal
    closing: Decimal
    composition: Composition
    sections: tuple[Section, ...]
    cutoff: int
    ageing: tuple[Age, ...] = ()
    moves: tuple[Moved, ...] = ()
    deposits: Decimal = ZERO  # held for orders: apart from the balance
    amount_due: Decimal = ZERO
    overdue: Decimal = ZERO
    due_date: date | None = None
    previous_number: str = ""
    previous_date: date | None = None
    locale: str = "en-US"
    dispute_by: date | None = None
    message: str = ""
    pay_url: str | None = None
    scan_line: str | None = None

    @property
    def asks_for_money(self) -> bool:
        """Print the stub."""
        return self.amount_due > 0

    @property
    def is_consolidated(self) -> bool:
        """Several service accounts: each has a section with its sums."""
        return len(self.sections) > 1

    @property
    def movement_count(self) -> int:
        return sum(len(section.movements) for section in self.sections)

    @property
    def remit_to(self) -> tuple[str, ...]:
        """Lines of the address that cheques go to."""
        return self.seller.remit_to or (self.seller.name, *self.seller.address)

    @cached_property
    def blocks(self) -> tuple[tuple[Section, tuple[Block, ...]], ...]:
        """Each section with its movements by kind: payments, adjustments, charges."""
        return tuple((section, tuple(_blocks(section))) for section in self.sections)

    def disagreements(self) -> tuple[str, ...]:
        """What does not add up, in words; empty when all does. Asked at making and by verify."""
        return tuple(_disagreements(self))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: amounts and dates as strings, so that nothing is rounded."""
        return {"schema": SCHEMA, **frozen.to_plain(self)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "StatementDocument":
        """What ``to_dict`` wrote. UnknownSchema when a newer version wrote it."""
        if data.get("schema") != SCHEMA:
            raise UnknownSchema(data.get("schema"))
        return frozen.from_plain(cls, data)


def fingerprint(data: dict[str, Any]) -> str:
    """The SHA-256 of a document's canonical JSON: a changed word changes it."""
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _blocks(section: Section) -> Iterator[Block]:
    for kind, total in (
        (Kind.PAYMENT, section.payments),
        (Kind.ADJUSTMENT, section.adjustments),
        (Kind.CHARGE, section.charges),
    ):
        found = tuple(each for each in section.movements if each.kind is kind)
        if found:
            yield Block(kind, found, total)


def _disagreements(document: StatementDocument) -> Iterator[str]:
    parts = (
        document.opening,
        document.moved,
        document.payments,
        document.adjustments,
        document.charges,
    )
    if sum(parts, ZERO) != document.closing:
        yield f"the roll-forward comes to {sum(parts, ZERO)}, not to {document.closing}"
    if document.composition.balance != document.closing:
        yield f"the balance is made of {document.composition.balance}, not {document.closing}"
    if sum((each.amount for each in document.moves), ZERO) != document.moved:
        yield f"what moved is not {document.moved}"
    for name in ("payments", "adjustments", "charges"):
        of_sections = sum((getattr(each, name) for each in document.sections), ZERO)
        if of_sections != getattr(document, name):
            yield f"the sections' {name} come to {of_sections}, not {getattr(document, name)}"
    for section in document.sections:
        for kind, said in zip(
            Kind, (section.payments, section.adjustments, section.charges), strict=True
        ):
            found = sum((each.amount for each in section.movements if each.kind is kind), ZERO)
            if found != said:
                yield f"{section.account_number}: {kind.value}s come to {found}, not {said}"
    owed = document.composition.receivable + document.composition.charged_back
    if sum((age.amount for age in document.ageing), ZERO) != owed:
        yield f"what is owed by age does not come to {owed}"
