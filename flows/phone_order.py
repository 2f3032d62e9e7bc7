"""Staff order for a customer on the phone: a cart of the account, holds as usual, then terms or a pay link.

Nobody here sees a card: with a pay link the customer pays on the processor's page, from the order's own page.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from cart import lines, pricing, slots
from cart.checkout import Details
from cart.models import Cart
from cart.priced import PricedCart
from cart.slots import Slot
from core.kernel import audit
from core.kernel.errors import NotFound
from core.kernel.money import Money
from core.parties import accounts
from core.parties.models import Account, Channel, LegalEntity
from core.stock.holds import Owner
from core.tax.service import Answers
from flows import taxing, tell_order
from flows.house import House
from flows.place_order import Placed, Wish, place
from flows.taxing import with_taxes

#: How long a pay link works, and its pieces are held: the processor's page stays open for a day at most.
LINK_FOR = timedelta(hours=23)


@dataclass(frozen=True)
class OnThePhone:
    """A cart for a customer, with what it comes to."""

    cart: Cart
    account: Account
    priced: PricedCart
    #: Times for a visit that can be chosen, and the one that is held for them.
    times: Sequence[Slot] = ()
    chosen: Slot | None = None


def begin(house: House, account_id: str, sku: str, quantity: int, actor: str) -> str:
    """Open a cart for a customer with a first thing in it; its public id.

    Raises NotFound, and what ``cart.lines.add`` raises.
    """

    def work(session: Session) -> str:
        now = house.clock.now()
        account = accounts.by_public_id(session, account_id)
        channel, _ = accounts.channel_by_code(session, house.rules.channel)
        if channel.legal_entity_id != account.legal_entity_id:
            raise NotFound("account")
        cart = lines.open_cart(session, channel, now)
        cart.account_id, cart.email = account.id, account.email
        place_ = account.billing_address or {}
        cart.shipping_address = {**place_, "name": place_.get("name") or account.name}
        session.flush()
        lines.add(session, cart, sku, quantity, house.rules.hold_for, now)
        audit.write(session, now, actor, "cart.opened_for", ("account", account.public_id))
        return cart.public_id

    return house.db.run_tx(work)


def put(house: House, cart_id: str, sku: str, quantity: int) -> None:
    """Put something in. Raises NotFound, CartClosed, and what ``cart.lines.add`` raises."""

    def work(session: Session) -> None:
        cart = lines.lock_open(session, cart_id)
        _theirs(session, cart)
        lines.add(session, cart, sku, quantity, house.rules.hold_for, house.clock.now())

    house.db.run_tx(work)


def set_quantity(house: House, cart_id: str, line_id: str, quantity: int) -> None:
    """How many of a line; none takes it out. Raises as ``put``."""

    def work(session: Session) -> None:
        cart = lines.lock_open(session, cart_id)
        _theirs(session, cart)
        hold_for, now = house.rules.hold_for, house.clock.now()
        lines.set_quantity(session, cart, line_id, quantity, hold_for, now)

    house.db.run_tx(work)


def see(house: House, cart_id: str, details: Details | None = None) -> OnThePhone:
    """The cart as it is, and what it comes to, to the place in ``details`` or the cart's own. Writes nothing.

    Raises NotFound.
    """

    now = house.clock.now()

    def work(answers: Answers) -> OnThePhone:
        with house.db.snapshot() as session:
            cart = lines.find(session, cart_id)
            account = _theirs(session, cart)
            priced = pricing.price(
                session,
                cart,
                session.get_one(Channel, cart.channel_id),
                session.get_one(LegalEntity, cart.legal_entity_id),
                house.delivery,
                now,
                place=dict(details.shipping_address) if details else None,
                method_code=details.shipping_method if details else None,
                more_ways=details.ways if details else None,
                known=taxing.known(house, account),
                answers=answers,
            )
            return OnThePhone(cart, account, priced, *_times(session, cart, priced, details, now))

    return with_taxes(house, work)


def _times(
    session: Session, cart: Cart, priced: PricedCart, details: Details | None, now: datetime
) -> tuple[Sequence[Slot], Slot | None]:
    """The times that are offered there, with the one that is held for the cart."""
    if not priced.wants_visit:
        return (), None
    place_ = details.shipping_address if details is not None else cart.shipping_address
    held = slots.of(session, Owner("cart", cart.id), now)
    found = slots.offered(session, cart.channel_id, place_, now)
    if held is not None and held.public_id not in [one.public_id for one in found]:
        found = sorted([*found, held], key=lambda one: one.starts_at)
    return found, held


def keep(house: House, cart_id: str, details: Details) -> None:
    """Remember where it goes and how, and hold the time that was chosen for a visit.

    Raises NotFound, CartClosed and SlotGone.
    """

    def work(session: Session) -> None:
        now = house.clock.now()
        cart = lines.lock_open(session, cart_id)
        _theirs(session, cart)
        lines.set_details(
            session,
            cart,
            now,
            email=details.email,
            shipping_address=details.shipping_address,
            shipping_method=details.shipping_method,
            vat_id=None,
            answers={
                "purchase_order": details.purchase_order,
                "cost_centre": details.cost_centre,
                "ways": dict(details.ways),
            },
        )
        mine = Owner("cart", cart.id)
        if details.slot:
            slots.hold(session, mine, details.slot, now + house.rules.hold_for, now)
        else:
            slots.release(session, mine)

    house.db.run_tx(work)


def order(house: House, cart_id: str, details: Details, expected: Money, actor: str) -> Placed:
    """Place it: on terms, or with a link by which the customer pays. Asked again, it is the same order.

    Raises what ``place_order.place`` raises.
    """
    with house.db.reading() as session:
        _theirs(session, lines.find(session, cart_id))
    by_link = details.payment_method == "card"
    rules = replace(house.rules, payment_for=LINK_FOR) if by_link else house.rules
    wish = Wish(cart_id, details, expected_total=expected, taken_by=actor)
    placed = place(replace(house, rules=rules), wish)
    if placed.redirect_url is not None:
        now = house.clock.now()
        house.db.run_tx(lambda s: tell_order.pay_link(s, placed.order_id, house.links, now))
    return placed


def _theirs(session: Session, cart: Cart) -> Account:
    """Whose cart it is: only those that staff opened for an account are seen here."""
    if cart.account_id is None or cart.user_id is not None:
        raise NotFound("cart")
    return session.get_one(Account, cart.account_id)
