"""Who sees to bills is told by mail that a chargeback came, and how it ended."""

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from core.kernel.clock import local_date
from core.kernel.money import Money
from core.ledger import chargebacks as ledger
from core.notices import addressing
from core.notices.addressing import Reader
from core.notices.chargeback_letters import ChargebackLetter
from core.parties import staff
from core.parties.models import Account
from core.parties.roles import Role
from flows import notify
from flows.links import Links
from payments import chargebacks
from payments.chargebacks import REASONS, ChargebackRow
from payments.models import Payment


def moved(
    session: Session, chargeback_id: uuid.UUID, how: str, links: Links, now: datetime
) -> None:
    """A mail for each who sees to bills: of the chargeback, of the warning, and of the decision."""
    if how == "answered":
        return
    row = session.get_one(ChargebackRow, chargeback_id)
    payment = session.get_one(Payment, row.payment_id)
    account = session.get_one(Account, payment.account_id)
    head = addressing.of_account(session, account)
    letter = ChargebackLetter(
        head,
        "",
        links.desk_chargeback(row.public_id),
        how=row.state if how == "closed" else how,
        payment=payment.number,
        bills=tuple(bill.number for bill, _ in ledger.bills_of(session, row.id)),
        who=" ".join(account.name.split())[:160],
        account=account.number,
        amount=chargebacks.amount_of(row),
        fee=Money(row.fee_minor - row.fee_back_minor, row.currency),
        reason=REASONS.get(row.reason, REASONS["general"]),
        answer_by=local_date(row.evidence_due, head.time_zone) if row.evidence_due else None,
        trouble=row.trouble,
    )
    for reader in _readers(session, head.email):
        key = f"chargeback-{how}:{row.id}"
        notify.queue(session, letter, key, reader, links, now, account_id=account.id)


def _readers(session: Session, house: str) -> list[Reader]:
    """Everybody at the desk who sees to bills; where nobody does, the address on the letterhead."""
    found = [Reader(user.email, f":{user.id}") for user in staff.with_role(session, Role.BILLING)]
    return found or ([Reader(house)] if house else [])
