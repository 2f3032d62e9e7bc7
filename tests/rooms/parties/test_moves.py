"""An account moves to another parent or owner, and not one entry moves with it."""

import uuid
from datetime import date
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import NotFound
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import business, items
from core.ledger.business import Document
from core.ledger.chart import CONTRACT_LIABILITY
from core.ledger.models import JournalLine
from core.parties import accounts, moves
from core.parties.models import Account, LegalEntity
from core.parties.moves import ParentRefused
from tests.together import at_once
from tests.world import World, account, user

DAY = date(2026, 11, 17)


@pytest.fixture
def family(db: Database, world: World, clock: ManualClock) -> list[uuid.UUID]:
    """Three accounts; the first has a bill."""

    def work(session: Session) -> list[uuid.UUID]:
        keys = [account(session, world, clock.now()).id for _ in range(3)]
        amount = Money(5_000, "USD")
        nets = [(CONTRACT_LIABILITY, amount)]
        entity = world.legal_entity_id
        bill = Document(new_id(), entity, keys[0], "100001", DAY, DAY, nets, Money.zero("USD"))
        business.charge(session, bill, clock.now())
        return keys

    return db.run_tx(work)


def books(db: Database) -> list[tuple[object, ...]]:
    with db.reading() as session:
        rows = session.execute(
            select(JournalLine.entry_id, JournalLine.account_id, JournalLine.amount_minor).order_by(
                JournalLine.entry_id, JournalLine.line_number
            )
        )
        return [tuple(row) for row in rows]


def parent_of(db: Database, key: uuid.UUID) -> uuid.UUID | None:
    with db.reading() as session:
        return session.get_one(Account, key).parent_id


def test_a_new_parent_moves_no_entry(db: Database, family: list[uuid.UUID]):
    child, first, second = family
    before = books(db)
    for parent in (first, second, None):
        db.run_tx(partial(moves.set_parent, account_id=child, parent_id=parent))
        assert parent_of(db, child) == parent
        assert books(db) == before
    with db.reading() as session:
        assert [one.account_id for one in items.owed_by(session, [child])] == [child]
        assert items.owed_by(session, [first, second]) == []


def test_a_new_owner_moves_no_entry(db: Database, clock: ManualClock, family: list[uuid.UUID]):
    key, before = family[0], books(db)

    def people(session: Session) -> list[uuid.UUID]:
        made = [user(session, clock.now(), email=f"{n}@example.com").id for n in ("a", "b", "c")]
        accounts.join(session, made[0], key, "owner", clock.now())
        accounts.join(session, made[2], key, "viewer", clock.now())
        return made

    first, second, third = db.run_tx(people)
    db.run_tx(lambda s: moves.hand_over(s, key, first, second, clock.now()))
    with pytest.raises(NotFound):
        db.run_tx(lambda s: moves.hand_over(s, key, first, second, clock.now()))
    db.run_tx(lambda s: moves.hand_over(s, key, second, third, clock.now()))
    with db.reading() as session:
        seen = {one: len(accounts.payable_by(session, one)) for one in (first, second, third)}
    assert seen == {first: 0, second: 0, third: 1}
    assert books(db) == before


def test_nobody_stands_under_themselves(db: Database, family: list[uuid.UUID]):
    top, middle, low = family
    db.run_tx(lambda s: moves.set_parent(s, middle, top))
    db.run_tx(lambda s: moves.set_parent(s, low, middle))
    for key, parent in ((top, top), (top, middle), (top, low), (middle, low)):
        with pytest.raises(ParentRefused):
            db.run_tx(partial(moves.set_parent, account_id=key, parent_id=parent))
    assert [parent_of(db, key) for key in family] == [None, top, middle]


def test_two_moves_at_once_make_no_circle(db: Database, family: list[uuid.UUID]):
    one, other, _ = family
    outcomes = at_once(
        db,
        [
            lambda session: moves.set_parent(session, one, other),
            lambda session: moves.set_parent(session, other, one),
        ],
    )
    assert sum(isinstance(each, ParentRefused) for each in outcomes) == 1
    assert {parent_of(db, one), parent_of(db, other)} in ({None, one}, {None, other})


def test_a_parent_bills_for_the_same_legal_entity(
    db: Database, clock: ManualClock, family: list[uuid.UUID]
):
    with db.transaction() as session:
        entity = LegalEntity(
            code="other",
            name="Other",
            address=[],
            country="US",
            time_zone="UTC",
            functional_currency="USD",
        )
        session.add(entity)
        session.flush()
        new = accounts.NewAccount("Elsewhere", None)
        stranger = accounts.open_account(session, entity, None, new, clock.now()).id
    with pytest.raises(ParentRefused):
        db.run_tx(lambda s: moves.set_parent(s, family[0], stranger))
