"""Customer and house write to each other about a dispute, with pictures; the customer may take it back."""

import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from core.kernel import audit, crash
from core.parties import accounts
from flows.house import House
from flows.once import once
from flows.open_dispute import Author, keep_pictures
from invoices.disputes import choosing, deciding, reading, talking
from invoices.disputes.models import Dispute
from invoices.disputes.talking import Said


def write(
    house: House,
    public_id: str,
    author: Author,
    text: str,
    account_ids: Sequence[uuid.UUID] | None,
    *,
    files: Sequence[bytes] = (),
    named: str = "",
) -> None:
    """Write a message; the other side is told by mail. Sent twice under one name it is one message.

    Raises NotFound, and Invalid when it is empty or too long, or a picture is refused.
    """
    now = house.clock.now()
    with house.db.reading() as session:
        reading.one(session, public_id, account_ids)
    kept = keep_pictures(house, files)
    said = Said(author.side, author.name, text, author.actor, author.user_id, kept)

    def work(session: Session) -> str:
        dispute = talking.lock(session, reading.one(session, public_id, account_ids).id)
        talking.write(session, dispute, said, now)
        about = ("dispute", dispute.public_id)
        audit.write(session, now, author.actor, "dispute.message", about, side=author.side)
        crash.point("dispute.before_commit")
        return ""

    asked = (public_id, author.side, text, author.user_id, [sha256 for sha256, _ in kept])
    house.db.run_tx(lambda session: once(session, named, asked, now, lambda: work(session)))


def withdraw(
    house: House, public_id: str, actor: str, account_ids: Sequence[uuid.UUID] | None
) -> None:
    """Take a dispute back. A second time is no change; DisputeOver once it is answered."""

    def work(session: Session) -> None:
        dispute = held(session, public_id, account_ids)
        deciding.withdraw(session, dispute, actor, house.clock.now())

    house.db.run_tx(work)


def have_back(
    house: House, public_id: str, actor: str, account_ids: Sequence[uuid.UUID] | None
) -> None:
    """Choose to have the credit back instead of keeping it. Raises NothingToChoose."""

    def work(session: Session) -> None:
        dispute = held(session, public_id, account_ids)
        choosing.have_back(session, dispute, actor, house.clock.now())

    house.db.run_tx(work)


def held(session: Session, public_id: str, account_ids: Sequence[uuid.UUID] | None) -> Dispute:
    """A dispute with its payer's account and itself locked, in this order."""
    found = reading.one(session, public_id, account_ids)
    accounts.lock(session, found.account_id)
    return talking.lock(session, found.id)
