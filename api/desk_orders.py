"""Orders by a key of the desk: listed, read, sent, done, cancelled, returned, refunded."""

from collections.abc import Callable, Sequence
from datetime import datetime

from flask import Blueprint, Response
from pydantic import BaseModel

from api import answers, cursors, order_answers, reading
from api import order_shapes as shapes
from api.callers import caller, staff
from api.change_shapes import AcceptWish, WithdrawWish
from api.once import once
from api.order_shapes import LinePieces
from api.pace import limit
from api.problems import InvalidRequest, add_headers, field_error
from cart import consents
from core.kernel.errors import Invalid, NotFound
from core.kernel.ids import token_hash
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.orders import carriers, changing, following, placing
from core.orders import reading as orders
from core.orders.fulfilling import Tracking
from core.parties.models import Account
from flows import ask_return, pick_up, ship_order, take_back
from flows.follow_order import follow
from flows.give_back import Back, give_back
from flows.ship_order import Done, Parcel
from flows.take_back import Asked
from invoices.earned import reading as earned
from payments.gateway import GatewayError
from web.access import Guard, Who, allow
from web.context import house, web_settings

desk_orders = Blueprint("api_desk_orders", __name__, url_prefix="/api/v1/desk")
desk_orders.after_request(add_headers)


@desk_orders.get("/orders")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:read")
def listed() -> Response:
    """Orders, the newest first."""
    asked, secret = reading.query(shapes.DeskOrderQuery), web_settings().secret_key
    before = cursors.read_moment(secret, asked.cursor)
    with house().db.snapshot() as session:
        found = orders.listing(
            session,
            state=asked.status or "",
            fulfilment=asked.fulfilment or "",
            words=asked.q.strip(),
            place=Place(orders.NEWEST.sort, before),
            limit=asked.page_size + 1,
        )
    rows = found[: asked.page_size]
    last = rows[-1][0] if len(found) > len(rows) else None
    following_ = cursors.write_moment(secret, last.created_at, last.id) if last else None
    items = [order_answers.row(order, account) for order, account in rows]
    return answers.respond({"items": items, "next_cursor": following_})


@desk_orders.get("/orders/<order_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:read")
def show(order_id: str) -> Response:
    """One order."""
    return answers.respond(_told(reading.public_id(order_id, "order")))


def _told(public_id: str) -> answers.Json:
    with house().db.snapshot() as session:
        order = placing.by_public_id(session, public_id)
        account = session.get_one(Account, order.payer_account_id)
        agreed = consents.of_order(session, order)
        followed = follow(session, order, for_staff=True)
        standing = earned.of_order(session, order, followed.invoices)
        return order_answers.order(followed, account, standing, agreed)


@desk_orders.post("/orders/<order_id>/ship")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:write")
def ship(order_id: str) -> Response:
    """Send a parcel."""
    wish = reading.body(shapes.ShipWish)
    if wish.tracking_link and not carriers.is_link(wish.tracking_link):
        told = field_error("tracking_link", "invalid", "This is no address on the web.")
        raise InvalidRequest([told])
    way = Tracking(wish.carrier, wish.tracking_number, wish.tracking_link)
    return done(
        "ship",
        order_id,
        wish,
        lambda key, name: ship_order.ship(
            house(), Parcel(key, _pieces(wish.lines), way, caller().actor, name)
        ),
    )


@desk_orders.post("/parcels/<parcel_id>/arrived")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:write")
def arrived(parcel_id: str) -> Response:
    """A parcel has arrived, as its carrier says."""
    wish = reading.body(shapes.ArrivedWish, optional=True)
    with house().db.reading() as session:
        row, order = following.parcel(session, reading.public_id(parcel_id, "parcel"))
    return done(
        f"arrived:{row.public_id}",
        order.public_id,
        wish,
        lambda key, name: _arrived(row.public_id, wish.at),
    )


def _arrived(public_id: str, at: datetime | None) -> object:
    try:
        return ship_order.arrived(house(), public_id, at, caller().actor)
    except Invalid as error:
        raise reading.refused(error) from None


@desk_orders.post("/orders/<order_id>/ready")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:write")
def set_ready(order_id: str) -> Response:
    """Goods lie ready to be fetched."""
    wish = reading.body(shapes.ProvideWish)
    return done(
        "ready",
        order_id,
        wish,
        lambda key, name: pick_up.set_ready(
            house(), pick_up.Pieces(key, _pieces(wish.lines), caller().actor, name)
        ),
    )


@desk_orders.post("/orders/<order_id>/fulfil")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:write")
def fulfil(order_id: str) -> Response:
    """Note as done what is not sent."""
    wish = reading.body(shapes.ProvideWish)
    return done(
        "fulfil",
        order_id,
        wish,
        lambda key, name: ship_order.provide(
            house(), Done(key, _pieces(wish.lines), caller().actor, name)
        ),
    )


