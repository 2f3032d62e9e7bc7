"""What is earned against documents and orders: allocations are what lines come to, what was given is earned,
and contract liability is what is billed and not earned.
"""

from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Select, Subquery, and_, case, cast, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from core.kernel import proof
from core.kernel.proof import Part
from core.ledger.chart import CONTRACT_LIABILITY
from core.ledger.models import JournalLine
from core.orders.fulfilment_models import OrderChange, OrderChangeLine
from core.orders.models import Order, OrderLine
from core.revenue.models import Obligation, RevenueSchedule
from core.revenue.promises import RATABLE
from core.subscriptions.models import Subscription
from invoices.earned import waiting
from invoices.models import Invoice, InvoiceLine


def allocations_are_their_lines(session: Session) -> Part:
    """What the obligations of a contract are allocated is what its lines come to, memos reckoned in."""
    wrong = proof.offenders(
        session,
        _unlike_lines(),
        lambda row: (
            f"a contract's obligations come to {proof.amount(row[2], row[1])}, "
            f"its lines to {proof.amount(row[3], row[1])}"
        ),
    )
    many = proof.count(session, proof.every(Obligation))
    return Part(f"{many:,} obligations", wrong)


def liability_is_what_is_not_earned(session: Session) -> Part:
    """Contract liability is what documents put there, less what is earned of it: by currency."""
    wrong = proof.offenders(
        session,
        _unlike_documents(),
        lambda row: (
            f"contract liability is {proof.amount(row[1], row[0])}, billed and not earned "
            f"{proof.amount(row[2], row[0])}"
        ),
    )
    return Part(f"not earned {proof.amounts(session, _liability())}", wrong)


def given_is_earned(session: Session) -> Part:
    """Of each line of an order just that part is earned that was given and kept; of a service nothing before
    it began. Orders that nobody looked at yet are told of: the next round looks."""
    wrong = [
        *proof.offenders(
            session,
            _unlike_given(),
            lambda row: (
                f"order {row[0]}, line {row[1]}: {proof.amount(row[3], row[2])} earned of "
                f"{proof.amount(row[4], row[2])}"
            ),
        ),
        *proof.offenders(
            session,
            _too_early(),
            lambda row: f"service {row[0]}: earned before it began, or not to its end",
        ),
    ]
    lines, new = proof.count(session, _looked_at()), proof.count(session, _new())
    figure = f"{lines:,} lines given and earned"
    return Part(f"{figure}, {new:,} to be looked at" if new else figure, proof.first_few(wrong))


# --- statements, each put together once and at first use ------------------------------------------


@cache
def _unlike_lines() -> Select[*tuple[Any, ...]]:
    """(contract, currency, allocated, lines) of contracts in which they differ."""
    root = (
        select(
            Obligation.contract_id.label("contract"),
            Obligation.invoice_line_id.label("line"),
            InvoiceLine.net_minor.label("net"),
        )
        .join(InvoiceLine, InvoiceLine.id == Obligation.invoice_line_id)
        .cte("with_memos", recursive=True)
    )
    line, document = aliased(InvoiceLine), aliased(Invoice)
    chain = root.union_all(
        select(
            root.c.contract,
            line.id,
            case((document.kind == "credit_memo", -line.net_minor), else_=line.net_minor),
        )
        .join(line, line.memo_of_id == root.c.line)
        .join(document, document.id == line.invoice_id)
    )
    unbilled = (
        select(Obligation.contract_id, OrderLine.id, OrderLine.net_minor)
        .join(OrderLine, OrderLine.id == Obligation.order_line_id)
        .where(Obligation.invoice_line_id.is_(None))
    )
    lines = union_all(select(chain.c.contract, chain.c.line, chain.c.net), unbilled).subquery()
    sums = (
        select(lines.c.contract, func.sum(lines.c.net).label("net"))
        .group_by(lines.c.contract)
        .subquery()
    )
    allocated = func.sum(Obligation.allocated_minor)
    return (
        select(Obligation.contract_id, Obligation.currency, allocated, sums.c.net)
        .outerjoin(sums, sums.c.contract == Obligation.contract_id)
        .group_by(Obligation.contract_id, Obligation.currency, sums.c.net)
        .having(or_(sums.c.net.is_(None), allocated != sums.c.net))
        .order_by(Obligation.contract_id)
    )


