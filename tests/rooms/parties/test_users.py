"""Users: one per address, passwords that are not too easy, and links that work once and not for long."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import Invalid
from core.kernel.ids import new_public_id
from core.parties import users
from core.parties.models import LinkToken, User, UserSession
from core.parties.users import LINK_LIFE, DeadLink, WrongLogin
from tests.together import at_once
from tests.world import user

SECRET = "a secret for tests, forty characters long"
PASSWORD = "nine blue herons"


@pytest.fixture
def riley(db: Database, clock: ManualClock) -> User:
    return db.run_tx(lambda session: user(session, clock.now(), email="riley@example.com"))


@pytest.fixture
def link(db: Database, clock: ManualClock, riley: User) -> Callable[..., str]:
    """Makes a link for Riley and answers its token."""

    def make(purpose: str = "reset", secret: str = SECRET) -> str:
        with db.transaction() as session:
            link_id = users.new_link(session, purpose, riley.id, clock.now())
            return users.link_token(secret, session.get_one(LinkToken, link_id))

    return make


# --- addresses ------------------------------------------------------------------------------------


def test_an_address_is_the_same_however_it_is_typed(db, clock):
    with db.transaction() as session:
        made = users.add(session, "  Riley@Example.COM ", " Riley Moreno ", None, clock.now())
        assert made is not None
        key = made.id
    with db.reading() as session:
        for typed in ("riley@example.com", "RILEY@EXAMPLE.COM", "\triley@example.com\n"):
            found = users.find(session, typed)
            assert found is not None
            assert (found.id, found.email, found.name) == (key, "riley@example.com", "Riley Moreno")
            assert (found.is_staff, found.roles, found.disabled_at) == (False, [], None)
        assert users.find(session, "casey@example.com") is None


def test_an_address_that_is_taken_makes_nobody(db, clock, riley):
    with db.transaction() as session:
        assert users.add(session, "RILEY@example.com", "Somebody", None, clock.now()) is None
    with db.reading() as session:
        assert session.scalars(select(User.name)).all() == ["Riley Moreno"]


def test_of_several_who_register_an_address_at_once_one_does(db, clock):
    def register(session):
        made = users.add(session, "casey@example.com", "Casey", None, clock.now())
        return made.email if made else None

    outcomes = at_once(db, [register] * 6)
    assert sorted(outcomes, key=str) == [None] * 5 + ["casey@example.com"]


@given(st.text())
def test_a_normal_address_stays_as_it_is(text):
    assert users.normal(users.normal(text)) == users.normal(text)


# --- passwords ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "password",
    [
        "nine chars",
        PASSWORD,
        "        four   words  ",
        "пароль-длинный",
        "x" * 197 + "abc",
    ],
)
def test_a_password_that_may_be_taken(password: str):
    users.check_password(password, "riley@example.com")


@pytest.mark.parametrize(
    "password, why",
    [
        ("", "at least 10"),
        ("nine char", "at least 10"),
        ("x" * 198 + "abc", "at most 200"),
        ("aaaaaaaaaaaaaa", "too easy"),
        ("abcabcabcabc", "too easy"),
        ("riley@example.com", "too easy"),
        (" Riley@Example.com ", "too easy"),
    ],
)
def test_a_password_that_may_not(password: str, why: str):
    with pytest.raises(Invalid) as refused:
        users.check_password(password, "riley@example.com")
    (text,) = refused.value.fields_.values()
    assert set(refused.value.fields_) == {"password"}
    assert why in text


def test_only_the_right_password_lets_in():
    riley = User(email="riley@example.com", password_hash=users.hash_password(PASSWORD))
    assert users.verify_login(riley, PASSWORD) is riley
    for typed in ("", PASSWORD + " ", PASSWORD.upper(), "nobody has this password"):
        with pytest.raises(WrongLogin):
            users.verify_login(riley, typed)
    assert PASSWORD not in str(riley.password_hash)
    assert users.hash_password(PASSWORD) != riley.password_hash


@pytest.mark.parametrize("stored", [None, "", "not a hash at all"])
def test_who_has_no_password_is_not_let_in(stored: str | None):
    invited = User(email="riley@example.com", password_hash=stored)
    for typed in ("", "not a hash at all", "nobody has this password"):
        with pytest.raises(WrongLogin):
            users.verify_login(invited, typed)


def test_nobody_is_not_let_in_and_the_answer_takes_as_much_work(monkeypatch):
    """The hash is computed for strangers too, so the time tells nothing of who has an account."""
    done: list[str] = []
    hasher = users._hasher

    class Watched:
        def verify(self, stored: str, typed: str) -> bool:
            done.append(stored)
            return hasher.verify(stored, typed)

    monkeypatch.setattr(users, "_hasher", Watched())
    riley = User(email="riley@example.com", password_hash=hasher.hash(PASSWORD))
    for who in (None, riley, User(email="invited@example.com", password_hash=None)):
        with pytest.raises(WrongLogin):
            users.verify_login(who, "nobody has this password")
    parameters = [stored.rsplit("$", 2)[0] for stored in done]
    assert len(parameters) == 3
    assert len(set(parameters)) == 1


def test_a_disabled_user_is_not_let_in_with_the_right_password(clock):
    gone = User(password_hash=users.hash_password(PASSWORD), disabled_at=clock.now())
    with pytest.raises(WrongLogin):
        users.verify_login(gone, PASSWORD)


def test_another_password_ends_every_session_of_the_user_and_nobody_elses(db, clock, riley):
    with db.transaction() as session:
        casey = user(session, clock.now(), email="casey@example.com", name="Casey")
        for owner, token in ((riley.id, "a"), (riley.id, "b"), (casey.id, "c"), (None, "d")):
            later = clock.now() + timedelta(days=1)
            session.add(
                UserSession(
                    token_hash=token,
                    user_id=owner,
                    data={},
                    created_at=clock.now(),
                    expires_at=later,
                )
            )
    db.run_tx(lambda session: users.set_password(session, riley.id, users.hash_password(PASSWORD)))
    with db.reading() as session:
        assert sorted(session.scalars(select(UserSession.token_hash))) == ["c", "d"]
        assert users.verify_login(users.find(session, "riley@example.com"), PASSWORD)


# --- links ----------------------------------------------------------------------------------------


def read(db: Database, token: str, purpose: str, clock: ManualClock, secret: str = SECRET):
    with db.reading() as session:
        return users.read_link(session, secret, purpose, token, clock.now())


def use(db: Database, token: str, clock: ManualClock) -> None:
    db.run_tx(lambda session: users.use_link(session, token[:32], clock.now()))


@pytest.mark.parametrize("purpose", LINK_LIFE)
def test_a_link_leads_to_its_user_until_its_time_is_over(purpose, db, clock, riley, link):
    token = link(purpose)
    assert read(db, token, purpose, clock).user_id == riley.id
    clock.advance(LINK_LIFE[purpose] - timedelta(microseconds=1))
    assert read(db, token, purpose, clock).user_id == riley.id
    clock.advance(timedelta(microseconds=1))
    with pytest.raises(DeadLink):
        read(db, token, purpose, clock)


def test_a_link_works_once(db, clock, link):
    token = link()
    use(db, token, clock)
    with pytest.raises(DeadLink):
        read(db, token, "reset", clock)
    with pytest.raises(DeadLink):
        use(db, token, clock)


def test_of_two_who_use_a_link_at_once_one_does(db, clock, link):
    token = link()
    works = [lambda session: users.use_link(session, token[:32], clock.now())] * 4
    outcomes = at_once(db, works)
    assert sum(isinstance(each, DeadLink) for each in outcomes) == 3
    assert outcomes.count(None) == 1


@pytest.mark.parametrize("purpose", LINK_LIFE)
def test_a_link_serves_its_own_purpose_only(purpose, db, clock, link):
    token = link(purpose)
    for other in set(LINK_LIFE) - {purpose}:
        with pytest.raises(DeadLink):
            read(db, token, other, clock)


def test_a_forged_link_leads_nowhere(db, clock, link):
    token = link()
    proof = token[32:]
    forged = [
        "",
        token[:32],
        token[:-1],
        token + "0",
        token[:32] + "0" * 32,
        token[:-1] + ("0" if token[-1] != "0" else "1"),
        new_public_id() + proof,
        proof + token[:32],
        token.upper() if token.upper() != token else token[::-1],
        "é" * 64,
        "\x00" * 64,
        token[:32] + "\ud800" * 32,
        "0" * 64,
    ]
    for each in forged:
        with pytest.raises(DeadLink):
            read(db, each, "reset", clock)
    with pytest.raises(DeadLink):
        read(db, token, "reset", clock, secret="another secret of forty characters here")
    assert read(db, token, "reset", clock).used_at is None


def test_a_chosen_password_ends_every_other_link_to_choose_one(db, clock, link):
    used, other, invited, verify = link(), link(), link("invite"), link("verify")
    use(db, used, clock)
    for token, purpose in ((other, "reset"), (invited, "invite")):
        with pytest.raises(DeadLink):
            read(db, token, purpose, clock)
    assert read(db, verify, "verify", clock).used_at is None
    use(db, verify, clock)
    assert read(db, link(), "reset", clock).used_at is None


def test_links_of_others_live_on(db, clock, link):
    with db.transaction() as session:
        casey = user(session, clock.now(), email="casey@example.com", name="Casey")
        link_id = users.new_link(session, "reset", casey.id, clock.now())
        hers = users.link_token(SECRET, session.get_one(LinkToken, link_id))
    use(db, link(), clock)
    assert read(db, hers, "reset", clock).used_at is None


def test_what_stands_in_a_link_is_not_stored(db, link):
    token = link()
    with db.reading() as session:
        row = session.scalars(select(LinkToken)).one()
    assert token[32:] not in str(vars(row))


def test_a_disabled_user_may_be_let_in_again(db, clock, riley):
    hashed = users.hash_password(PASSWORD)
    with db.transaction() as session:
        users.set_password(session, riley.id, hashed)
        session.execute(update(User).values(disabled_at=clock.now()))
    with db.reading() as session, pytest.raises(WrongLogin):
        users.verify_login(users.find(session, riley.email), PASSWORD)
    with db.transaction() as session:
        session.execute(update(User).values(disabled_at=None))
    with db.reading() as session:
        assert users.verify_login(users.find(session, riley.email), PASSWORD).id == riley.id
