"""The way back from putting a card on file: pages that read, a button that posts, nothing charged."""

import pytest

from core.kernel.ids import new_public_id
from flows.set_up_method import SetUpWish, begin
from payments.methods import Consent
from payments.models import PaymentMethod, PaymentOperation
from tests.paying import CARD
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import RILEY, Stage


@pytest.fixture
def begun(stage: Stage) -> tuple[str, str]:
    """Where the processor's page is, and the operation's public id."""
    subject = f"example:{new_public_id()}"
    agreed = Consent(stage.people[RILEY], "trial", subject, "I agree.", "1", "203.0.113.7")
    wish = SetUpWish(stage.accounts[RILEY], agreed, "/account", "/p/backup")
    url = begin(stage.house, wish)
    operation = stage.row(PaymentOperation, PaymentOperation.redirect_url == url)
    return url, operation.public_id


def _stored(stage: Stage) -> int:
    return len(stage.rows(PaymentMethod))


def test_looking_stores_nothing_and_the_button_stores_the_card(
    stage: Stage, begun: tuple[str, str]
):
    url, public_id = begun
    stage.sandbox.pay(url, CARD)
    browser, path, before = stage.browser(RILEY), f"/methods/{public_id}/return", _stored(stage)
    looked = browser.get(path)
    assert looked.status_code == 200
    assert "Checking your card" in Page(looked).text
    assert "Nothing is charged now" in Page(looked).text
    assert _stored(stage) == before
    pressed = browser.post(path)
    assert (pressed.status_code, pressed.headers["Location"]) == (303, "/account")
    assert browser.post(path).headers["Location"] == "/account"
    assert browser.get(path).headers["Location"] == "/account"
    assert _stored(stage) == before + 1


def test_before_the_card_is_there_the_page_waits(stage: Stage, begun: tuple[str, str]):
    answer = stage.browser(RILEY).post(f"/methods/{begun[1]}/return")
    assert answer.status_code == 200
    assert "Your bank is still thinking" in Page(answer).text


def test_coming_back_without_a_card_leads_to_where_it_began(stage: Stage, begun: tuple[str, str]):
    url, public_id = begun
    browser, path, before = stage.browser(RILEY), f"/methods/{public_id}/cancelled", _stored(stage)
    looked = browser.get(path)
    assert "Nothing was charged" in Page(looked).text
    assert url in looked.get_data(as_text=True)
    pressed = browser.post(path)
    assert (pressed.status_code, pressed.headers["Location"]) == (303, "/p/backup")
    assert stage.sandbox.pay(url, CARD).status == 410
    assert browser.get(path).headers["Location"] == "/p/backup"
    assert browser.post(f"/methods/{public_id}/return").headers["Location"] == "/p/backup"
    assert _stored(stage) == before


def test_coming_back_too_late_goes_on_with_the_card(stage: Stage, begun: tuple[str, str]):
    url, public_id = begun
    stage.sandbox.pay(url, CARD)
    assert (
        stage.browser(RILEY).post(f"/methods/{public_id}/cancelled").headers["Location"]
        == "/account"
    )


def test_a_processor_that_does_not_answer_is_said(stage: Stage, begun: tuple[str, str]):
    browser, public_id = stage.browser(RILEY), begun[1]
    try:
        stage.sandbox.fault("500", path="/v1/checkout/*", times=2)
        waiting = browser.post(f"/methods/{public_id}/return")
        assert "Your bank is still thinking" in Page(waiting).text
        given = browser.post(f"/methods/{public_id}/cancelled")
        assert given.headers["Location"] == f"/methods/{public_id}/cancelled"
    finally:
        stage.sandbox.clear_faults()
