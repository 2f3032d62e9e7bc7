"""A late fee is charged, and taken back when it is waived. What is past due is read again before."""

import uuid
from datetime import date

from sqlalchemy.orm import Session

from core.kernel import crash
from core.kernel.errors import NotFound
from core.parties import accounts
from flows import chase
from flows.correct_invoice import printing
from flows.house import House
from invoices import late_fees
from invoices.models import Invoice
from payments.dunning import cases, reading, schedule
from payments.dunning.cases import Done


def charge(session: Session, house: House, account_id: uuid.UUID, due_on: date) -> Invoice | None:
    """Charge it, once for each bill; None when the bill is not asked for any more, or a promise came between.

    Hears ``LateFeeDue``.
    """
    account, now = accounts.lock(session, account_id), house.clock.now()
    case = cases.open_case(session, account_id)
    late = chase.asked(session, house, chase.look(session, account, now))
    if case is None or late.due_on != due_on or cases.is_resting(case, late.today):
        return None
    at = chase.standing(session, house, case, late)
    if not schedule.due_now(house.rules.dunning, at, late.today).fee:
        return None
    fee = house.rules.dunning.fee.of(late.amount)
    memo = late_fees.charge(session, account, fee, late.bills[0], printing(house.links), now)
    key = cases.step_key(account_id, due_on, schedule.FEE)
    done = Done("fee", step=schedule.FEE, key=key, amount=fee, document_id=memo.id)
    cases.write(session, case, done, now)
    chase.foresee(session, house, case, late)
    crash.point("late_fee.before_commit")
    return memo


def waive(house: House, case_id: str, actor: str, note: str) -> Invoice:
    """Take the case's late fee back by a credit memo. NotFound when there is none."""

    def work(session: Session) -> Invoice:
        case = cases.by_public_id(session, case_id)
        accounts.lock(session, case.account_id)
        fee = reading.fee_of(session, case.id)
        if fee is None or fee.document_id is None:
            raise NotFound("late fee to take back")
        now = house.clock.now()
        memo, credited = late_fees.take_back(
            session, fee.document_id, actor, printing(house.links), now
        )
        done = Done(
            "fee_waived",
            actor,
            key=reading.waived_key(fee),
            amount=credited.settled + credited.kept,
            document_id=memo.id,
            note=note,
        )
        cases.write(session, case, done, now)
        return memo

    return house.db.run_tx(work)
