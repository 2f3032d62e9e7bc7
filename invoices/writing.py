"""Writing a document's rows: number, frozen document, lines and taxes, audit and outbox, all in the caller's
transaction. Whoever writes also posts: ``issue`` and ``drafts`` charge, ``memos`` credit or debit.
"""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.events import InvoiceIssued
from core.kernel import audit, jobs, numbering
from core.kernel.db import columns_of, insert_all, keep_new
from core.kernel.ids import new_id, new_public_id
from core.kernel.money import Money
from core.ledger.business import Document
from invoices import discount, numbers, wording
from invoices.content import Content, Item
from invoices.models import Invoice, InvoiceLine, InvoiceLineTax
from invoices.wording import Name, Printing


def write(session: Session, content: Content, printing: Printing, now: datetime) -> Invoice:
    """Give a document its number and write it. ValueError when it does not add up: our own mistake."""
    series = numbers.SERIES[content.kind]
    position = numbering.take(session, content.entity.id, series.name)
    public_id = new_public_id()
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
    lines, taxes = _rows(invoice, content)
    whole = (Invoice, [columns_of(invoice)])
    insert_all(session, whole, (InvoiceLine, lines), (InvoiceLineTax, taxes))
    keep_new(session, invoice)
    return invoice


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


def _rows(invoice: Invoice, content: Content) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of its lines and of their taxes."""
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
    }