@cache
def _liability() -> Select[*tuple[Any, ...]]:
    balance = -func.sum(JournalLine.amount_minor)
    return (
        select(JournalLine.currency, balance)
        .where(JournalLine.ledger_code == CONTRACT_LIABILITY)
        .group_by(JournalLine.currency)
        .having(balance != 0)
        .order_by(JournalLine.currency)
    )


@cache
def _unlike_documents() -> Select[*tuple[Any, ...]]:
    """(currency, balance, billed and not earned) of currencies in which they differ."""
    piece = aliased(InvoiceLine)
    bundles = select(piece.parent_id).where(piece.parent_id.is_not(None))
    signed = case((Invoice.kind == "credit_memo", -1), else_=1) * InvoiceLine.net_minor
    balance = select(JournalLine.currency.label("currency"), -JournalLine.amount_minor).where(
        JournalLine.ledger_code == CONTRACT_LIABILITY
    )
    zero = InvoiceLine.net_minor - InvoiceLine.net_minor
    sides = union_all(
        balance.add_columns(JournalLine.amount_minor - JournalLine.amount_minor),
        select(Invoice.currency, zero, signed)
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .where(
            InvoiceLine.ledger_code == CONTRACT_LIABILITY,
            Invoice.kind.in_(("invoice", "credit_memo", "debit_memo")),
            InvoiceLine.id.not_in(bundles),
        ),
        select(
            Obligation.currency,
            RevenueSchedule.amount_minor - RevenueSchedule.amount_minor,
            RevenueSchedule.unbilled_minor - RevenueSchedule.amount_minor,
        ).join(Obligation, Obligation.id == RevenueSchedule.obligation_id),
    ).subquery()
    currency, posted, wanted = sides.c
    return (
        select(currency, func.sum(posted), func.sum(wanted))
        .group_by(currency)
        .having(func.sum(posted) != func.sum(wanted))
        .order_by(currency)
    )


@cache
def _unlike_given() -> Select[*tuple[Any, ...]]:
    line, back = OrderLine, _came_back()
    pieces = cast(func.coalesce(back.c.pieces, 0), BigInteger)  # PostgreSQL's sums divide otherwise
    done, whole = line.fulfilled - pieces, line.quantity - line.cancelled - pieces
    share = Obligation.allocated_minor
    size = (2 * func.abs(share) * done + whole) // (2 * case((whole == 0, 1), else_=whole))
    earned = case((done >= whole, share), (share < 0, -size), else_=size)
    never = and_(Obligation.invoice_line_id.is_(None), whole == 0)
    return (
        select(
            Order.number,
            line.line_number,
            Obligation.currency,
            Obligation.earned_minor,
            share,
        )
        .select_from(Obligation)
        .join(line, line.id == Obligation.order_line_id)
        .join(Order, Order.id == line.order_id)
        .outerjoin(back, back.c.line == line.id)
        .where(
            Obligation.trigger != RATABLE,
            Obligation.earned_minor != case((never, 0), else_=earned),
        )
        .order_by(Order.number, line.line_number)
    )


def _came_back() -> Subquery:
    return (
        select(
            OrderChangeLine.order_line_id.label("line"),
            func.sum(OrderChangeLine.quantity).label("pieces"),
        )
        .join(OrderChange, OrderChange.id == OrderChangeLine.change_id)
        .where(OrderChange.kind == "return", OrderChange.state == "done")
        .group_by(OrderChangeLine.order_line_id)
        .subquery("came_back")
    )


@cache
def _too_early() -> Select[*tuple[Any, ...]]:
    service = Subscription
    return (
        select(service.public_id)
        .join(Obligation, Obligation.contract_id == service.id)
        .where(
            or_(
                and_(Obligation.earned_minor != 0, service.activated_on.is_(None)),
                and_(
                    Obligation.due_on.is_(None),
                    Obligation.earned_minor != Obligation.allocated_minor,
                ),
            )
        )
        .order_by(service.public_id)
    )


@cache
def _looked_at() -> Select[int]:
    return select(func.count()).where(
        Obligation.trigger != RATABLE, Obligation.earned_minor == Obligation.allocated_minor
    )


@cache
def _new() -> Select[int]:
    return select(func.count(OrderLine.order_id.distinct())).where(waiting.is_given_and_new())
