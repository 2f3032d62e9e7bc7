"""What is in a cart, and changing it. Each change holds the pieces of its line anew.

Called by the shop's pages and by the API, with a session of theirs.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from cart import goods, statements
from cart import holds as policy
from cart.goods import BadQuantity, Sale, Sold
from cart.holds import Rule
from cart.models import Cart, CartLine
from core.catalog import products
from core.catalog.limits import Limits
from core.catalog.models import Product, Variant
from core.kernel.db import changed, insert_new, insert_rows, new_row
from core.kernel.errors import NotFound, ShopError
from core.kernel.ids import new_id, new_public_id
from core.parties.models import Channel, LegalEntity
from core.prices.bundles import Bundle
from core.stock import holds, picks
from core.stock.holds import Owner


@dataclass(eq=False)
class CartClosed(ShopError):
    """It has become an order, or is being paid for."""

    code: ClassVar[str] = "cart_closed"
    text: ClassVar[str] = "This cart is being paid for and cannot be changed right now."


@dataclass(frozen=True)
class Entry:
    """A line as whoever changed it wants to see it."""

    line: CartLine
    sku: str
    name: str
    kind: str
    currency: str
    held_until: datetime | None
    #: Of a bundle: its prices and pieces.
    bundle: Bundle | None = None


def open_cart(
    session: Session, channel: Channel, now: datetime, user_id: uuid.UUID | None = None
) -> Cart:
    """A new, empty cart of a channel."""
    cart = new_row(Cart, **columns_of_new(channel, now, user_id))
    insert_new(session, cart)
    return cart


def columns_of_new(
    channel: Channel, now: datetime, user_id: uuid.UUID | None = None
) -> dict[str, Any]:
    """What is written of a cart that is opened."""
    return {
        "id": new_id(),
        "public_id": new_public_id(),
        "legal_entity_id": channel.legal_entity_id,
        "channel_id": channel.id,
        "currency": channel.currency,
        "user_id": user_id,
        "state": "open",
        "created_at": now,
        "changed_at": now,
        "version": 1,
    }


def find(session: Session, public_id: str) -> Cart:
    """The cart with this public id. NotFound when there is none."""
    cart = session.scalar(statements.of_id(), {"public_id": public_id})
    if cart is None:
        raise NotFound("cart")
    return cart


def lock(session: Session, public_id: str) -> Cart:
    """The cart, locked: one change after the other."""
    cart = session.scalar(statements.locked(), {"public_id": public_id})
    if cart is None:
        raise NotFound("cart")
    return cart


def lock_with_seller(session: Session, public_id: str) -> tuple[Cart, Channel, LegalEntity, bool]:
    """The cart, locked, with the channel that it is of, who sells there, and whether of anything one customer
    may have only so many. NotFound when there is none."""
    row = session.execute(statements.locked_with_seller(), {"public_id": public_id}).first()
    if row is None:
        raise NotFound("cart")
    return row[0], row[1], row[2], bool(row[3])


def lock_open(session: Session, public_id: str) -> Cart:
    """The cart, locked, when it may be changed. Raises CartClosed otherwise."""
    cart = lock(session, public_id)
    if cart.state != "open":
        raise CartClosed
    return cart


def add(
    session: Session,
    cart: Cart,
    sku: str,
    quantity: int,
    hold_for: timedelta,
    now: datetime,
    number: str = "",
) -> CartLine:
    """Put pieces into a locked cart, beside those already there, and hold them all anew.

    Raises UnknownSku, NoPrice, OutOfStock (with what can be had), and what ``goods.problem`` answers.
    """
    return put(session, cart, sku, quantity, hold_for, now, number).line


def put(
    session: Session,
    cart: Cart,
    sku: str,
    quantity: int,
    hold_for: timedelta,
    now: datetime,
    number: str = "",
) -> Entry:
    """As ``add``, and answers what the line looks like then.

    Six statements with the cart's lock, of a thing by itself; one more where other things are in the cart
    (they are held for the whole time again), one more where the shop has rules for holds. One question
    brings the thing, its prices, the line that there is of it and whether there are such rules.
    ``number``: this one, of what is sold by numbers; one that the line has already stays one. Raises
    NoSuchNumber, and NumberTaken when somebody else has it.
    """
    values = {"sku": sku, "cart": cart.id, "currency": cart.currency, "channel": cart.channel_id}
    rows = session.execute(statements.wanted(), {**values, "now": now, "horizon": now}).all()
    if not rows:
        raise products.UnknownSku(sku)
    if quantity < 1:
        raise BadQuantity
    row = rows[0]
    line_id, wanted = row.line_id or new_id(), quantity + (row.quantity or 0)
    if number:
        owner = Owner("cart", cart.id)
        is_new = picks.choose(session, owner, line_id, row.sold_id, number, now)
        wanted = (row.quantity or 0) + is_new
    sold = Sold(row.sold_id, row.sku, row.name, row.kind, Limits.of(row), row.numbered)
    sale = goods.sale(session, cart, sold, wanted, now, rows)
    values = {
        "id": line_id,
        "public_id": row.public_id or new_public_id(),
        "cart_id": cart.id,
        "variant_id": sale.sold.id,
        "quantity": wanted,
        "unit_price_micros": sale.unit.unit_price_micros,
        "price_trace": sale.unit.trace,
        "added_at": row.added_at or now,
    }
    line = new_row(CartLine, **values)
    found = policy.Rules(policy.Rule(hold_for, product_id=row.product_id))
    if row.has_rules:
        found = policy.rules(session, cart, sale.sold.id, hold_for)
    policy.check_most(session, cart, sale.sold, found.asked, line.id, wanted)
    if row.line_id is not None:
        until = change(session, cart, line, wanted, sale, found.asked, now)
    else:
        needs, near = sale.demands(line.id, wanted), goods.near(cart)
        until = policy.keep(session, cart, line.id, needs, found.asked, now, near, anew=False)
        line.unheld = bool(needs) and until is None
        insert_rows(session, CartLine, [values | {"unheld": line.unheld}])
    if row.has_others:
        policy.extend(session, cart, found, line.id, now)
    touch(session, cart, now)
    return entry(cart, line, sale, until)


def set_quantity(
    session: Session, cart: Cart, line_id: str, quantity: int, hold_for: timedelta, now: datetime
) -> Entry | None:
    """Change how many of a line; zero takes it out (then None). Raises as ``add`` does."""
    if quantity == 0:
        remove(session, cart, line_id, now)
        return None
    line, variant = one(session, cart, line_id)
    sale = goods.sale(session, cart, Sold.of(variant), quantity, now)
    found = policy.rules(session, cart, variant.id, hold_for)
    policy.check_most(session, cart, sale.sold, found.asked, line.id, quantity)
    until = change(session, cart, line, quantity, sale, found.asked, now)
    policy.extend(session, cart, found, line.id, now)
    touch(session, cart, now)
    return entry(cart, line, sale, until)


def change(
    session: Session,
    cart: Cart,
    line: CartLine,
    quantity: int,
    sale: Sale,
    rule: Rule,
    now: datetime,
) -> datetime | None:
    """Another quantity of a line that is there; answers until when its pieces are held."""
    needs, until = sale.demands(line.id, quantity), None
    if needs or sale.bundle is not None:
        until = policy.keep(session, cart, line.id, needs, rule, now, goods.near(cart))
    values = {
        "unheld": bool(needs) and until is None,
        "quantity": quantity,
        "unit_price_micros": sale.unit.unit_price_micros,
        "price_trace": sale.unit.trace,
    }
    session.execute(statements.changed(), {"line": line.id, **values})
    for name, value in values.items():
        set_committed_value(line, name, value)
    return until


def touch(session: Session, cart: Cart, now: datetime) -> None:
    """Something in a locked cart was changed."""
    session.execute(statements.touched(), {"cart": cart.id, "changed_at": now})
    set_committed_value(cart, "changed_at", now)
    set_committed_value(cart, "version", cart.version + 1)


def remove(session: Session, cart: Cart, line_id: str, now: datetime) -> None:
    """Take a line out and let its pieces go. NotFound when it isn't in this cart."""
    line, variant = one(session, cart, line_id)
    holds.release(session, Owner("cart", cart.id), line.id, telling=now)
    if variant.numbered:
        picks.forget(session, line.id)
    session.execute(delete(CartLine).where(CartLine.id == line.id))
    touch(session, cart, now)


