"""What customers and the desk are told of disputes by mail: one function an event, each in the caller's
transaction. Each mail has a key and is queued once, however often its handler runs.
"""

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from core.notices import addressing
from core.notices.addressing import Reader
from core.parties.models import Account
from flows import dispute_letters, notify
from flows.links import Links
from invoices.disputes.models import Dispute, DisputeMessage


def opened(session: Session, dispute_id: uuid.UUID, links: Links, now: datetime) -> None:
    """To the customer: we have it, and answer until then. To the desk: somebody disputes a line."""
    dispute = session.get_one(Dispute, dispute_id)
    account = session.get_one(Account, dispute.account_id)
    letter = dispute_letters.of_opening(session, dispute, links)
    for reader in addressing.readers(session, account):
        notify.queue(
            session,
            letter,
            f"dispute-opened:{dispute.id}",
            reader,
            links,
            now,
            account_id=account.id,
        )
    if dispute_letters.first(session, dispute).side == "customer":
        _tell_desk(session, dispute, "opened", links, now)


def messaged(session: Session, message_id: uuid.UUID, links: Links, now: datetime) -> None:
    """The other side wrote."""
    message = session.get_one(DisputeMessage, message_id)
    dispute = session.get_one(Dispute, message.dispute_id)
    account = session.get_one(Account, dispute.account_id)
    letter = dispute_letters.of_message(session, message, dispute, links)
    readers = _desk(session, account) if letter.for_desk else addressing.readers(session, account)
    for reader in readers:
        notify.queue(
            session,
            letter,
            f"dispute-message:{message.id}",
            reader,
            links,
            now,
            account_id=account.id,
        )


def closed(session: Session, dispute_id: uuid.UUID, how: str, links: Links, now: datetime) -> None:
    """The customer is told of the answer; the desk of what was taken back."""
    dispute = session.get_one(Dispute, dispute_id)
    if how != dispute.state:
        return
    account = session.get_one(Account, dispute.account_id)
    letter = dispute_letters.of_end(session, dispute, links)
    for reader in addressing.readers(session, account):
        notify.queue(
            session,
            letter,
            f"dispute-closed:{dispute.id}",
            reader,
            links,
            now,
            account_id=account.id,
        )
    if how == "withdrawn":
        _tell_desk(session, dispute, how, links, now)


def _tell_desk(session: Session, dispute: Dispute, how: str, links: Links, now: datetime) -> None:
    account = session.get_one(Account, dispute.account_id)
    letter = dispute_letters.for_desk(session, dispute, how, links)
    for reader in _desk(session, account):
        notify.queue(
            session,
            letter,
            f"dispute-{how}-desk:{dispute.id}",
            reader,
            links,
            now,
            account_id=account.id,
        )


def _desk(session: Session, account: Account) -> list[Reader]:
    """Where the house reads: the address on the letterhead."""
    to = addressing.of_account(session, account).email
    return [Reader(to)] if to else []
