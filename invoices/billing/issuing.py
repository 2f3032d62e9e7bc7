"""Posting a difference: memos for what goes back, invoices for what is charged, credit used at once.

In the caller's transaction, under the lock of the payer's account.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy.orm import Session

from core.events import ChargeWanted
from core.kernel import crash, jobs
from core.kernel.money import Money
from core.ledger import business, credits, items
from core.ledger.items import Open
from core.parties.models import Account
from core.tax.service import Answers
from invoices import writing
from invoices.billing import composing, repairing
from invoices.billing.bounds import Bounds
from invoices.billing.comparing import Difference
from invoices.billing.composing import Bill, Ground
from invoices.content import Content
from invoices.document import Applied
from invoices.models import Invoice
from invoices.words import words


@dataclass(frozen=True)
class Posted:
    """What was written. ``credit_used`` went to the new invoices."""

    invoices: tuple[Invoice, ...] = ()
    memos: tuple[Invoice, ...] = ()
    credit_used: tuple[Money, ...] = ()


@dataclass
class Purse:
    """The payer's free credit while it is used up, the oldest first."""

    items: list[Open] = field(default_factory=list)

    @classmethod
    def of(cls, session: Session, account_id: uuid.UUID) -> "Purse":
        """What is free now."""
        return cls(credits.free(session, account_id))

    def take(self, owed: Money) -> list[tuple[Open, Money]]:
        """What goes to a bill of so much."""
        found, kept = [], []
        for item in self.items:
            same = item.open.currency == owed.currency
            part = min(item.open, owed) if same else Money.zero(item.open.currency)
            if same and part:
                found.append((item, part))
                owed -= part
            if item.open != part or not same:
                kept.append(replace(item, open=item.open - part))
        self.items = kept
        return found


def post(
    session: Session,
    ground: Ground,
    bounds: Bounds,
    payer: Account,
    difference: Difference,
    answers: Answers,
    actor: str,
) -> Posted:
    """Write what a comparison found. Raises TooMuch, NobodyBills, Unanswered and what ``repairing.credit``
    raises: then the caller rolls back."""
    if not difference:
        return Posted()
    bounds.check_charges(difference.charges)
    bills = composing.compose(session, ground, payer, difference.charges, answers)
    for bill in bills:
        bounds.check(bill.content)
    printing, now = ground.printing, ground.now
    backs = repairing.credit(session, difference.repairs, printing, actor, now)
    crash.point("bill.repaired")
    if not bills:
        return Posted(memos=tuple(memo for memo, _ in backs))
    purse = _purse(session, payer, bills[0].content.issue_date, ground)
    made, used = [], []
    for bill in bills:
        parts = purse.take(Money(bill.content.total_minor, bill.content.currency))
        made.append(_issue(session, ground, bill, parts, actor))
        used += [part for _, part in parts]
    crash.point("bill.before_commit")
    return Posted(tuple(made), tuple(memo for memo, _ in backs), tuple(used))


def _purse(session: Session, payer: Account, on: date, ground: Ground) -> Purse:
    """Credit pays older bills first: what is left of it then is for the new ones."""
    purse = Purse.of(session, payer.id)
    if purse.items and credits.use_oldest_first(session, payer.id, on, ground.now):
        purse = Purse.of(session, payer.id)
    return purse


def _issue(
    session: Session,
    ground: Ground,
    bill: Bill,
    parts: Sequence[tuple[Open, Money]],
    actor: str,
) -> Invoice:
    content, now = with_credit(bill.content, parts), ground.now
    invoice = writing.write(session, content, ground.printing, now)
    crash.point("bill.written")
    item_id = business.charge(session, writing.for_the_ledger(invoice, content), now)
    if item_id is not None:
        for held, part in parts:
            fresh, owed = items.get(session, held.id), items.get(session, item_id)
            business.use_credit(session, fresh, owed, part, content.issue_date, now)
    writing.tell(session, invoice, actor, now)
    if bill.method_id is not None and content.total_minor > content.applied_minor:
        event = ChargeWanted(str(invoice.id), str(bill.method_id))
        jobs.record(session, event, now, key=f"charge-wanted:{invoice.id}")
    return invoice


def with_credit(content: Content, parts: Sequence[tuple[Open, Money]]) -> Content:
    """The document says which credit was taken off."""
    text = words(content.locale).your_credit
    applied = [
        Applied(text.format(item.number), part.decimal(), content.issue_date)
        for item, part in parts
    ]
    return replace(content, applied=applied)
