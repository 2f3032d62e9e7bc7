"""Mails about what becomes of a placed order, in the caller's transaction; each once under its key.

Called by the handlers of the events of orders, and by ``flows.ask_after``.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cart import address
from core.kernel.clock import local_date
from core.kernel.money import Money
from core.ledger import items
from core.notices import addressing
from core.notices.addressing import Reader
from core.notices.letters import Letter, Letterhead
from core.notices.order_letters import (
    AllWellLetter,
    ApprovedLetter,
    BackOrderLetter,
    CollectedLetter,
    DeliveredLetter,
    OrderChangeLetter,
    Parcel,
    ParcelLetter,
    PayLinkLetter,
    ReadyLetter,
    Spot,
)
from core.orders import back_orders as orders_back
from core.orders import changing, exchanging, following, grouping, pickups, placing
from core.orders.changing import KEPT
from core.orders.exchanging import Exchange
from core.orders.fulfilment_models import Fulfilment, OrderChange, OrderChangeMemo
from core.orders.models import Order, OrderLine
from core.parties.models import Account, LegalEntity
from core.stock import back_orders
from flows.letters import buyer, counted
from flows.links import Links
from flows.notify import queue
from invoices.models import Invoice
from payments import operations


def shipped(session: Session, fulfilment_id: uuid.UUID, links: Links, now: datetime) -> None:
    """A parcel is on its way: what is in it, who brings it, and what comes later."""
    row = session.get_one(Fulfilment, fulfilment_id)
    order, head, name = _about(session, row.order_id)
    lines = placing.lines_of(session, order.id)
    (mine,) = [one for one in following.sent(session, order.id) if one.row.id == row.id]
    to = order.shipping_address or {}
    letter = ParcelLetter(
        head=head,
        name=name,
        link=links.order(order.public_id),
        number=order.number or "",
        sent_on=local_date(row.at, head.time_zone),
        parcel=Parcel(
            row.carrier, row.tracking_number, row.tracking_link, _pieces(lines, mine.pieces)
        ),
        following=_following(lines),
        address=tuple(part for part in (str(to.get("name") or ""), *address.lines(to)) if part),
    )
    _send(session, order, letter, f"shipped:{row.id}", links, now)


def approved(session: Session, order_id: uuid.UUID, links: Links, now: datetime) -> None:
    """An order that was held goes on."""
    order, head, name = _about(session, order_id)
    letter = ApprovedLetter(
        head=head,
        name=name,
        link=links.order(order.public_id),
        number=order.number or "",
        pieces=tuple(
            counted(line.name, Decimal(line.quantity - line.cancelled))
            for line in placing.lines_of(session, order.id)
            if line.kind != "delivery" and line.parent_id is None and line.cancelled < line.quantity
        ),
    )
    _send(session, order, letter, f"approved:{order.id}", links, now)


def delivered(session: Session, fulfilment_id: uuid.UUID, links: Links, now: datetime) -> None:
    """A parcel has arrived: which, when, and what comes later."""
    row = session.get_one(Fulfilment, fulfilment_id)
    order, head, name = _about(session, row.order_id)
    lines = placing.lines_of(session, order.id)
    (mine,) = [one for one in following.sent(session, order.id) if one.row.id == row.id]
    letter = DeliveredLetter(
        head=head,
        name=name,
        link=links.order(order.public_id),
        number=order.number or "",
        on=local_date(row.delivered_at or now, head.time_zone),
        parcel=Parcel(
            row.carrier, row.tracking_number, row.tracking_link, _pieces(lines, mine.pieces)
        ),
        following=_following(lines),
    )
    _send(session, order, letter, f"delivered:{row.id}", links, now)


def released(session: Session, batch: uuid.UUID, links: Links, now: datetime) -> None:
    """What was sold before it was there has come, or some of it: it goes out next."""
    reference, pieces = back_orders.of_batch(session, batch)
    key = placing.by_public_id(session, reference.removeprefix("order:")).id
    order, head, name = _about(session, key)
    named = _names(session, order, pieces)
    if order.lifecycle == "cancelled" or not named:
        return
    letter = BackOrderLetter(
        head=head,
        name=name,
        link=links.order(order.public_id),
        number=order.number or "",
        pieces=named,
        following=_names(session, order, orders_back.variants_waiting(session, order)),
        is_fetched=any(line.pickup_id for line in placing.lines_of(session, order.id)),
    )
    _send(session, order, letter, f"back-order:{batch}", links, now)


def _names(session: Session, order: Order, pieces: Mapping[uuid.UUID, int]) -> tuple[str, ...]:
    names = {line.variant_id: line.name for line in placing.lines_of(session, order.id)}
    return tuple(
        counted(name, Decimal(pieces[key]))
        for key, name in names.items()
        if key is not None and pieces.get(key)
    )


def ready(session: Session, pick_up_id: uuid.UUID, links: Links, now: datetime) -> None:
    """Goods lie ready: what, where, and when somebody is there. Of what was put back meanwhile nobody is
    told."""
    found = pickups.one(session, pick_up_id)
    if found.row.state == "put_back":
        return
    order, head, name = _about(session, found.row.order_id)
    lines = placing.lines_of(session, order.id)
    letter = ReadyLetter(
        head=head,
        name=name,
        link=links.order(order.public_id),
        number=order.number or "",
        pieces=_pieces(lines, found.pieces),
        spot=_spot(found),
        following=_not_ready(session, lines),
    )
    _send(session, order, letter, f"ready:{found.row.id}", links, now)


def collected(session: Session, pick_up_id: uuid.UUID, links: Links, now: datetime) -> None:
    """Goods were fetched: what, where, and what comes later."""
    found = pickups.one(session, pick_up_id)
    order, head, name = _about(session, found.row.order_id)
    lines = placing.lines_of(session, order.id)
    letter = CollectedLetter(
        head=head,
        name=name,
        link=links.order(order.public_id),
        number=order.number or "",
        on=local_date(found.row.ended_at or now, head.time_zone),
        pieces=_pieces(lines, found.pieces),
        spot=_spot(found),
        following=_following(lines),
    )
    _send(session, order, letter, f"collected:{found.row.id}", links, now)


def _spot(found: pickups.Ready) -> Spot:
    return Spot(found.place.name, found.place.address, found.place.hours)


def _not_ready(session: Session, lines: Sequence[OrderLine]) -> tuple[str, ...]:
    left = pickups.left_to_set_ready(session, lines)
    return tuple(
        counted(line.name, Decimal(pieces))
        for line in lines
        if line.kind == "physical" and (pieces := left.get(line.id, line.waiting))
    )


def all_well(session: Session, order: Order, links: Links, now: datetime) -> None:
    """Some days after all of it arrived: was all well? Once for an order."""
    _, head, name = _about(session, order.id)
    letter = AllWellLetter(
        head=head,
        name=name,
        link=links.order(order.public_id),
        number=order.number or "",
        pieces=tuple(
            counted(line.name, Decimal(line.fulfilled))
            for line in placing.lines_of(session, order.id)
            if line.kind == "physical" and line.fulfilled > line.returned
        ),
    )
    if letter.pieces:
        _send(session, order, letter, f"all-well:{order.id}", links, now)


def _following(lines: Sequence[OrderLine]) -> tuple[str, ...]:
    return tuple(
        counted(line.name, Decimal(line.waiting))
        for line in lines
        if line.kind == "physical" and line.waiting
    )


def changed(session: Session, change_id: uuid.UUID, how: str, links: Links, now: datetime) -> None:
    """Pieces were cancelled or come back, and what becomes of their money."""
    row = session.get_one(OrderChange, change_id)
    order, head, name = _about(session, row.order_id)
    (mine,) = [one for one in following.changes(session, order.id) if one.row.id == row.id]
    entity = session.get_one(LegalEntity, order.legal_entity_id)
    lines = placing.lines_of(session, order.id)
    amount, goes = _money(session, row, order)
    exchange = exchanging.of(session, row.id)
    shown = exchange is not None and how in ("asked", "announced", "received")
    letter = OrderChangeLetter(
        head=head,
        name=name,
        link=links.order(order.public_id),
        how=how,
        number=order.number or "",
        return_number=changing.return_number(order.number or "", row.number),
        on=local_date(row.done_at or row.asked_at, head.time_zone),
        pieces=_pieces(lines, mine.pieces),
        amount=amount,
        goes=goes if how in ("cancelled", "received", "changed") else "",
        whole=order.lifecycle == "cancelled",
        send_to=(entity.name, *map(str, entity.address)),
        answer=tuple(row.answer.splitlines()) if how == "declined" else (),
        added=_instead(exchange, mine.pieces)
        if exchange is not None and shown
        else _added(lines, row)
        if how == "changed"
        else (),
        sends=exchange.row.sends if exchange is not None and shown else "",
    )
    _send(session, order, letter, f"order-{how}:{row.id}", links, now)


def pay_link(session: Session, order_id: uuid.UUID, links: Links, now: datetime) -> None:
    """An order that staff took on the phone waits to be paid: what, how much, until when, and where."""
    order, head, name = _about(session, order_id)
    operation = operations.of_order(session, order.id)
    if order.lifecycle != "pending" or operation is None or operation.expires_at is None:
        return
    lines = placing.lines_of(session, order.id)
    letter = PayLinkLetter(
        head=head,
        name=name,
        link=links.order(order.public_id),
        amount=Money(order.due_now_minor, order.currency),
        until=local_date(operation.expires_at, head.time_zone),
        pieces=tuple(
            counted(line.name, Decimal(line.quantity))
            for line in lines
            if line.kind != "delivery" and line.parent_id is None
        ),
    )
    _send(session, order, letter, f"pay-link:{order.id}", links, now)


def _about(session: Session, order_id: uuid.UUID) -> tuple[Order, Letterhead, str]:
    order = session.get_one(Order, order_id)
    account = session.get_one(Account, order.payer_account_id)
    return order, addressing.of_account(session, account), buyer(order, account)


def _pieces(lines: Sequence[OrderLine], pieces: Mapping[uuid.UUID, int]) -> tuple[str, ...]:
    return tuple(
        counted(line.name, Decimal(pieces[line.id]))
        for line in lines
        if line.id in pieces and line.kind != "delivery"
    )


def _instead(exchange: Exchange, pieces: Mapping[uuid.UUID, int]) -> tuple[str, ...]:
    return tuple(
        counted(line.name, Decimal(pieces[key]))
        for key, line in exchange.lines.items()
        if key in pieces
    )


def _added(lines: Sequence[OrderLine], change: OrderChange) -> tuple[str, ...]:
    return tuple(
        counted(line.name, Decimal(line.quantity))
        for line in grouping.added(lines, change.id)
        if line.parent_id is None
    )


def _money(session: Session, change: OrderChange, order: Order) -> tuple[Money, str]:
    """What the change's memos credited less what was billed for it, and where it goes: off the bill as far as
    that was open."""
    of_change = select(OrderChangeMemo.memo_id).where(OrderChangeMemo.change_id == change.id)
    keys = session.scalars(of_change).all()
    total = session.scalar(select(func.sum(Invoice.total_minor)).where(Invoice.id.in_(keys)))
    billed = session.scalar(select(Invoice.total_minor).where(Invoice.order_change_id == change.id))
    amount = Money(int(total or 0) - int(billed or 0), order.currency)
    if not amount:
        return amount, ""
    if amount.minor < 0:
        return -amount, "more"
    if not items.of_sources(session, list(keys)):
        return amount, "owed"
    return amount, "kept" if change.refund_to == KEPT else "back"


def _send(
    session: Session,
    order: Order,
    letter: Letter,
    key: str,
    links: Links,
    now: datetime,
) -> None:
    to, account_id = Reader(order.email), order.payer_account_id
    queue(session, letter, key, to, links, now, account_id=account_id)
