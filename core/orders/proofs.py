"""What the orders show of themselves: their numbers have no gap."""

from sqlalchemy import BigInteger, case, cast, func, literal, select
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.numbering import NumberSeries
from core.kernel.proof import Part
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
