"""Issuing: a document gets its number, its ledger entry and its place in the outbox in one transaction.

Rendering follows after the commit. Called by ``flows.issue_invoice``.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core.events import InvoiceIssued
from core.kernel import audit, crash, jobs, numbering
from core.kernel.clock import local_date
from core.kernel.ids import new_id, new_public_id
from core.kernel.money import MICROS, Money, minor_digits
from core.ledger import business, items
from core.ledger.business import Document
from core.ledger.chart import CONTRACT_LIABILITY
from core.ledger.items import Open
from core.ledger.models import OpenItem
from core.orders import placing
from core.orders.models import Order, OrderLine, OrderLineTax
from core.parties.models import Account, Channel, LegalEntity
from invoices.document import (
    Applied,
    Buyer,
    Delivery,
    InvoiceDocument,
    Kind,
    Line,
    Seller,
    TaxSubtotal,
    Totals,
    scan_line,
)
from invoices.models import Invoice, InvoiceLine, InvoiceLineTax

INVOICE_SERIES = "invoice"
#: The first number is one more than this.
FIRST_NUMBER = 100_000

_GROUPS = {
    "physical": "Devices",
    "digital": "Downloads",
    "service": "Visits",
    "plan": "First month",
    "delivery": "Delivery",
}


@dataclass(frozen=True)
class Printing:
    """How a document speaks of the outside: the address of its page, and postal lines of an address."""

    page_url: Callable[[str], str]
    postal: Callable[[dict[str, Any] | None], tuple[str, ...]]


@dataclass(frozen=True)
class _Basis:
    """Everything that an order's invoice is made of."""

    order: Order
    lines: Sequence[OrderLine]
    taxes: dict[uuid.UUID, list[OrderLineTax]]
    account: Account
    channel: Channel
    entity: LegalEntity
    deposits: list[Open]
    issue_date: date
    due_date: date

    @property
    def applied_minor(self) -> int:
        """How much of the order's deposits its invoice takes."""
        return min(sum(item.open.minor for item in self.deposits), self.order.due_now_minor)


def for_order(session: Session, order_id: uuid.UUID, printing: Printing, now: datetime) -> Invoice:
    """Issue an order's invoice and let it take the order's deposit; a second time answers the first.

    Goods, visits and the plan's first month are contract liability until they are delivered.
    """
    order = placing.lock(session, order_id)
    existing = session.scalar(
        select(Invoice).where(Invoice.order_id == order_id, Invoice.kind == "invoice")
    )
    if existing is not None:
        return existing
    basis = _basis(session, order, now)
    position = numbering.take(session, order.legal_entity_id, INVOICE_SERIES)
    invoice = _row(basis, position, printing, now)
    session.add(invoice)
    session.flush()
    _write_lines(session, invoice, basis)
    crash.point("issue.written")
    _post(session, invoice, basis, now)
    audit.write(session, now, "system", "invoice.issued", ("invoice", invoice.public_id))
    jobs.record(session, InvoiceIssued(str(invoice.id)), now, key=f"issued:{invoice.id}")
    crash.point("issue.before_commit")
    return invoice


def _basis(session: Session, order: Order, now: datetime) -> _Basis:
    account = session.get_one(Account, order.payer_account_id)
    channel = session.get_one(Channel, order.channel_id)
    entity = session.get_one(LegalEntity, order.legal_entity_id)
    issue_date = local_date(now, entity.time_zone)
    days = account.terms_days if account.terms_days is not None else channel.terms_days
    terms = timedelta(days=days if order.payment == "on_terms" else 0)
    deposits = items.find(session, OpenItem.order_id == order.id, OpenItem.side == "credit")
    return _Basis(
        order,
        placing.lines_of(session, order.id),
        placing.taxes_of(session, order.id),
        account,
        channel,
        entity,
        deposits,
        issue_date,
        issue_date + terms,
    )


def _row(basis: _Basis, position: int, printing: Printing, now: datetime) -> Invoice:
    order = basis.order
    number, public_id = str(FIRST_NUMBER + position), new_public_id()
    document = _document(basis, number, printing, printing.page_url(public_id))
    return Invoice(
        id=new_id(),
        public_id=public_id,
        legal_entity_id=order.legal_entity_id,
        channel_id=order.channel_id,
        currency=order.currency,
        payer_account_id=order.payer_account_id,
        service_account_id=order.service_account_id,
        kind="invoice",
        series=INVOICE_SERIES,
        number=number,
        series_position=position,
        is_external=False,
        order_id=order.id,
        issue_date=basis.issue_date,
        due_date=basis.due_date,
        issued_at=now,
        net_minor=order.net_minor,
        tax_minor=order.tax_minor,
        total_minor=order.due_now_minor,
        document=document.to_dict(),
    )


