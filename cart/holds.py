"""How carts hold things: how long, whether a change holds all of it anew, how many one customer may have.

By product, kind of customer and channel. Of the rows that fit, one for the product goes before one for the
kind of customer, and that before one for the channel; the one that counts counts wholly. Without any, all is
held as long as the shop's setting says, a change holds all of the cart for the whole time again, and what is
sold before it is there is not held.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import (
    ColumnElement,
    Executable,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy import update as update_rows
from sqlalchemy.orm import Session

from cart.models import Cart, CartLine, HoldPolicy
from core.catalog.models import Variant
from core.kernel.db import table
from core.kernel.errors import ShopError
from core.orders.models import Order, OrderLine
from core.parties.models import Account, Membership
from core.stock import holds
from core.stock.holds import Demand, Near, Owner
from core.stock.levels import IS_ACTIVE
from core.stock.models import Hold


@dataclass(eq=False)
class TooManyForOne(ShopError):
    """One customer may have so many of it, and this is more; ``has``: earlier orders and other lines."""

    code: ClassVar[str] = "too_many_for_one"
    text: ClassVar[str] = "One customer may have {most} of {name}, and this would be {wanted}."
    name: str
    most: int
    has: int
    wanted: int


@dataclass(frozen=True)
class Rule:
    """What counts for a line."""

    length: timedelta
    extends: bool = True
    most_for_one: int | None = None
    holds_beyond: bool = False
    product_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Rules:
    """What counts for something that is put into a cart, and for the lines that are there.

    Where nobody made rules, ``of_lines`` is None and ``asked`` counts for all.
    """

    asked: Rule
    of_lines: Mapping[uuid.UUID, Rule] | None = None

    def of(self, line_id: uuid.UUID) -> Rule:
        """What counts for a line that is there."""
        return self.asked if self.of_lines is None else self.of_lines[line_id]


def rules(session: Session, cart: Cart, variant_id: uuid.UUID | None, hold_for: timedelta) -> Rules:
    """Read them, in one statement. ``variant_id`` is what is about to be put in."""
    values = {
        "cart": cart.id,
        "channel": cart.channel_id,
        "variant": variant_id,
        "account": cart.account_id,
        "user": cart.user_id,
    }
    asked, of_lines = Rule(hold_for), {}
    for line_id, product_id, minutes, extends, most, beyond in session.execute(_rules(), values):
        rule = Rule(hold_for, product_id=product_id)
        if minutes is not None:
            rule = Rule(timedelta(minutes=minutes), extends, most, beyond, product_id)
        if line_id is None:
            asked = rule
        else:
            of_lines[line_id] = rule
    return Rules(asked, of_lines)


def keep(
    session: Session,
    cart: Cart,
    line_id: uuid.UUID,
    needs: Sequence[Demand],
    rule: Rule,
    now: datetime,
    near: Near,
    *,
    anew: bool = True,
) -> datetime | None:
    """Hold what a line needs; answers until when, None when nothing is to be held for it. ``anew``: what it
    has already is part of it. Raises OutOfStock."""
    owner, until = Owner("cart", cart.id), now + rule.length
    beyond = rule.holds_beyond
    if not needs:
        held = False
        if anew:
            holds.release(session, owner, line_id)
    elif not anew:
        held = holds.hold(session, owner, needs, until, now, near, beyond=beyond)
    elif len(needs) == 1:
        held = holds.change(session, owner, needs[0], until, now, near, beyond=beyond)
    else:
        held = holds.change_all(session, owner, line_id, needs, until, now, near, beyond=beyond)
    return until if held else None


def extend(
    session: Session, cart: Cart, found: Rules, but: uuid.UUID | None, now: datetime
) -> None:
    """Somebody is busy with the cart: what else is held of it is held for the whole time again."""
    if found.of_lines is None:
        values = {"cart": cart.id, "now": now, "until": now + found.asked.length}
        session.execute(_all_extended(), {**values, "but": but})
        return
    by_length: dict[timedelta, list[uuid.UUID]] = {}
    for line_id, rule in found.of_lines.items():
        if rule.extends and line_id != but:
            by_length.setdefault(rule.length, []).append(line_id)
    for length, line_ids in by_length.items():
        values = {"cart": cart.id, "lines": line_ids, "now": now, "until": now + length}
        session.execute(_extended(), values)


def check_most(
    session: Session, cart: Cart, variant: Any, rule: Rule, line_id: uuid.UUID, wanted: int
) -> None:
    """Raises TooManyForOne when so many of it are more than one customer may have."""
    too_many = _too_many(session, cart, variant, rule, line_id, wanted, cart.email or "")
    if too_many is not None:
        raise too_many


def over(
    session: Session, cart: Cart, email: str, hold_for: timedelta
) -> list[tuple[uuid.UUID, TooManyForOne]]:
    """The lines by which this customer, whose e-mail is known now, would have more than they may. Nobody has
    where ``limits`` says that there are none."""
    found, wrong = rules(session, cart, None, hold_for), []
    for line, variant in session.execute(
        select(CartLine, Variant)
        .join(Variant, Variant.id == CartLine.variant_id)
        .where(CartLine.cart_id == cart.id)
    ):
        rule = found.of(line.id)
        too_many = _too_many(session, cart, variant, rule, line.id, line.quantity, email)
        if too_many is not None:
            wrong.append((line.id, too_many))
    return wrong


def limits() -> ColumnElement[bool]:
    """For a statement: is there anything of which one customer may have only so many?"""
    policy = table(HoldPolicy).c
    return select(policy.id).where(policy.most_for_one.is_not(None)).exists().label("is_limited")


def _too_many(
    session: Session,
    cart: Cart,
    variant: Any,
    rule: Rule,
    line_id: uuid.UUID,
    wanted: int,
    email: str,
) -> TooManyForOne | None:
    """What is wrong with so many of a line, with what the cart's other lines have of its product, and what
    this customer has ordered of it and not cancelled or given back."""
    if rule.most_for_one is None:
        return None
    mine = {"cart": cart.id, "line": line_id, "product": rule.product_id}
    who = {"account": cart.account_id, "user": cart.user_id, "email": email.strip().lower()}
    has = int(session.scalar(_in_cart(), mine) or 0)
    has += int(session.scalar(_has(), {"product": rule.product_id, **who}) or 0)
    if has + wanted <= rule.most_for_one:
        return None
    return TooManyForOne(variant.name, rule.most_for_one, has, has + wanted)


# --- statements, each put together once and at first use ---------------------------------------------


def _segment() -> Any:
    """What kind of customer the cart is of."""
    account, member = table(Account), table(Membership)
    joined = member.join(account, account.c.id == member.c.account_id)
    of_user = (
        select(account.c.kind)
        .select_from(joined)
        .where(member.c.user_id == bindparam("user", type_=Cart.user_id.type))
        .order_by(account.c.number)
        .limit(1)
        .scalar_subquery()
    )
    of_account = (
        select(account.c.kind)
        .where(account.c.id == bindparam("account", type_=Cart.account_id.type))
        .scalar_subquery()
    )
    user = bindparam("user", type_=Cart.user_id.type)
    known = func.coalesce(of_account, of_user, literal("person"))
    return case((user.is_not(None), known), else_=func.coalesce(of_account, literal("guest")))


@cache
def _rules() -> Executable:
    variant, line, policy = table(Variant), table(CartLine), table(HoldPolicy)
    other = policy.alias("fits")
    fits = and_(
        or_(other.c.channel_id.is_(None), other.c.channel_id == bindparam("channel")),
        or_(other.c.product_id.is_(None), other.c.product_id == variant.c.product_id),
        or_(other.c.segment == "", other.c.segment == _segment()),
    )
    first = (
        select(other.c.id)
        .where(fits)
        .order_by(other.c.product_id.is_(None), other.c.segment == "", other.c.channel_id.is_(None))
        .limit(1)
        .correlate(variant)
        .scalar_subquery()
    )
    columns = (
        variant.c.product_id,
        policy.c.minutes,
        policy.c.extends,
        policy.c.most_for_one,
        policy.c.holds_beyond,
    )
    wanted = variant.outerjoin(policy, policy.c.id == first)
    there = line.join(variant, variant.c.id == line.c.variant_id)
    there = there.outerjoin(policy, policy.c.id == first)
    nothing = literal(None, type_=CartLine.id.type).label("line_id")
    return union_all(
        select(nothing, *columns)
        .select_from(wanted)
        .where(variant.c.id == bindparam("variant", type_=Variant.id.type)),
        select(line.c.id.label("line_id"), *columns)
        .select_from(there)
        .where(line.c.cart_id == bindparam("cart")),
    )


def _longer(which: ColumnElement[bool]) -> Executable:
    hold = table(Hold)
    until = bindparam("until", type_=Hold.expires_at.type)
    return (
        update_rows(hold)
        .where(
            hold.c.owner_kind == "cart",
            hold.c.owner_id == bindparam("cart"),
            IS_ACTIVE,
            hold.c.expires_at > bindparam("now", type_=Hold.expires_at.type),
            hold.c.expires_at < until,
            which,
        )
        .values(expires_at=until)
    )


@cache
def _extended() -> Executable:
    return _longer(table(Hold).c.line_id.in_(bindparam("lines", expanding=True)))


@cache
def _all_extended() -> Executable:
    return _longer(table(Hold).c.line_id != bindparam("but"))


@cache
def _in_cart() -> Executable:
    line, variant = table(CartLine), table(Variant)
    return (
        select(func.sum(line.c.quantity))
        .select_from(line.join(variant, variant.c.id == line.c.variant_id))
        .where(
            line.c.cart_id == bindparam("cart"),
            line.c.id != bindparam("line"),
            variant.c.product_id == bindparam("product"),
        )
    )


@cache
def _has() -> Executable:
    order, line, variant = table(Order), table(OrderLine), table(Variant)
    member = table(Membership)
    own = select(member.c.account_id).where(
        member.c.user_id == bindparam("user", type_=Cart.user_id.type)
    )
    joined = line.join(order, order.c.id == line.c.order_id).join(
        variant, variant.c.id == line.c.variant_id
    )
    return (
        select(func.sum(line.c.quantity - line.c.cancelled - line.c.returned))
        .select_from(joined)
        .where(
            variant.c.product_id == bindparam("product"),
            order.c.lifecycle.in_(("confirmed", "completed")),
            or_(
                order.c.payer_account_id == bindparam("account", type_=Cart.account_id.type),
                order.c.payer_account_id.in_(own),
                and_(
                    func.lower(order.c.email) == bindparam("email"),
                    bindparam("email") != "",
                ),
            ),
        )
    )