def hold_again(session: Session, cart: Cart, hold_for: timedelta, now: datetime) -> None:
    """Take the pieces of every line again, after holds have lapsed. Raises OutOfStock."""
    rows = session.scalars(select(CartLine).where(CartLine.cart_id == cart.id)).all()
    touch(session, cart, now)
    _hold_again(session, cart, rows, hold_for, now)


def hold_what_is_left(session: Session, cart: Cart, hold_for: timedelta, now: datetime) -> None:
    """Take the pieces of each line again, where they can still be had."""
    rows = session.scalars(select(CartLine).where(CartLine.cart_id == cart.id)).all()
    touch(session, cart, now)
    for row in rows:
        try:
            with session.begin_nested():
                _hold_again(session, cart, [row], hold_for, now)
        except holds.OutOfStock:
            # Somebody else was faster; the cart's page says that this line has lapsed.
            continue


def _hold_again(
    session: Session, cart: Cart, rows: Sequence[CartLine], hold_for: timedelta, now: datetime
) -> None:
    owner, near = Owner("cart", cart.id), goods.near(cart)
    for row in rows:
        holds.release(session, owner, row.id)
    session.flush()
    found, needs = policy.rules(session, cart, None, hold_for), goods.demands(session, rows)
    for row in rows:
        mine = [need for need in needs if need.line_id == row.id]
        rule = found.of(row.id)
        until = policy.keep(session, cart, row.id, mine, rule, now, near, anew=False)
        row.unheld = bool(mine) and until is None
    session.flush()


