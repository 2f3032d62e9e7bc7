"""Gift cards at the API's checkout."""

from typing import Any

import pytest

from tests.giving import new_card
from tests.paying import fill_cart
from tests.rooms.web.stage import Stage
from tests.world import ADDRESS


def order(stage: Stage, *, key: str = "", method: str = "card", **payment: Any):
    """Ask for a visit of 60.00, paid like that."""
    cart_id = fill_cart(stage.house, stage.world.visit.sku)
    return stage.shop.client().post(
        f"/api/v1/carts/{cart_id}/checkout",
        json={
            "email": "guest@example.com",
            "shipping_address": ADDRESS,
            "payment": {"method": method, **payment},
        },
        headers={"Idempotency-Key": key or cart_id},
    )


def usd(minor: int) -> dict[str, Any]:
    return {"amount": minor, "currency": "USD"}


def test_a_gift_card_pays_its_part(stage: Stage):
    code = new_card(stage)
    answer = order(stage, gift_cards=[code])
    assert answer.status_code == 201, answer.json
    assert [(one["kind"], one["amount"]) for one in answer.json["tenders"]] == [
        ("gift_card", usd(5000)),
        ("card", usd(1000)),
    ]
    assert answer.json["redirect_url"]
    token = {"Authorization": f"Bearer {answer.json['token']}"}
    followed = stage.shop.client().get(f"/api/v1/orders/{answer.json['id']}", headers=token)
    assert followed.json["tenders"] == answer.json["tenders"]


def test_gift_cards_that_cover_it_need_no_processor(stage: Stage):
    codes = [new_card(stage) for _ in range(2)]
    answer = order(stage, gift_cards=[{"code": codes[0], "amount": usd(2000)}, codes[1]])
    assert answer.status_code == 201, answer.json
    assert [one["amount"] for one in answer.json["tenders"]] == [usd(2000), usd(4000)]
    assert answer.json["payment_status"] == "paid"
    assert "redirect_url" not in answer.json


@pytest.mark.parametrize(
    ("payment", "field", "code"),
    [
        ({"gift_cards": ["0000-0000-0000-0000"]}, "payment.gift_cards", "gift_card_unknown"),
        ({"use_credit": True}, "payment.use_credit", "no_credit"),
    ],
)
def test_what_cannot_be_used_is_told_at_its_field(
    stage: Stage, payment: dict[str, Any], field: str, code: str
):
    refused = order(stage, **payment)
    assert refused.status_code == 422
    assert [(one["field"], one["code"]) for one in refused.json["errors"]] == [(field, code)]


def test_more_than_a_card_has_is_refused(stage: Stage):
    code = new_card(stage)
    refused = order(stage, gift_cards=[{"code": code, "amount": usd(5001)}])
    assert [one["code"] for one in refused.json["errors"]] == ["tender_too_small"]