@desk_orders.post("/orders/<order_id>/cancel")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:write")
def cancel(order_id: str) -> Response:
    """Cancel pieces that have not left."""
    wish = reading.body(shapes.CancelWish)
    chosen = _pieces(wish.lines) if wish.lines is not None else None

    def work(key: str, name: str) -> object:
        more = (wish.reason, wish.refund_to, caller().actor, name, wish.note)
        return take_back.cancel(house(), Asked(key, chosen, *more))

    return done("cancel", order_id, wish, work)


@desk_orders.post("/orders/<order_id>/returns")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:write")
def take(order_id: str) -> Response:
    """Announce a return, or take it back at once."""
    wish = reading.body(shapes.ReturnWish)
    chosen = _pieces(wish.lines)

    def work(key: str, name: str) -> object:
        more = (wish.reason, wish.refund_to, caller().actor, name, wish.note)
        instead = {one.line: one.sku for one in wish.instead}
        asked = Asked(key, chosen, *more, instead, wish.send)
        if not wish.received:
            return take_back.announce(house(), asked)
        return take_back.take(house(), asked, dict.fromkeys(chosen, wish.restock))

    return done("return", order_id, wish, work)


@desk_orders.post("/returns/<return_id>/accept")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:write")
def accept(return_id: str) -> Response:
    """A return that a customer asked for may come."""
    wish = reading.body(AcceptWish, optional=True)
    change_id, order_id, _ = return_of(return_id)
    return done(
        f"accept:{change_id}",
        order_id,
        wish,
        lambda key, name: ask_return.accept(house(), change_id, caller().actor, wish.send),
    )


@desk_orders.post("/returns/<return_id>/decline")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:write")
def decline(return_id: str) -> Response:
    """A return that a customer asked for is declined."""
    wish = reading.body(shapes.DeclineWish)
    change_id, order_id, _ = return_of(return_id)
    return done(
        f"decline:{change_id}",
        order_id,
        wish,
        lambda key, name: ask_return.decline(house(), change_id, wish.answer, caller().actor),
    )


@desk_orders.post("/returns/<return_id>/receive")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:write")
def receive(return_id: str) -> Response:
    """An announced return is here."""
    wish = reading.body(shapes.ReceiveWish, optional=True)
    change_id, order_id, numbers = return_of(return_id)
    restocked = dict.fromkeys(numbers, wish.restock)
    return done(
        f"receive:{change_id}",
        order_id,
        wish,
        lambda key, name: take_back.receive(house(), change_id, restocked, caller().actor),
    )


@desk_orders.post("/returns/<return_id>/withdraw")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("orders:write")
def withdraw(return_id: str) -> Response:
    """An announced return does not come."""
    wish = reading.body(WithdrawWish, optional=True)
    billed = wish.replacement == "billed"
    change_id, order_id, _ = return_of(return_id)
    return done(
        f"withdraw:{change_id}",
        order_id,
        wish,
        lambda key, name: take_back.withdraw(house(), change_id, caller().actor, billed=billed),
    )


def return_of(return_id: str) -> tuple[str, str, list[int]]:
    """A return's public id, its order's, and its lines. Raises NotFound."""
    with house().db.snapshot() as session:
        change, order = following.change(session, reading.public_id(return_id, "return"))
        if change.kind != "return":
            raise NotFound("return")
        some = changing.pieces_of(session, change, placing.lines_of(session, order.id))
    return change.public_id, order.public_id, [one.line.line_number for one in some]


@desk_orders.post("/orders/<order_id>/refund")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("refunds:write")
def refund(order_id: str) -> Response:
    """Give money back without pieces."""
    wish = reading.body(shapes.RefundWish)
    with house().db.reading() as session:
        order = placing.by_public_id(session, reading.public_id(order_id, "order"))
    if wish.amount.currency != order.currency or wish.amount.amount < 1:
        told = field_error("amount", "invalid", f"More than nothing, in {order.currency}.")
        raise InvalidRequest([told])
    amount = Money(wish.amount.amount, order.currency)

    def work(key: str, name: str) -> object:
        way = changing.WAYS[wish.refund_to]
        back = Back(order.id, amount, name[:60], wish.reason, way, actor=caller().actor)
        try:
            give_back(house(), back)
        except GatewayError:
            return None  # it is posted; the reconciler goes on
        return None

    return done("refund", order_id, wish, work)


def done(act: str, order_id: str, wish: BaseModel, work: Callable[[str, str], object]) -> Response:
    """Do it once for the request's key; the order as it is then."""
    key = reading.public_id(order_id, "order")
    scope = f"{act}:{key}:{caller().token_id.hex}"[:120]
    name = token_hash(f"{scope}:{reading.idempotency_key()}")[:48]

    def run() -> tuple[int, answers.Json]:
        work(key, name)
        return 200, _told(key)

    status, body = once(scope, wish, run)
    return answers.respond(body, status)


def _pieces(lines: Sequence[LinePieces]) -> dict[int, int]:
    """By line; a line that is named twice counts together."""
    found: dict[int, int] = {}
    for one in lines:
        found[one.line] = found.get(one.line, 0) + one.quantity
    return found
