"""Disputes by the API: opened with pictures, talked about, answered by one or two, once each."""

import base64
from dataclasses import dataclass, replace

import pytest
from werkzeug.test import TestResponse

from api import dispute_shapes as shapes
from core.kernel.clock import ManualClock
from core.parties import accounts, tokens
from core.parties.tokens import STAFF, USER, NewToken
from invoices.disputes.rules import Rules
from tests import world as worlds
from tests.rooms.api.conftest import Program
from tests.rooms.api.test_quotes import refused, told
from tests.rooms.invoices.billing import Billing, line
from tests.rooms.web.disputed import photo
from tests.shop import Shop
from tests.world import World

PHOTO = base64.b64encode(photo()).decode()


@dataclass
class Care:
    """Riley has a bill of 72.00 and 48.00; June has nothing; Kim and Bo work at the desk."""

    program: Program
    shop: Shop
    bill: str
    tokens: dict[str, str]
    count: int = 0

    def ask(self, who: str, method: str, path: str, body: object = None, key: str = ""):
        """Each request that changes something under a key of its own, unless it is named."""
        self.count += 1
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        if method != "GET":
            headers["Idempotency-Key"] = key or f"key-{self.count}"
        answer: TestResponse = self.program.ask(method, path, body, headers=headers)
        return answer

    def told(self, who: str, method: str, path: str, body: object = None, status: int = 200):
        return told(shapes.DisputeAnswer, self.ask(who, method, path, body), status)

    def wish(self, **more: object) -> dict[str, object]:
        return {"bill_id": self.bill, "line_number": 1, "reason": "overcharge", **more}

    def opened(self, **more: object) -> dict:
        return self.told("riley", "POST", "/account/disputes", self.wish(**more), 201)


@pytest.fixture
def care(shop: Shop, program: Program, world: World, clock: ManualClock) -> Care:
    now, made = shop.house.clock.now(), {}
    with shop.house.db.transaction() as session:
        billing = Billing.open(session, world, clock)
        bill = billing.bill(line("60.00", name="River 100"), line("40.00", name="Visit"))
        for who, kind in (("riley", USER), ("kim", STAFF), ("bo", STAFF), ("june", USER)):
            user = worlds.user(session, now, email=f"{who}@example.com", name=who.title())
            user.is_staff, user.roles = kind == STAFF, ["billing"]
            if who == "riley":
                accounts.join(session, user.id, billing.payer.id, "owner", now)
            new = NewToken(kind, "Till", tuple(tokens.SCOPES[kind]))
            made[who] = tokens.make(session, user.id, new, now.date(), now)[1]
        return Care(program, shop, bill.public_id, made)


def test_from_the_line_to_the_credit(care: Care):
    seen = care.opened(amount=2400, text="Too much.", pictures=[PHOTO], wish="refund")
    assert (seen["state"], seen["amount"]["amount"], seen["line"]) == ("open", 2400, "River 100")
    (message,) = seen["messages"]
    (picture,) = message["pictures"]
    path = f"/account/disputes/{seen['id']}"
    kept = told(
        shapes.DisputePictureData, care.ask("riley", "GET", f"{path}/pictures/{picture['id']}")
    )
    assert base64.b64decode(kept["data"])[:2] == b"\xff\xd8"
    desk = f"/desk/disputes/{seen['id']}"
    care.told("kim", "POST", f"{desk}/messages", {"text": "We look."}, 201)
    care.told("riley", "POST", f"{path}/messages", {"pictures": [PHOTO]}, 201)
    done = care.told("kim", "POST", f"{desk}/decision", {"credit": 1200, "answer": "Half of it."})
    assert (done["state"], done["outcome"], done["credited"]["amount"]) == (
        "resolved",
        "part",
        1200,
    )
    seen = care.told("riley", "GET", path)
    assert seen["proposals"] is None
    assert [one["side"] for one in seen["messages"]] == ["customer", "staff", "customer"]
    assert refused(care.ask("riley", "POST", f"{path}/withdraw", {})) == (409, "dispute_over")


def test_the_same_key_answers_the_same_dispute_again(care: Care):
    wish = care.wish(line_number=2)
    first = care.ask("riley", "POST", "/account/disputes", wish, "mine")
    again = care.ask("riley", "POST", "/account/disputes", wish, "mine")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json["id"] == again.json["id"]
    other = care.ask("riley", "POST", "/account/disputes", wish, "another")
    assert refused(other) == (409, "disputed_already")
    assert other.json["public_id"] == first.json["id"]


def test_what_is_wrong_is_told_by_field_or_code(care: Care):
    for wish, wanted in (
        ({"amount": 7201}, (422, "disputed_too_much")),
        ({"amount": 0}, (422, "invalid_request")),
        ({"line_number": 9}, (404, "not_found")),
        ({"reason": "mood"}, (422, "invalid_request")),
        ({"pictures": [base64.b64encode(b"%PDF-1.7").decode()]}, (422, "invalid_request")),
        ({"pictures": ["!"]}, (422, "invalid_request")),
        ({"bill_id": "0" * 32}, (404, "not_found")),
    ):
        answer = care.ask("riley", "POST", "/account/disputes", care.wish(**wish))
        assert refused(answer) == wanted, wish


def test_somebody_elses_are_not_there(care: Care):
    key = care.opened(pictures=[PHOTO])["id"]
    assert (
        care.ask("june", "POST", "/account/disputes", care.wish(line_number=2)).status_code == 404
    )
    for method, path in (("GET", ""), ("POST", "/withdraw"), ("POST", "/messages")):
        body = {"text": "x"} if path == "/messages" else None
        assert care.ask("june", method, f"/account/disputes/{key}{path}", body).status_code == 404
    page = told(shapes.DisputePage, care.ask("june", "GET", "/account/disputes"))
    assert page["disputes"] == []
    page = told(shapes.DisputePage, care.ask("riley", "GET", "/account/disputes?page_size=1"))
    assert ([one["id"] for one in page["disputes"]], page["next_cursor"]) == ([key], None)


def test_over_the_limit_a_second_key_agrees(care: Care):
    wired = care.shop.app.extensions["counterfoil"]
    small = replace(wired.house.rules, disputes=Rules(credit_limit=10))
    care.shop.app.extensions["counterfoil"] = replace(
        wired, house=replace(wired.house, rules=small)
    )
    desk = f"/desk/disputes/{care.opened(line_number=2)['id']}"
    wish = {"credit": 4800, "answer": "It was never done."}
    waits = care.told("kim", "POST", f"{desk}/decision", wish)
    (proposal,) = waits["proposals"]
    assert (waits["state"], proposal["credit"]["amount"]) == ("waiting", 4800)
    word = {"proposal_id": proposal["id"], "approved": True}
    assert refused(care.ask("kim", "POST", f"{desk}/second", word)) == (403, "own_dispute")
    done = care.told("bo", "POST", f"{desk}/second", word)
    assert (done["state"], done["outcome"]) == ("resolved", "full")
    page = told(shapes.DisputePage, care.ask("bo", "GET", "/desk/disputes?state=resolved"))
    assert len(page["disputes"]) == 1
