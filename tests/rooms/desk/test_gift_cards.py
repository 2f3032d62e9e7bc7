"""Gift cards at the desk: found by their last four characters, taken back unused, ended with a reason."""

from core.ledger import gift_cards
from core.ledger.tender_models import GiftCard
from payments.models import Refund
from tests.giving import new_card_id
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, Stage


def _card(stage: Stage) -> GiftCard:
    return stage.row(GiftCard, GiftCard.public_id == new_card_id(stage))


def test_a_card_is_found_by_its_last_four_signs(stage: Stage):
    card, kim = _card(stage), stage.browser(KIM)
    found = Page(kim.get(f"/desk/gift-cards?q={card.last_four.lower()}")).text
    assert f"Gift card ending {card.last_four}" in found
    none = Page(kim.get("/desk/gift-cards?q=none")).text
    assert "No gift card looks like that" in none
    one = Page(kim.get(f"/desk/gift-cards/{card.public_id}")).text
    assert "Take it back and refund it" in one


def test_an_unused_card_is_taken_back(stage: Stage):
    card, kim = _card(stage), stage.browser(KIM)
    answer = kim.post(f"/desk/gift-cards/{card.public_id}/take-back")
    assert answer.status_code == 303
    assert "Taken back" in Page(kim.get(answer.headers["Location"])).text
    (refund,) = stage.rows(Refund, Refund.reason == "gift_card_returned")
    assert (refund.amount_minor, refund.state) == (5000, "succeeded")


def test_a_card_ends_with_a_reason_only(stage: Stage):
    card, kim = _card(stage), stage.browser(KIM)
    path = f"/desk/gift-cards/{card.public_id}/void"
    refused = kim.post(path, {"to": "credit"})
    assert refused.status_code == 422
    assert "Say why" in Page(refused).text
    assert kim.post(path, {"to": "forfeit", "reason": "Stolen"}).status_code == 303
    with stage.db.reading() as session:
        held = gift_cards.by_public_id(session, card.public_id)
    assert (held.card.state, held.card.void_reason, held.balance.minor) == ("void", "Stolen", 0)
    again = kim.post(path, {"to": "forfeit", "reason": "Stolen"})
    assert "has changed in the meantime" in Page(kim.get(again.headers["Location"])).text
