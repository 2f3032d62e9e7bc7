"""Imported documents: what kind they are, whether they are here already, and their rows.

Amounts of a credit memo are positive in the row, so its lines turn their sign; the document's own
words stay as they were. Numbers stand in an external series of the mapping's name.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, ClassVar, cast

from sqlalchemy import Table, insert, select
from sqlalchemy.orm import Session

from core.kernel.clock import local_date
from core.kernel.errors import ShopError
from core.kernel.ids import new_id, new_public_id
from core.kernel.money import MICROS, Money, minor_digits
from core.ledger.business import Document
from core.ledger.chart import REVENUE
from core.parties.models import LegalEntity
from invoices.document import Buyer, InvoiceDocument, Kind, Line, Seller, Totals
from invoices.history import Bad
from invoices.history_mapping import MappingFile
from invoices.history_spool import Draft, DraftLine, Judged
from invoices.models import Invoice, InvoiceLine

OTHER_CONTENT = "is here already with other content"


@dataclass(eq=False)
class OtherContent(ShopError):
    """While we wrote, somebody brought in the same number with other content."""

    code: ClassVar[str] = "imported_number_differs"
    text: ClassVar[str] = "Document {number} is here already with other content."
    number: str


@dataclass(frozen=True)
class Payer:
    """The account that a document goes to."""

    id: uuid.UUID
    number: str
    name: str


@dataclass(frozen=True)
class Biller:
    """The legal entity that history is brought in for."""

    id: uuid.UUID
    name: str
    address: tuple[str, ...]


# -- pass one --------------------------------------------------------------------------------------


def known(session: Session, mapping: MappingFile, numbers: Sequence[str]) -> dict[str, str]:
    """The content hashes of those numbers that are here already."""
    rows = session.execute(
        select(Invoice.number, Invoice.content_hash)
        .join(LegalEntity, LegalEntity.id == Invoice.legal_entity_id)
        .where(
            LegalEntity.code == mapping.legal_entity.code,
            Invoice.series == mapping.series,
            Invoice.number.in_(numbers),
        )
    )
    return {number: content_hash or "" for number, content_hash in rows}


def judge(mapping: MappingFile, draft: Draft, here: str | None) -> Judged | Bad:
    """What becomes of a document; ``here`` is the hash that its number has in the books."""
    kind = _kind(mapping, draft)
    if isinstance(kind, Bad):
        return kind
    content_hash = _content_hash(mapping, draft, kind)
    if here is None:
        return Judged(draft.key, "new", kind, content_hash)
    if here != content_hash:
        return Bad(draft.row, mapping.columns.number, OTHER_CONTENT, draft.number)
    return Judged(draft.key, "here", kind, content_hash)


def _kind(mapping: MappingFile, draft: Draft) -> str | Bad:
    if draft.is_free:
        return Kind.NOTE.value
    kind = mapping.documents.kind_of(draft.number)
    assert kind is not None  # each row's number was looked at
    if kind == Kind.INVOICE and draft.net_minor < 0:
        if mapping.documents.below_zero == "credit_memo":
            return Kind.CREDIT_MEMO.value
        return _off(mapping, draft, "an invoice that comes to less than zero")
    if kind == Kind.CREDIT_MEMO and draft.net_minor > 0:
        return _off(mapping, draft, "a credit memo that takes instead of giving")
    return kind


def _off(mapping: MappingFile, draft: Draft, what: str) -> Bad:
    total = Money(draft.net_minor, mapping.legal_entity.currency)
    return Bad(draft.row, mapping.columns.number, f"is {what}: {total}", draft.number)


def _content_hash(mapping: MappingFile, draft: Draft, kind: str) -> str:
    """Of what was read, not of how it was written: 6 and 6.0 are one quantity."""
    content = [
        draft.number,
        kind,
        mapping.legal_entity.currency,
        draft.moment.isoformat(),
        draft.ref,
        draft.country,
        *(
            [line.sku, line.name, _plain(line.quantity), line.unit_price_micros]
            for line in draft.lines
        ),
    ]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


# -- pass two --------------------------------------------------------------------------------------


def fresh(drafts: Sequence[Draft], here: Mapping[str, str]) -> list[Draft]:
    """Those that are still not here. Raises OtherContent when one came in differently meanwhile."""
    for draft in drafts:
        if here.get(draft.number, draft.content_hash) != draft.content_hash:
            raise OtherContent(draft.number)
    return [draft for draft in drafts if draft.number not in here]


def write(
    session: Session,
    mapping: MappingFile,
    biller: Biller,
    drafts: Iterable[tuple[Draft, Payer]],
) -> list[tuple[str, Document]]:
    """Write documents with their lines; answers (kind, what the ledger must know) of each."""
    invoices: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    posted: list[tuple[str, Document]] = []
    for draft, payer in drafts:
        made = _Made(mapping, biller, draft, payer)
        invoices.append(made.invoice_row())
        lines.extend(made.line_rows())
        posted.append((draft.kind, made.for_the_ledger()))
    if invoices:
        session.execute(insert(cast(Table, Invoice.__table__)), invoices)
        session.execute(insert(cast(Table, InvoiceLine.__table__)), lines)
    return posted


@dataclass(frozen=True, slots=True)
class _Turned:
    """A line as the document states it."""

    source: DraftLine
    quantity: Decimal
    unit_price_micros: int
    net_minor: int


class _Made:
    """One document in the making."""

    def __init__(self, mapping: MappingFile, biller: Biller, draft: Draft, payer: Payer) -> None:
        self._mapping, self._biller = mapping, biller
        self._draft, self._payer = draft, payer
        self._id = new_id()
        self._currency = mapping.legal_entity.currency
        self._issue_date = local_date(draft.moment, mapping.legal_entity.time_zone)
        is_memo = draft.kind == Kind.CREDIT_MEMO
        self._lines = [_turn(line) if is_memo else _as_it_is(line) for line in draft.lines]
        self._net_minor = sum(line.net_minor for line in self._lines)

    @property
    def _due_date(self) -> date | None:
        days = self._mapping.documents.terms_days
        if days is None or self._draft.kind != Kind.INVOICE:
            return None
        return self._issue_date + timedelta(days=days)

    def invoice_row(self) -> dict[str, Any]:
        return {
            "id": self._id,
            "public_id": new_public_id(),
            "legal_entity_id": self._biller.id,
            "currency": self._currency,
            "payer_account_id": self._payer.id,
            "service_account_id": self._payer.id,
            "kind": self._draft.kind,
            "series": self._mapping.series,
            "number": self._draft.number,
            "is_external": True,
            "content_hash": self._draft.content_hash,
            "issue_date": self._issue_date,
            "due_date": self._due_date,
            "issued_at": self._draft.moment,
            "net_minor": self._net_minor,
            "tax_minor": 0,
            "total_minor": self._net_minor,
            "document": self._document().to_dict(),
        }

    def line_rows(self) -> list[dict[str, Any]]:
        return [
            {
                "id": new_id(),
                "invoice_id": self._id,
                "line_number": number,
                "sku": line.source.sku,
                "name": line.source.name or line.source.sku,
                "quantity": _plain(line.quantity),
                "unit_price_micros": line.unit_price_micros,
                "net_minor": line.net_minor,
                "tax_minor": 0,
                "ledger_code": REVENUE,
            }
            for number, line in enumerate(self._lines, start=1)
        ]

    def for_the_ledger(self) -> Document:
        return Document(
            id=self._id,
            legal_entity_id=self._biller.id,
            account_id=self._payer.id,
            number=self._draft.number,
            issue_date=self._issue_date,
            due_date=self._due_date,
            nets=[(REVENUE, Money(self._net_minor, self._currency))],
            tax=Money.zero(self._currency),
            is_history=True,
        )

    def _document(self) -> InvoiceDocument:
        zero, net = self._amount(0), self._amount(self._net_minor)
        return InvoiceDocument(
            kind=Kind(self._draft.kind),
            number=self._draft.number,
            issue_date=self._issue_date,
            currency=self._currency,
            seller=Seller(self._biller.name, self._biller.address),
            buyer=Buyer(
                self._payer.name,
                (self._draft.country,) if self._draft.country else (),
                self._payer.number,
            ),
            totals=Totals(line_total=net, tax=zero, gross=net, applied=zero, amount_due=net),
            lines=tuple(
                Line(
                    line_no=number,
                    name=line.source.name or line.source.sku,
                    net=self._amount(line.net_minor),
                    quantity=Decimal(_plain(line.quantity)),
                    unit_price=_price(line.unit_price_micros, self._currency),
                    sku=line.source.sku,
                )
                for number, line in enumerate(self._lines, start=1)
            ),
            due_date=self._due_date,
            locale=self._mapping.documents.locale,
            imported=True,
        )

    def _amount(self, minor: int) -> Decimal:
        return Money(minor, self._currency).decimal()


def _as_it_is(line: DraftLine) -> _Turned:
    return _Turned(line, line.quantity, line.unit_price_micros, line.net_minor)


def _turn(line: DraftLine) -> _Turned:
    """What a line of a credit memo gives back: the part that was negative turns."""
    if line.unit_price_micros < 0:
        return _Turned(line, line.quantity, -line.unit_price_micros, -line.net_minor)
    return _Turned(line, -line.quantity, line.unit_price_micros, -line.net_minor)


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize() + 0:f}"


def _price(micros: int, currency: str) -> Decimal:
    """A unit price with the currency's decimals, or as many more as it needs."""
    price = (Decimal(micros) / MICROS).normalize()
    exponent = price.as_tuple().exponent
    digits = max(minor_digits(currency), -int(exponent))
    return price.quantize(Decimal(1).scaleb(-digits))
