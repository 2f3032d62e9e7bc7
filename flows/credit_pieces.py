"""Pieces of an order that are given up or come back are credited on its bills, and money goes back as chosen.
In the caller's transaction; what goes to cards is asked for by the handler of ``CreditToRefund``.
"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from core.events import CreditToRefund
from core.kernel import jobs
from core.kernel.money import Money
from core.ledger import items
from core.orders import changing
from core.orders.changing import KEPT
from core.orders.fulfilling import Some
from core.orders.fulfilment_models import OrderChange
from core.orders.models import Order
from flows.correct_invoice import printing
from flows.house import House
from flows.worth import nets
from invoices import memos
from invoices.earned import orders as earned
from invoices.memos import NothingToCredit, Wish
from invoices.models import Invoice

#: What the memo says: why the customer gets credit.
_MEMO_REASON = {"cancellation": "cancelled", "change": "cancelled", "return": "returned"}


def credit(
    session: Session,
    house: House,
    change: OrderChange,
    chosen: Sequence[Some],
    moved: Money | None = None,
) -> list[Invoice]:
    """Credit the pieces on the order's bills, each line by its own share and taxes; and send money back.
    Answers the memos. So much as is ``moved`` pays the bill for what the change adds, first."""
    made, left = [], moved.minor if moved is not None else 0
    for part in nets(session, change.order_id, chosen, change.id):
        wish = Wish(
            part.bill.id,
            part.nets,
            _MEMO_REASON[change.kind],
            _memo_key(change, part.bill),
            change.done_by or change.asked_by,
            refunded=change.refund_to != KEPT,
            moved_minor=left,
            gross=part.gross,
        )
        try:
            memo, _ = memos.credit(session, wish, printing(house.links), house.clock.now())
        except NothingToCredit:  # courtesies took all of it before
            continue
        _refund(session, house, change, memo)
        held = items.of_sources(session, [memo.id]).get(memo.id)
        left -= min(left, held.open.minor) if held is not None else 0
        made.append(memo)
    if not made:  # a memo brings what is earned to what is left; without one that is done here
        order = session.get_one(Order, change.order_id)
        earned.settle(session, order, house.clock.now())
    return made


def _memo_key(change: OrderChange, bill: Invoice) -> str:
    """A change has one memo for each bill of its order."""
    key = f"order-change:{change.id.hex}"
    return f"{key}:{bill.order_change_id.hex[-12:]}" if bill.order_change_id is not None else key


def _refund(session: Session, house: House, change: OrderChange, memo: Invoice) -> None:
    """The memo is the change's; what it gave back of paid money goes as chosen."""
    changing.note_memo(session, change, memo.id)
    if change.refund_to != KEPT:
        now = house.clock.now()
        event = CreditToRefund(str(memo.id))
        jobs.record(session, event, now, key=f"credit-to-refund:{memo.id}")
