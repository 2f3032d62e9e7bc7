"""What checkout still needs, and freezing a cart into an order.

``requirements`` is one list with stable codes; the page, the API and the gate all read it.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from cart import address as addresses
from cart import consents, goods, lines, ordered, slots
from cart.consents import Ask
from cart.models import Cart
from cart.priced import PricedCart
from cart.slots import SlotGone
from core.catalog.models import GIFT_CARD
from core.kernel import exchange
from core.kernel.errors import ShopError
from core.kernel.money import Money
from core.orders import deliveries, drafting, placing
from core.orders.drafting import Draft, NewOrder
from core.orders.models import Order, OrderLine
from core.stock import holds
from core.stock.holds import Demand, Near, Owner
from core.tax import vat_ids
from core.tax.vat_ids import WrongVatId

LONGEST_REFERENCE = 60
#: Of an account that has to give its own number with each order.
PURCHASE_ORDER_NEEDED = "purchase_order_needed"
ORDER_NUMBER_ASKED = "Your company wants a number of its own on each order. Type it here."
_EMAIL = re.compile(r"[^@\s,;<>\"()\[\]\\]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True)
class Details:
    """What somebody filled in at checkout."""

    email: str
    shipping_address: dict[str, str]
    shipping_method: str | None
    payment_method: str
    #: Of a business, as they typed it; may be empty.
    vat_id: str = ""
    purchase_order: str = ""
    cost_centre: str = ""
    #: Of what goes by other ways than the first: how, by ``goes_by``.
    ways: Mapping[str, str] = field(default_factory=dict)
    #: A time for a visit that was chosen, by its public id; empty: somebody calls. None: the one that is held
    #: for the cart, if one is.
    slot: str | None = None
    #: What was ticked, and in which version.
    consents: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Requirement:
    """One thing that is missing or wrong: a stable code, the field it stands at, and words."""

    code: str
    field: str
    text: str


@dataclass(eq=False)
class CheckoutIncomplete(ShopError):
    """Something is still missing; nothing was placed."""

    code: ClassVar[str] = "checkout_incomplete"
    text: ClassVar[str] = "Something is missing before this can be ordered."
    requirements: list[Requirement]

    def facts(self) -> dict[str, Any]:
        return {"requirements": [vars(item) for item in self.requirements]}


@dataclass(eq=False)
class TotalChanged(ShopError):
    """The total is not the one that was shown; nothing was placed."""

    code: ClassVar[str] = "total_changed"
    text: ClassVar[str] = "The total has changed from {expected} to {actual}. Please look again."
    expected: Money
    actual: Money


def email_problem(email: str) -> str | None:
    """What is wrong with an e-mail address, in words; None when it can be written to."""
    if not email.strip():
        return "Tell us your e-mail address; the receipt goes there."
    if len(email) > 254 or not email.strip().isprintable() or not _EMAIL.fullmatch(email.strip()):
        return "That does not look like an e-mail address. It has an @ and a dot behind it."
    return None


def vat_id_problem(text: str) -> str | None:
    """What is wrong with a VAT id, in words; None when it has its form, or nothing was said."""
    try:
        if text.strip():
            vat_ids.normal(text)
    except WrongVatId as error:
        return str(error)
    return None


def requirements(
    priced: PricedCart,
    details: Details,
    payment_methods: tuple[str, ...],
    asks: Sequence[Ask] = (),
    *,
    needs_purchase_order: bool = False,
) -> list[Requirement]:
    """Everything that stands between this cart and an order; empty when nothing does.

    ``needs_purchase_order``: the account that pays wants a number of its own on each order.
    """
    unmet: list[Requirement] = []
    if not priced.lines:
        unmet.append(Requirement("cart_empty", "lines", "There is nothing in the cart."))
    unmet += [
        Requirement("no_longer_sold", "lines", f"{sku} is no longer sold. Take it out to go on.")
        for sku in priced.unpriced
    ]
    unmet += [
        Requirement(wrong.code, "lines", f"{line.name}: {wrong}")
        for line in priced.lines
        if (wrong := goods.problem(line.limits, line.quantity)) is not None
    ]
    if problem := email_problem(details.email):
        unmet.append(Requirement("email", "email", problem))
    unmet += [
        Requirement("address", f"shipping_address.{name}", text)
        for name, text in addresses.problems(details.shipping_address).items()
    ]
    if problem := vat_id_problem(details.vat_id):
        unmet.append(Requirement("vat_id", "vat_id", problem))
    for name in ("purchase_order", "cost_centre"):
        text = getattr(details, name)
        if len(text) > LONGEST_REFERENCE or not text.isprintable():
            told = f"Use at most {LONGEST_REFERENCE} characters."
            unmet.append(Requirement(name, name, told))
    if needs_purchase_order and not details.purchase_order.strip():
        unmet.append(Requirement(PURCHASE_ORDER_NEEDED, "purchase_order", ORDER_NUMBER_ASKED))
    if priced.ships:
        unmet += _delivery_requirements(priced, details)
    if details.payment_method not in payment_methods:
        unmet.append(
            Requirement("payment_method", "payment_method", "Choose one of the ways of paying.")
        )
    if details.payment_method == "invoice" and any(line.kind == GIFT_CARD for line in priced.lines):
        text = "Gift cards are paid for at once: choose another way of paying."
        unmet.append(Requirement("gift_cards_on_terms", "payment_method", text))
    return [*unmet, *(_consent(ask) for ask in consents.missing(asks, details.consents))]


def _consent(ask: Ask) -> Requirement:
    return Requirement("consent", f"consents.{ask.code}", f"Tick this to order: {ask.text}")


def _delivery_requirements(priced: PricedCart, details: Details) -> list[Requirement]:
    if not priced.methods:
        text = "We do not deliver to this place."
        return [Requirement("no_delivery", "shipping_address.country", text)]
    codes = [choice.code for choice in priced.methods]
    for one in priced.also:
        field, chosen = f"ways.{one.goes_by}", details.ways.get(one.goes_by)
        if not one.methods:
            text = f"We cannot bring {', '.join(one.names)} to this place."
            return [Requirement("no_delivery", field, text)]
        if chosen is not None and chosen not in [choice.code for choice in one.methods]:
            text = f"Choose how {', '.join(one.names)} should come."
            return [Requirement("shipping_method", field, text)]
    if details.shipping_method is not None and details.shipping_method not in codes:
        text = "Choose one of the ways of delivery."
        return [Requirement("shipping_method", "shipping_method", text)]
    return []


def draft(
    cart: Cart, priced: PricedCart, details: Details, account_id: uuid.UUID, now: datetime
) -> Draft:
    """The order at exactly these prices, to be written."""
    return drafting.draft(
        NewOrder(
            legal_entity_id=cart.legal_entity_id,
            channel_id=cart.channel_id,
            currency=cart.currency,
            payer_account_id=account_id,
            service_account_id=account_id,
            cart_id=cart.id,
            payment_method=details.payment_method,
            email=details.email.strip(),
            shipping_address=details.shipping_address,
            shipping_method=priced.method.code if priced.method else None,
            ways={one.goes_by: one.method.code for one in priced.also if one.method},
            lines=ordered.new_lines(priced, details.shipping_address),
            vat_id=priced.vat_id or None,
            purchase_order=details.purchase_order or None,
            cost_centre=details.cost_centre or None,
        ),
        now,
    )


def freeze(
    session: Session,
    cart: Cart,
    drafted: Draft,
    slot: str | None,
    hold_until: datetime,
    now: datetime,
) -> None:
    """Write the draft as a pending order, and pass on to it what the cart holds: pieces, and the ``slot``, as
    ``Details`` has it.

    Raises OutOfStock when a hold had lapsed and its pieces are gone.
    """
    order, written = drafted.order, drafted.lines
    placing.put(session, drafted)
    mine, near = Owner("cart", cart.id), Near.of(order.shipping_address)
    demands = order_demands(written)
    if near != goods.near(cart) or any(one.place is not None for one in demands):
        # Only now somebody said where it goes, or what of it is fetched.
        holds.move_near(session, mine, near, now, demands)
    holds.pass_on(session, mine, Owner("order", order.id), demands, hold_until, now, near)
    _pass_time_on(session, cart, order, slot, hold_until, now)
    _move(session, cart, "checking_out")


def close(
    session: Session,
    cart: Cart,
    drafted: Draft,
    slot: str | None,
    hold_until: datetime,
    now: datetime,
) -> None:
    """The cart becomes an order that is written and confirmed in the same transaction. Its pieces it keeps
    until then; the ``slot`` is the order's."""
    _pass_time_on(session, cart, drafted.order, slot, hold_until, now)
    _move(session, cart, "ordered")


