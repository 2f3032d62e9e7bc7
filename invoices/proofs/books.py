"""Documents and books agree: each document adds up, the ledger has it, and an order's is the order.

Documents of our own and imported ones are held to the same. A line with pieces below it shows their
sum; only the pieces count.
"""

from datetime import date
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    Select,
    String,
    Subquery,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from core.kernel import proof
from core.kernel.proof import Part
from core.ledger.chart import CUSTOMER_CREDIT, RECEIVABLE, TAX_PAYABLE
from core.ledger.models import JournalEntry, JournalLine, OpenItem
from core.orders.models import OrderLine
from invoices.models import Invoice, InvoiceLine, InvoiceLineTax

_MONEY = ("invoice", "credit_memo", "debit_memo")
_ISSUED = ("invoice_issued", "credit_memo_issued", "debit_memo_issued")
_NAME = (Invoice.kind, Invoice.number)


def documents_add_up(session: Session) -> Part:
    """A document's row is the sum of its lines, and each line's tax the sum of its taxes."""
    wrong = [
        *proof.offenders(
            session,
            _not_their_lines(),
            lambda row: (
                f"{_named(row)} says {proof.amount(row[3], row[2])}, "
                f"its lines {proof.amount(row[4], row[2])}"
            ),
        ),
        *proof.offenders(
            session, _untrue_taxes(), lambda row: f"{_named(row)}, line {row[2]}: tax"
        ),
    ]
    lines = proof.count(session, proof.every(InvoiceLine))
    kinds = session.execute(_kinds())
    figures = [f"{many:,} {kind.replace('_', ' ')}s" for kind, many in kinds]
    return Part(", ".join([*figures, f"{lines:,} lines"]), proof.first_few(wrong))


def ledger_has_them(session: Session, as_of: date | None) -> Part:
    """Each document's lines, tax and total are its ledger entry, and its open item is its total."""
    wrong = [
        *proof.offenders(
            session,
            _differing(as_of),
            lambda row: (
                f"{_named(row)}: {row[2].replace('_', ' ')} of document and entry "
                f"differ by {proof.amount(row[4], row[3])}"
            ),
        ),
        *proof.offenders(session, _misplaced(as_of), lambda row: f"{_named(row)}: {row[2]}"),
    ]
    billed = proof.amounts(session, _billed(as_of))
    return Part(
        f"billed {billed}, {proof.count(session, _notes()):,} notes without an entry",
        proof.first_few(wrong),
    )


def orders_are_billed_as_placed(session: Session) -> Part:
    """An order's invoice has each line of the order once, at its amounts, and nothing else."""
    return Part(
        f"{proof.count(session, _orders()):,} orders billed",
        (
            *proof.offenders(
                session, _unlike_orders(), lambda row: f"{_named(row)}: order line {row[2]}"
            ),
            *proof.offenders(session, _of_no_order(), lambda row: f"{_named(row)}: line {row[2]}"),
        ),
    )


def _named(row: Any) -> str:
    kind, number = row[0], row[1]
    return f"{kind.replace('_', ' ')} {number}" if number else "an entry without its document"


# --- statements, each put together once and at first use ------------------------------------------


@cache
def _not_their_lines() -> Select[*tuple[Any, ...]]:
    net, tax = func.sum(InvoiceLine.net_minor), func.sum(InvoiceLine.tax_minor)
    sums = (
        select(InvoiceLine.invoice_id, net.label("net"), tax.label("tax"))
        .where(_counts())
        .group_by(InvoiceLine.invoice_id)
        .subquery()
    )
    return (
        select(*_NAME, Invoice.currency, Invoice.total_minor, sums.c.net + sums.c.tax)
        .outerjoin(sums, sums.c.invoice_id == Invoice.id)
        .where(
            or_(
                func.coalesce(sums.c.net, 0) != Invoice.net_minor,
                func.coalesce(sums.c.tax, 0) != Invoice.tax_minor,
                Invoice.net_minor + Invoice.tax_minor != Invoice.total_minor,
                and_(Invoice.kind == "note", Invoice.total_minor != 0),
            )
        )
        .order_by(Invoice.number)
    )


@cache
def _untrue_taxes() -> Select[*tuple[Any, ...]]:
    tax = func.sum(InvoiceLineTax.amount_minor).label("tax")
    by_line = select(InvoiceLineTax.invoice_line_id, tax).group_by(InvoiceLineTax.invoice_line_id)
    taxes = by_line.subquery()
    return (
        select(*_NAME, InvoiceLine.line_number)
        .select_from(InvoiceLine)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .outerjoin(taxes, taxes.c.invoice_line_id == InvoiceLine.id)
        .where(_counts(), func.coalesce(taxes.c.tax, 0) != InvoiceLine.tax_minor)
        .order_by(Invoice.number, InvoiceLine.line_number)
    )


@cache
def _kinds() -> Select[str, int]:
    return select(Invoice.kind, func.count()).group_by(Invoice.kind).order_by(Invoice.kind)


@lru_cache(maxsize=8)
def _differing(as_of: date | None) -> Select[*tuple[Any, ...]]:
    sides = _sides(as_of)
    difference = func.sum(sides.c.amount)
    keys = (sides.c.invoice_id, sides.c.code, sides.c.currency)
    uneven = select(*keys, difference.label("difference")).group_by(*keys).having(difference != 0)
    differing = uneven.subquery()
    return (
        select(*_NAME, differing.c.code, differing.c.currency, differing.c.difference)
        .select_from(differing)
        .outerjoin(Invoice, Invoice.id == differing.c.invoice_id)
        .order_by(Invoice.number, differing.c.code)
    )


