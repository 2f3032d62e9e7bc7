"""Tokens open what they are for, until they are revoked, run out, or their maker may not come in any more."""

import uuid
from datetime import date, timedelta

import pytest

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import Invalid, NotFound
from core.parties import tokens
from core.parties.models import User
from core.parties.tokens import STAFF, USER, NewToken, TooManyTokens
from tests import world as worlds

TODAY = date(2026, 11, 17)


@pytest.fixture
def riley(db: Database, clock: ManualClock) -> uuid.UUID:
    with db.transaction() as session:
        return worlds.user(session, clock.now(), email="riley@example.com").id


def made(db: Database, clock: ManualClock, whose: uuid.UUID, kind: str = USER, **more) -> tuple:
    new = NewToken(kind, "Till", more.pop("scopes", tuple(tokens.SCOPES[kind])[:1]), **more)
    with db.transaction() as session:
        row, secret = tokens.make(session, whose, new, TODAY, clock.now())
        return row.public_id, secret, row.token_hash


def test_a_token_speaks_for_its_user_with_its_scopes_and_is_kept_as_a_hash(db, clock, riley):
    _, secret, kept = made(db, clock, riley, scopes=("quotes:read", "services:read"))
    with db.reading() as session:
        found = tokens.find(session, secret, TODAY)
    assert (found.user_id, found.kind) == (riley, USER)
    assert found.scopes == {"quotes:read", "services:read"}
    assert secret.startswith("cf_user_")
    assert secret not in kept


@pytest.mark.parametrize("spoilt", ["", "cf_user_", "x" * 200, "é"])
def test_what_is_no_token_opens_nothing(db, clock, riley, spoilt):
    made(db, clock, riley)
    with db.reading() as session:
        assert tokens.find(session, spoilt, TODAY) is None


def test_a_revoked_token_opens_nothing_and_may_be_revoked_twice(db, clock, riley):
    public_id, secret, _ = made(db, clock, riley)
    for _ in range(2):
        with db.transaction() as session:
            tokens.revoke(session, USER, public_id, f"user:{riley}", clock.now(), riley)
    with db.reading() as session:
        assert tokens.find(session, secret, TODAY) is None


def test_a_token_ends_on_its_day(db, clock, riley):
    _, secret, _ = made(db, clock, riley, expires_on=TODAY + timedelta(days=1))
    with db.reading() as session:
        assert tokens.find(session, secret, TODAY) is not None
        assert tokens.find(session, secret, TODAY + timedelta(days=1)) is None


def test_a_key_of_the_desk_ends_with_its_makers_place_there(db, clock, riley):
    _, secret, _ = made(db, clock, riley, STAFF)
    with db.reading() as session:
        assert tokens.find(session, secret, TODAY) is None
    with db.transaction() as session:
        session.get_one(User, riley).is_staff = True
    with db.reading() as session:
        assert tokens.find(session, secret, TODAY) is not None
    with db.transaction() as session:
        session.get_one(User, riley).disabled_at = clock.now()
    with db.reading() as session:
        assert tokens.find(session, secret, TODAY) is None


def test_a_key_can_no_more_than_its_makers_roles(db, clock, riley):
    _, secret, _ = made(db, clock, riley, STAFF)

    def told(roles: list[str]) -> set[str]:
        with db.transaction() as session:
            user = session.get_one(User, riley)
            user.is_staff, user.roles = True, roles
        with db.reading() as session:
            caller = tokens.find(session, secret, TODAY)
        assert caller is not None
        return {scope for scope in tokens.SCOPES[STAFF] if not caller.lacks_role(scope)}

    assert told([]) == set()
    of_content = {"content:read", "content:write", "products:read", "products:write"}
    assert told(["content"]) == of_content
    assert {"quotes:read", "quotes:write"} <= told(["sales"])
    assert "billing:run" not in told(["sales", "support"])
    assert "billing:run" in told(["billing"])
    assert told(["admin"]) == set(tokens.SCOPES[STAFF])


def test_nobody_revokes_what_is_somebody_elses(db, clock, riley):
    public_id, _, _ = made(db, clock, riley)
    with pytest.raises(NotFound), db.transaction() as session:
        tokens.revoke(session, USER, public_id, "user", clock.now(), uuid.uuid4())
    with pytest.raises(NotFound), db.transaction() as session:
        tokens.revoke(session, STAFF, public_id, "user", clock.now())


@pytest.mark.parametrize(
    "new, field",
    [
        (NewToken(USER, " ", ("quotes:read",)), "name"),
        (NewToken(USER, "x" * 81, ("quotes:read",)), "name"),
        (NewToken(USER, "Till", ()), "scopes"),
        (NewToken(USER, "Till", ("billing:run",)), "scopes"),
        (NewToken(USER, "Till", ("quotes:read",), TODAY), "expires_on"),
    ],
)
def test_what_is_wrong_is_told_by_field(db, clock, riley, new, field):
    with pytest.raises(Invalid) as refused, db.transaction() as session:
        tokens.make(session, riley, new, TODAY, clock.now())
    assert list(refused.value.fields_) == [field]


def test_only_so_many_tokens_work_at_once(db, clock, riley):
    ids = [made(db, clock, riley)[0] for _ in range(tokens.MOST)]
    with pytest.raises(TooManyTokens):
        made(db, clock, riley)
    with db.transaction() as session:
        tokens.revoke(session, USER, ids[0], "user", clock.now(), riley)
    assert made(db, clock, riley)
