"""A cart becomes an order: prices frozen, pieces held, payment begun. Asked twice, it is one order."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from cart import checkout, consents, lines, pricing, slots
from cart import holds as policy
from cart.checkout import CheckoutIncomplete, Details, Requirement, TotalChanged
from cart.consents import Ask
from cart.models import Cart
from cart.priced import PricedCart
from core.kernel import audit, crash, exchange
from core.kernel.errors import NotFound
from core.kernel.money import Money
from core.ledger.splitting import Share, Source
from core.orders import placing
from core.orders.drafting import Draft
from core.orders.models import Order
from core.parties import accounts
from core.parties.accounts import NewAccount
from core.parties.models import Account, Channel, LegalEntity
from core.stock.holds import Owner
from core.tax import entering
from core.tax.buyers import Known
from core.tax.service import Answers
from core.tax.vat_ids import is_same
from flows import choose_tenders, start_payment
from flows.abandon_payment import abandon
from flows.choose_tenders import PLAIN, Payer, Paying
from flows.house import House
from flows.taxing import ask_register, known, with_taxes
from payments import operations


@dataclass(frozen=True)
class Wish:
    """An order as somebody asked for it."""

    cart_id: str
    details: Details
    #: The user who is logged in; None for a guest.
    user_id: uuid.UUID | None = None
    #: What they were shown as due now; None takes whatever it is.
    expected_total: Money | None = None
    #: Where the processor sends a headless shop's customer; None: to our own pages.
    return_url: str | None = None
    #: Gift cards and credit to be used before card or terms.
    paying: Paying = PLAIN
    #: Which of the staff takes it on the phone, for the account that the cart is of.
    taken_by: str | None = None
    #: The channel that the cart has to be of; None: whichever it is.
    channel_id: uuid.UUID | None = None
    #: Refuses a cart that is not as the caller saw it. Not asked of a cart that is an order already.
    check: Callable[[Cart], None] | None = None
    #: Where it was asked from, for what is agreed to.
    ip: str = ""
    #: In the transaction of an order that no processor is asked for, with the cart locked: what is looked at
    #: when that is an order already, or becoming one, and what is written with the order, once it is certain.
    #: Where either raises nothing is placed.
    done_before: Callable[[Session], None] | None = None
    keep: Callable[[Session, Order], None] | None = None


@dataclass(frozen=True)
class Placed:
    """The order, and where to pay when it is paid by card."""

    order_id: uuid.UUID
    public_id: str
    redirect_url: str | None
    #: As it was written, or found.
    order: Order = field(compare=False, repr=False)

    @classmethod
    def of(cls, order: Order, redirect_url: str | None) -> "Placed":
        """That order, placed."""
        return cls(order.id, order.public_id, redirect_url, order)


@dataclass(frozen=True)
class _Written:
    order: Order
    operation_id: uuid.UUID | None


class _Stale(Exception):
    """The cart is becoming an order that is not the wished one: nothing was written."""

    def __init__(self, order_id: uuid.UUID) -> None:
        super().__init__("another order of this cart is under way")
        self.order_id = order_id


def place(house: House, wish: Wish) -> Placed:
    """Place the order of a cart.

    Raises CheckoutIncomplete (with what is missing), TotalChanged, OutOfStock, CartClosed, NotFound;
    NoTaxAnswer when a tax service does not answer; a GatewayError when the processor does not, and then
    the same wish goes on from there.
    """
    ask_register(house, _vat_id(house, wish))
    written = _in_place_of_another(house, wish)
    crash.point("place.after_commit")
    if written.operation_id is None:
        return Placed.of(written.order, None)
    return Placed.of(written.order, start_payment.go(house, written.operation_id))


def _vat_id(house: House, wish: Wish) -> str:
    """The id that they typed, else their account's, where it matters."""
    if wish.details.vat_id.strip() or wish.user_id is None or house.vat_register is None:
        return wish.details.vat_id
    with house.db.reading() as session:
        cart = lines.find(session, wish.cart_id)
        account = accounts.buying_account(session, wish.user_id, cart.legal_entity_id)
    return (account.vat_id if account is not None else None) or ""


def _in_place_of_another(house: House, wish: Wish) -> _Written:
    try:
        return _written(house, wish)
    except _Stale as first:
        # The shopper came back and changed something: the first attempt is given up.
        abandon(house, first.order_id, "changed_at_checkout")
    try:
        return _written(house, wish)
    except _Stale:
        # Somebody with the same cart was faster, and wants something else.
        raise lines.CartClosed from None


