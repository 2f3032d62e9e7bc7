"""One account's dealings with the ledger, each in a transaction of its own, for tests of single acts."""

import uuid
from dataclasses import dataclass
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.money import Money
from core.ledger import business, items, memos
from core.ledger.items import Open
from core.ledger.models import Application, JournalEntry, OpenItem
from tests.rooms.ledger.books import DAY, balance, document, receipt, sound
from tests.world import World, account


@dataclass
class Counter:
    """Bills, payments and what the books say afterwards."""

    db: Database
    world: World
    clock: ManualClock
    who: uuid.UUID

    def somebody(self, name: str = "Casey Vale") -> uuid.UUID:
        made = self.db.run_tx(lambda s: account(s, self.world, self.clock.now(), name=name))
        return made.id

    def bill(
        self,
        minor: int = 10_000,
        currency: str = "USD",
        *,
        on: date = DAY,
        who: uuid.UUID | None = None,
        due: date | None = None,
    ) -> Open:
        def work(session: Session) -> Open:
            issued = document(self.world, who or self.who, Money(minor, currency), on=on, due=due)
            key = business.charge(session, issued, self.clock.now())
            assert key is not None
            return items.get(session, key)

        return self.db.run_tx(work)

    def pay(
        self, minor: int, *wanted: Open, currency: str = "USD", on: date = DAY
    ) -> tuple[uuid.UUID, int]:
        """A payment for these bills; answers its key and what stayed unapplied."""

        def work(session: Session) -> tuple[uuid.UUID, int]:
            came = receipt(self.world, self.who, Money(minor, currency), on=on)
            fresh = [items.get(session, one.id) for one in wanted]
            asked = [(one, one.open) for one in fresh]
            left = business.receive_for_items(session, came, asked, self.clock.now())
            return came.payment_id, left.minor

        return self.db.run_tx(work)

    def memo(self, bill: Open, minor: int, on: date = DAY) -> memos.Credited:
        """So much of a bill is given back."""
        credited = document(self.world, self.who, Money(minor, bill.amount.currency), on=on)

        def work(session: Session) -> memos.Credited:
            owed = items.get(session, bill.id)
            return memos.credit_bill(session, credited, owed, self.clock.now())

        return self.db.run_tx(work)

    def deposit(self, minor: int, currency: str = "USD", on: date = DAY) -> Open:
        def work(session: Session) -> Open:
            came = receipt(self.world, self.who, Money(minor, currency), on=on)
            key = business.receive_for_order(session, came, uuid.uuid4(), self.clock.now())
            return items.get(session, key)

        return self.db.run_tx(work)

    def fresh(self, one: Open) -> Open:
        with self.db.reading() as session:
            return items.get(session, one.id)

    def open(self, one: Open) -> int:
        return self.fresh(one).open.minor

    def held(self, who: uuid.UUID | None = None) -> dict[str, int]:
        """What is held for the account, by the ledger's account."""
        found: dict[str, int] = {}
        with self.db.reading() as session:
            for one in items.held_for(session, [who or self.who]):
                found[one.ledger_code] = found.get(one.ledger_code, 0) + one.open.minor
        return found

    def of(self, source_id: uuid.UUID, code: str) -> Open:
        with self.db.reading() as session:
            (found,) = items.find(
                session, OpenItem.source_id == source_id, OpenItem.ledger_code == code
            )
        return found

    def application(self, one: Open) -> uuid.UUID:
        """The only application to a bill that reverses nothing."""
        with self.db.reading() as session:
            return session.scalars(
                select(Application.id).where(
                    Application.debit_item_id == one.id, Application.reverses_id.is_(None)
                )
            ).one()

    def balances(self, *codes: str) -> list[int]:
        """What the journal has on these accounts, when everything is proved."""
        with self.db.reading() as session:
            sound(session)
            return [balance(session, code) for code in codes]

    def days(self) -> list[tuple[str, date]]:
        """Kind and effective date of each entry, in posting order."""
        with self.db.reading() as session:
            rows = session.execute(
                select(JournalEntry.kind, JournalEntry.effective_date).order_by(
                    JournalEntry.posting_number
                )
            )
            return [(kind, on) for kind, on in rows]


@pytest.fixture
def counter(db: Database, world: World, clock: ManualClock) -> Counter:
    who = db.run_tx(lambda session: account(session, world, clock.now()).id)
    return Counter(db, world, clock, who)
