"""A placed order becomes another: pieces given up, goods added, another place or way. It is shown before, and
done as it was shown or not at all.

One transaction: counts and lines, stock, the memos for what is given up, the bill for what is added, which
those memos pay first. What is left to give back is asked for by the handler of ``CreditToRefund``; what is
left to pay is an open bill, by the terms of the order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from cart.additions import ChangeRefused
from core.kernel import crash
from core.kernel.money import Money
from core.orders import changing, fulfilling, pickups, places, placing
from core.orders.changing import NewChange
from core.orders.fulfilling import Some
from core.orders.fulfilment_models import OrderChange
from core.orders.models import Order
from core.tax.service import Answers
from flows import (
    add_goods,
    asked_before,
    begin_added,
    credit_pieces,
    issue_invoice,
    plan_change,
    plan_delivery,
    take_back,
)
from flows.edits import Edits
from flows.house import House
from flows.plan_change import Plan
from flows.taxing import with_taxes


@dataclass(eq=False)
class PreviewStale(ChangeRefused):
    """The order, a price or a tax is another since it was looked at; nothing was changed."""

    code: ClassVar[str] = "preview_stale"
    text: ClassVar[str] = (
        "Since you looked, something has changed: the difference was {expected} and is {actual} now. "
        "Look again before you go on."
    )
    expected: Money
    actual: Money


@dataclass(frozen=True)
class ChangeWish:
    """What is to be another, why, and where money goes first (``changing.WAYS``, or ``kept``). ``token``
    names the plan that was seen; ``once`` the request, at most 60 characters."""

    public_id: str
    edits: Edits
    token: str
    reason: str
    refund_to: str
    actor: str
    once: str
    note: str = ""
    #: What was typed, where the edits were read from that beside the order as it stood; else they say it.
    typed: Sequence[tuple[str, str]] = ()

    @property
    def asked(self) -> tuple[object, ...]:
        """What is asked, to be known again, also once the order is as it was to be."""
        return ("change", self.typed or self.edits, self.reason, self.refund_to, self.note)


def preview(house: House, public_id: str, edits: Edits) -> tuple[Order, Plan]:
    """What it would come to. Writes nothing.

    Raises NotFound, NoTaxAnswer, and what ``plan_change.plan`` raises.
    """

    def work(answers: Answers) -> tuple[Order, Plan]:
        with house.db.snapshot() as session:
            order = placing.by_public_id(session, public_id)
            return order, plan_change.plan(session, house, order, edits, answers)

    return with_taxes(house, work)


def change(house: House, wish: ChangeWish) -> OrderChange:
    """Change it as it was seen. Asked again under its name it is the change that was made.

    Raises PreviewStale when it would not be as it was seen, OutOfStock, and what ``preview`` raises.
    """

    def work(answers: Answers) -> OrderChange:
        return house.db.run_tx(lambda session: _change(session, house, wish, answers))

    return with_taxes(house, work)


def _change(session: Session, house: House, wish: ChangeWish, answers: Answers) -> OrderChange:
    now = house.clock.now()
    order = asked_before.lock(session, wish.public_id)
    once, known = asked_before.known(session, order, wish.once, wish.asked, now)
    if known is not None:
        return known
    fulfilling.is_open(order)
    issue_invoice.for_order(session, house, order.id)
    plan = plan_change.plan(session, house, order, wish.edits, answers)
    if plan.token != wish.token:
        raise PreviewStale(_seen(wish.token, order.currency), plan.difference)
    chosen = [Some(one.line, one.quantity) for one in plan.removed]
    details = _details(order, plan)
    new = NewChange("change", wish.reason, wish.note, wish.refund_to, wish.actor, once, details)
    row = changing.write(session, order, new, chosen, now)
    _move(session, order, plan)
    crash.point("change.counted")
    take_back.let_go(session, house, order, chosen)
    added = add_goods.add(session, order, row, plan.added, house) if plan.added else ()
    pickups.fit(session, placing.lines_of(session, order.id), wish.actor, now)
    fulfilling.settle(session, order, now)
    if any(one.line.kind == "service" for one in chosen):
        take_back.give_time_back(session, order, placing.lines_of(session, order.id))
    memos = credit_pieces.credit(session, house, row, chosen, plan.more)
    crash.point("change.credited")
    if added:
        add_goods.bill(session, house, row, memos)
        begin_added.begin(session, house, order, added)
    take_back.told(session, house, order, row, "changed", chosen, wish.actor)
    crash.point("change.before_commit")
    return row


def _move(session: Session, order: Order, plan: Plan) -> None:
    """Another place, other ways: what leaves from now on goes so. Of an order for several places the lines
    say it; the order has the address of its first."""
    if plan.place.is_own:
        if plan.address is not None:
            if places.is_same(plan.place.address, order.shipping_address or {}):
                order.shipping_address = plan.address
            places.move(session, plan.place, plan.address)
        return
    if plan.address is not None:
        order.shipping_address = plan.address
    if plan.method is not None:
        order.shipping_method, order.ways = plan.method, dict(plan.further) or None


def _details(order: Order, plan: Plan) -> Mapping[str, Any]:
    """For whoever asks later: what it came to, and where it was to go before."""
    told: dict[str, Any] = {
        "difference_minor": plan.difference.minor,
        "back_minor": plan.back.minor,
        "more_minor": plan.more.minor,
    }
    if plan.address is not None:
        told["address"] = {"before": dict(plan.place.address), "after": plan.address}
    usual = plan_delivery.going(order, plan.place)[0]
    if plan.method not in (None, usual):
        told["method"] = {"before": usual, "after": plan.method}
    return told


def _seen(token: str, currency: str) -> Money:
    """The difference that a plan's token names; nothing for what is no token."""
    minor = token.partition(".")[0]
    known = minor.removeprefix("-").isdigit() and minor.isascii() and len(minor) < 16
    return Money(int(minor) if known else 0, currency)