def _written(house: House, wish: Wish) -> _Written:
    def attempt(answers: Answers) -> _Written:
        return house.db.run_tx(lambda session: _write(session, house, wish, answers))

    return with_taxes(house, attempt)


def _write(session: Session, house: House, wish: Wish, answers: Answers) -> _Written:
    now = house.clock.now()
    cart, channel, entity, is_limited = lines.lock_with_seller(session, wish.cart_id)
    if wish.channel_id not in (None, channel.id):
        raise NotFound("cart")
    if wish.done_before is not None and cart.state != "open":
        wish.done_before(session)
    earlier = _earlier(session, cart, wish, now)
    if earlier is not None:
        return _kept(session, wish, earlier)
    if wish.check is not None:
        wish.check(cart)
    buyer = _buyer(session, cart, wish)
    priced = pricing.price(
        session,
        cart,
        channel,
        entity,
        house.delivery,
        now,
        place=dict(wish.details.shipping_address),
        method_code=wish.details.shipping_method,
        more_ways=wish.details.ways,
        known=_known(house, buyer, wish),
        answers=answers,
        with_holds=False,
    )
    asks = consents.asked(session, channel, priced.rule_mark) if wish.taken_by is None else ()
    over = _over(session, house, cart, wish) if is_limited else ()
    _check(house, wish, priced, buyer, asks, over)
    with exchange.opened(session):
        written = _write_down(session, house, wish, cart, (channel, entity), priced, asks)
        return _kept(session, wish, written)


def _kept(session: Session, wish: Wish, written: _Written) -> _Written:
    if wish.keep is not None:
        wish.keep(session, written.order)
    crash.point("place.before_commit")
    return written


def _write_down(
    session: Session,
    house: House,
    wish: Wish,
    cart: Cart,
    seller: tuple[Channel, LegalEntity],
    priced: PricedCart,
    asks: Sequence[Ask],
) -> _Written:
    """The order with all that belongs to it; nothing stands in its way any more but the stock."""
    now = house.clock.now()
    account = _account(session, cart, *seller, wish, now)
    if priced.vat_id and account.vat_id != priced.vat_id:
        entering.put(session, account, priced.vat_id, _actor(wish), now)
    drafted = checkout.draft(cart, priced, wish.details, account.id, now)
    order = drafted.order
    order.taken_by = wish.taken_by
    # Only for work a time can be agreed on.
    slot = wish.details.slot if priced.wants_visit else ""
    hold_until = now + house.rules.payment_for + house.rules.payment_grace
    is_certain = wish.details.payment_method == "invoice" or not priced.due_now
    if is_certain:
        checkout.close(session, cart, drafted, slot, hold_until, now)
    else:
        checkout.freeze(session, cart, drafted, slot, hold_until, now)
    crash.point("place.written")
    audit.write(session, now, _actor(wish), "order.placed", ("order", order.public_id))
    shares = _shares(session, drafted, wish)
    operation_id = None
    if is_certain:
        start_payment.place(session, house, drafted, shares, cart)
    else:
        begun = start_payment.begin_order
        operation_id = begun(session, house, order, wish.return_url, shares, drafted.lines)
    consents.record(session, order, asks, wish.details.consents, wish.ip, now)
    return _Written(order, operation_id)


def _shares(session: Session, drafted: Draft, wish: Wish) -> list[Share]:
    """What each way of paying takes of the order; a plain one asks the database nothing."""
    order = drafted.order
    rest = "terms" if wish.details.payment_method == "invoice" else "card"
    whole = Money(order.due_now_minor, order.currency)
    if not whole:
        return []
    if not wish.paying.parts:
        return [Share(Source(rest, rest), whole)]
    own = order.payer_account_id if wish.user_id is not None else None
    order.paying_digest = wish.paying.digest
    return choose_tenders.plan(
        session,
        Payer(order.legal_entity_id, own),
        whole,
        wish.paying,
        rest,
        gift_goods=checkout.gift_goods(drafted),
        lock=True,
    )


