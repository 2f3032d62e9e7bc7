"""Writing a document's rows: number, frozen document, lines and taxes, audit and outbox, all in the caller's
transaction. Whoever writes also posts: ``issue`` and ``drafts`` charge, ``memos`` credit or debit.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.events import InvoiceIssued
from core.kernel import audit, jobs, numbering
from core.kernel.db import columns_of, insert_all, keep_new
from core.kernel.ids import new_id, new_public_id
from core.kernel.money import Money
from core.ledger.business import Document
from core.orders import placing
from invoices import discount, numbers, wording
from invoices.content import Content, Item
from invoices.document import Kind
from invoices.models import Invoice, InvoiceLine, InvoiceLineTax
from invoices.wording import Name, Printing

_NO_CHARGE = dict.fromkeys(("phase_id", "period_index", "meter_id", "charge_key", "rated_minor"))


def write(session: Session, content: Content, printing: Printing, now: datetime) -> Invoice:
    """Give a document its number and write it. ValueError when it does not add up: our own mistake."""
    series = numbers.SERIES[content.kind]
    position = numbering.take(session, content.entity.id, series.name)
    invoice = _made(content, position, printing, now)
    lines, taxes = _lines(invoice, content)
    whole = (Invoice, [columns_of(invoice)])
    insert_all(session, whole, (InvoiceLine, lines), (InvoiceLineTax, taxes))
    keep_new(session, invoice)
    _follow(session, content)
    return invoice


def _follow(session: Session, content: Content) -> None:
    """What an order comes to follows its documents; the bill for what it was placed with says no other."""
    as_placed = content.kind is Kind.INVOICE and content.order_change_id is None
    if content.order_id is None or as_placed:
        return
    sign = -1 if content.kind is Kind.CREDIT_MEMO else 1
    placing.comes_to(session, content.order_id, sign * content.total_minor)


def write_many(
    session: Session, contents: Sequence[Content], printing: Printing, now: datetime
) -> list[Invoice]:
    """``write`` for each of some documents of one legal entity and kind, in their order.

    What it answers is for reading only. The numbers are taken at once: nobody else gets any until the end
    of the transaction.
    """
    if not contents:
        return []
    series, entity_id = numbers.SERIES[contents[0].kind], contents[0].entity.id
    if any((one.kind, one.entity.id) != (contents[0].kind, entity_id) for one in contents):
        raise ValueError("documents of several sellers or kinds")
    first = numbering.take(session, entity_id, series.name, len(contents))
    made = [
        _made(content, position, printing, now) for position, content in enumerate(contents, first)
    ]
    found = [_lines(invoice, content) for invoice, content in zip(made, contents, strict=True)]
    insert_all(
        session,
        (Invoice, [_columns(invoice) for invoice in made]),
        (InvoiceLine, [row for lines, _ in found for row in lines]),
        (InvoiceLineTax, [row for _, taxes in found for row in taxes]),
    )
    return made


def _columns(invoice: Invoice) -> dict[str, Any]:
    return {column.key: getattr(invoice, column.key) for column in Invoice.__table__.columns}


def _made(content: Content, position: int, printing: Printing, now: datetime) -> Invoice:
    """The document under its number, not written yet. ValueError when it does not add up."""
    series, public_id = numbers.SERIES[content.kind], new_public_id()
    name = Name(series.number(position), series.scan_number(position), printing.page_url(public_id))
    early = discount.of_content(content)
    printed = wording.document(content, name, printing, early)
    wrong = printed.disagreements()
    if wrong:
        raise ValueError("; ".join(wrong))
    invoice = Invoice(
        id=new_id(),
        public_id=public_id,
        legal_entity_id=content.entity.id,
        channel_id=content.channel.id,
        currency=content.currency,
        payer_account_id=content.payer.id,
        service_account_id=content.service_account_id,
        kind=content.kind.value,
        series=series.name,
        number=name.number,
        series_position=position,
        is_external=False,
        order_id=content.order_id,
        order_change_id=content.order_change_id,
        issue_date=content.issue_date,
        due_date=content.due_date,
        issued_at=now,
        net_minor=content.net_minor,
        tax_minor=content.tax_minor,
        total_minor=content.total_minor,
        corrects_id=content.corrects.id if content.corrects is not None else None,
        reason=content.reason or None,
        made_of=content.made_of,
        document=printed.to_dict(),
    )
    if printed.early is not None and content.terms is not None:
        invoice.discount_ppm = content.terms.discount_ppm
        invoice.discount_until = content.discount_until
        invoice.discount_minor = early
    return invoice


def tell_many(session: Session, invoices: Sequence[Invoice], actor: str, now: datetime) -> None:
    """``tell`` of some documents."""
    acts = [(f"{one.kind}.issued", ("invoice", one.public_id)) for one in invoices]
    audit.write_many(session, now, actor, acts)
    events = [(InvoiceIssued(str(one.id)), f"issued:{one.id}") for one in invoices]
    jobs.record_many(session, events, now)


def tell(session: Session, invoice: Invoice, actor: str, now: datetime) -> None:
    """Audit and outbox of a document that was written and posted."""
    audit.write(session, now, actor, f"{invoice.kind}.issued", ("invoice", invoice.public_id))
    jobs.record(session, InvoiceIssued(str(invoice.id)), now, key=f"issued:{invoice.id}")


def for_the_ledger(invoice: Invoice, content: Content) -> Document:
    """What the ledger is told of a document."""
    return Document(
        id=invoice.id,
        legal_entity_id=invoice.legal_entity_id,
        account_id=invoice.payer_account_id,
        number=invoice.number,
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        nets=content.nets,
        tax=Money(invoice.tax_minor, invoice.currency),
    )


def _lines(invoice: Invoice, content: Content) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of its lines, and of their taxes."""
    keys = {item.line_number: new_id() for item in content.items}
    rows = [_row(invoice, item, keys) for item in content.items]
    taxes = [
        {
            **part.more,
            "invoice_line_id": keys[item.line_number],
            "position": position,
            "jurisdiction": part.jurisdiction,
            "name": part.name,
            "rate_ppm": part.rate_ppm,
            "base_minor": part.base_minor,
            "amount_minor": part.amount_minor,
            "inclusive": part.inclusive,
        }
        for item in content.items
        for position, part in enumerate(item.taxes)
    ]
    return rows, taxes


