"""Memos and their bills: each corrects lines of one bill of its payer, with that bill's own taxes, and a bill
that was credited in full got back exactly what it was, tax included.
"""

from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
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
from invoices.models import Invoice, InvoiceLine, InvoiceLineTax

_MEMOS = ("credit_memo", "debit_memo")


def memos_are_of_their_bills(session: Session) -> Part:
    """A memo of ours: its bill, payer, currency and legal entity; its lines: the bill's, at its rates."""
    return Part(
        f"{proof.count(session, _on_bills()):,} memos on bills",
        proof.offenders(
            session, _not_of_bills(), lambda row: f"{row[0].replace('_', ' ')} {row[1]}: {row[2]}"
        ),
    )


def a_full_credit_is_the_bill(session: Session) -> Part:
    """Where no net is left of any line, the credit memos come to the bill's total."""
    many, in_full = session.execute(_many_credited()).one()
    return Part(
        f"{many:,} bills credited, {int(in_full):,} of them in full",
        proof.offenders(
            session,
            _not_in_full(),
            lambda row: (
                f"{row[0].replace('_', ' ')} {row[1]}: {proof.amount(row[2], row[4])} credited "
                f"of {proof.amount(row[3], row[4])}"
            ),
        ),
    )


# --- statements, each put together once and at first use ------------------------------------------


@cache
def _on_bills() -> Select[int]:
    return select(func.count()).where(Invoice.corrects_id.is_not(None))


@cache
def _not_of_bills() -> Select[*tuple[Any, ...]]:
    found = union_all(_strangers(), _other_lines(), _other_taxes()).subquery()
    return select(found.c.kind, found.c.number, found.c.what).order_by(found.c.number, found.c.what)


def _named(memo: Any, what: str) -> Select[*tuple[Any, ...]]:
    return select(memo.kind.label("kind"), memo.number.label("number"), _text(what))


def _text(what: str) -> ColumnElement[str]:
    return literal(what, String).label("what")


def _strangers() -> Select[*tuple[Any, ...]]:
    memo, bill = aliased(Invoice), aliased(Invoice)
    return (
        _named(memo, "its bill is of another payer, currency or legal entity, or is no bill")
        .join(bill, bill.id == memo.corrects_id)
        .where(
            or_(
                bill.payer_account_id != memo.payer_account_id,
                bill.currency != memo.currency,
                bill.legal_entity_id != memo.legal_entity_id,
                bill.kind.not_in(("invoice", "debit_memo")),
                memo.kind.not_in(_MEMOS),
            )
        )
    )


def _other_lines() -> Select[*tuple[Any, ...]]:
    memo, line, corrected = aliased(Invoice), aliased(InvoiceLine), aliased(InvoiceLine)
    return (
        _named(memo, "a line that is none of its bill's, or stands on another ledger account")
        .join(line, line.invoice_id == memo.id)
        .outerjoin(corrected, corrected.id == line.memo_of_id)
        .where(
            memo.corrects_id.is_not(None),
            or_(
                corrected.id.is_(None),
                corrected.invoice_id != memo.corrects_id,
                corrected.ledger_code != line.ledger_code,
            ),
        )
    )


def _other_taxes() -> Select[*tuple[Any, ...]]:
    memo, line = aliased(Invoice), aliased(InvoiceLine)
    tax, own = aliased(InvoiceLineTax), aliased(InvoiceLineTax)
    same = and_(
        own.invoice_line_id == line.memo_of_id,
        own.position == tax.position,
        own.rate_ppm == tax.rate_ppm,
        own.jurisdiction == tax.jurisdiction,
        own.name == tax.name,
    )
    return (
        _named(memo, "a tax that its bill's line has not")
        .join(line, line.invoice_id == memo.id)
        .join(tax, tax.invoice_line_id == line.id)
        .outerjoin(own, same)
        .where(memo.corrects_id.is_not(None), own.position.is_(None))
    )


@cache
def _not_in_full() -> Select[*tuple[Any, ...]]:
    credits, full = _credits()
    return (
        select(Invoice.kind, Invoice.number, credits.c.total, Invoice.total_minor, Invoice.currency)
        .join(credits, credits.c.bill_id == Invoice.id)
        .where(
            or_(
                and_(full, credits.c.total != Invoice.total_minor),
                credits.c.total > Invoice.total_minor,
            )
        )
        .order_by(Invoice.number)
    )


@cache
def _many_credited() -> Select[int, int]:
    credits, full = _credits()
    in_full = func.coalesce(func.sum(case((full, 1), else_=0)), 0)
    return select(func.count(), in_full).select_from(credits)


def _credits() -> tuple[Subquery, ColumnElement[bool]]:
    """(bill, net, total) of what was credited, and which of them are credited in full."""
    memo = aliased(Invoice)
    credits = (
        select(
            memo.corrects_id.label("bill_id"),
            func.sum(memo.net_minor).label("net"),
            func.sum(memo.total_minor).label("total"),
        )
        .where(memo.kind == "credit_memo", memo.corrects_id.is_not(None))
        .group_by(memo.corrects_id)
        .subquery()
    )
    uncredited = _uncredited_lines()
    return credits, credits.c.bill_id.not_in(select(uncredited.c.bill_id))


def _uncredited_lines() -> Subquery:
    """The bills with a line of which some net is left."""
    line, part, memo = aliased(InvoiceLine), aliased(InvoiceLine), aliased(Invoice)
    given = (
        select(part.memo_of_id.label("line_id"), func.sum(part.net_minor).label("net"))
        .join(memo, and_(memo.id == part.invoice_id, memo.kind == "credit_memo"))
        .where(part.memo_of_id.is_not(None))
        .group_by(part.memo_of_id)
        .subquery()
    )
    parents = select(InvoiceLine.parent_id).where(InvoiceLine.parent_id.is_not(None))
    credited = select(Invoice.corrects_id).where(Invoice.corrects_id.is_not(None))
    return (
        select(line.invoice_id.label("bill_id"))
        .outerjoin(given, given.c.line_id == line.id)
        .where(
            line.invoice_id.in_(credited),
            line.id.not_in(parents),
            func.coalesce(given.c.net, 0) != line.net_minor,
        )
        .distinct()
        .subquery()
    )
