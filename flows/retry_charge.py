"""After a card was declined: is it tried again, and when; and what became of a payment when a try took money.

Called in the transaction that closes the charge, so that a payment and its last try never disagree.
"""

from sqlalchemy.orm import Session

from core.kernel.clock import local_date
from core.parties.models import Account
from flows import charge_terms
from flows.house import House
from payments import bills_on_file, scheduled
from payments.automatic_models import AutoPayRule
from payments.models import PaymentOperation
from payments.retrying import judge


def declined(session: Session, house: House, operation: PaymentOperation) -> None:
    """A locked charge took no money: its payment is tried again on a day, or its payer is asked."""
    now = house.clock.now()
    account = session.get_one(Account, operation.account_id)
    row = bills_on_file.of_charge(session, operation, local_date(now, account.time_zone), now)
    if row.closed_at is not None:
        return
    rule = session.get(AutoPayRule, row.rule_id) if row.rule_id else None
    if rule is not None and rule.state == "stopped":
        charge_terms.close(session, row, "cancelled", now)  # stopped while the bank was being asked
        return
    tries = row.tries + 1
    verdict = judge(operation.failure or "", tries, house.rules.cards.retry_days)
    scheduled.move(
        session,
        row,
        verdict.state,
        now,
        tries=tries,
        failure=operation.failure,
        next_at=now + verdict.after if verdict.after is not None else None,
    )


def took(session: Session, operation: PaymentOperation, house: House) -> None:
    """A locked charge took money: its payment is made."""
    now = house.clock.now()
    if operation.scheduled_payment_id is not None:
        row = scheduled.lock(session, operation.scheduled_payment_id)
    else:
        assert operation.invoice_id is not None
        found = bills_on_file.of_bill(session, operation.invoice_id)
        if found is None:
            charge_terms.wait_for_dispute(
                session, operation.invoice_id, operation.payment_method_id, now
            )
            return
        row = scheduled.lock(session, found.id)
    if row.state != "paid":
        charge_terms.close(session, row, "paid", now)
