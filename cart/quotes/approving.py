"""Above a limit a second person approves: never the one who made the version, nor the one who asked.

The limits are settings. An approval is for one revision; whoever changes the version asks anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cart.quotes.models import Quote, QuoteApproval, QuoteVersion
from cart.quotes.pricing import Priced
from cart.quotes.refusals import ApprovalNotNeeded, OwnQuote
from core.kernel import audit
from core.kernel.db import changed
from core.kernel.errors import StaleState
from core.kernel.ids import new_id
from core.kernel.money import minor_digits

DISCOUNT, AMOUNT, MARGIN = "discount", "amount", "margin"


@dataclass(frozen=True)
class Limits:
    """Up to where one person decides alone; and when customers are reminded.

    ``discount_ppm`` below list prices, ``amount`` in whole units of the quote's currency over its terms,
    ``margin_ppm`` at least, where costs are known.
    """

    discount_ppm: int = 100_000
    amount: int = 10_000
    margin_ppm: int = 200_000
    remind_days: int = 3
    valid_days: int = 30


def reasons(priced: Priced, limits: Limits) -> list[str]:
    """Which limits a version is over, by code; empty when one person may send it."""
    found = []
    if priced.saved_ppm > limits.discount_ppm:
        found.append(DISCOUNT)
    if priced.value.minor > limits.amount * 10 ** minor_digits(priced.currency):
        found.append(AMOUNT)
    margin = priced.margin_ppm
    if margin is not None and margin < limits.margin_ppm:
        found.append(MARGIN)
    return found


def ask(
    session: Session,
    quote: Quote,
    version: QuoteVersion,
    why: list[str],
    revision: int,
    note: str,
    actor: str,
    now: datetime,
) -> QuoteApproval:
    """Ask for a second person's word. StaleState when it was changed or asked for meanwhile.

    ApprovalNotNeeded without a reason.
    """
    if not why:
        raise ApprovalNotNeeded
    _move(session, version, "draft", "waiting", revision, now, needs_approval=True)
    row = QuoteApproval(
        id=new_id(),
        version_id=version.id,
        revision=revision,
        reasons=why,
        note=note,
        drafted_by=version.drafted_by,
        asked_by=actor,
        asked_at=now,
    )
    session.add(row)
    quote.changed_at = now
    audit.write(
        session,
        now,
        actor,
        "quote.approval_asked",
        ("quote", quote.public_id),
        version=version.number,
        reasons=why,
    )
    session.flush()
    return row


def decide(
    session: Session,
    quote: Quote,
    version: QuoteVersion,
    *,
    approved: bool,
    answer: str,
    revision: int,
    actor: str,
    now: datetime,
) -> None:
    """Approve the version as it stands, or give it back to be changed.

    OwnQuote when it is the decider's own; StaleState when it does not wait any more.
    """
    row = waiting(session, version)
    if row is None or row.revision != revision:
        raise StaleState("quote", "waiting")
    if actor in (row.asked_by, row.drafted_by, version.drafted_by):
        raise OwnQuote
    row.state = "approved" if approved else "declined"
    row.decided_by, row.decided_at, row.answer = actor, now, answer
    to = "approved" if approved else "draft"
    by = actor if approved else None
    _move(session, version, "waiting", to, revision, now, approved_by=by)
    quote.changed_at = now
    audit.write(
        session,
        now,
        actor,
        "quote.approved" if approved else "quote.approval_declined",
        ("quote", quote.public_id),
        version=version.number,
    )
    session.flush()


def waiting(session: Session, version: QuoteVersion) -> QuoteApproval | None:
    """The wish for approval that waits for an answer."""
    return session.scalar(
        select(QuoteApproval).where(
            QuoteApproval.version_id == version.id, QuoteApproval.state == "asked"
        )
    )


def of_version(session: Session, version: QuoteVersion) -> Sequence[QuoteApproval]:
    """Everything that was asked and said about a version, the newest first."""
    return session.scalars(
        select(QuoteApproval)
        .where(QuoteApproval.version_id == version.id)
        .order_by(QuoteApproval.asked_at.desc(), QuoteApproval.id.desc())
    ).all()


def _move(
    session: Session,
    version: QuoteVersion,
    state: str,
    to: str,
    revision: int,
    now: datetime,
    **values: object,
) -> None:
    move = (
        update(QuoteVersion)
        .where(
            QuoteVersion.id == version.id,
            QuoteVersion.state == state,
            QuoteVersion.revision == revision,
        )
        .values(state=to, changed_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    if not changed(session.execute(move)):
        raise StaleState("quote", state)
    session.refresh(version)
