"""What is left on a gift card, and the page that prints it."""

import pytest

from core.ledger import gift_codes
from core.ledger.tender_models import GiftCard
from tests.giving import new_card
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import Stage


def test_a_card_tells_what_is_left(stage: Stage):
    code = new_card(stage)
    answer = stage.browser().post("/gift-card", {"code": f"{code[:8].lower()} {code[8:]}"})
    text = Page(answer).text
    assert answer.status_code == 200
    assert f"Gift card ending {code[-4:]}" in text
    assert "50.00" in text
    assert code not in answer.get_data(as_text=True)


@pytest.mark.parametrize("code", ["", "0000-0000-0000-0000", "x" * 5000, "' OR 1=1 --"])
def test_whatever_is_no_card_is_answered_in_one_way(stage: Stage, code: str):
    answer = stage.browser().post("/gift-card", {"code": code})
    assert answer.status_code == 422
    assert "We know no gift card with this code that has money left" in Page(answer).text


def test_asking_too_often_is_refused(stage: Stage):
    shop = stage.another_shop(RATE_GIFT_CARD="3 per hour")
    browser = stage.browser(shop=shop)
    found = [browser.post("/gift-card", {"code": "1" * 16}).status_code for _ in range(4)]
    assert found == [422, 422, 422, 429]


def test_the_page_of_a_card_prints_its_code_for_whoever_has_the_link(stage: Stage):
    code = new_card(stage)
    card = stage.row(GiftCard, GiftCard.code_hash == gift_codes.hash_of(code))
    token = stage.house.links.gift_card_token(card.public_id)
    page = stage.browser().get(f"/gift-card/{card.public_id}/{token}")
    assert page.status_code == 200
    assert gift_codes.spaced(code) in Page(page).text
    assert "no-store" in page.headers["Cache-Control"]
    wrong = stage.browser().get(f"/gift-card/{card.public_id}/{'0' * 32}")
    assert wrong.status_code == 404
