"""What the ledger hands to other programs: rows of CSV files, in one order, read as they are written.

``flows.export`` opens the snapshot and says what documents and payments are called; see docs/reports.md.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from sqlalchemy.orm import Session

from core.kernel import sheet
from core.kernel.money import Money
from core.kernel.sheet import EMPTY, Cell
from core.ledger import ageing, balances, book, movements
from core.ledger.book import Wanted
from core.ledger.cuts import Cut
from core.parties.models import LegalEntity

#: What the things are called that entries stand for: documents and payments by their keys.
Named = Callable[[Session, Sequence[uuid.UUID]], Mapping[uuid.UUID, str]]
#: How far it has come: done and whole.
Told = Callable[[int, int], None]
Row = Sequence[Cell]

JOURNAL = (
    *("legal_entity", "posting", "effective_date", "posted_at", "kind", "source_kind", "source"),
    *("line", "ledger_account", "name", "class", "account", "currency", "debit", "credit"),
    *("functional_currency", "functional_debit", "functional_credit", "rate"),
)
GENERAL_JOURNAL = (
    *("legal_entity", "period", "class", "ledger_account", "name", "currency"),
    *("debits", "credits"),
)
TRIAL_BALANCE = (
    *("legal_entity", "as_of", "ledger_account", "name", "class", "currency", "debits", "credits"),
    *("debit_balance", "credit_balance", "functional_currency", "functional_balance"),
)
AGEING = (
    *("legal_entity", "as_of", "account", "name", "currency", "current", "days_1_30"),
    *("days_31_60", "days_61_90", "days_over_90", "total", "contested"),
)
HISTORY = (
    *("legal_entity", "account", "posting", "effective_date", "posted_at", "kind"),
    *("source_kind", "source", "currency", "debit", "credit", "balance"),
)


def journal(
    session: Session, entity: LegalEntity, cut: Cut, wanted: Wanted, named: Named, told: Told
) -> Iterator[Row]:
    """Each line of each entry, in posting order."""
    who, own = sheet.words(entity.code), entity.functional_currency
    for done, last, entries in book.whole(session, cut, wanted):
        names = named(session, list({entry.source_id for entry in entries}))
        for entry in entries:
            head = (
                who,
                sheet.code(entry.number),
                sheet.day(entry.on),
                sheet.moment(entry.posted_at),
                sheet.code(entry.kind),
                sheet.code(entry.source_kind),
                sheet.words(names.get(entry.source_id)),
            )
            for position, line in enumerate(entry.lines, start=1):
                yield (
                    *head,
                    sheet.code(position),
                    sheet.code(line.code),
                    sheet.words(line.name),
                    sheet.code(line.ledger_class),
                    sheet.words(line.account_number),
                    sheet.code(line.amount.currency),
                    *sheet.debit_credit(line.amount),
                    sheet.code(own),
                    *sheet.debit_credit(Money(line.functional, own)),
                    sheet.code(line.rate),
                )
        told(done, last)


def general_journal(
    session: Session, entity: LegalEntity, cut: Cut, first: date | None
) -> Iterator[Row]:
    """What each ledger account was debited and credited, month by month."""
    for each in balances.by_month(session, cut, first):
        yield (
            sheet.words(entity.code),
            sheet.code(f"{each.month:%Y-%m}"),
            sheet.code(each.sums.ledger_class),
            sheet.code(each.sums.code),
            sheet.words(each.sums.name),
            sheet.code(each.sums.debits.currency),
            sheet.amount(each.sums.debits),
            sheet.amount(each.sums.credits),
        )


def trial_balance(session: Session, entity: LegalEntity, cut: Cut) -> Iterator[Row]:
    """Each ledger account's sums and balance."""
    for sums in balances.trial_balance(session, cut):
        yield (
            sheet.words(entity.code),
            sheet.day(cut.as_of),
            sheet.code(sums.code),
            sheet.words(sums.name),
            sheet.code(sums.ledger_class),
            sheet.code(sums.debits.currency),
            sheet.amount(sums.debits),
            sheet.amount(sums.credits),
            *sheet.debit_credit(sums.balance),
            sheet.code(entity.functional_currency),
            sheet.amount(Money(sums.functional, entity.functional_currency)),
        )


def aged(session: Session, entity: LegalEntity, cut: Cut, today: date) -> Iterator[Row]:
    """What each account owes, by age."""
    for row in ageing.rows(session, cut, today):
        yield (
            sheet.words(entity.code),
            sheet.day(today),
            sheet.words(row.number),
            sheet.words(row.name),
            sheet.code(row.ages.total.currency),
            *(sheet.amount(part) for part in row.ages.buckets),
            sheet.amount(row.ages.total),
            sheet.amount(row.ages.contested),
        )


def history(
    session: Session,
    entity: LegalEntity,
    account: tuple[uuid.UUID, str],
    cut: Cut,
    named: Named,
) -> Iterator[Row]:
    """One account's movements with the balance after each, the oldest first; a debit is owed by it."""
    for some in _some(movements.whole(session, account[0], cut)):
        names = named(session, [movement.source_id for movement in some])
        for movement in some:
            yield (
                sheet.words(entity.code),
                sheet.words(account[1]),
                sheet.code(movement.place.number),
                sheet.day(movement.place.on),
                sheet.moment(movement.posted_at),
                sheet.code(movement.kind),
                sheet.code(movement.source_kind),
                sheet.words(names.get(movement.source_id)),
                sheet.code(movement.place.currency),
                *(sheet.debit_credit(movement.change) if movement.change else (EMPTY, EMPTY)),
                sheet.amount(movement.balance),
            )


def _some(found: Iterator[movements.Movement]) -> Iterator[list[movements.Movement]]:
    kept: list[movements.Movement] = []
    for movement in found:
        kept.append(movement)
        if len(kept) == book.BATCH:
            yield kept
            kept = []
    yield kept