def _document(basis: _Basis, number: str, printing: Printing, page_url: str) -> InvoiceDocument:
    order, entity, account = basis.order, basis.entity, basis.account
    due = order.due_now_minor - basis.applied_minor
    return InvoiceDocument(
        kind=Kind.INVOICE,
        number=number,
        issue_date=basis.issue_date,
        due_date=basis.due_date,
        currency=order.currency,
        locale=basis.channel.locale.replace("_", "-"),
        seller=Seller(
            name=entity.name,
            address=tuple(str(line) for line in entity.address),
            tax_id=entity.tax_id or "",
            phone=entity.phone or "",
            email=entity.email or "",
        ),
        buyer=Buyer(
            name=account.name,
            address=printing.postal(account.billing_address),
            account_number=account.number,
            email=account.email or "",
        ),
        deliver_to=_delivery(order, printing),
        order_number=order.number or "",
        lines=tuple(_line(basis, line) for line in basis.lines),
        tax_breakdown=_breakdown(basis),
        applied=_applied(basis),
        totals=Totals(
            line_total=_decimal(basis, order.net_minor),
            tax=_decimal(basis, order.tax_minor),
            gross=_decimal(basis, order.due_now_minor),
            applied=_decimal(basis, basis.applied_minor),
            amount_due=_decimal(basis, due),
        ),
        terms=_terms(basis, due),
        pay_url=page_url if due else None,
        scan_line=scan_line(int(account.number), int(number), due) if due else None,
    )


def _terms(basis: _Basis, due: int) -> str:
    if due == 0:
        return "Paid in full. Thank you."
    days = (basis.due_date - basis.issue_date).days
    return f"Please pay within {days} days." if days else "Please pay on receipt."


def _decimal(basis: _Basis, minor: int) -> Decimal:
    return Money(minor, basis.order.currency).decimal()


def _delivery(order: Order, printing: Printing) -> Delivery | None:
    if not order.shipping_address:
        return None
    name = str(order.shipping_address.get("name", ""))
    return Delivery(name=name, address=printing.postal(order.shipping_address))


def _line(basis: _Basis, line: OrderLine) -> Line:
    unit = Decimal(line.unit_price_micros) / MICROS
    places = Decimal(1).scaleb(-minor_digits(basis.order.currency))
    shown = unit.quantize(places) if unit == unit.quantize(places) else unit.normalize()
    return Line(
        line_no=line.line_number,
        name=line.name,
        net=_decimal(basis, line.net_minor),
        quantity=Decimal(line.quantity),
        unit_price=shown,
        group=_GROUPS[line.kind],
        sku="" if line.kind == "delivery" else line.sku,
        tax_category=line.tax_category,
    )


def _breakdown(basis: _Basis) -> tuple[TaxSubtotal, ...]:
    sums: dict[tuple[str, str, int, bool], list[int]] = {}
    for taxes in basis.taxes.values():
        for tax in taxes:
            key = (tax.jurisdiction, tax.name, tax.rate_ppm, tax.inclusive)
            pair = sums.setdefault(key, [0, 0])
            pair[0] += tax.base_minor
            pair[1] += tax.amount_minor
    return tuple(
        TaxSubtotal(
            jurisdiction=jurisdiction,
            category="S",
            rate=(Decimal(ppm) / 10_000).normalize(),
            base=_decimal(basis, base),
            amount=_decimal(basis, amount),
            inclusive=inclusive,
            name=name,
        )
        for (jurisdiction, name, ppm, inclusive), (base, amount) in sums.items()
    )


def _applied(basis: _Basis) -> tuple[Applied, ...]:
    left, found = basis.applied_minor, []
    for item in basis.deposits:
        part = min(left, item.open.minor)
        if part > 0:
            label = f"Your payment {item.number}. Thank you"
            found.append(Applied(label, _decimal(basis, part), item.effective_date))
            left -= part
    return tuple(found)


def _write_lines(session: Session, invoice: Invoice, basis: _Basis) -> None:
    rows, taxes = [], []
    for line in basis.lines:
        line_id = new_id()
        rows.append(
            {
                "id": line_id,
                "invoice_id": invoice.id,
                "line_number": line.line_number,
                "order_line_id": line.id,
                "sku": line.sku,
                "name": line.name,
                "quantity": str(line.quantity),
                "unit_price_micros": line.unit_price_micros,
                "net_minor": line.net_minor,
                "tax_minor": line.tax_minor,
                "ledger_code": CONTRACT_LIABILITY,
                "why": line.price_trace,
            }
        )
        taxes += [
            {
                "invoice_line_id": line_id,
                "position": tax.position,
                "jurisdiction": tax.jurisdiction,
                "name": tax.name,
                "rate_ppm": tax.rate_ppm,
                "base_minor": tax.base_minor,
                "amount_minor": tax.amount_minor,
                "inclusive": tax.inclusive,
            }
            for tax in basis.taxes.get(line.id, [])
        ]
    session.execute(insert(InvoiceLine), rows)
    if taxes:
        session.execute(insert(InvoiceLineTax), taxes)


def _post(session: Session, invoice: Invoice, basis: _Basis, now: datetime) -> None:
    item_id = business.charge(
        session,
        Document(
            id=invoice.id,
            legal_entity_id=invoice.legal_entity_id,
            account_id=invoice.payer_account_id,
            number=invoice.number,
            issue_date=basis.issue_date,
            due_date=basis.due_date,
            nets=[(CONTRACT_LIABILITY, Money(invoice.net_minor, invoice.currency))],
            tax=Money(invoice.tax_minor, invoice.currency),
        ),
        now,
    )
    left = basis.applied_minor
    for item in basis.deposits:
        part = min(left, item.open.minor)
        if part > 0 and item_id is not None:
            owed = items.get(session, item_id)
            amount = Money(part, invoice.currency)
            business.use_credit(session, item, owed, amount, basis.issue_date, now)
            left -= part