def _earlier(session: Session, cart: Cart, wish: Wish, now: datetime) -> _Written | None:
    """The order that this cart has become already, or is becoming."""
    if cart.state == "open":
        return None
    order = placing.of_cart(session, cart.id)
    if order is None or order.lifecycle == "cancelled":
        raise lines.CartClosed
    if order.lifecycle != "pending":
        return _Written(order, None)
    operation = operations.of_order(session, order.id)
    slot = slots.of(session, Owner("order", order.id), now)
    same = wish.details.slot in (None, slot.public_id if slot is not None else "")
    same = (
        same and _same(order, wish) and order.payer_account_id == _payer(session, cart, order, wish)
    )
    if operation is None or not same or not operations.can_be_paid(operation, now):
        raise _Stale(order.id)
    return _Written(order, operation.id)


def _buyer(session: Session, cart: Cart, wish: Wish) -> Account | None:
    """The account that will pay, when there is one already; its order will name it."""
    if wish.user_id is not None:
        return accounts.buying_account(session, wish.user_id, cart.legal_entity_id, to_name=True)
    return accounts.lock_to_name(session, cart.account_id) if cart.account_id is not None else None


def _known(house: House, account: Account | None, wish: Wish) -> Known:
    """Who buys, for taxes."""
    is_guest = wish.user_id is None and wish.taken_by is None
    return known(house, account, wish.details.vat_id, is_guest=is_guest)


def _payer(session: Session, cart: Cart, order: Order, wish: Wish) -> uuid.UUID | None:
    """Whose order it would be now: somebody may have logged in, or out, since it was begun."""
    if wish.user_id is None:
        return cart.account_id
    own = accounts.buying_account(session, wish.user_id, order.legal_entity_id)
    return own.id if own is not None else None


def _same(order: Order, wish: Wish) -> bool:
    details = wish.details
    return (
        order.email == details.email.strip()
        and order.shipping_address == details.shipping_address
        and details.shipping_method in (None, order.shipping_method)
        and order.payment_method == details.payment_method
        and (not details.vat_id.strip() or is_same(order.vat_id, details.vat_id))
        and (order.purchase_order or "") == details.purchase_order
        and (order.cost_centre or "") == details.cost_centre
        and (not details.ways or dict(details.ways) == (order.ways or {}))
        and order.paying_digest == wish.paying.digest
        and wish.expected_total in (None, Money(order.due_now_minor, order.currency))
    )


def _over(session: Session, house: House, cart: Cart, wish: Wish) -> list[Requirement]:
    """Of what one customer would have more than they may; their e-mail is known only now."""
    over = policy.over(session, cart, wish.details.email, house.rules.hold_for)
    return [Requirement(one.code, "lines", str(one)) for _, one in over]


def _check(
    house: House,
    wish: Wish,
    priced: PricedCart,
    buyer: Account | None,
    asks: Sequence[Ask],
    over: Sequence[Requirement],
) -> None:
    # Staff may sell on terms to whom they know, also where the shop itself does not.
    ways = ("card", "invoice") if wish.taken_by is not None else house.rules.payment_methods
    needs = buyer is not None and buyer.needs_purchase_order
    unmet = checkout.requirements(priced, wish.details, ways, asks, needs_purchase_order=needs)
    unmet += over
    if unmet:
        raise CheckoutIncomplete(unmet)
    if wish.expected_total is not None and wish.expected_total != priced.due_now:
        raise TotalChanged(wish.expected_total, priced.due_now)


def _account(
    session: Session,
    cart: Cart,
    channel: Channel,
    entity: LegalEntity,
    wish: Wish,
    now: datetime,
) -> Account:
    """The shopper's own account, or the guest's, opened once for the cart; on the phone, the cart's."""
    if wish.taken_by is not None:
        return session.get_one(Account, cart.account_id)
    address = dict(wish.details.shipping_address)
    new = NewAccount(address["name"], wish.details.email.strip(), address)
    if wish.user_id is not None:
        own = accounts.buying_account(session, wish.user_id, channel.legal_entity_id)
        if own is None:
            own = accounts.open_account(session, entity, channel, new, now)
            accounts.join(session, wish.user_id, own.id, "owner", now)
        return own
    if cart.account_id is not None:
        account = session.get_one(Account, cart.account_id)
        account.name, account.email, account.billing_address = new.name, new.email, address
        return account
    account = accounts.open_account(session, entity, channel, new, now)
    set_committed_value(cart, "account_id", account.id)  # written when the cart's state is
    return account


def _actor(wish: Wish) -> str:
    if wish.taken_by is not None:
        return wish.taken_by
    return f"user:{wish.user_id}" if wish.user_id else "guest"
