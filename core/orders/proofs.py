"""What the orders show of themselves: no gap in their numbers, tenders and bundles that add up."""

from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from core.catalog.models import BUNDLE
from core.kernel import proof
from core.kernel.numbering import NumberSeries
from core.kernel.proof import Numbered, Part
from core.ledger.tender_models import Tender
from core.orders.models import Order, OrderLine, OrderLineCharge, OrderLineTax
from core.orders.placing import BEFORE_FIRST, ORDER_SERIES


def numbers_have_no_gap(session: Session) -> Part:
    """``O-10001`` and on, one for each order that was ever placed."""
    part = proof.numbers(session, _numbered(), lambda number: f"O-{BEFORE_FIRST + number}")
    return Part(f"{part.figure} orders", part.offenders)


def tenders_add_up(session: Session) -> Part:
    """What a confirmed order was to cost at once is what its tenders took, or left to a bill."""
    wrong = proof.offenders(
        session,
        _unpaid(),
        lambda row: (
            f"order {row[0]}: its tenders paid {proof.amount(row[3], row[1])} "
            f"of {proof.amount(row[2], row[1])}"
        ),
    )
    count = proof.count(session, _certain())
    return Part(f"{count:,} orders paid as agreed", wrong)


def pieces_are_their_bundle(session: Session) -> Part:
    """A bundle's line is what its pieces come to, and for each charge kind they are its price.

    Where a tax that prices contain is not charged, they come to less by it.
    """
    return Part(
        f"{proof.count(session, _bundles()):,} bundles ordered",
        (*_wrong_sums(session), *_wrong_kinds(session)),
    )


def _wrong_sums(session: Session) -> tuple[str, ...]:
    return proof.offenders(
        session,
        _unlike_pieces(),
        lambda row: (
            f"order {row[1] or row[0]}, line {row[2]}: "
            f"its pieces come to {proof.amount(row[4], row[3])}"
        ),
    )


def _wrong_kinds(session: Session) -> tuple[str, ...]:
    """Each charge kind of a bundle's price beside its pieces of that kind, from both sides."""
    return proof.offenders(
        session,
        _unlike_prices(),
        lambda row: (
            f"order {row[1] or row[0]}, line {row[2]}: {row.charge_kind.replace('_', ' ')} pieces "
            f"come to {proof.amount(row.pieces, row[3])} of {proof.amount(row.priced, row[3])}"
        ),
    )


# --- statements, each put together once and at first use ------------------------------------------


@cache
def _numbered() -> Numbered:
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
    return Numbered(rows, NumberSeries.series == ORDER_SERIES)


@cache
def _unpaid() -> Select[*tuple[Any, ...]]:
    taken = func.coalesce(func.sum(Tender.taken_minor), 0)
    return (
        select(Order.number, Order.currency, Order.due_now_minor, taken)
        .outerjoin(Tender, (Tender.order_id == Order.id) & (Tender.state == "committed"))
        .where(_is_certain())
        .group_by(Order.id, Order.number, Order.currency, Order.due_now_minor)
        .having(taken != Order.due_now_minor)
        .order_by(Order.number)
    )


@cache
def _certain() -> Select[int]:
    return select(func.count()).select_from(Order).where(_is_certain())


def _is_certain() -> ColumnElement[bool]:
    return Order.lifecycle.in_(("confirmed", "completed"))


@cache
def _bundles() -> Select[int]:
    return select(func.count()).select_from(OrderLine).where(OrderLine.kind == BUNDLE)


@cache
def _unlike_pieces() -> Select[*tuple[Any, ...]]:
    bundle, piece = OrderLine, aliased(OrderLine)
    net = func.coalesce(func.sum(piece.net_minor), 0)
    astray = func.sum(case((piece.order_id != bundle.order_id, 1), else_=0))
    keys = (Order.public_id, Order.number, bundle.line_number, Order.currency)
    return (
        select(*keys, net)
        .select_from(bundle)
        .join(Order, Order.id == bundle.order_id)
        .outerjoin(piece, piece.parent_id == bundle.id)
        .where(or_(bundle.kind == BUNDLE, piece.id.is_not(None)))
        .group_by(*keys, bundle.id, bundle.kind, bundle.net_minor)
        .having(
            or_(
                net != bundle.net_minor,
                astray > 0,
                bundle.kind != BUNDLE,
                func.count(piece.id) == 0,
            )
        )
        .order_by(Order.public_id, bundle.line_number)
    )


@cache
def _unlike_prices() -> Select[*tuple[Any, ...]]:
    both = union_all(_charged(), _uncharged()).subquery()
    return (
        select(Order.public_id, Order.number, both.c.line_number, Order.currency, both)
        .join(Order, Order.id == both.c.order_id)
        .order_by(Order.public_id, both.c.line_number, both.c.charge_kind)
    )


def _charged() -> Select[*tuple[Any, ...]]:
    """Prices of a charge kind to which its pieces do not come."""
    bundle, piece = OrderLine, aliased(OrderLine)
    pieces = func.coalesce(func.sum(piece.net_minor + piece.contained_minor), 0)
    relieved = exists().where(
        OrderLineTax.order_line_id == piece.id, OrderLineTax.inclusive, OrderLineTax.relief != ""
    )
    less = func.coalesce(func.sum(case((relieved, 1), else_=0)), 0)
    priced = OrderLineCharge.priced_minor
    return (
        select(
            bundle.order_id,
            bundle.line_number,
            OrderLineCharge.charge_kind,
            pieces.label("pieces"),
            priced.label("priced"),
        )
        .select_from(OrderLineCharge)
        .join(bundle, bundle.id == OrderLineCharge.order_line_id)
        .outerjoin(
            piece,
            and_(piece.parent_id == bundle.id, piece.charge_kind == OrderLineCharge.charge_kind),
        )
        .group_by(
            bundle.id, bundle.order_id, bundle.line_number, OrderLineCharge.charge_kind, priced
        )
        .having(and_(pieces != priced, or_(less == 0, pieces > priced)))
    )


def _uncharged() -> Select[*tuple[Any, ...]]:
    """Pieces of a charge kind that their bundle has no price for."""
    bundle, piece = OrderLine, aliased(OrderLine)
    return (
        select(
            bundle.order_id,
            bundle.line_number,
            piece.charge_kind,
            func.sum(piece.net_minor + piece.contained_minor).label("pieces"),
            literal(0).label("priced"),
        )
        .select_from(piece)
        .join(bundle, bundle.id == piece.parent_id)
        .outerjoin(
            OrderLineCharge,
            and_(
                OrderLineCharge.order_line_id == bundle.id,
                OrderLineCharge.charge_kind == piece.charge_kind,
            ),
        )
        .where(OrderLineCharge.order_line_id.is_(None))
        .group_by(bundle.id, bundle.order_id, bundle.line_number, piece.charge_kind)
    )
