"""Statements of all accounts whose bill day has come: each made once, rendered by the worker, told by mail.

``run`` owns its commits, one for each statement: stopped in the middle and run again, it ends the same.
Two at once do no harm: whoever comes second finds the statement there.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cart import address as postal
from core.kernel import audit
from core.kernel.clock import FIRST_ZONE, local_date
from core.kernel.errors import ShopError
from core.parties import accounts, moves
from core.parties.models import Account
from flows.house import House
from invoices.statements import addressing, making, storing
from invoices.statements.addressing import Due
from invoices.statements.document import StatementDocument
from invoices.statements.making import Outside
from payments import reading as payments

_log = structlog.get_logger("statements")
STAGE = "Statements"


@dataclass
class Report:
    """What a run came to. ``parked`` names accounts that got none, and why."""

    accounts: int = 0
    made: int = 0
    parked: list[str] = field(default_factory=list)


def run(
    house: House,
    as_of: date,
    *,
    account_number: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Report:
    """Make every statement that is due by ``as_of``. An account whose figures do not tie to the ledger
    is parked and reported; the run goes on. NotFound for an account number that nobody has."""
    waiting = _waiting(house, as_of, account_number)
    report = Report(accounts=len(waiting))
    for count, due in enumerate(waiting, start=1):
        try:
            while _make(house, due, as_of):
                report.made += 1
        except (ShopError, IntegrityError) as error:
            report.parked.append(f"{due.number}: {_told(error)}")
            _log.error("statement.parked", account=due.number, error=_told(error))
        if progress is not None:
            progress(STAGE, count, len(waiting))
    return report


def preview(
    house: House, as_of: date, *, account_number: str | None = None
) -> Iterator[tuple[Due, StatementDocument]]:
    """What ``run`` would make first for each account; writes nothing."""
    waiting = _waiting(house, as_of, account_number)
    outside, now = _outside(house), house.clock.now()
    for due in waiting:
        with house.db.snapshot() as session:
            account = session.get_one(Account, due.account_id)
            draft = making.next_draft(session, account, due.currency, as_of, outside, now)
        if draft is not None:
            yield due, draft.document


def address(house: House, account_number: str, to_number: str | None) -> None:
    """Have an account stated with the one that it stands under (and put it there), or None: by itself.

    Its balance and what comes next go along; statements that were made stay. NotFound for a number that
    nobody has, ParentRefused for an account that cannot stand there.
    """

    def work(session: Session) -> None:
        account = accounts.by_number(session, account_number)
        if to_number is not None:
            to = accounts.by_number(session, to_number)
            moves.set_parent(session, account.id, to.id)
        moves.state_with_parent(session, account.id, to_number is not None)
        act = "account.stated_with" if to_number else "account.stated_by_itself"
        about = ("account", account.public_id)
        audit.write(session, house.clock.now(), "system", act, about)

    house.db.run_tx(work)


def by_the_clock(house: House) -> Report:
    """The daily run. Where a day has begun in any account's zone, its statements are due."""
    return run(house, local_date(house.clock.now(), FIRST_ZONE))


def store(house: House, statement_id: uuid.UUID) -> str:
    """Render a statement, once; answers the hash of its bytes."""
    return storing.store(house.db, house.blobs, statement_id, house.clock)


def _waiting(house: House, as_of: date, account_number: str | None) -> list[Due]:
    with house.db.snapshot() as session:
        one = accounts.by_number(session, account_number).id if account_number else None
        return addressing.due(session, as_of, one)


def _make(house: House, due: Due, as_of: date) -> bool:
    def work(session: Session) -> bool:
        now, outside = house.clock.now(), _outside(house)
        made = making.make_next(session, due.account_id, due.currency, as_of, outside, now)
        return made is not None

    return house.db.run_tx(work)


def _outside(house: House) -> Outside:
    return Outside(house.links.statement, postal.lines, _named)


def _named(session: Session, keys: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, tuple[str, str]]:
    return payments.named(session, keys)


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, ShopError) else type(error).__name__
