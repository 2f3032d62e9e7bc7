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


def composed(
    session: Session,
    ground: Ground,
    bounds: Bounds,
    payer: Account,
    difference: Difference,
    answers: Answers,
) -> list[Bill]:
    """The invoices of a difference, within the bounds. Raises TooMuch, NobodyBills and Unanswered."""
    bounds.check_charges(difference.charges)
    bills = composing.compose(session, ground, payer, difference.charges, answers)
    for bill in bills:
        bounds.check(bill.content)
    return bills


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
    bills = composed(session, ground, bounds, payer, difference, answers)
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


def post_plain(
    session: Session, ground: Ground, cases: Sequence[tuple[Account, Sequence[Bill]]], actor: str
) -> dict[uuid.UUID, Posted]:
    """Write the composed invoices of several payers who get nothing back and have no credit: the same rows
    as ``post`` writes, in a few statements for all of them."""
    bills = [bill for _, mine in cases for bill in mine]
    made: dict[int, Invoice] = {}
    for entity_id in dict.fromkeys(bill.content.entity.id for bill in bills):
        mine = [bill for bill in bills if bill.content.entity.id == entity_id]
        contents = [bill.content for bill in mine]
        invoices = writing.write_many(session, contents, ground.printing, ground.now)
        crash.point("bill.many_written")
        documents = [
            writing.for_the_ledger(invoice, content)
            for invoice, content in zip(invoices, contents, strict=True)
        ]
        business.charge_many(session, documents, ground.now)
        writing.tell_many(session, invoices, actor, ground.now)
        made |= {id(bill): invoice for bill, invoice in zip(mine, invoices, strict=True)}
    wanted = [_charge_wanted(made[id(bill)], bill) for bill in bills if _is_charged(bill)]
    jobs.record_many(session, wanted, ground.now)
    return {payer.id: Posted(tuple(made[id(bill)] for bill in mine)) for payer, mine in cases}


def _is_charged(bill: Bill) -> bool:
    content = bill.content
    return bill.method_id is not None and content.total_minor > content.applied_minor


def _charge_wanted(invoice: Invoice, bill: Bill) -> tuple[ChargeWanted, str]:
    event = ChargeWanted(str(invoice.id), str(bill.method_id))
    return event, f"charge-wanted:{invoice.id}"


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
    if _is_charged(replace(bill, content=content)):
        event, key = _charge_wanted(invoice, bill)
        jobs.record(session, event, now, key=key)
    return invoice


def with_credit(content: Content, parts: Sequence[tuple[Open, Money]]) -> Content:
    """The document says which credit was taken off."""
    text = words(content.locale).your_credit
    applied = [
        Applied(text.format(item.number), part.decimal(), content.issue_date)
        for item, part in parts
    ]
    return replace(content, applied=applied)