def _row(invoice: Invoice, item: Item, keys: dict[int, uuid.UUID]) -> dict[str, Any]:
    return {
        "id": keys[item.line_number],
        "invoice_id": invoice.id,
        "line_number": item.line_number,
        "parent_id": keys[item.parent] if item.parent is not None else None,
        "order_line_id": item.order_line_id,
        "memo_of_id": item.memo_of_id,
        "sku": item.sku,
        "name": item.name,
        "quantity": f"{item.quantity.normalize() + 0:f}",
        "unit_price_micros": item.unit_price_micros,
        "net_minor": item.net_minor,
        "tax_minor": item.tax_minor,
        "ledger_code": item.ledger_code,
        "tax_category": item.tax_category,
        "period_start": item.period_start,
        "period_end": item.period_end,
        "cost_minor": item.cost_minor,
        "sale_price_minor": item.sale_price_minor,
        "why": item.why.to_dict() if item.why is not None else None,
        **_charge(item),
    }


def _charge(item: Item) -> dict[str, Any]:
    charge = item.charge
    if charge is None:
        return {**_NO_CHARGE, "rated_minor": item.repaired_minor}
    return {
        "phase_id": charge.phase_id,
        "period_index": charge.period_index,
        "meter_id": charge.meter_id,
        "charge_key": charge.key,
        "rated_minor": charge.rated_minor,
    }
