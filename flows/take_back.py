"""Pieces of an order are given up before they left, or come back afterwards, with their money.

One transaction each: counts, stock, the credit memo with the line's own taxes, and the wish to refund. What
goes to cards is asked of the processor by the handler of ``CreditToRefund``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from cart import slots
from core.entitlements import granting
from core.events import OrderChanged
from core.kernel import audit, crash, jobs
from core.kernel.errors import StaleState
from core.orders import (
    changing,
    deliveries,
    exchanging,
    fulfilling,
    grouping,
    held,
    pickups,
    placing,
)
from core.orders.changing import NewChange
from core.orders.exchanging import AFTER
from core.orders.fulfilling import Some
from core.orders.fulfilment_models import OrderChange
from core.orders.models import Order, OrderLine
from core.parties import accounts
from core.stock import sold
from core.stock.holds import Owner
from core.subscriptions import ending, reading, states
from core.subscriptions.models import Subscription
from core.tax.service import Answers
from flows import asked_before, credit_pieces, exchange, give_numbers_back, issue_invoice
from flows.house import House
from flows.taxing import with_taxes


@dataclass(frozen=True)
class Asked:
    """What is cancelled or comes back: pieces by line number (None: all that is left), why, and where the
    money goes first (``changing.WAYS``, or ``kept``). ``once`` names the request, at most 60 characters."""

    public_id: str
    pieces: Mapping[int, int] | None
    reason: str
    refund_to: str
    actor: str
    once: str
    note: str = ""
    #: Of a return: what goes out instead, by line number, and whether ``after`` it is here or ``before``.
    instead: Mapping[int, str] = field(default_factory=dict)
    sends: str = AFTER

    @property
    def wish(self) -> tuple[object, ...]:
        """What is asked, to be known again."""
        pieces = sorted(self.pieces.items()) if self.pieces is not None else None
        instead = sorted(self.instead.items())
        return (pieces, self.reason, self.refund_to, self.note, instead, self.sends)


# --- before they leave ----------------------------------------------------------------------------


def cancel(house: House, asked: Asked) -> OrderChange:
    """Cancel pieces that have not left: they are free again, credited, and the money goes as chosen.

    A delivery goes with the last of its goods; a plan that waits for activation ends. Raises NotFound,
    OrderNotOpen, NothingChosen, TooManyPieces, and KeyReused for another wish of that name.
    """
    return house.db.run_tx(lambda session: _cancel(session, house, asked))


def _cancel(session: Session, house: House, asked: Asked) -> OrderChange:
    now, order = house.clock.now(), asked_before.lock(session, asked.public_id)
    wish = ("cancel", *asked.wish)
    once, known = asked_before.known(session, order, asked.once, wish, now)
    if known is not None:
        return known
    fulfilling.is_open(order)
    issue_invoice.for_order(session, house, order.id)
    lines = placing.lines_of(session, order.id)
    chosen = to_cancel(lines, asked.pieces)
    new = NewChange("cancellation", asked.reason, asked.note, asked.refund_to, asked.actor, once)
    change = changing.write(session, order, new, chosen, now)
    _decide(session, order, asked.actor, now)
    crash.point("cancel.counted")
    pickups.fit(session, lines, asked.actor, now)
    let_go(session, house, order, chosen)
    if any(one.line.kind == "service" for one in chosen):
        give_time_back(session, order, lines)
    credit_pieces.credit(session, house, change, chosen)
    for one in chosen:
        if one.line.subscription_id is not None:
            _end_plan(session, change, one.line, now)
    told(session, house, order, change, "cancelled", chosen, asked.actor)
    crash.point("cancel.before_commit")
    return change


def _decide(session: Session, order: Order, actor: str, now: datetime) -> None:
    """A held order of which nothing is left is held no more."""
    if order.is_held and order.lifecycle == "cancelled":
        held.decide(session, order, actor, now)


def give_time_back(session: Session, order: Order, lines: Sequence[OrderLine]) -> None:
    """Nobody comes when no work is left to be done."""
    if not any(line.kind == "service" and line.waiting for line in lines):
        slots.release(session, Owner("order", order.id))


def to_cancel(lines: Sequence[OrderLine], pieces: Mapping[int, int] | None) -> list[Some]:
    """What is to be cancelled: all that waits, or the named pieces, and each delivery with the last goods
    that it brings."""
    if pieces is None:
        chosen = [
            Some(line, line.waiting) for line in lines if line.kind != "bundle" and line.waiting
        ]
        if not chosen:
            raise fulfilling.NothingChosen
    else:
        chosen = fulfilling.choose(lines, pieces)
    taken = {one.line.id: one.quantity for one in chosen}
    return chosen + [Some(line, line.waiting) for line in deliveries.left_empty(lines, taken)]


def let_go(session: Session, house: House, order: Order, chosen: Sequence[Some]) -> None:
    """What was kept for pieces that are given up is free again; their numbers rest."""
    about, now = sold.reference(order.public_id), house.clock.now()
    for one in sorted(chosen, key=lambda one: one.line.variant_id or one.line.id):
        if one.line.kind == "physical" and one.line.variant_id is not None:
            sold.let_go(session, about, one.line.variant_id, one.quantity, now)
    give_numbers_back.of_pieces(session, order, chosen, "", now)


def _end_plan(session: Session, change: OrderChange, line: OrderLine, now: datetime) -> None:
    """A plan that has not begun ends today. A service is one: some of its pieces cannot be cancelled."""
    assert line.subscription_id is not None
    if line.waiting:
        raise fulfilling.TooManyPieces(
            line.line_number, line.sku, "cancel", line.cancelled, line.quantity
        )
    row = reading.lock(session, line.subscription_id)
    if row.state != "ended":
        today = states.today(session, row, now)
        ending.end(session, row, today, "other", "", change.asked_by, now)
        granting.revoke(session, row, "ended", change.asked_by, now)


def plan_ended(session: Session, house: House, row: Subscription, actor: str) -> None:
    """A service ended that never began: the line that ordered it is cancelled, and its first period goes
    back the way it was paid. In the caller's transaction."""
    line = fulfilling.of_subscription(session, row.id)
    if line is None or not line.waiting:
        return
    now, order = house.clock.now(), placing.lock(session, line.order_id)
    if order.lifecycle not in ("confirmed", "completed"):
        return
    chosen = [Some(line, line.waiting)]
    issue_invoice.for_order(session, house, order.id)
    new = NewChange(
        "cancellation", "changed_mind", "", "usual", actor, f"service-ended:{row.id.hex}"
    )
    change = changing.write(session, order, new, chosen, now)
    _decide(session, order, actor, now)
    credit_pieces.credit(session, house, change, chosen)
    told(session, house, order, change, "cancelled", chosen, actor)


