"""What becomes of a credit for what was paid already: the customer keeps it, or has it back."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.kernel import audit, crash
from core.kernel.money import Money
from core.ledger import items, tenders
from invoices.disputes import deciding
from invoices.disputes.models import Dispute
from invoices.disputes.refusals import NothingToChoose
from invoices.models import Invoice


def left(session: Session, dispute: Dispute) -> Money:
    """How much of the credit nobody has used or reserved; nothing where all of it lowered the bill."""
    zero = Money.zero(dispute.currency)
    if dispute.memo_id is None:
        return zero
    credit = items.of_sources(session, [dispute.memo_id]).get(dispute.memo_id)
    if credit is None:
        return zero
    free = tenders.unreserved(session, [credit])
    return free[0].open if free else zero


def have_back(session: Session, dispute: Dispute, actor: str, now: datetime) -> None:
    """Send what is left of the credit back the way it was paid; asked again it is no change.

    NothingToChoose before an answer, or when the credit is used. The caller holds the payer's account.
    """
    if dispute.wish == "refund" and dispute.state == "resolved":
        return
    if dispute.state != "resolved" or left(session, dispute).minor <= 0:
        raise NothingToChoose(dispute.number)
    memo = session.get_one(Invoice, dispute.memo_id)
    dispute.wish, dispute.changed_at = "refund", now
    session.flush()
    deciding.send_back(session, memo, now)
    audit.write(session, now, actor, "dispute.refund_chosen", ("dispute", dispute.public_id))
    crash.point("dispute.before_commit")
