"""Making statements: one account and period at a time, in the caller's transaction, once.

A statement takes the postings of its accounts from the number after the last one that was taken up to
its cut-off. So each posting is on exactly one statement, and whatever comes later, however it is dated,
is on a later one. Called by ``flows.make_statements``.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.events import StatementMade
from core.kernel import audit, calendar, crash, jobs, numbering
from core.kernel.clock import local_date
from core.kernel.errors import ShopError
from core.kernel.ids import new_id, new_public_id
from core.parties import accounts
from core.parties.models import Account, Channel, LegalEntity
from invoices.document import ScanLineTooLong, scan_line
from invoices.statements import addressing, drafting, taking
from invoices.statements.document import StatementDocument, fingerprint
from invoices.statements.drafting import Draft, Range
from invoices.statements.models import Statement, StatementRange

SERIES = "statement"
#: The first number is one more than this.
FIRST_NUMBER = 100_000
#: On a statement's scan line the bill is 0: the money is for the account, the oldest bill first.
NO_BILL = 0

#: How payments and refunds are called: by their keys, number and means ("Visa ending 4242").
Naming = Callable[[Session, Sequence[uuid.UUID]], Mapping[uuid.UUID, tuple[str, str]]]


@dataclass(frozen=True)
class Outside:
    """How a statement speaks of what it does not know itself: the address of its page, the postal
    lines of an address, and the names of payments."""

    page_url: Callable[[str], str]
    postal: Callable[[dict[str, Any] | None], tuple[str, ...]]
    naming: Naming


@dataclass(eq=False)
class StatementDisagrees(ShopError):
    """A statement that would not tie to the ledger: none is made, and the books want looking at."""

    code: ClassVar[str] = "statement_disagrees"
    text: ClassVar[str] = "No statement for account {account}: {what}."
    account: str
    what: str


def make_next(
    session: Session,
    account_id: uuid.UUID,
    currency: str,
    as_of: date,
    outside: Outside,
    now: datetime,
) -> Statement | None:
    """Make the account's earliest statement that is due by ``as_of``; None when there is none.

    Of the bill days that have passed, those by which nothing had happened and nothing was to be paid
    are left out: the next statement's period is longer then. StatementDisagrees when the figures do not
    tie to the ledger.
    """
    account = accounts.lock(session, account_id)
    draft = next_draft(session, account, currency, as_of, outside, now)
    if draft is None:
        return None
    wrong = (*draft.differences, *draft.document.disagreements())
    if wrong:
        raise StatementDisagrees(account.number, "; ".join(wrong))
    return _write(session, account, draft, outside, now)


def next_draft(
    session: Session,
    account: Account,
    currency: str,
    as_of: date,
    outside: Outside,
    now: datetime,
) -> Draft | None:
    """What ``make_next`` would make; writes nothing."""
    together = addressing.members(session, account)
    if not together:
        return None
    previous = addressing.last_statement(session, account.id, currency)
    first = taking.first_posted(session, [each.id for each in together], currency)
    until = min(as_of, local_date(now, account.time_zone))
    ended = addressing.last_end(session, account.id, currency)
    days = addressing.bill_days_after(account.bill_day, account.time_zone, ended, first, until)
    ranges = addressing.last_ranges(session, together, currency)
    start = ended + timedelta(days=1) if ended else None
    for day in days:
        cutoff = taking.last_posting_before(
            session, account.legal_entity_id, calendar.begins_at(day, account.time_zone)
        )
        basis = drafting.Basis(
            account=account,
            members=[_range(each, ranges.get(each.id), cutoff) for each in together],
            before=_members_before(session, previous),
            entity=session.get_one(LegalEntity, account.legal_entity_id),
            channel=session.get(Channel, account.channel_id) if account.channel_id else None,
            currency=currency,
            previous=previous,
            issue_date=day,
            period_start=start or local_date(first or now, account.time_zone),
            cutoff=cutoff,
            postal=outside.postal,
        )
        draft = drafting.draft(session, basis, outside.naming)
        if draft.is_worth_it:
            return draft
    return None


def _range(account: Account, last: StatementRange | None, cutoff: int) -> Range:
    after = last.to_posting if last else 0
    return Range(
        account=account,
        sequence=last.sequence + 1 if last else 1,
        after=after,
        upto=max(after, cutoff),
        opening_minor=last.closing_minor if last else 0,
    )


def _members_before(
    session: Session, previous: Statement | None
) -> dict[uuid.UUID, tuple[Account, int]]:
    """The accounts on the statement before, with what they closed with there."""
    if previous is None:
        return {}
    rows = session.execute(
        select(Account, StatementRange.closing_minor)
        .join(StatementRange, StatementRange.account_id == Account.id)
        .where(StatementRange.statement_id == previous.id)
    )
    return {account.id: (account, closing) for account, closing in rows}


def _write(
    session: Session, account: Account, draft: Draft, outside: Outside, now: datetime
) -> Statement:
    statement_id, public_id = new_id(), new_public_id()
    previous, roll = draft.basis.previous, draft.roll
    position = numbering.take(session, account.legal_entity_id, SERIES)
    document = _finished(account, draft, position, outside.page_url(public_id))
    data = document.to_dict()
    statement = Statement(
        id=statement_id,
        public_id=public_id,
        legal_entity_id=account.legal_entity_id,
        channel_id=account.channel_id,
        account_id=account.id,
        currency=draft.basis.currency,
        number=document.number,
        series_position=position,
        sequence=previous.sequence + 1 if previous else 1,
        previous_id=previous.id if previous else None,
        previous_sequence=previous.sequence if previous else None,
        issue_date=document.issue_date,
        period_start=document.period_start,
        period_end=document.period_end,
        made_at=now,
        cutoff=draft.basis.cutoff,
        opening_minor=roll.opening.minor,
        moved_minor=roll.moved.minor,
        payments_minor=roll.payments.minor,
        adjustments_minor=roll.adjustments.minor,
        charges_minor=roll.charges.minor,
        closing_minor=roll.closing.minor,
        due_minor=draft.due_minor,
        entry_count=document.movement_count,
        document=data,
        document_sha256=fingerprint(data),
    )
    session.add(statement)
    session.flush()
    session.add_all(
        StatementRange(
            account_id=member.account.id,
            currency=draft.basis.currency,
            sequence=member.sequence,
            previous_sequence=member.sequence - 1 if member.sequence > 1 else None,
            statement_id=statement_id,
            after_posting=member.after,
            to_posting=member.upto,
            opening_minor=member.opening_minor,
            closing_minor=draft.closings[member.account.id],
        )
        for member in draft.basis.members
    )
    session.flush()
    crash.point("statement.written")
    audit.write(session, now, "system", "statement.made", ("statement", public_id))
    jobs.record(session, StatementMade(str(statement_id)), now, key=f"stated:{statement_id}")
    crash.point("statement.before_commit")
    return statement


def _finished(account: Account, draft: Draft, position: int, url: str) -> StatementDocument:
    """The document with its number, and with what the stub needs where something is due."""
    numbered = replace(draft.document, number=f"S-{FIRST_NUMBER + position}")
    if not draft.due_minor:
        return numbered
    try:
        scan = scan_line(int(account.number), NO_BILL, draft.due_minor)
    except ScanLineTooLong:
        scan = None  # more than a hundred million: nobody sends that with a stub
    return replace(numbered, pay_url=url, scan_line=scan)
