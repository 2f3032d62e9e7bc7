"""What the orders show of themselves: their numbers have no gap, their tenders add up."""

from sqlalchemy import BigInteger, case, cast, func, literal, select
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.numbering import NumberSeries
from core.kernel.proof import Part
from core.ledger.tender_models import Tender
from core.orders.models import Order
from core.orders.placing import BEFORE_FIRST, ORDER_SERIES


def numbers_have_no_gap(session: Session) -> Part:
    """``O-10001`` and on, one for each order that was ever placed."""
    position = case(
        (
            Order.number.regexp_match("^O-[1-9][0-9]*$"),
            cast(func.substr(Order.number, 3), BigInteger) - BEFORE_FIRST,
        )
    )
    rows = (
        select(
            Order.legal_entity_id,
            literal(ORDER_SERIES).label("series"),
            position.label("position"),
        )
        .where(Order.number.is_not(None))
        .subquery()
    )
    ours = NumberSeries.series == ORDER_SERIES
    part = proof.numbers(session, rows, ours, lambda number: f"O-{BEFORE_FIRST + number}")
    return Part(f"{part.figure} orders", part.offenders)


def tenders_add_up(session: Session) -> Part:
    """What a confirmed order was to cost at once is what its tenders took, or left to a bill."""
    taken = func.coalesce(func.sum(Tender.taken_minor), 0)
    certain = Order.lifecycle.in_(("confirmed", "completed"))
    query = (
        select(Order.number, Order.currency, Order.due_now_minor, taken)
        .outerjoin(Tender, (Tender.order_id == Order.id) & (Tender.state == "committed"))
        .where(certain)
        .group_by(Order.id, Order.number, Order.currency, Order.due_now_minor)
        .having(taken != Order.due_now_minor)
        .order_by(Order.number)
    )
    wrong = proof.offenders(
        session,
        query,
        lambda row: (
            f"order {row[0]}: its tenders paid {proof.amount(row[3], row[1])} "
            f"of {proof.amount(row[2], row[1])}"
        ),
    )
    count = proof.count(session, select(func.count()).select_from(Order).where(certain))
    return Part(f"{count:,} orders paid as agreed", wrong)
