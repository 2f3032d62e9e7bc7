"""A statement before it has a number: the figures of its period, put into the document model.

Called by ``making``, for statements and for previews. Reads only.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger.chart import (
    CUSTOMER_CREDIT,
    ORDER_DEPOSIT,
    RECEIVABLE,
    RECEIVABLE_CHARGED_BACK,
    UNAPPLIED,
)
from core.parties.models import Account, Channel, LegalEntity
from invoices.document import Buyer, Seller
from invoices.statements import taking
from invoices.statements.document import (
    Age,
    Composition,
    Moved,
    Movement,
    Section,
    StatementDocument,
)
from invoices.statements.models import Statement
from invoices.statements.rolling import BALANCE, Kind, Roll, kind_of, roll
from invoices.statements.taking import Owed, Taken, Told
from invoices.statements.wording import detail_of, what_of

#: Somebody who finds a mistake has so long to say so.
DISPUTE_DAYS = 60
#: Days past due at which the next age begins, and what it is called.
_AGES = (
    (1, "Not yet due"),
    (31, "1 to 30 days late"),
    (61, "31 to 60 days late"),
    (91, "61 to 90 days late"),
    (None, "Over 90 days late"),
)


@dataclass(frozen=True)
class Range:
    """Which postings of an account are taken: those after ``after`` up to ``upto``."""

    account: Account
    sequence: int
    after: int
    upto: int
    opening_minor: int


@dataclass(frozen=True)
class Basis:
    """Everything that a statement is made of. ``before`` is who was on the statement before, with
    what they closed with."""

    account: Account
    members: Sequence[Range]
    before: Mapping[uuid.UUID, tuple[Account, int]]
    entity: LegalEntity
    channel: Channel | None
    currency: str
    previous: Statement | None
    issue_date: date
    period_start: date
    cutoff: int
    postal: Callable[[dict[str, Any] | None], tuple[str, ...]]

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    def decimal(self, minor: int) -> Decimal:
        return self.money(minor).decimal()


@dataclass(frozen=True)
class Draft:
    """A statement but for its number. ``closings`` by account; ``differences`` to the ledger in words."""

    basis: Basis
    roll: Roll
    document: StatementDocument
    closings: Mapping[uuid.UUID, int]
    due_minor: int
    is_worth_it: bool
    differences: tuple[str, ...]


def draft(
    session: Session,
    basis: Basis,
    naming: Callable[[Session, Sequence[uuid.UUID]], Mapping[uuid.UUID, tuple[str, str]]],
) -> Draft:
    """The statement of this basis."""
    taken = [
        each
        for member in basis.members
        for each in taking.entries(
            session, member.account, basis.currency, member.after, member.upto
        )
    ]
    kinds = [(kind_of(each.kind, basis.money(each.minor)), each) for each in taken]
    moves = _moves(basis)
    rolled = roll(
        basis.money(basis.previous.closing_minor if basis.previous else 0),
        basis.money(sum(minor for _, minor in moves)),
        [(kind, basis.money(each.minor)) for kind, each in kinds],
    )
    closings = {member.account.id: member.opening_minor for member in basis.members}
    for each in taken:
        closings[each.account_id] += each.minor
    books = {
        member.account.id: taking.balances(session, member.account, basis.currency, member.upto)
        for member in basis.members
    }
    owed = [
        item
        for member in basis.members
        for item in taking.owed(session, member.account, basis.currency, member.upto)
    ]
    sums = _sums(books)
    asked = _Asked.of(owed, sums, basis.issue_date)
    document = _document(session, basis, rolled, kinds, moves, sums, owed, asked, naming)
    return Draft(
        basis,
        rolled,
        document,
        closings,
        asked.due_minor,
        bool(taken or moves or asked.due_minor),
        tuple(_differences(basis, closings, books, rolled)),
    )


def _differences(
    basis: Basis,
    closings: Mapping[uuid.UUID, int],
    books: Mapping[uuid.UUID, dict[str, int]],
    r: Roll,
) -> list[str]:
    found = []
    for member in basis.members:
        ledger = sum(books[member.account.id].get(code, 0) for code in BALANCE)
        if ledger != closings[member.account.id]:
            found.append(
                f"account {member.account.number} closes with {basis.money(closings[member.account.id])},"
                f" the ledger with {basis.money(ledger)}"
            )
    if sum(closings.values()) != r.closing.minor:
        found.append(f"its accounts close with {sum(closings.values())}, not {r.closing.minor}")
    return found


def _sums(books: Mapping[uuid.UUID, dict[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = dict.fromkeys((*BALANCE, ORDER_DEPOSIT), 0)
    for by_code in books.values():
        for code, minor in by_code.items():
            sums[code] += minor
    return sums


def _moves(basis: Basis) -> list[tuple[Account, int]]:
    """What came onto the statement or left it with an account, other than by postings."""
    now = {member.account.id: (member.account, member.opening_minor) for member in basis.members}
    changes = [
        (account, now.get(key, (account, 0))[1] - closed)
        for key, (account, closed) in basis.before.items()
    ]
    changes += [each for key, each in now.items() if key not in basis.before]
    found = [(account, minor) for account, minor in changes if minor]
    return sorted(found, key=lambda each: each[0].number)


@dataclass(frozen=True)
class _Asked:
    """What is to be paid now: receivable that is neither another system's history nor disputed, less
    credit; and how much of it is late."""

    due_minor: int
    overdue_minor: int
    due_date: date | None

    @classmethod
    def of(cls, owed: Sequence[Owed], sums: Mapping[str, int], today: date) -> "_Asked":
        ours = [
            (each.due, each.minor - each.contested)
            for each in owed
            if each.ledger_code == RECEIVABLE and not each.is_history
        ]
        held = -(sums[CUSTOMER_CREDIT] + sums[UNAPPLIED])
        due = max(0, sum(minor for _, minor in ours) - held)
        late = min(due, max(0, sum(minor for day, minor in ours if day < today) - held))
        return cls(
            due,
            late,
            min((day for day, minor in ours if minor), default=None) if due and not late else None,
        )


def _document(
    session: Session,
    basis: Basis,
    rolled: Roll,
    kinds: Sequence[tuple[Kind, Taken]],
    moves: Sequence[tuple[Account, int]],
    sums: Mapping[str, int],
    owed: Sequence[Owed],
    asked: _Asked,
    naming: Callable[[Session, Sequence[uuid.UUID]], Mapping[uuid.UUID, tuple[str, str]]],
) -> StatementDocument:
    entity, account, channel, previous = basis.entity, basis.account, basis.channel, basis.previous
    locale = account.locale or (channel.locale if channel else "en_US")
    return StatementDocument(
        number="",
        issue_date=basis.issue_date,
        period_start=min(basis.period_start, basis.issue_date - timedelta(days=1)),
        period_end=basis.issue_date - timedelta(days=1),
        currency=basis.currency,
        locale=locale.replace("_", "-"),
        seller=Seller(
            name=entity.name,
            address=tuple(str(line) for line in entity.address),
            tax_id=entity.tax_id or "",
            phone=entity.phone or "",
            email=entity.email or "",
        ),
        buyer=Buyer(
            name=account.name,
            address=basis.postal(account.billing_address),
            account_number=account.number,
            email=account.email or "",
        ),
        opening=rolled.opening.decimal(),
        moved=rolled.moved.decimal(),
        payments=rolled.payments.decimal(),
        adjustments=rolled.adjustments.decimal(),
        charges=rolled.charges.decimal(),
        closing=rolled.closing.decimal(),
        composition=Composition(
            receivable=basis.decimal(sums[RECEIVABLE]),
            charged_back=basis.decimal(sums[RECEIVABLE_CHARGED_BACK]),
            credit=basis.decimal(-sums[CUSTOMER_CREDIT]),
            unapplied=basis.decimal(-sums[UNAPPLIED]),
        ),
        sections=_sections(session, basis, kinds, naming),
        cutoff=basis.cutoff,
        ageing=_ageing(basis, owed),
        moves=tuple(Moved(each.name, each.number, basis.decimal(minor)) for each, minor in moves),
        deposits=basis.decimal(-sums[ORDER_DEPOSIT]),
        amount_due=basis.decimal(asked.due_minor),
        overdue=basis.decimal(asked.overdue_minor),
        due_date=asked.due_date,
        previous_number=previous.number if previous else "",
        previous_date=previous.issue_date if previous else None,
        dispute_by=basis.issue_date + timedelta(days=DISPUTE_DAYS),
    )


def _ageing(basis: Basis, owed: Sequence[Owed]) -> tuple[Age, ...]:
    sums = [0] * len(_AGES)
    for each in owed:
        days = (basis.issue_date - each.due).days
        at = next(at for at, (until, _) in enumerate(_AGES) if until is None or days < until)
        sums[at] += each.minor
    return tuple(
        Age(label, basis.decimal(minor)) for (_, label), minor in zip(_AGES, sums, strict=True)
    )


def _sections(
    session: Session,
    basis: Basis,
    kinds: Sequence[tuple[Kind, Taken]],
    naming: Callable[[Session, Sequence[uuid.UUID]], Mapping[uuid.UUID, tuple[str, str]]],
) -> tuple[Section, ...]:
    """The movements by service account: the statement's own account first, the others by number."""
    taken = [each for _, each in kinds]
    told = taking.documents(session, taken)
    unnamed = {each.source_id for each in taken if each.source_id not in told}
    names = naming(session, sorted(unnamed))
    loose = [
        e.entry_id for kind, e in kinds if kind is not Kind.PAYMENT and e.source_id not in told
    ]
    about = taking.service_accounts(session, loose)
    by_account: dict[uuid.UUID, list[Movement]] = {}
    for kind, each in kinds:
        document = told.get(each.source_id)
        service = each.account_id
        if kind is not Kind.PAYMENT:
            found = document.service_account_id if document else about.get(each.entry_id)
            service = found or each.account_id
        by_account.setdefault(service, []).append(
            _movement(basis, kind, each, document, names.get(each.source_id, ("", "")))
        )
    rows = session.scalars(select(Account).where(Account.id.in_(by_account))).all()
    rows = sorted(rows, key=lambda row: (row.id != basis.account.id, row.number))
    return tuple(_section(basis, row, by_account[row.id]) for row in rows)


def _movement(
    basis: Basis, kind: Kind, each: Taken, document: Told | None, name: tuple[str, str]
) -> Movement:
    return Movement(
        kind=kind,
        on=each.on,
        what=what_of(each, document),
        number=document.number if document else name[0],
        amount=basis.decimal(each.minor),
        posting=each.posting,
        detail=detail_of(each, document, name[1]),
        due=document.due_date if document and kind is Kind.CHARGE else None,
        is_late=basis.previous is not None and each.on <= basis.previous.period_end,
    )


def _section(basis: Basis, account: Account, movements: list[Movement]) -> Section:
    zero = basis.decimal(0)
    ordered = tuple(sorted(movements, key=lambda each: (each.on, each.posting)))
    sums = {
        kind: sum((each.amount for each in ordered if each.kind is kind), zero) for kind in Kind
    }
    place = (account.billing_address or {}).get("line1", "")
    return Section(
        name=account.name,
        account_number=account.number,
        place=str(place or ""),
        payments=sums[Kind.PAYMENT],
        adjustments=sums[Kind.ADJUSTMENT],
        charges=sums[Kind.CHARGE],
        movements=ordered,
    )