def _move(session: Session, cart: Cart, state: str) -> None:
    with exchange.unanswered(session.connection()):  # it is locked, and was seen to be open
        lines.move(session, cart.id, "open", state, cart.account_id)


def _pass_time_on(
    session: Session,
    cart: Cart,
    order: Order,
    slot: str | None,
    hold_until: datetime,
    now: datetime,
) -> None:
    mine, its = Owner("cart", cart.id), Owner("order", order.id)
    if slot is None:
        held = slots.of(session, mine, now)
        slot = held.public_id if held is not None else ""
    if not slot:
        return
    try:
        slots.pass_on(session, mine, its, slot, hold_until, now)
    except SlotGone as error:
        raise CheckoutIncomplete([Requirement(error.code, "slot", str(error))]) from None


def order_demands(
    order_lines: Sequence[OrderLine], among: Sequence[OrderLine] | None = None
) -> list[Demand]:
    """What these lines of an order need from stock, and where of it is fetched what is. ``among`` are all of
    its lines, where these are only some."""
    fetched = deliveries.picked_up(order_lines if among is None else among)
    return [
        Demand(line.id, line.variant_id, line.quantity, line.numbered, fetched.get(line.id))
        for line in order_lines
        if line.needs_stock and line.variant_id is not None
    ]


def gift_goods(drafted: Draft) -> Money:
    """What the gift cards in an order cost."""
    minor = sum(line.net_minor for line in drafted.lines if line.kind == GIFT_CARD)
    return Money(minor, drafted.order.currency)


def give_back(session: Session, order: Order, hold_for: timedelta | None, now: datetime) -> None:
    """A cancelled order's cart is open again; with ``hold_for`` it holds what can still be had."""
    holds.release(session, Owner("order", order.id), telling=now)
    slots.release(session, Owner("order", order.id))
    if order.from_cart_id is None or not lines.move(
        session, order.from_cart_id, "checking_out", "open"
    ):
        return
    if hold_for is None:
        return
    cart = session.get_one(Cart, order.from_cart_id)
    lines.hold_what_is_left(session, cart, hold_for, now)
