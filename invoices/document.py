"""The frozen document model: what an invoice, credit memo, debit memo or note says.

Built once by ``invoices.issue``, kept as JSON in the document's row, and read by the page, the PDF
and later the XML forms, so that they cannot disagree. Names follow the business terms of EN 16931
(BT numbers in the comments). Pure: no database, no clock, no rendering.

Amounts are ``Decimal`` in major units with exactly the currency's decimals; unit prices and
quantities may carry more. Dates are local to the account; the last day of a period is included.
In a credit memo amounts are positive and say what is given back.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, ClassVar

from core.kernel.errors import ShopError
from invoices import frozen

SCHEMA = 1
ZERO = Decimal(0)


@dataclass(eq=False)
class UnknownSchema(ShopError):
    """A stored document was written by a newer version than this one."""

    code: ClassVar[str] = "document_schema_unknown"
    text: ClassVar[str] = "This document was written in form {schema}, which is not known here."
    schema: object


class Kind(StrEnum):
    """What the document is (BT-3)."""

    INVOICE = "invoice"
    CREDIT_MEMO = "credit_memo"
    DEBIT_MEMO = "debit_memo"
    NOTE = "note"  # kept for the record, every price zero, no ledger entry
    QUOTE = "quote"  # what accepting it would order; no number of the ledger's, nothing to pay


@dataclass(frozen=True)
class Seller:
    """Who bills (BG-4). ``address`` and ``remit_to`` are lines as they are printed."""

    name: str
    address: tuple[str, ...] = ()
    tax_id: str = ""
    phone: str = ""
    email: str = ""
    website: str = ""
    remit_to: tuple[str, ...] = ()  # where a cheque goes; empty means name and address


@dataclass(frozen=True)
class Buyer:
    """Who is billed (BG-7)."""

    name: str
    address: tuple[str, ...] = ()
    account_number: str = ""
    email: str = ""
    vat_id: str = ""  # BT-48


@dataclass(frozen=True)
class Delivery:
    """Where it goes (BG-13): a parcel's address, or with ``service`` where a service is used."""

    name: str = ""
    address: tuple[str, ...] = ()
    service: bool = False


@dataclass(frozen=True)
class Reason:
    """One row of "why this amount": a sentence alone, or a label with its value as shown."""

    label: str
    value: str = ""
    is_sum: bool = False  # set off with a rule, in bold


@dataclass(frozen=True)
class Line:
    """One line (BG-25). A bundle is a line that others name as ``parent_no``: it shows their sum,
    and only its pieces count. ``net`` is as priced: tax that comes on top is not in it."""

    line_no: int  # BT-126
    name: str  # BT-153
    net: Decimal  # BT-131
    quantity: Decimal = Decimal(1)  # BT-129
    unit_price: Decimal | None = None  # BT-146; None where a price each says nothing
    parent_no: int | None = None
    group: str = ""  # the service or parcel it is shown under
    description: str = ""  # BT-154
    unit: str = ""  # BT-130, in words: "month", "minutes"; empty for pieces
    sku: str = ""  # BT-155
    tax_category: str = ""  # BT-151
    period_start: date | None = None  # BT-134
    period_end: date | None = None  # BT-135
    why: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class TaxSubtotal:
    """Tax of one place, category and rate (BG-23), rounded once for the document."""

    jurisdiction: str  # as shown: "Ohio"
    category: str  # BT-118
    rate: Decimal  # BT-119, percent: Decimal("6.5")
    base: Decimal  # BT-116
    amount: Decimal  # BT-117
    inclusive: bool = False  # the prices contain it already
    name: str = "Sales tax"
    relief: str = ""  # "exempt" or "reverse_charge": the base is told, nothing is charged
    reference: str = ""  # BT-120: the certificate or VAT id that says so


@dataclass(frozen=True)
class Applied:
    """A deposit, payment or credit taken off the gross total when the document was issued."""

    label: str
    amount: Decimal
    on: date | None = None


@dataclass(frozen=True)
class Preceding:
    """A document that this one refers to (BG-3): the invoice that a memo corrects."""

    number: str
    issue_date: date | None = None


@dataclass(frozen=True)
class Later:
    """What a quote charges again each ``month`` or ``year``, with its taxes."""

    every: str
    net: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        """Net and taxes."""
        return self.net + self.tax


