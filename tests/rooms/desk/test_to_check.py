"""Orders that are held, at the desk and by a key: listed with why, approved or cancelled; and which are."""

import re

from api.order_shapes import CheckRules, DeskOrderAnswer
from core.kernel import audit
from core.orders.models import Order
from core.parties.tokens import STAFF
from tests.rooms.web import provided
from tests.rooms.web.looking import Page
from tests.rooms.web.names import make_token
from tests.rooms.web.stage import KIM, Browser, Stage


def _held_today(kim: Browser) -> int:
    """How many orders today's page says are held; other tests of the stage leave some."""
    told = re.search(r"(\d+) orders? (?:is|are) held, to be checked", Page(kim.get("/desk")).text)
    return int(told[1]) if told else 0


def test_the_desk_says_which_and_lets_one_go(stage: Stage):
    kim, rules = stage.browser(KIM), "/desk/to-check/rules"
    wrong = kim.post(rules, {"amount_from": "a lot"})
    assert (wrong.status_code, "amount_from-error" in Page(wrong).values) == (422, True)
    assert kim.post(rules, {"first_from": "0"}).status_code == 422
    kept = {"amount_from": "1,000", "other_country": "y", "most_a_day": "5"}
    assert kim.post(rules, kept).status_code == 303
    assert 'value="1000.00"' in kim.get(rules).text
    assert kim.post(rules, {"amount_from": "1"}).status_code == 303
    before = _held_today(kim)
    order = stage.order_on_terms(stage.world.router.sku)
    stage.drain()
    here = f"/desk/orders/{order.public_id}"
    assert _held_today(kim) == before + 1
    assert here in kim.get("/desk/to-check?state=waiting&reason=amount").text
    page = Page(kim.get(here))
    assert "A large order" in page.text
    assert f"{here}/approve" in page.values
    assert f"{here}/ship" not in page.values
    parcel = {"once": "p", "pieces-1": "1", "carrier": "", "number": "", "link": ""}
    refused = kim.post(f"{here}/ship", parcel)
    assert (refused.status_code, "is held until" in Page(refused).text) == (422, True)
    link = stage.house.links.order(order.public_id).removeprefix(stage.house.links.base_url)
    for path in (link, f"{link}/thanks"):
        theirs = Page(stage.browser().get(path)).text
        assert "We check" in theirs
        assert "A large order" not in theirs
    for _ in range(2):
        assert kim.post(f"{here}/approve", {}).status_code == 303
    page = Page(kim.get(here))
    assert f"{here}/approve" not in page.values
    assert f"{here}/ship" in page.values
    assert "Approved" in Page(kim.get("/desk/to-check?state=approved")).text
    assert "We check" not in Page(stage.browser().get(link)).text
    acts = stage.rows(audit.AuditEntry, audit.AuditEntry.subject_id == order.public_id)
    assert [one.act for one in acts].count("order.approved") == 1
    assert kim.post(rules, {}).status_code == 303
    stage.drain()


def test_a_key_does_the_same(stage: Stage):
    _, secret = make_token(stage, KIM, STAFF)
    program = stage.browser()

    def ask(method: str, path: str, body: object = None, key: str = ""):
        headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": key or "none-at-all"}
        call = getattr(program.client, method)
        return call(f"/api/v1/desk{path}", json=body, headers=headers)

    assert (
        ask("put", "/order-checks", {"first_from": {"amount": 1, "currency": "EUR"}}).status_code
        == 422
    )
    wanted = {"amount_from": {"amount": 100, "currency": "USD"}, "most_a_day": 3}
    assert ask("put", "/order-checks", wanted).status_code == 200
    found = ask("get", "/order-checks")
    assert CheckRules.model_validate_json(found.data).most_a_day == 3
    ask("put", "/order-checks", {})
    order: Order = provided.held(stage)
    path = f"/orders/{order.public_id}"
    told = DeskOrderAnswer.model_validate_json(ask("get", path).data)
    assert (told.held, told.check.reasons if told.check else None) == (True, ["amount"])
    done = {"lines": [{"line": 1, "quantity": 1}]}
    refused = ask("post", f"{path}/fulfil", done, "fulfil-1")
    assert (refused.status_code, refused.json["code"]) == (409, "order_held")
    approved = ask("post", f"{path}/approve", {}, "approve-1")
    assert (approved.status_code, approved.json["held"]) == (200, False)
    assert ask("post", f"{path}/fulfil", done, "fulfil-2").status_code == 200
    other = stage.order_on_terms(stage.world.visit.sku)
    never = ask("post", f"/orders/{other.public_id}/approve", {}, "approve-2")
    assert (never.status_code, never.json["code"]) == (409, "order_not_held")
