"""What is kept of taxes, ways of delivery and terms is what its mark says, whatever is changed meanwhile."""

import threading
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import Table, bindparam, delete, select, text, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import visitors

from app.tables import metadata
from cart.delivery_models import DeliveryMethod, DeliveryZone
from cart.models import ConsentAsk
from core.kernel import kept_rules
from core.kernel.db import Database, table
from core.kernel.kept_rules import Kept
from core.stock.models import Location
from core.tax import rates
from core.tax.models import TaxRate
from tests.rooms.web.looking import statements
from tests.world import World

NOW = datetime(2026, 11, 17, 19, 11, tzinfo=UTC)
TODAY = NOW.date()
OHIO = {"country": "US", "region": "OH"}


def _rate(world: World, **more) -> TaxRate:
    values = {"jurisdiction": "Here", "name": "Levy", "rate_ppm": 10_000, "region": "OH"}
    return TaxRate(
        legal_entity_id=world.legal_entity_id,
        country="US",
        category="device",
        **{"valid_from": date(2020, 1, 1), **values, **more},
    )


def _way(world: World) -> DeliveryMethod:
    values = {"channel_id": world.channel_id, "country": "US", "price_minor": 500}
    return DeliveryMethod(code="drone", name="Drone", **values)


def _ask(world: World) -> ConsentAsk:
    said = {"mode": "required", "text": "I am 18 or older.", "created_by": "test"}
    return ConsentAsk(channel_id=world.channel_id, code="age", version=1, created_at=NOW, **said)


def _zone(world: World) -> DeliveryZone:
    return DeliveryZone(channel_id=world.channel_id, code="coast", name="Coast", areas=[])


def _place(world: World) -> Location:
    return Location(code="mill", name="Mill Street")


#: A new row of each table that kept statements read, and a column that somebody might change.
RULES: dict[str, tuple[Callable[[World], Any], str]] = {
    "tax_rate": (_rate, "name"),
    "delivery_method": (_way, "name"),
    "delivery_zone": (_zone, "name"),
    "location": (_place, "name"),
    "consent_ask": (_ask, "text"),
}


def marked(db: Database) -> uuid.UUID | None:
    """The mark as it stands."""
    with db.reading() as session:
        return _mark_in(session)


def _mark_in(session: Session) -> uuid.UUID | None:
    return session.scalar(select(kept_rules.mark()))


def test_each_table_that_is_read_by_what_is_kept_is_tried_below():
    read = {
        element.name
        for one in kept_rules.every()
        for element in visitors.iterate(cast(Any, one.statement()))
        if isinstance(element, Table)
    }
    assert len(kept_rules.every()) == 3
    assert read == RULES.keys()


@pytest.mark.parametrize("name", RULES)
def test_each_change_of_a_rule_draws_another_mark(name: str, db: Database, world: World):
    make, column = RULES[name]
    seen = [marked(db)]

    def changed() -> None:
        seen.append(marked(db))

    with db.transaction() as session:
        row = make(world)
        session.add(row)
        session.flush()
        key = row.id
    changed()
    rules = metadata.tables[name]
    with db.transaction() as session:
        session.execute(update(rules).where(rules.c.id == key).values({column: "other"}))
    changed()
    with db.transaction() as session:
        session.execute(delete(rules).where(rules.c.id == key))
    changed()
    assert None not in seen
    assert len(set(seen)) == 4


def test_emptying_a_table_of_rules_draws_another_mark(postgres_db: Database):
    with postgres_db.transaction() as session:
        session.execute(text("TRUNCATE consent_ask"))
    assert marked(postgres_db) is not None


@pytest.fixture
def taxes(db: Database, world: World):
    """The names of what a device is taxed with in Ohio, as an order would ask."""

    def ask(session: Session, under: uuid.UUID | None, on: date = TODAY) -> list[str]:
        seller = world.legal_entity_id
        found = rates.taxes_by_category(session, seller, OHIO, on, under=under)
        return [tax.name for tax in found["device"]]

    return ask


def test_what_is_kept_is_not_asked_again_until_somebody_changes_a_rule(db, world, taxes):
    with db.transaction() as session:  # a mark of its own, so that nothing is known of it
        session.add(_place(world))
    for asked in (2, 0):
        with db.reading() as session:
            under = _mark_in(session)
            with statements(db) as sent:
                assert taxes(session, under) == ["Sales tax"]
        assert len(sent) == asked
    with db.transaction() as session:
        session.add(_rate(world))
    with db.reading() as session:
        assert taxes(session, _mark_in(session)) == ["Levy", "Sales tax"]


