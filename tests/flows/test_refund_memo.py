"""What is given up of an order goes back the way it was paid, whichever of its bills that way paid."""

from core.kernel.money import Money, total
from core.ledger.chart import CUSTOMER_CREDIT
from core.orders.fulfilment_models import OrderChangeMemo
from core.orders.models import Order
from flows import refund_memo, settle_payment, take_back
from flows.edits import Added, Edits
from flows.house import House
from flows.pay_bill import pay_order
from flows.take_back import Asked
from invoices.models import Invoice
from payments.models import Payment, PaymentOperation
from tests.changing import assert_sound, bought, changed, every, lines_of, owed
from tests.paying import CARD, drain, usd
from tests.rooms.ledger.books import balance
from tests.sandbox_process import SandboxProcess
from tests.world import World


def _add_and_pay(house: House, sandbox: SandboxProcess, order: Order, once: str) -> Money:
    """A router more, on a bill of its own that is paid by card at once."""
    plan, _ = changed(house, order, Edits(added=[Added("FW-RT-6")]), once=once)
    drain(house)
    sandbox.pay(pay_order(house, order.id), CARD)
    (operation,) = every(house, PaymentOperation, PaymentOperation.state == "sent")
    assert settle_payment.settle(house, operation.id) == "succeeded"
    drain(house)
    assert owed(house, order) == 0
    return plan.difference


def _given_back(house: House) -> Money:
    """What went back to cards, by the processor's own account."""
    found = [house.gateway.get_payment(one.gateway_id) for one in every(house, Payment)]
    return total((one.amount_refunded for one in found), "USD")


def test_what_was_added_on_bills_of_its_own_goes_back_whole_whichever_goes_first(
    house: House, sandbox: SandboxProcess, world: World
):
    order = bought(house, sandbox, {"FW-CAM-1": 1})
    each = [_add_and_pay(house, sandbox, order, once) for once in ("a1", "a2")]
    assert each[0].minor > order.due_now_minor, "a router is more than all that was ordered first"
    back = usd(0)
    for line in [line for line in lines_of(house, order) if line.sku == "FW-RT-6"]:
        pieces, once = {line.line_number: 1}, f"c{line.line_number}"
        asked = Asked(order.public_id, pieces, "changed_mind", "usual", "user:ada", once)
        change = take_back.cancel(house, asked)
        (note,) = every(house, OrderChangeMemo, OrderChangeMemo.change_id == change.id)
        with house.db.reading() as session:
            memo = session.get_one(Invoice, note.memo_id)
            assert refund_memo.possible(session, memo) == each[0]
        drain(house)
        back += each[0]
        assert _given_back(house) == back
        with house.db.reading() as session:
            assert balance(session, CUSTOMER_CREDIT) == 0
    assert_sound(house)
