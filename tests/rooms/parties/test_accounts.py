"""Accounts: opened with a number of their own, and seen by their members only."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import NotFound
from core.parties import accounts
from core.parties.accounts import NewAccount
from core.parties.models import Account, LegalEntity, Membership
from tests.together import at_once
from tests.world import ADDRESS, ZONE, World, account, user

ROLES = ("owner", "buyer", "approver", "payer", "viewer")


@pytest.fixture
def riley(db: Database, clock: ManualClock) -> uuid.UUID:
    return db.run_tx(lambda session: user(session, clock.now(), email="riley@example.com").id)


@pytest.fixture
def joined(db: Database, world: World, clock: ManualClock, riley: uuid.UUID):
    """Opens an account, a minute after the one before, and lets Riley onto it in a role."""

    def make(role: str | None, who: uuid.UUID = riley, **more) -> uuid.UUID:
        clock.advance(timedelta(minutes=1))
        with db.transaction() as session:
            made = account(session, world, clock.now())
            for name, value in more.items():
                setattr(made, name, value)
            if role is not None:
                accounts.join(session, who, made.id, role, clock.now())
            return made.id

    return make


def keys(db: Database, ask: Callable, *args) -> list[uuid.UUID]:
    with db.reading() as session:
        return [one.id for one in ask(session, *args)]


# --- opening --------------------------------------------------------------------------------------


def test_an_account_takes_its_ways_from_the_channel(db: Database, world: World, clock: ManualClock):
    with db.transaction() as session:
        channel, entity = accounts.channel_by_code(session, "web")
        new = NewAccount("Riley Moreno", "riley@example.com", dict(ADDRESS))
        made = accounts.open_account(session, entity, channel, new, clock.now())
        number = made.number
    with db.reading() as session:
        found = accounts.by_number(session, number)
    assert (found.currency, found.locale, found.time_zone) == ("USD", "en_US", ZONE)
    assert (found.name, found.kind, found.bill_day) == ("Riley Moreno", "person", 1)
    assert (found.billing_address, found.parent_id) == (ADDRESS, None)
    assert len(number) == 9
    assert number.isdecimal()
    assert number[0] != "0"


def test_without_a_channel_it_takes_them_from_who_bills(
    db: Database, world: World, clock: ManualClock
):
    with db.transaction() as session:
        entity = session.get_one(LegalEntity, world.legal_entity_id)
        new = NewAccount("Counter sales", None, kind="organisation", external_ref="counter")
        made = accounts.open_account(session, entity, None, new, clock.now())
        assert (made.currency, made.time_zone, made.locale) == ("USD", ZONE, None)
    with db.transaction() as session:
        entity = session.get_one(LegalEntity, world.legal_entity_id)
        with pytest.raises(IntegrityError):
            accounts.open_account(session, entity, None, new, clock.now())
        session.rollback()


def test_a_number_is_found_as_it_is_printed(db: Database, world: World, clock: ManualClock):
    key = db.run_tx(lambda session: account(session, world, clock.now(), number="204187751").id)
    with db.reading() as session:
        assert accounts.by_number(session, "204 187 751").id == key
        for wrong in ("204187752", "", "2041877510"):
            with pytest.raises(NotFound):
                accounts.by_number(session, wrong)


def test_numbers_are_not_to_be_guessed_from_each_other():
    drawn = {accounts.new_number() for _ in range(200)}
    assert len(drawn) == 200
    assert all(len(number) == 9 and number[0] != "0" for number in drawn)


def test_a_channel_is_found_by_its_code(db: Database, world: World):
    with db.reading() as session:
        channel, entity = accounts.channel_by_code(session, "web")
        assert (channel.id, entity.id) == (world.channel_id, world.legal_entity_id)
        with pytest.raises(NotFound):
            accounts.channel_by_code(session, "attic")


# --- who may see, pay and buy ---------------------------------------------------------------------


def test_a_user_sees_the_accounts_they_are_on_the_oldest_first(db, clock, riley, joined):
    with db.transaction() as session:
        casey = user(session, clock.now(), email="casey@example.com", name="Casey").id
    mine = [joined(role) for role in ROLES]
    others, nobodys = joined("owner", casey), joined(None)
    assert keys(db, accounts.of_user, riley) == mine
    assert keys(db, accounts.of_user, casey) == [others]
    assert nobodys not in mine
    assert keys(db, accounts.of_user, uuid.uuid4()) == []


def test_the_same_address_opens_nothing(db, riley, joined):
    """An e-mail match alone is no membership."""
    joined(None, email="riley@example.com")
    assert keys(db, accounts.of_user, riley) == []
    assert keys(db, accounts.payable_by, riley) == []


def test_a_child_is_not_seen_through_its_parent(db, riley, joined):
    parent = joined("owner")
    joined(None, parent_id=parent)
    assert keys(db, accounts.of_user, riley) == [parent]


@pytest.mark.parametrize("role", ROLES)
def test_whoever_is_more_than_a_viewer_may_pay(role, db, riley, joined):
    key = joined(role)
    assert keys(db, accounts.of_user, riley) == [key]
    assert keys(db, accounts.payable_by, riley) == ([] if role == "viewer" else [key])


def test_who_buys_buys_on_the_oldest_account_that_they_may_buy_for(db, world, riley, joined):
    def buying(entity: uuid.UUID = world.legal_entity_id) -> uuid.UUID | None:
        with db.reading() as session:
            found = accounts.buying_account(session, riley, entity)
            return found.id if found else None

    for role in ("viewer", "payer", "approver"):
        joined(role)
    assert buying() is None
    first = joined("buyer")
    joined("owner")
    assert buying() == first
    assert buying(uuid.uuid4()) is None


def test_somebody_joins_once_and_keeps_the_role(db, clock, riley, joined):
    key = joined("viewer")

    def join(session) -> bool:
        return accounts.join(session, riley, key, "owner", clock.now())

    assert at_once(db, [join] * 3) == [False] * 3
    with db.reading() as session:
        assert session.get_one(Membership, (riley, key)).role == "viewer"


def test_an_unknown_role_is_refused(db, clock, riley, joined):
    key = joined(None)
    with pytest.raises(IntegrityError):
        db.run_tx(lambda session: accounts.join(session, riley, key, "emperor", clock.now()))
    assert keys(db, accounts.of_user, riley) == []


def test_changes_of_an_account_wait_for_each_other(db, joined):
    """Whoever locks an account reads what the one before has written."""
    key = joined("owner", credit_limit_minor=0)

    def add(session) -> None:
        found: Account = accounts.lock(session, key)
        found.credit_limit_minor = (found.credit_limit_minor or 0) + 1

    assert at_once(db, [add] * 6) == [None] * 6
    with db.reading() as session:
        assert session.get_one(Account, key).credit_limit_minor == 6
