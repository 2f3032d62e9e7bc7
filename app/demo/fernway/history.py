"""What happened at Fernway's in the weeks before the demo opened: orders, bills that were paid, corrections.

Everything comes about in the real flows, at its own hour. Each act may be asked for again and is done once,
so that a seed that was interrupted goes on where it stopped.
"""

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.demo.fernway import corrections
from app.demo.fernway.corrections import CREDITED, DRAFTED, Credited, Drafted
from app.demo.fernway.people import MARA, NELL, OTIS, ROSA, Person
from app.demo.fernway.shop import ZONE
from cart import lines
from cart.checkout import Details
from cart.models import Cart
from core.kernel.clock import ManualClock
from core.kernel.ids import derived_token
from core.orders import placing
from core.parties import accounts, users
from flows import pay_bill, place_order, settle_payment
from flows.house import House
from flows.pay_bill import PayWish
from flows.place_order import Wish
from invoices.models import Invoice
from payments import operations
from payments.models import PaymentOperation

#: The history begins so many days before the seed.
DAYS = 60


@dataclass(frozen=True)
class Ordered:
    """An order, so many days after the beginning, on terms or paid by card at once."""

    key: str
    day: int
    at: time
    who: Person
    pieces: Mapping[str, int]
    by: str = "invoice"


@dataclass(frozen=True)
class BillPaid:
    """Somebody pays the bill of an earlier order of theirs by card."""

    day: int
    at: time
    who: Person
    order: str


Act = Ordered | BillPaid | Credited | Drafted

#: Terms are fourteen days and then the next business day: what was ordered until day 42 is overdue on
#: day 60, and after day 46 it is not due yet.
ACTS: tuple[Act, ...] = (
    Ordered("mara-1", 8, time(10, 12), MARA, {"CAN-100": 1, "VIS-INST": 1, "STR-18": 1}),
    BillPaid(19, time(19, 20), MARA, "mara-1"),
    Ordered("otis-1", 27, time(8, 41), OTIS, {"CAN-SAT": 1, "CAB-5": 2}),
    Ordered("nell-1", 27, time(12, 5), NELL, {"KNOCK-1": 1, "CHIME-1": 1}, by="card"),
    BillPaid(41, time(17, 3), OTIS, "otis-1"),
    Ordered("otis-2", 42, time(16, 30), OTIS, {"RIV-100": 1, "VIS-REP": 1}),
    CREDITED,
    Ordered("rosa-1", 49, time(20, 15), ROSA, {"LOOK-2": 2}, by="card"),
    Ordered("mara-2", 51, time(18, 47), MARA, {"LOOK-1": 1, "BUR-1": 1}),
    DRAFTED,
    Ordered("mara-3", 58, time(9, 28), MARA, {"HAND-1": 1, "TEL-1": 1}),
    Ordered("nell-2", 59, time(13, 36), NELL, {"EMB-1": 2, "CAB-15": 1}, by="card"),
    Ordered("otis-3", 59, time(14, 20), OTIS, {"GIFT-50": 1}, by="card"),
)


def sold() -> dict[str, int]:
    """How many of each SKU the history takes from the shelves."""
    pieces: Counter[str] = Counter()
    for act in ACTS:
        if isinstance(act, Ordered):
            pieces.update(act.pieces)
    return dict(pieces)


def moment(began: datetime, act: Act) -> datetime:
    """When an act happens, in a history that began at ``began``."""
    first = began.astimezone(ZoneInfo(ZONE)).date()
    return datetime.combine(first + timedelta(days=act.day), act.at, ZoneInfo(ZONE))


def mornings(after: datetime, until: datetime) -> Iterator[datetime]:
    """Five in the morning of every day in between."""
    zone = ZoneInfo(ZONE)
    day = after.astimezone(zone).date()
    while (morning := datetime.combine(day, time(5), zone)) <= until:
        if morning > after:
            yield morning
        day += timedelta(days=1)


def happen(house: House, clock: ManualClock, act: Act) -> None:
    """Do one act at the clock's present moment, which moves on a little. ``house`` has that clock."""
    if isinstance(act, Ordered):
        _order(house, clock, act)
    elif isinstance(act, Credited | Drafted):
        corrections.happen(house, act)
    else:
        _pay(house, clock, act)


def _order(house: House, clock: ManualClock, act: Ordered) -> None:
    cart_id = _cart_id(house, act.key)
    house.db.run_tx(lambda session: _fill(session, house, act, cart_id))
    clock.advance(timedelta(minutes=3))
    details = Details(act.who.email, dict(act.who.address), "standard", act.by)
    with house.db.reading() as session:
        user = users.find(session, act.who.email)
    wish = Wish(cart_id, details, user_id=user.id if user else None)
    placed = place_order.place(house, wish)
    if placed.redirect_url is None:
        return
    clock.advance(timedelta(minutes=2))
    with house.db.reading() as session:
        operation = operations.of_order(session, placed.order_id)
    assert operation is not None  # there is a page to pay on
    settle_payment.settle(house, operation.id)


def _cart_id(house: House, key: str) -> str:
    """The cart of an act: the same again, and nobody can guess it."""
    return derived_token(house.links.secret, "fernway-cart", key)


def _fill(session: Session, house: House, act: Ordered, cart_id: str) -> None:
    if session.scalar(select(Cart.id).where(Cart.public_id == cart_id)) is not None:
        return
    channel, _ = accounts.channel_by_code(session, house.rules.channel)
    user = users.find(session, act.who.email)
    now = house.clock.now()
    cart = lines.open_cart(session, channel, now, user.id if user else None)
    cart.public_id = cart_id
    for sku, quantity in act.pieces.items():
        lines.add(session, cart, sku, quantity, house.rules.hold_for, now)


def _pay(house: House, clock: ManualClock, act: BillPaid) -> None:
    with house.db.reading() as session:
        begun = _begun(session, act)
        wish = _pay_wish(session, house, act)
    if begun is None:
        pay_bill.pay(house, wish)
        with house.db.reading() as session:
            begun = _begun(session, act)
    assert begun is not None  # found, or begun just now
    clock.advance(timedelta(minutes=2))
    settle_payment.settle(house, begun)


def _begun(session: Session, act: BillPaid) -> uuid.UUID | None:
    """The payment of a bill that this person has begun; nobody pays two bills in this history."""
    account = accounts.by_number(session, act.who.account_number or "")
    return session.scalar(
        select(PaymentOperation.id).where(
            PaymentOperation.account_id == account.id, PaymentOperation.order_id.is_(None)
        )
    )


def _pay_wish(session: Session, house: House, act: BillPaid) -> PayWish:
    user = users.find(session, act.who.email)
    assert user is not None  # whoever has an account has a log-in
    cart = lines.find(session, _cart_id(house, act.order))
    order = placing.of_cart(session, cart.id)
    assert order is not None  # it was an earlier act
    of_order = (Invoice.order_id == order.id, Invoice.kind == "invoice")
    invoice = session.scalars(select(Invoice.id).where(*of_order)).one()
    return PayWish(user.id, [invoice])
