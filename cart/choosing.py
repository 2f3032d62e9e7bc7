"""Choosing another number for a line of a cart, instead of one that it has."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from cart import goods, lines
from cart import holds as policy
from cart.goods import Sold
from cart.lines import Entry
from cart.models import Cart
from core.stock import picks
from core.stock.holds import Owner


def choose(
    session: Session,
    cart: Cart,
    line_id: str,
    number: str,
    hold_for: timedelta,
    now: datetime,
    instead_of: str = "",
) -> Entry:
    """Another number for a line, instead of one that it has; where it has one only, of that. Raises as
    ``put`` does, NotFound, and AllAreChosen where it would have more than pieces."""
    line, variant = lines.one(session, cart, line_id)
    if line.quantity == 1:
        picks.forget(session, line.id)
    owner, before = Owner("cart", cart.id), picks.chosen_by(session, line.id)
    picks.choose(session, owner, line.id, variant.id, number, now, instead_of=instead_of)
    if picks.chosen_by(session, line.id) > max(before, line.quantity):
        raise picks.AllAreChosen
    sale = goods.sale(session, cart, Sold.of(variant), line.quantity, now)
    found = policy.rules(session, cart, variant.id, hold_for)
    until = lines.change(session, cart, line, line.quantity, sale, found.asked, now)
    policy.extend(session, cart, found, line.id, now)
    lines.touch(session, cart, now)
    return lines.entry(cart, line, sale, until)
