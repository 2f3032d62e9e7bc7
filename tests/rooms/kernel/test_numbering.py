"""Our number series have no gap and no double."""

import threading
import uuid

import pytest
from sqlalchemy.orm import Session

from core.kernel.db import Database
from core.kernel.numbering import last_taken, take
from core.parties.models import LegalEntity
from tests.world import World


def test_a_series_begins_at_one_and_counts_on(db: Database, world: World):
    with db.transaction() as session:
        assert last_taken(session, world.legal_entity_id, "invoice") == 0
        taken = [take(session, world.legal_entity_id, "invoice") for _ in range(3)]
        assert taken == [1, 2, 3]
        assert last_taken(session, world.legal_entity_id, "invoice") == 3


def test_several_numbers_are_taken_in_a_row(db: Database, world: World):
    with db.transaction() as session:
        assert take(session, world.legal_entity_id, "invoice", count=5) == 1
        assert take(session, world.legal_entity_id, "invoice") == 6


def test_each_series_and_each_legal_entity_counts_for_itself(db: Database, world: World):
    with db.transaction() as session:
        second = _second_entity(session)
        assert take(session, world.legal_entity_id, "invoice") == 1
        assert take(session, world.legal_entity_id, "credit_memo") == 1
        assert take(session, second, "invoice") == 1
        assert take(session, world.legal_entity_id, "invoice") == 2


def _second_entity(session: Session) -> uuid.UUID:
    entity = LegalEntity(
        code="lakeside",
        name="Lakeside Broadband",
        address=[],
        country="US",
        time_zone="America/New_York",
        functional_currency="USD",
    )
    session.add(entity)
    session.flush()
    return entity.id


def test_a_rollback_leaves_no_gap(db: Database, world: World):
    with db.transaction() as session:
        take(session, world.legal_entity_id, "invoice")

    def fail() -> None:
        with db.transaction() as session:
            assert take(session, world.legal_entity_id, "invoice") == 2
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with db.transaction() as session:
        assert take(session, world.legal_entity_id, "invoice") == 2


@pytest.mark.parametrize("begun", [True, False])
def test_those_who_take_at_once_get_neighbours(db: Database, world: World, begun: bool):
    if begun:
        with db.transaction() as session:
            take(session, world.legal_entity_id, "invoice")
    start = threading.Barrier(4)
    taken: list[int] = []

    def bill() -> None:
        start.wait(10)
        for _ in range(5):
            with db.transaction() as session:  # no second try: a wait is all it may take
                number = take(session, world.legal_entity_id, "invoice")
            taken.append(number)

    threads = [threading.Thread(target=bill) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    first = 2 if begun else 1
    assert sorted(taken) == list(range(first, first + 20))
