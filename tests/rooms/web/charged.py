"""Chargebacks for the tests of pages: somebody's payment that their bank has taken back."""

from flows import answer_chargeback, hear_chargeback
from flows.answer_chargeback import Wish
from payments import evidence
from payments.chargebacks import ChargebackRow
from payments.models import Payment
from tests.rooms.web.disputed import photo
from tests.rooms.web.stage import KIM, Stage


def opened(stage: Stage, who: str = "") -> ChargebackRow:
    """The bank of somebody, of a newcomer unless named, takes a payment back."""
    order = stage.begin_to_pay(stage.world.router.sku, who=who or stage.newcomer())
    paid = stage.pay(stage.operation_of(order))
    told = stage.sandbox.control("POST", "/sandbox/disputes", {"payment": paid.gateway_id})
    assert hear_chargeback.hear(stage.house, told["dispute"])
    found: ChargebackRow = stage.row(ChargebackRow, ChargebackRow.gateway_id == told["dispute"])
    return found


def payment_of(stage: Stage, row: ChargebackRow) -> Payment:
    """What was taken back."""
    found: Payment = stage.row(Payment, Payment.id == row.payment_id)
    return found


def decided(stage: Stage, row: ChargebackRow, *, won: bool) -> None:
    """The network has decided."""
    told = {"dispute": row.gateway_id, "won": won}
    stage.sandbox.control("POST", "/sandbox/disputes", told)
    assert hear_chargeback.hear(stage.house, row.gateway_id)


def file_of(stage: Stage, public_id: str) -> str:
    """A picture of the draft about it."""
    actor = f"user:{stage.people[KIM]}"
    answer_chargeback.keep(stage.house, public_id, Wish("", {"other": photo()}), actor)
    row = stage.row(ChargebackRow, ChargebackRow.public_id == public_id)
    with stage.db.reading() as session:
        found: str = evidence.files_of(session, row.id)[0].public_id
    return found