def _sides(as_of: date | None) -> Subquery:
    """(document, ledger account, currency, amount): documents positive as a credit, entries negative.

    What is owed or given stands under one name, whichever account it is on.
    """
    billing = (Invoice.kind.in_(_MONEY), *proof.until(Invoice.issue_date, as_of))
    sign = case((Invoice.kind == "credit_memo", -1), else_=1)
    owed = literal("total", String)
    posted = case(
        (JournalLine.ledger_code.in_((RECEIVABLE, CUSTOMER_CREDIT)), owed),
        else_=JournalLine.ledger_code,
    )
    return union_all(
        _side(Invoice.id, InvoiceLine.ledger_code, Invoice.currency, sign * InvoiceLine.net_minor)
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .where(_counts(), *billing),
        _side(
            Invoice.id, literal(TAX_PAYABLE, String), Invoice.currency, sign * Invoice.tax_minor
        ).where(*billing),
        _side(Invoice.id, owed, Invoice.currency, -sign * Invoice.total_minor).where(*billing),
        _side(JournalEntry.source_id, posted, JournalLine.currency, JournalLine.amount_minor)
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .where(JournalEntry.kind.in_(_ISSUED), *proof.until(JournalEntry.effective_date, as_of)),
    ).subquery()


def _side(document: Any, code: Any, currency: Any, minor: Any) -> Select[*tuple[Any, ...]]:
    return select(
        document.label("invoice_id"),
        code.label("code"),
        currency.label("currency"),
        minor.label("amount"),
    )


@lru_cache(maxsize=8)
def _misplaced(as_of: date | None) -> Select[*tuple[Any, ...]]:
    """Bills without an open item of their total and payer, and entries of another day."""
    is_bill = and_(Invoice.kind.in_(("invoice", "debit_memo")), Invoice.total_minor > 0)
    item = and_(OpenItem.source_id == Invoice.id, OpenItem.ledger_code == RECEIVABLE)
    without = (
        select(*_NAME, literal("no open item of its total and payer", String).label("what"))
        .outerjoin(OpenItem, item)
        .where(
            is_bill,
            or_(
                OpenItem.id.is_(None),
                OpenItem.amount_minor != Invoice.total_minor,
                OpenItem.account_id != Invoice.payer_account_id,
                OpenItem.currency != Invoice.currency,
                OpenItem.effective_date != Invoice.issue_date,
            ),
            *proof.until(Invoice.issue_date, as_of),
        )
    )
    other_day = (
        select(*_NAME, literal("its entry is of another day or legal entity", String).label("what"))
        .join(JournalEntry, JournalEntry.source_id == Invoice.id)
        .where(
            JournalEntry.kind.in_(_ISSUED),
            or_(
                JournalEntry.effective_date != Invoice.issue_date,
                JournalEntry.legal_entity_id != Invoice.legal_entity_id,
            ),
        )
    )
    both = union_all(without, other_day).subquery()
    return select(both.c.kind, both.c.number, both.c.what).order_by(both.c.number)


@lru_cache(maxsize=8)
def _billed(as_of: date | None) -> Select[str, int]:
    total = select(Invoice.currency, func.sum(Invoice.total_minor)).where(
        Invoice.kind.in_(("invoice", "debit_memo")), *proof.until(Invoice.issue_date, as_of)
    )
    return total.group_by(Invoice.currency).order_by(Invoice.currency)


@cache
def _notes() -> Select[int]:
    return select(func.count()).select_from(Invoice).where(Invoice.kind == "note")


@cache
def _unlike_orders() -> Select[*tuple[Any, ...]]:
    """Lines of orders that their invoice does not have as they are."""
    billed = aliased(InvoiceLine)
    return (
        select(*_NAME, OrderLine.line_number)
        .select_from(Invoice)
        .join(
            OrderLine,
            and_(
                OrderLine.order_id == Invoice.order_id,
                OrderLine.change_id.is_not_distinct_from(Invoice.order_change_id),
            ),
        )
        .outerjoin(
            billed, and_(billed.order_line_id == OrderLine.id, billed.invoice_id == Invoice.id)
        )
        .where(
            Invoice.kind == "invoice",
            or_(
                billed.id.is_(None),
                billed.net_minor != OrderLine.net_minor,
                billed.tax_minor != OrderLine.tax_minor,
                billed.sku != OrderLine.sku,
            ),
        )
    )


@cache
def _of_no_order() -> Select[*tuple[Any, ...]]:
    """Lines of invoices that their order does not have."""
    return (
        select(*_NAME, InvoiceLine.line_number)
        .select_from(Invoice)
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .outerjoin(OrderLine, OrderLine.id == InvoiceLine.order_line_id)
        .where(
            Invoice.kind == "invoice",
            Invoice.order_id.is_not(None),
            or_(OrderLine.id.is_(None), OrderLine.order_id != Invoice.order_id),
        )
    )


@cache
def _orders() -> Select[int]:
    return (
        select(func.count())
        .select_from(Invoice)
        .where(Invoice.order_id.is_not(None), Invoice.kind == "invoice")
    )


def _counts() -> Any:
    """Not a line that only shows the sum of its pieces."""
    parents = select(InvoiceLine.parent_id).where(InvoiceLine.parent_id.is_not(None))
    return InvoiceLine.id.not_in(parents)
