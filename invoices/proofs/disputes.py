"""Disputes and the ledger: what stands is contested there, what is over is not, and each credit is one memo
on the very line, never more than was disputed.
"""

from functools import cache
from typing import Any

from sqlalchemy import Select, String, and_, case, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from core.kernel import proof
from core.kernel.proof import Part
from core.ledger.models import ContestedAmount, OpenItem
from invoices.disputes.models import STANDING, Dispute
from invoices.disputes.opening import SOURCE
from invoices.models import Invoice, InvoiceLine


def contested_is_what_stands(session: Session) -> Part:
    """Each dispute that stands is contested once, with its amount or the bill's; no other is. Today only."""
    return Part(
        f"{proof.amounts(session, _standing())} disputed",
        proof.offenders(session, _not_contested(), lambda row: f"dispute {row[0]}: {row[1]}"),
    )


def credits_are_their_memos(session: Session) -> Part:
    """What a dispute was credited is the memo that it names: of its bill, its line and its amount."""
    return Part(
        f"{proof.count(session, _credited()):,} disputes credited",
        (
            *proof.offenders(
                session, _unlike_memos(), lambda row: f"dispute {row[0]} is not its memo"
            ),
            *proof.offenders(session, _orphans(), lambda row: f"memo {row[0]} is of no dispute"),
        ),
    )


# --- statements, each put together once and at first use ------------------------------------------


@cache
def _standing() -> Select[str, int]:
    return (
        select(Dispute.currency, func.sum(Dispute.amount_minor))
        .where(Dispute.state.in_(STANDING))
        .group_by(Dispute.currency)
        .order_by(Dispute.currency)
    )


@cache
def _not_contested() -> Select[*tuple[Any, ...]]:
    held = (
        select(
            ContestedAmount.source_id.label("dispute_id"),
            func.count().label("many"),
            func.min(ContestedAmount.amount_minor).label("amount"),
            func.min(OpenItem.source_id.cast(String)).label("invoice_id"),
            func.min(OpenItem.amount_minor).label("most"),
        )
        .join(OpenItem, OpenItem.id == ContestedAmount.item_id)
        .where(ContestedAmount.source_kind == SOURCE, ContestedAmount.closed_at.is_(None))
        .group_by(ContestedAmount.source_id)
        .subquery()
    )
    billed = select(OpenItem.source_id)
    standing = Dispute.state.in_(STANDING)
    most = case((held.c.most < Dispute.amount_minor, held.c.most), else_=Dispute.amount_minor)
    wrong = union_all(
        select(Dispute.number, literal("it stands, and nothing is contested").label("why"))
        .outerjoin(held, held.c.dispute_id == Dispute.id)
        .where(standing, held.c.many.is_(None), Dispute.invoice_id.in_(billed)),
        select(Dispute.number, literal("it is over, and something is contested").label("why"))
        .join(held, held.c.dispute_id == Dispute.id)
        .where(~standing),
        select(Dispute.number, literal("another amount or bill is contested").label("why"))
        .join(held, held.c.dispute_id == Dispute.id)
        .where(
            or_(
                held.c.many != 1,
                held.c.amount != most,
                held.c.invoice_id != Dispute.invoice_id.cast(String),
            )
        ),
        select(
            held.c.dispute_id.cast(String), literal("there is no such dispute").label("why")
        ).where(held.c.dispute_id.not_in(select(Dispute.id))),
    ).subquery()
    return select(wrong.c.number, wrong.c.why).order_by(wrong.c.number, wrong.c.why)


@cache
def _credited() -> Select[int]:
    return select(func.count()).where(Dispute.memo_id.is_not(None))


@cache
def _unlike_memos() -> Select[str]:
    memo, line = aliased(Invoice), aliased(InvoiceLine)
    others = (
        select(line.id)
        .where(line.invoice_id == memo.id, line.memo_of_id != Dispute.line_id)
        .correlate(memo, Dispute)
        .exists()
    )
    return (
        select(Dispute.number)
        .join(memo, memo.id == Dispute.memo_id)
        .where(
            or_(
                memo.kind != "credit_memo",
                memo.corrects_id != Dispute.invoice_id,
                memo.total_minor != Dispute.credited_minor,
                memo.total_minor > Dispute.amount_minor,
                and_(memo.payer_account_id != Dispute.account_id),
                others,
            )
        )
        .order_by(Dispute.number)
    )


@cache
def _orphans() -> Select[str]:
    return (
        select(Invoice.number)
        .where(
            Invoice.reason == "disputed",
            Invoice.kind == "credit_memo",
            Invoice.id.not_in(select(Dispute.memo_id).where(Dispute.memo_id.is_not(None))),
        )
        .order_by(Invoice.number)
    )
