"""A customer asks to return goods; staff say yes, with the number for the parcel, or no, with a word.

One transaction each. Nothing is counted before the yes; from then on it is a return as any (``take_back``).
"""

from sqlalchemy.orm import Session

from core.kernel import crash
from core.orders import changing, fulfilling, placing
from core.orders.changing import NewChange
from core.orders.exchanging import AFTER
from core.orders.fulfilment_models import OrderChange
from core.orders.models import OrderLine
from core.tax.service import Answers
from flows import asked_before, exchange, take_back
from flows.house import House
from flows.take_back import Asked
from flows.taxing import with_taxes


def may_come_back(line: OrderLine) -> int:
    """How many pieces of a line a customer may ask to return: goods that were sent and are not back."""
    return line.fulfilled - line.returned if line.kind == "physical" else 0


def ask(house: House, asked: Asked) -> OrderChange:
    """Write the wish down; under one name it is written once.

    Raises NotFound, OrderNotOpen, NothingChosen, WrongKind, TooManyPieces, AskedAlready, and for what is to
    come instead NotOffered.
    """

    def work(session: Session) -> OrderChange:
        order, now = asked_before.lock(session, asked.public_id), house.clock.now()
        once = asked_before.key_of(order, asked.once)
        known = changing.known(session, once)
        if known is not None:
            return known
        chosen = take_back.to_return(placing.lines_of(session, order.id), asked.pieces)
        for one in chosen:
            if one.line.kind != "physical":
                raise fulfilling.WrongKind(one.line.line_number, one.line.sku, "return")
        new = NewChange("return", asked.reason, asked.note, asked.refund_to, asked.actor, once)
        change = changing.ask(session, order, new, chosen, now)
        exchange.want(session, house, order, change, chosen, asked.instead, by_staff=False)
        take_back.told(session, house, order, change, "asked", chosen, asked.actor)
        crash.point("return.asked")
        return change

    return house.db.run_tx(work)


def accept(house: House, change_id: str, actor: str, sends: str = AFTER) -> OrderChange:
    """Yes: it is announced, and the customer learns where to send it. What they would like instead is held,
    or sent ``before``. Asked again it answers the same.

    Raises NotFound, StaleState when it was declined, TooManyPieces when pieces came back meanwhile, and
    OutOfStock when what they would like instead is gone.
    """

    def work(session: Session, answers: Answers) -> OrderChange:
        change = take_back.in_hand(session, change_id)
        if change.state == "announced":
            return change
        order = placing.lock(session, change.order_id)
        lines = placing.lines_of(session, order.id)
        chosen = changing.pieces_of(session, change, lines)
        changing.accept(session, change, lines)
        exchange.agree(session, house, order, change, chosen, sends, answers)
        take_back.told(session, house, order, change, "announced", chosen, actor)
        crash.point("return.accepted")
        return change

    return with_taxes(house, lambda answers: house.db.run_tx(lambda s: work(s, answers)))


def decline(house: House, change_id: str, answer: str, actor: str) -> OrderChange:
    """No, and why. Asked again it answers the same. Raises NotFound, and StaleState when it was accepted."""

    def work(session: Session) -> OrderChange:
        change = take_back.in_hand(session, change_id)
        if change.state == "declined":
            return change
        order = placing.lock(session, change.order_id)
        chosen = changing.pieces_of(session, change, placing.lines_of(session, order.id))
        said = answer.strip()[:300]
        changing.end(session, change, "declined", actor, house.clock.now(), answer=said)
        exchange.let_go(session, house, change)
        take_back.told(session, house, order, change, "declined", chosen, actor)
        crash.point("return.declined")
        return change

    return house.db.run_tx(work)
