"""How much of an order, and of each line of a bill, is earned: for those who look at them at the desk."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, exists, func, select
from sqlalchemy.orm import Session, aliased

from core.kernel.money import Money
from core.ledger.chart import CONTRACT_LIABILITY, REVENUE
from core.orders.models import Order, OrderLine
from core.revenue import earning
from core.revenue.models import Obligation
from invoices.document import Kind
from invoices.earned import billed
from invoices.models import Invoice, InvoiceLine


@dataclass(frozen=True)
class Earned:
    """Before tax: ``earned`` is revenue, ``left`` is billed and not earned, ``unbilled`` the other way."""

    earned: Money
    left: Money
    unbilled: Money


def of_order(session: Session, order: Order, documents: Sequence[Invoice]) -> Earned:
    """Of an order with its bill and memos, as they stand now."""
    piece = aliased(InvoiceLine)
    signed = case(
        (Invoice.kind == Kind.CREDIT_MEMO.value, -InvoiceLine.net_minor),
        else_=InvoiceLine.net_minor,
    )
    liability = (
        select(func.coalesce(func.sum(signed), 0))
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(
            InvoiceLine.invoice_id.in_([one.id for one in documents]),
            InvoiceLine.ledger_code == CONTRACT_LIABILITY,
            ~exists().where(piece.parent_id == InvoiceLine.id),
        )
    ).scalar_subquery()
    sums = session.execute(
        select(
            liability,
            func.coalesce(func.sum(Obligation.earned_minor), 0),
            func.coalesce(func.sum(Obligation.unbilled_minor), 0),
        )
        .join(OrderLine, OrderLine.id == Obligation.order_line_id)
        .where(OrderLine.order_id == order.id)
    ).one()
    owed, earned, unbilled = (int(one) for one in sums)

    def money(minor: int) -> Money:
        return Money(minor, order.currency)

    return Earned(money(earned), money(owed - earned + unbilled), money(unbilled))


def of_lines(
    session: Session, lines: Sequence[InvoiceLine], currency: str
) -> dict[uuid.UUID, Earned]:
    """Of the lines of a bill, with their memos; not those of memos themselves, or what was never owed."""
    mine = [
        line
        for line in lines
        if line.memo_of_id is None and line.ledger_code in (CONTRACT_LIABILITY, REVENUE)
    ]
    keys = [line.id for line in mine]
    nets, known = billed.of_bill_lines(session, keys), earning.of_lines(session, keys)
    found = {}
    for line in mine:
        row, whole = known.get(line.id), nets[line.id].net
        earned = row.earned_minor if row is not None else 0
        if line.ledger_code == REVENUE:
            earned = whole
        left = row.unearned_minor if row is not None else whole - earned
        zero = Money.zero(currency)
        found[line.id] = Earned(Money(earned, currency), Money(left, currency), zero)
    return found