def contents(session: Session, cart: Cart) -> Sequence[tuple[CartLine, Variant, Product]]:
    """The lines with what they stand for, in the order they were put in."""
    rows = session.execute(statements.contents(), {"cart": cart.id})
    return [(line, variant, product) for line, variant, product in rows]


def with_prices(session: Session, cart: Cart, now: datetime) -> Sequence[Any]:
    """What pricing reads of the lines, in the order they were put in: a row for each price of a line's thing,
    the best first, of which ``resolve.there`` picks those that hold; one row where it has none."""
    values = {"cart": cart.id, "currency": cart.currency, "channel": cart.channel_id}
    return session.execute(statements.with_prices(), {**values, "now": now, "horizon": now}).all()


def pieces(session: Session, public_id: str, *, of_guest: bool = False) -> int:
    """How many pieces are in the cart; 0 when there is no such cart. ``of_guest``: or it is an account's."""
    query = (
        select(CartLine.quantity)
        .join(Cart, Cart.id == CartLine.cart_id)
        .where(Cart.public_id == public_id, Cart.state != "ordered")
    )
    return sum(session.scalars(query.where(Cart.user_id.is_(None)) if of_guest else query))


def set_details(session: Session, cart: Cart, now: datetime, **values: Any) -> None:
    """Remember e-mail, address or delivery method on the cart."""
    for name, value in values.items():
        setattr(cart, name, value)
    session.flush()
    touch(session, cart, now)


def move(
    session: Session, cart_id: uuid.UUID, wanted: str, to: str, account_id: uuid.UUID | None = None
) -> bool:
    """Change the cart's state, and whose it is where that is said; False when it is not in ``wanted``."""
    values = {"cart": cart_id, "wanted": wanted, "to": to}
    if account_id is not None:
        values["account"] = account_id
    return changed(session.execute(statements.moved(account_id is not None), values)) == 1


def one(session: Session, cart: Cart, line_id: str) -> tuple[CartLine, Variant]:
    """A line of this cart with what it stands for. NotFound when it is none."""
    row = session.execute(
        select(CartLine, Variant)
        .join(Variant, Variant.id == CartLine.variant_id)
        .where(CartLine.public_id == line_id, CartLine.cart_id == cart.id)
    ).first()
    if row is None:
        raise NotFound("line in this cart")
    return row[0], row[1]


def entry(cart: Cart, line: CartLine, sale: Sale, until: datetime | None) -> Entry:
    sold = sale.sold
    return Entry(line, sold.sku, sold.name, sold.kind, cart.currency, until, sale.bundle)
