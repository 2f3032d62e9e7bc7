"""Answering a dispute: full, part or no credit, with words; over a limit by two people, never one's own.

The credit is a memo on the very line, with its own taxes. Called by ``flows.resolve_dispute`` in its
transaction, which holds the payer's account.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.events import CreditToRefund, DisputeClosed
from core.kernel import audit, crash, jobs
from core.kernel.errors import Invalid, StaleState
from core.kernel.ids import new_id, new_public_id
from core.kernel.money import Money, minor_digits
from core.ledger import items
from core.ledger.memos import Credited
from core.parties import accounts
from invoices import memos
from invoices.correctable import Corrected, lines_of
from invoices.disputes import amounts, opening, talking
from invoices.disputes.models import STANDING, Dispute, DisputeProposal
from invoices.disputes.refusals import CreditTooMuch, CreditTooSmall, DisputeOver, OwnDispute
from invoices.models import Invoice
from invoices.wording import Printing

MEMO_REASON = "disputed"


@dataclass(frozen=True)
class Decision:
    """How a dispute is answered: so much credit with its taxes, and words. ``amount`` zero: none."""

    amount: Money
    answer: str
    actor: str
    user_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Preview:
    """The memo that a decision would make, and what would become of it."""

    net: Money
    tax: Money
    #: Lowers what is open of the bill.
    settles: Money
    #: Was paid already: the customer's to keep, or sent back.
    kept: Money
    needs_second: bool

    @property
    def total(self) -> Money:
        """Net and tax."""
        return self.net + self.tax


def is_over(amount: Money, limit: int) -> bool:
    """Does a credit need two people? ``limit`` is in whole units of its currency."""
    return bool(amount.minor > limit * 10 ** minor_digits(amount.currency))


def line_of(session: Session, dispute: Dispute) -> Corrected:
    """The disputed line with what is left of it."""
    found = lines_of(session, dispute.invoice_id)
    return next(line for line in found if line.row.id == dispute.line_id)


def most(session: Session, dispute: Dispute) -> Money:
    """What can be credited now: what is disputed, as far as it is left of the line."""
    left = max(line_of(session, dispute).creditable.left_total, 0)
    return Money(min(dispute.amount_minor, left), dispute.currency)


def preview(session: Session, dispute: Dispute, amount: Money, limit: int) -> Preview:
    """What crediting ``amount`` would do. Raises CreditTooMuch, CreditTooSmall."""
    zero = Money.zero(dispute.currency)
    if not amount:
        return Preview(zero, zero, zero, zero, needs_second=False)
    line = line_of(session, dispute)
    net = _net(dispute, line, amount)
    item = items.of_sources(session, [dispute.invoice_id]).get(dispute.invoice_id)
    settles = min(amount, item.open) if item is not None else zero
    needs = is_over(amount, limit)
    return Preview(
        Money(net, dispute.currency),
        amount - Money(net, dispute.currency),
        settles,
        amount - settles,
        needs_second=needs,
    )


def decide(
    session: Session,
    dispute: Dispute,
    decision: Decision,
    limit: int,
    printing: Printing,
    now: datetime,
) -> Dispute:
    """Answer it; over the limit have a second person asked.

    Raises Invalid without words, DisputeOver, OwnDispute, StaleState while it waits for somebody else,
    CreditTooMuch, CreditTooSmall, and what ``memos.credit`` raises.
    """
    _check(session, dispute, decision)
    if dispute.state == "waiting":
        raise StaleState("dispute", "open")
    found = preview(session, dispute, decision.amount, limit)
    if found.needs_second:
        _propose(session, dispute, decision, now)
        return dispute
    return _resolve(session, dispute, decision, printing, now)


def second(
    session: Session,
    dispute: Dispute,
    proposal_id: str,
    *,
    approved: bool,
    note: str,
    actor: str,
    user_id: uuid.UUID | None,
    printing: Printing,
    now: datetime,
) -> Dispute:
    """A second person's word on what the first decided: it is done, or the dispute is open again.

    Raises OwnDispute for the first person, StaleState when it waits no more, and what ``decide`` raises.
    """
    proposal = asked_of(session, dispute)
    if dispute.state != "waiting" or proposal is None or proposal.public_id != proposal_id:
        if dispute.state not in STANDING:
            raise DisputeOver(dispute.number)
        raise StaleState("dispute", "waiting")
    if actor == proposal.asked_by:
        raise OwnDispute
    amount = Money(proposal.amount_minor, dispute.currency)
    decision = Decision(amount, proposal.answer, actor, user_id)
    _check(session, dispute, decision)
    proposal.state = "approved" if approved else "declined"
    proposal.decided_by, proposal.decided_at = actor, now
    proposal.note = talking.clean(note, may_be_empty=True)
    session.flush()
    if approved:
        return _resolve(session, dispute, decision, printing, now)
    talking.move(session, dispute, "open", now, needs_second=False, proposed_by=None)
    about = ("dispute", dispute.public_id)
    audit.write(session, now, actor, "dispute.given_back", about)
    return dispute


def withdraw(session: Session, dispute: Dispute, actor: str, now: datetime) -> None:
    """The customer takes it back; its amount is owed like any other again. DisputeOver once answered."""
    if dispute.state == "withdrawn":
        return
    if dispute.state not in STANDING:
        raise DisputeOver(dispute.number)
    session.execute(
        update(DisputeProposal)
        .where(DisputeProposal.dispute_id == dispute.id, DisputeProposal.state == "asked")
        .values(state="void")
        .execution_options(synchronize_session=False)
    )
    opening.end_contest(session, dispute, now)
    talking.move(session, dispute, "withdrawn", now, closed_at=now)
    audit.write(session, now, actor, "dispute.withdrawn", ("dispute", dispute.public_id))
    jobs.record(
        session,
        DisputeClosed(str(dispute.id), "withdrawn"),
        now,
        key=f"dispute-closed:{dispute.id}",
    )
    crash.point("dispute.before_commit")


def asked_of(session: Session, dispute: Dispute) -> DisputeProposal | None:
    """The decision that waits for a second person."""
    return session.scalar(
        select(DisputeProposal).where(
            DisputeProposal.dispute_id == dispute.id, DisputeProposal.state == "asked"
        )
    )


def proposals_of(session: Session, dispute: Dispute) -> Sequence[DisputeProposal]:
    """All decisions that needed two, the newest first."""
    return session.scalars(
        select(DisputeProposal)
        .where(DisputeProposal.dispute_id == dispute.id)
        .order_by(DisputeProposal.asked_at.desc(), DisputeProposal.id.desc())
    ).all()


def _check(session: Session, dispute: Dispute, decision: Decision) -> None:
    if dispute.state not in STANDING:
        raise DisputeOver(dispute.number)
    if not decision.answer.strip():
        raise Invalid({"answer": "Tell them what you found."})
    if decision.actor == dispute.opened_by or _is_of_account(session, dispute, decision):
        raise OwnDispute


def _is_of_account(session: Session, dispute: Dispute, decision: Decision) -> bool:
    """Is whoever decides a customer of the very account?"""
    if decision.user_id is None:
        return False
    mine = accounts.of_user(session, decision.user_id)
    return any(account.id == dispute.account_id for account in mine)


def _net(dispute: Dispute, line: Corrected, amount: Money) -> int:
    left = Money(max(0, min(dispute.amount_minor, line.creditable.left_total)), dispute.currency)
    if amount > left or amount.minor < 0:
        raise CreditTooMuch(left, amount)
    net = amounts.net_of(line.creditable, amount.minor, dispute.currency)
    if net <= 0:
        raise CreditTooSmall(amount)
    return net


def _propose(session: Session, dispute: Dispute, decision: Decision, now: datetime) -> None:
    session.add(
        DisputeProposal(
            id=new_id(),
            public_id=new_public_id(),
            dispute_id=dispute.id,
            amount_minor=decision.amount.minor,
            answer=talking.clean(decision.answer),
            asked_by=decision.actor,
            asked_at=now,
        )
    )
    session.flush()
    talking.move(session, dispute, "waiting", now, needs_second=True, proposed_by=decision.actor)
    about = ("dispute", dispute.public_id)
    audit.write(session, now, decision.actor, "dispute.proposed", about)
    crash.point("dispute.before_commit")


def _resolve(
    session: Session, dispute: Dispute, decision: Decision, printing: Printing, now: datetime
) -> Dispute:
    memo, credited = _credit(session, dispute, decision, printing, now)
    opening.end_contest(session, dispute, now)
    total = memo.total_minor if memo is not None else 0
    talking.move(
        session,
        dispute,
        "resolved",
        now,
        outcome=_outcome(dispute, decision),
        credited_minor=total,
        memo_id=memo.id if memo is not None else None,
        answer=talking.clean(decision.answer),
        decided_by=decision.actor,
        last_side="staff",
        last_at=now,
        closed_at=now,
    )
    about = ("dispute", dispute.public_id)
    audit.write(session, now, decision.actor, "dispute.resolved", about, outcome=dispute.outcome)
    if memo is not None and credited is not None and credited.kept and dispute.wish == "refund":
        send_back(session, memo, now)
    jobs.record(
        session,
        DisputeClosed(str(dispute.id), "resolved"),
        now,
        key=f"dispute-closed:{dispute.id}",
    )
    crash.point("dispute.before_commit")
    return dispute


def _outcome(dispute: Dispute, decision: Decision) -> str:
    if not decision.amount:
        return "none"
    return "full" if decision.amount.minor == dispute.amount_minor else "part"


def _credit(
    session: Session, dispute: Dispute, decision: Decision, printing: Printing, now: datetime
) -> tuple[Invoice | None, Credited | None]:
    if not decision.amount:
        return None, None
    line = line_of(session, dispute)
    net = _net(dispute, line, decision.amount)
    wish = memos.Wish(
        dispute.invoice_id,
        {line.row.line_number: net},
        MEMO_REASON,
        f"dispute:{dispute.id}",
        decision.actor,
        refunded=dispute.wish == "refund",
        gross={line.row.line_number: decision.amount.minor},
    )
    return memos.credit(session, wish, printing, now)


def send_back(session: Session, memo: Invoice, now: datetime) -> None:
    """Have what the memo gave back of paid money sent the way it came; asked twice, once."""
    event = CreditToRefund(str(memo.id))
    jobs.record(session, event, now, key=f"credit-to-refund:{memo.id}")