@dataclass(frozen=True)
class EarlyPayment:
    """Whoever pays ``to_pay`` by ``until`` may keep ``saved`` (BT-20): ``percent`` of what was billed."""

    percent: Decimal
    until: date
    saved: Decimal
    to_pay: Decimal


@dataclass(frozen=True)
class Totals:
    """Document totals (BG-22): gross is line_total, delivery and tax on top; due is gross less
    applied."""

    line_total: Decimal  # BT-106: lines that count, see Line
    tax: Decimal  # BT-110: all tax, contained or on top
    gross: Decimal  # BT-112
    applied: Decimal  # BT-113
    amount_due: Decimal  # BT-115
    delivery: Decimal = ZERO  # BT-108


@dataclass(frozen=True)
class Row:
    """A line where it stands in its group. ``is_bundle``: its amount is the sum of the pieces that
    follow, print it quietly; ``is_piece``: indent it."""

    line: Line
    is_bundle: bool
    is_piece: bool


@dataclass(frozen=True)
class Group:
    """Lines that belong together, bundle pieces right after their bundle. ``total`` counts each
    once."""

    name: str
    rows: tuple[Row, ...]
    total: Decimal


@dataclass(frozen=True)
class InvoiceDocument:
    """One document. Everything a reader sees is in here or derived by the properties below."""

    kind: Kind
    number: str  # BT-1; empty in a draft
    issue_date: date  # BT-2
    currency: str  # BT-5
    seller: Seller
    buyer: Buyer
    totals: Totals
    lines: tuple[Line, ...] = ()
    tax_breakdown: tuple[TaxSubtotal, ...] = ()
    applied: tuple[Applied, ...] = ()  # sums to totals.applied
    due_date: date | None = None  # BT-9
    locale: str = "en-US"
    deliver_to: Delivery | None = None
    order_number: str = ""  # BT-14
    purchase_order: str = ""  # BT-13, the buyer's own number
    cost_centre: str = ""  # BT-19, where the buyer books it
    period_start: date | None = None  # BT-73
    period_end: date | None = None  # BT-74
    terms: str = ""  # BT-20
    dispute_by: date | None = None
    early: EarlyPayment | None = None
    valid_until: date | None = None  # of a quote: the last day on which it can be accepted
    later: tuple[Later, ...] = ()  # of a quote: what recurs after the first period
    preceding: tuple[Preceding, ...] = ()
    reason: str = ""  # why a memo was made, in words
    notes: tuple[str, ...] = ()  # BT-22
    message: str = ""  # the one message area
    pay_url: str | None = None
    pay_code: str | None = None
    scan_line: str | None = None
    imported: bool = False  # history of another system: nobody is asked to pay it
    draft: bool = False  # never stored; printed with a watermark

    # -- what templates would otherwise have to work out ---------------------------------------

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The lines by group, in the order in which groups first appear."""
        parents = {line.parent_no for line in self.lines} - {None}
        pieces: dict[int, list[Line]] = {}
        known = {line.line_no for line in self.lines}
        grouped: dict[str, list[Row]] = {}
        for line in self.lines:
            if line.parent_no in known and line.parent_no is not None:
                pieces.setdefault(line.parent_no, []).append(line)
        for line in self.lines:
            if line.parent_no in known:
                continue
            rows = grouped.setdefault(line.group, [])
            rows.append(Row(line, line.line_no in parents, False))
            rows.extend(Row(piece, False, True) for piece in pieces.get(line.line_no, ()))
        return tuple(
            Group(name, tuple(rows), sum((r.line.net for r in rows if not r.is_bundle), ZERO))
            for name, rows in grouped.items()
        )

    @cached_property
    def charged_lines(self) -> tuple[Line, ...]:
        """The lines that count: every line but bundles, whose pieces count instead."""
        parents = {line.parent_no for line in self.lines}
        return tuple(line for line in self.lines if line.line_no not in parents)

    @cached_property
    def tax_on_top(self) -> tuple[TaxSubtotal, ...]:
        """Tax added to the prices."""
        return tuple(tax for tax in self.tax_breakdown if not tax.inclusive)

    @cached_property
    def tax_contained(self) -> tuple[TaxSubtotal, ...]:
        """Tax that the prices contain already."""
        return tuple(tax for tax in self.tax_breakdown if tax.inclusive)

    @property
    def asks_for_money(self) -> bool:
        """Print the stub: an issued invoice or debit memo of ours with something due."""
        owing = self.kind in (Kind.INVOICE, Kind.DEBIT_MEMO)
        kept = self.imported or self.draft
        return owing and not kept and self.totals.amount_due > 0

    @property
    def is_settled(self) -> bool:
        """A bill that had nothing left to pay when it was issued."""
        return self.kind in (Kind.INVOICE, Kind.DEBIT_MEMO) and self.totals.amount_due == 0

    @property
    def remit_to(self) -> tuple[str, ...]:
        """Lines of the address that cheques go to."""
        return self.seller.remit_to or (self.seller.name, *self.seller.address)

    def disagreements(self) -> tuple[str, ...]:
        """What does not add up, in words; empty when all does. Asked at issue and by verify."""
        return tuple(_disagreements(self))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: amounts and dates as strings, so that nothing is rounded."""
        return {"schema": SCHEMA, **frozen.to_plain(self)}

    def to_json(self) -> str:
        """Canonical JSON: the same document always gives the same text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "InvoiceDocument":
        """What ``to_dict`` wrote. UnknownSchema when a newer version wrote it."""
        if data.get("schema") != SCHEMA:
            raise UnknownSchema(data.get("schema"))
        return frozen.from_plain(cls, data)

    @classmethod
    def from_json(cls, text: str) -> "InvoiceDocument":
        """What ``to_json`` wrote, exactly."""
        return cls.from_dict(json.loads(text))


def _disagreements(document: InvoiceDocument) -> Iterator[str]:
    totals = document.totals
    lines = sum((line.net for line in document.charged_lines), ZERO)
    if lines != totals.line_total:
        yield f"the lines sum to {lines}, not to {totals.line_total}"
    if sum(len(group.rows) for group in document.groups) != len(document.lines):
        yield "a line stands under a bundle that is itself a piece, or under itself"
    if len({line.line_no for line in document.lines}) != len(document.lines):
        yield "two lines have the same number"
    yield from _bundle_disagreements(document)
    tax = sum((part.amount for part in document.tax_breakdown), ZERO)
    if tax != totals.tax:
        yield f"the taxes sum to {tax}, not to {totals.tax}"
    on_top = sum((part.amount for part in document.tax_on_top), ZERO)
    gross = totals.line_total + totals.delivery + on_top
    if gross != totals.gross:
        yield f"lines, delivery and tax on top sum to {gross}, not to {totals.gross}"
    applied = sum((part.amount for part in document.applied), ZERO)
    if applied != totals.applied:
        yield f"what was applied sums to {applied}, not to {totals.applied}"
    if totals.gross - totals.applied != totals.amount_due:
        yield f"{totals.gross} less {totals.applied} is not {totals.amount_due}"


def _bundle_disagreements(document: InvoiceDocument) -> Iterator[str]:
    sums: dict[int, Decimal] = {}
    for line in document.lines:
        if line.parent_no is not None:
            sums[line.parent_no] = sums.get(line.parent_no, ZERO) + line.net
    for line in document.lines:
        if sums.get(line.line_no, line.net) != line.net:
            yield f"the pieces of line {line.line_no} sum to {sums[line.line_no]}, not {line.net}"


# -- numbers that a machine reads from the stub ----------------------------------------------------


@dataclass(eq=False)
class ScanLineTooLong(ShopError):
    """A number has more digits than the scan line has room for."""

    code: ClassVar[str] = "scan_line_too_long"
    text: ClassVar[str] = "{part} does not fit into {room} digits."
    part: str
    room: int


def luhn(digits: str) -> int:
    """The check digit (mod 10, Luhn) that belongs after ``digits``."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10


def scan_line(account: int, bill: int, minor: int) -> str:
    """``204187751 00118204 0000007211 4``: account (9), bill (8), amount in minor units (10) and
    the Luhn digit over the 27 digits. ScanLineTooLong when one has no room."""
    parts = []
    for part, number, room in (("account", account, 9), ("bill", bill, 8), ("amount", minor, 10)):
        if not 0 <= number < 10**room:
            raise ScanLineTooLong(part, room)
        parts.append(f"{number:0{room}d}")
    return " ".join((*parts, str(luhn("".join(parts)))))
