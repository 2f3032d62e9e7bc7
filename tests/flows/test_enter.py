"""Getting in: registering, forgotten passwords, invitations, and who is not let in any more."""

from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from app import worker
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import Invalid
from core.parties import accounts, users
from core.parties.models import LinkToken, User
from core.parties.users import DeadLink, WrongLogin
from flows import enter
from flows.house import House
from tests.shop import SECRET, PostBox, make_house
from tests.together import together
from tests.world import World

EMAIL = "riley@example.com"
PASSWORD, OTHER = "nine blue herons", "ten grey herons"


@pytest.fixture
def house(
    db: Database,
    clock: ManualClock,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> House:
    """A house without a processor: nobody pays here. Its passwords are hashed with little work."""
    monkeypatch.setattr(users, "_hasher", PasswordHasher(1, 64, 1))
    return make_house(db, clock, tmp_path, gateway=None)


@pytest.fixture
def riley(house: House) -> User:
    return enter.register(house, EMAIL, "Riley Moreno", PASSWORD)


def tokens(house: House, purpose: str) -> list[str]:
    """The tokens of all links of a purpose, as mails carry them."""
    with house.db.reading() as session:
        rows = session.scalars(select(LinkToken).where(LinkToken.purpose == purpose))
        return [users.link_token(SECRET, row) for row in rows]


def disable(house: House) -> None:
    with house.db.transaction() as session:
        session.execute(update(User).values(disabled_at=house.clock.now()))


def test_who_registers_has_an_account_and_gets_in_and_is_asked_for_the_address(
    house: House, riley: User
):
    assert enter.log_in(house, " RILEY@example.com", PASSWORD).id == riley.id
    with house.db.reading() as session:
        (own,) = accounts.of_user(session, riley.id)
    assert (own.name, own.email) == ("Riley Moreno", EMAIL)
    assert riley.email_verified_at is None
    worker.drain(house)
    (token,) = tokens(house, "verify")
    post = house.sender
    assert isinstance(post, PostBox)
    (mail,) = post.to(EMAIL)
    text = mail.get_body(("plain",))
    assert text is not None
    assert house.links.verify(token) in text.get_content()
    enter.verify_email(house, token)
    assert enter.log_in(house, EMAIL, PASSWORD).email_verified_at == house.clock.now()
    with pytest.raises(DeadLink):
        enter.verify_email(house, token)


def test_an_address_that_is_taken_cannot_be_registered_again(house: House, riley: User):
    with pytest.raises(Invalid) as refused:
        enter.register(house, "Riley@Example.com", "Somebody else", OTHER)
    assert set(refused.value.fields_) == {"email"}
    assert enter.log_in(house, EMAIL, PASSWORD).id == riley.id


def test_pressed_twice_it_is_one_user_and_a_word_to_the_second(house: House):
    def press() -> object:
        return enter.register(house, EMAIL, "Riley Moreno", PASSWORD)

    outcomes = together([press] * 3)
    assert sum(isinstance(each, Invalid) for each in outcomes) == 2
    with house.db.reading() as session:
        assert len(session.scalars(select(User)).all()) == 1


def test_a_password_that_is_too_easy_makes_nobody(house: House):
    with pytest.raises(Invalid):
        enter.register(house, EMAIL, "Riley Moreno", "short")
    with house.db.reading() as session:
        assert session.scalars(select(User)).all() == []


def test_a_forgotten_password_is_replaced_by_the_newest_or_any_link_once(house: House, riley: User):
    enter.ask_reset(house, "Riley@Example.com ")
    enter.ask_reset(house, EMAIL)
    first, second = tokens(house, "reset")
    assert enter.who_asked(house, "reset", first).id == riley.id
    with pytest.raises(Invalid):
        enter.choose_password(house, "reset", first, "short")
    enter.choose_password(house, "reset", first, OTHER)
    assert enter.log_in(house, EMAIL, OTHER).email_verified_at == house.clock.now()
    with pytest.raises(WrongLogin):
        enter.log_in(house, EMAIL, PASSWORD)
    for token in (first, second):
        with pytest.raises(DeadLink):
            enter.choose_password(house, "reset", token, PASSWORD)
    assert enter.log_in(house, EMAIL, OTHER).id == riley.id


def test_nobody_is_told_whether_an_address_is_known(house: House):
    enter.ask_reset(house, "stranger@example.com")
    worker.drain(house)
    post = house.sender
    assert isinstance(post, PostBox)
    assert (tokens(house, "reset"), post.mails) == ([], [])


def test_who_is_disabled_gets_in_by_no_way(house: House, riley: User):
    """Neither by the password nor by a link that was sent before, nor by a new one."""
    enter.ask_reset(house, EMAIL)
    disable(house)
    with pytest.raises(WrongLogin):
        enter.log_in(house, EMAIL, PASSWORD)
    (token,) = tokens(house, "reset")
    for ask in (
        lambda: enter.who_asked(house, "reset", token),
        lambda: enter.choose_password(house, "reset", token, OTHER),
        lambda: enter.verify_email(house, tokens(house, "verify")[0]),
    ):
        with pytest.raises(DeadLink):
            ask()
    enter.ask_reset(house, EMAIL)
    assert tokens(house, "reset") == [token]