# --- afterwards -----------------------------------------------------------------------------------


def announce(house: House, asked: Asked) -> OrderChange:
    """Pieces that were sent or done are to come back: the customer gets a number for the parcel.

    Raises NotFound, OrderNotOpen, NothingChosen and TooManyPieces; where something goes out instead also what
    ``exchange.want`` raises, and OutOfStock.
    """

    def work(answers: Answers) -> OrderChange:
        return house.db.run_tx(lambda session: _announce(session, house, asked, answers))

    return with_taxes(house, work)


def take(house: House, asked: Asked, restocked: Mapping[int, bool]) -> OrderChange:
    """They are here already: announced and received at once, in one commit."""

    def work(session: Session, answers: Answers) -> OrderChange:
        change = _announce(session, house, asked, answers, restocked)
        if change.state == "announced":
            _receive(session, house, change, restocked, asked.actor, answers)
        return change

    return with_taxes(house, lambda answers: house.db.run_tx(lambda s: work(s, answers)))


def _announce(
    session: Session,
    house: House,
    asked: Asked,
    answers: Answers,
    here: Mapping[int, bool] | None = None,
) -> OrderChange:
    """``here``: they are here, and these go back to stock."""
    now, is_here = house.clock.now(), here is not None
    order = asked_before.lock(session, asked.public_id)
    back = sorted(line for line in asked.pieces or here or () if here and here.get(line))
    wish = ("return", is_here, back, *asked.wish)
    once, known = asked_before.known(session, order, asked.once, wish, now)
    if known is not None:
        return known
    chosen = to_return(placing.lines_of(session, order.id), asked.pieces)
    new = NewChange("return", asked.reason, asked.note, asked.refund_to, asked.actor, once)
    change = changing.write(session, order, new, chosen, now)
    exchange.want(session, house, order, change, chosen, asked.instead)
    if not is_here:
        exchange.agree(session, house, order, change, chosen, asked.sends, answers)
        told(session, house, order, change, "announced", chosen, asked.actor)
    crash.point("return.announced")
    return change


def to_return(lines: Sequence[OrderLine], pieces: Mapping[int, int] | None) -> list[Some]:
    """The named pieces, or all goods that were sent. Services that run end at their own page, and a gift
    card's money goes back with the card."""
    if pieces is None:
        goods = ("physical", "delivery")
        pieces = {
            line.line_number: line.fulfilled - line.returned for line in lines if line.kind in goods
        }
        pieces = {number: left for number, left in pieces.items() if left}
    chosen = fulfilling.choose(lines, pieces)
    for one in chosen:
        if one.line.subscription_id is not None or one.line.kind == "gift_card":
            raise fulfilling.WrongKind(one.line.line_number, one.line.sku, "return")
    return chosen


def receive(
    house: House, change_id: str, restocked: Mapping[int, bool], actor: str, refund_to: str = ""
) -> OrderChange:
    """The announced pieces are here: back to stock or not by line number, credited, and the money goes as
    chosen (or as chosen now). Asked again it answers the same. Raises NotFound, and StaleState when it was
    withdrawn; OutOfStock when what is to go out instead is gone."""

    def work(session: Session, answers: Answers) -> OrderChange:
        change = in_hand(session, change_id)
        if change.state == "done":
            return change
        if refund_to:
            change.refund_to = refund_to
        _receive(session, house, change, restocked, actor, answers)
        return change

    return with_taxes(house, lambda answers: house.db.run_tx(lambda s: work(s, answers)))