def test_without_a_mark_nothing_is_kept(db, world, taxes):
    with db.reading() as session:
        assert taxes(session, None) == ["Sales tax"]
        with statements(db) as sent:
            assert taxes(session, None) == ["Sales tax"]
    assert len(sent) == 1


def test_an_answer_that_a_change_overtook_is_used_but_not_kept_under_the_mark_from_before(
    db, world, taxes
):
    with db.transaction() as session:
        session.add(_place(world))
    with db.snapshot() as earlier, db.reading() as session:
        under = _mark_in(session)
        assert _mark_in(earlier) == under
        with db.transaction() as other:
            other.add(_rate(world))
        assert taxes(session, under) == ["Levy", "Sales tax"]
        assert taxes(earlier, under) == ["Sales tax"], "as of the moment that it sees"
        assert taxes(session, _mark_in(session)) == ["Levy", "Sales tax"]


def test_what_was_rolled_back_was_never_kept_for_others(db, world, taxes):
    before = marked(db)
    drawn = []
    with db.transaction() as session:
        session.add(_rate(world))
        session.flush()
        drawn.append(_mark_in(session))
        assert taxes(session, drawn[0]) == ["Levy", "Sales tax"]
        session.rollback()
    assert marked(db) == before
    with db.transaction() as session:
        session.add(_rate(world, name="Another levy"))
    drawn.append(marked(db))
    with db.reading() as session:
        assert taxes(session, before) is not None
        assert taxes(session, drawn[1]) == ["Another levy", "Sales tax"]
    assert len({before, *drawn}) == 3, "a mark does not come back"


def test_of_its_own_changes_a_transaction_keeps_nothing_under_the_mark_from_before(
    db, world, taxes
):
    with db.transaction() as session:
        session.add(_place(world))
    under = marked(db)
    with db.transaction() as session:
        session.add(_rate(world))
        session.flush()
        assert taxes(session, under) == ["Levy", "Sales tax"]
        session.rollback()
    with db.reading() as session:
        assert taxes(session, under) == ["Sales tax"]


def test_two_that_change_rules_at_once_leave_a_mark_that_stands_for_both(db, world, taxes):
    begun, seen = threading.Event(), []

    def second() -> None:
        with db.transaction() as session:
            session.add(_rate(world, name="Second"))
            begun.set()
            session.flush()
            seen.append(_mark_in(session))

    with db.transaction() as session:
        session.add(_rate(world, name="First"))
        session.flush()
        seen.append(_mark_in(session))
        other = threading.Thread(target=second)
        other.start()
        if not db.is_sqlite:
            assert begun.wait(10)  # it waits at the one row; on SQLite before its first word
    other.join(10)
    assert marked(db) == seen[1] != seen[0]
    with db.reading() as session:
        assert taxes(session, seen[1]) == ["First", "Second", "Sales tax"]


def test_which_taxes_hold_is_decided_by_the_day_and_not_when_they_were_kept(db, world, taxes):
    tomorrow = TODAY + timedelta(days=1)
    with db.transaction() as session:
        session.add(_rate(world, valid_from=tomorrow, valid_to=tomorrow))
    with db.reading() as session:
        under = _mark_in(session)
        for _ in range(2):
            assert taxes(session, under) == ["Sales tax"]
            assert taxes(session, under, tomorrow) == ["Levy", "Sales tax"]
            assert taxes(session, under, tomorrow + timedelta(days=1)) == ["Sales tax"]


def test_no_more_is_kept_than_so_many_answers(db, world, monkeypatch):
    monkeypatch.setattr(kept_rules, "_every", [])
    rules = table(Location)
    one = Kept(lambda: select(rules.c.name).where(rules.c.code == bindparam("code")), most=3)
    with db.transaction() as session:
        session.add(_place(world))
    with db.reading() as session:
        under = _mark_in(session)
        for number in range(10):
            assert one.rows(session, under, {"code": f"place-{number}"}) == []
            assert len(one._answers) <= 3
        found = one.rows(session, under, {"code": "mill"})
        assert [row.name for row in found] == ["Mill Street"]


def test_what_somebody_typed_at_length_is_answered_and_not_kept(db, world, monkeypatch):
    monkeypatch.setattr(kept_rules, "_every", [])
    rules = table(Location)
    one = Kept(lambda: select(rules.c.name).where(rules.c.code == bindparam("code")), most=3)
    with db.transaction() as session:
        session.add(_place(world))
    with db.reading() as session:
        under = _mark_in(session)
        assert one.rows(session, under, {"code": "mill" * 100}) == []
        assert one._answers == {}
        assert [row.name for row in one.rows(session, under, {"code": "mill"})] == ["Mill Street"]
        assert len(one._answers) == 1