def withdraw(house: House, change_id: str, actor: str, *, billed: bool = False) -> OrderChange:
    """The announced pieces do not come back after all, or not as they should be. What was to go out instead
    is let go; with ``billed`` it is sent all the same, and billed.

    Raises NotFound, StaleState when they are here, and OutOfStock.
    """

    def work(session: Session, answers: Answers) -> OrderChange:
        change = in_hand(session, change_id)
        if change.state == "withdrawn":
            return change
        now, order = house.clock.now(), placing.lock(session, change.order_id)
        chosen = changing.pieces_of(session, change, placing.lines_of(session, order.id))
        exchange.off(session, house, order, change, chosen, answers, billed=billed)
        changing.end(session, change, "withdrawn", actor, now)
        for one in chosen:
            fulfilling.uncount_return(session, one)
        if not billed:
            _cancel_added(session, house, order, change, actor)
        told(session, house, order, change, "withdrawn", chosen, actor)
        crash.point("return.withdrawn")
        return change

    return with_taxes(house, lambda answers: house.db.run_tx(lambda s: work(s, answers)))


def _cancel_added(
    session: Session, house: House, order: Order, change: OrderChange, actor: str
) -> None:
    """What was to leave before the return is here, and has not left: it is given up with its bill."""
    lines, now = placing.lines_of(session, order.id), house.clock.now()
    chosen = [Some(line, line.waiting) for line in grouping.added(lines, change.id) if line.waiting]
    if not chosen:
        return
    new = NewChange(
        "cancellation", "other", "", change.refund_to, actor, f"exchange-off:{change.id.hex}"
    )
    row = changing.write(session, order, new, chosen, now)
    pickups.fit(session, lines, actor, now)
    let_go(session, house, order, chosen)
    credit_pieces.credit(session, house, row, chosen)
    told(session, house, order, row, "cancelled", chosen, actor)


def money_instead(house: House, change_id: str, actor: str) -> OrderChange:
    """Nothing goes out: what comes back is given back in money, as of any return, and what was held is free
    again. Raises NotFound, and StaleState once it was added to the order."""

    def work(session: Session) -> OrderChange:
        change = in_hand(session, change_id)
        found = exchanging.of(session, change.id)
        if found is None or found.row.state == "let_go":
            return change
        if not found.is_open:
            raise StaleState("exchange", "let_go")
        exchange.let_go(session, house, change)
        order = placing.lock(session, change.order_id)
        subject = ("order", order.public_id)
        audit.write(session, house.clock.now(), actor, "order.exchange_let_go", subject)
        return change

    return house.db.run_tx(work)


def in_hand(session: Session, change_id: str) -> OrderChange:
    """A return, locked behind its order's payer and its order."""
    change = changing.lock(session, change_id)
    order = session.get_one(Order, change.order_id)
    accounts.lock(session, order.payer_account_id)
    placing.lock(session, order.id)
    return change


def _receive(
    session: Session,
    house: House,
    change: OrderChange,
    restocked: Mapping[int, bool],
    actor: str,
    answers: Answers,
) -> None:
    now, order = house.clock.now(), session.get_one(Order, change.order_id)
    chosen = changing.pieces_of(session, change, placing.lines_of(session, order.id))
    issue_invoice.for_order(session, house, order.id)
    more, paid = exchange.to_add(session, house, order, change, chosen, answers)
    changing.end(session, change, "done", actor, now)
    memos = credit_pieces.credit(session, house, change, chosen, paid)
    crash.point("return.credited")
    about, back = sold.reference(order.public_id), []
    for one in sorted(chosen, key=lambda one: one.line.variant_id or one.line.id):
        line = one.line
        wanted = restocked.get(line.line_number, False)
        if not wanted or line.kind != "physical" or line.variant_id is None:
            continue
        if sold.take_back(session, about, line.variant_id, one.quantity, now):
            back.append(line.id)
    changing.restock(session, change, back)
    give_numbers_back.of_pieces(session, order, chosen, actor, now)
    exchange.here(session, house, order, change, more, memos)
    told(session, house, order, change, "received", chosen, actor)
    crash.point("return.before_commit")


# --- what both do ---------------------------------------------------------------------------------


def told(
    session: Session,
    house: House,
    order: Order,
    change: OrderChange,
    how: str,
    chosen: Sequence[Some],
    actor: str,
) -> None:
    """Let customer, programs and audit log know."""
    now = house.clock.now()
    event = OrderChanged(str(change.id), how)
    jobs.record(session, event, now, key=f"order-changed:{change.id}:{how}", priority=1)
    audit.write(
        session,
        now,
        actor,
        f"order.return_{how}" if change.kind == "return" else f"order.{how}",
        ("order", order.public_id),
        reason=change.reason,
        lines={str(one.line.line_number): one.quantity for one in chosen},
        refund_to=change.refund_to,
    )
