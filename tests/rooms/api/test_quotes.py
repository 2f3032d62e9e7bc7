"""Quotes by the API: asked for, written, approved, sent, answered; once each."""

import uuid
from dataclasses import dataclass

import pytest
from pydantic import BaseModel
from sqlalchemy import select
from werkzeug.test import TestResponse

from api import quote_shapes as shapes
from api.shapes import Problem
from core.orders.models import Order
from core.parties import accounts, tokens
from core.parties.tokens import STAFF, USER, NewToken
from core.stock import picking
from core.stock.pools import Terms
from flows import keep_numbers
from tests import world as worlds
from tests.rooms.api.conftest import Program
from tests.shop import Shop
from tests.world import ADDRESS, World

SITES = [ADDRESS | {"name": "The depot"}, ADDRESS | {"name": "The mill", "line1": "3 Weir Street"}]


@dataclass
class Firm:
    """Riley's firm asks; Kim and Bo work at the desk."""

    program: Program
    shop: Shop
    world: World
    account: str
    tokens: dict[str, str]
    count: int = 0

    def ask(self, who: str, method: str, path: str, body: object = None) -> TestResponse:
        """Each request that changes something under a key of its own."""
        self.count += 1
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        if method != "GET":
            headers["Idempotency-Key"] = f"key-{self.count}"
        return self.program.ask(method, path, body, headers=headers)

    def quote(self, who: str, method: str, path: str, body: object = None, status: int = 200):
        return told(shapes.QuoteAnswer, self.ask(who, method, path, body), status)

    def asked(self) -> str:
        """Riley has asked for two routers for each of two places."""
        wish = {"sku": self.world.router.sku, "quantity": 2, "sites": SITES, "message": "Please."}
        return self.quote("riley", "POST", "/account/quotes", wish, 201)["id"]

    def written(self, *, percent: str = "0", price: str | None = None) -> tuple[str, int]:
        """Kim has written it; answers its id and the revision in the making."""
        key = self.asked()
        making = self.quote("kim", "GET", f"/desk/quotes/{key}")["making"]
        lines = [
            {"sku": self.world.router.sku, "quantity": 2, "site": 0, "unit_price": price},
            {"sku": self.world.plan.sku, "quantity": 1, "site": 1, "term_months": 12},
            {"name": "A day of cabling", "unit_price": "400", "site": 1},
        ]
        draft = {
            "revision": making["revision"],
            "lines": lines,
            "sites": SITES,
            "valid_through": "2026-12-15",
            "discount_percent": percent,
            "discount_reason": "For two places" if percent != "0" else "",
        }
        found = self.quote("kim", "POST", f"/desk/quotes/{key}/draft", draft)
        return key, found["making"]["revision"]

    def sent(self) -> str:
        key, revision = self.written()
        self.quote("kim", "POST", f"/desk/quotes/{key}/send", {"revision": revision})
        return key

    def orders(self) -> list[Order]:
        with self.shop.house.db.reading() as session:
            return list(session.scalars(select(Order)))


def told(shape: type[BaseModel], answer: TestResponse, status: int = 200):
    assert answer.status_code == status, answer.json
    shape.model_validate_json(answer.data)
    return answer.json


def refused(answer: TestResponse) -> tuple[int, str]:
    Problem.model_validate_json(answer.data)
    return answer.status_code, answer.json["code"]


@pytest.fixture
def firm(shop: Shop, program: Program, world: World) -> Firm:
    now = shop.house.clock.now()
    made: dict[str, str] = {}
    with shop.house.db.transaction() as session:
        account = worlds.account(session, world, now)
        for who, kind in (("riley", USER), ("kim", STAFF), ("bo", STAFF), ("june", USER)):
            user = worlds.user(session, now, email=f"{who}@example.com", name=who.title())
            user.is_staff, user.roles = kind == STAFF, ["sales"]
            if who == "riley":
                accounts.join(session, user.id, account.id, "owner", now)
            new = NewToken(kind, "Till", tuple(tokens.SCOPES[kind]))
            made[who] = tokens.make(session, user.id, new, now.date(), now)[1]
        return Firm(program, shop, world, account.number, made)


def test_a_quote_goes_from_wish_to_order_at_exactly_what_was_sent(firm: Firm):
    key = firm.sent()
    seen = firm.quote("riley", "GET", f"/account/quotes/{key}")
    (version,) = seen["versions"]
    assert (seen["state"], version["state"], seen["making"]) == ("sent", "sent", None)
    assert {line["site"].split(",")[0] for line in version["lines"]} == {"The depot", "The mill"}
    wish = {"version": 1, "name": "Riley Moreno", "role": "Owner", "agrees": True}
    answer = firm.ask("riley", "POST", f"/account/quotes/{key}/accept", wish | {"payment": "terms"})
    accepted = told(shapes.AcceptedAnswer, answer, 201)
    assert accepted["redirect_url"] is None
    (order,) = firm.orders()
    assert order.public_id == accepted["order_id"]
    assert order.net_minor == version["net"]["amount"]
    assert order.tax_minor == version["tax"]["amount"]
    follow = {"id": accepted["order_id"], "token": accepted["token"]}
    assert firm.program.follow(follow).status_code == 200
    again = firm.ask("riley", "POST", f"/account/quotes/{key}/accept", wish | {"payment": "terms"})
    assert again.json["order_id"] == accepted["order_id"], "one order, however often it is accepted"
    assert len(firm.orders()) == 1


def test_the_same_key_answers_the_same_quote_again(firm: Firm):
    wish = {"sku": firm.world.router.sku, "quantity": 1, "sites": SITES[:1]}
    headers = {"Authorization": f"Bearer {firm.tokens['riley']}", "Idempotency-Key": "once"}
    first = firm.program.post("/account/quotes", wish, headers=headers)
    again = firm.program.post("/account/quotes", wish, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json["id"] == again.json["id"]
    assert first.headers["Location"] == f"/api/v1/account/quotes/{first.json['id']}"
    page = told(shapes.QuotePage, firm.ask("riley", "GET", "/account/quotes"))
    assert [one["id"] for one in page["quotes"]] == [first.json["id"]]


def test_above_a_limit_a_second_person_s_key_is_needed_and_never_one_s_own(firm: Firm):
    key, revision = firm.written(percent="35")
    path = f"/desk/quotes/{key}"
    assert refused(firm.ask("kim", "POST", f"{path}/send", {"revision": revision}))[0] == 409
    asked = firm.quote("kim", "POST", f"{path}/approval", {"revision": revision, "note": "Yes?"})
    revision = asked["making"]["revision"]
    decision = {"revision": revision, "approved": True, "answer": ""}
    own = firm.ask("kim", "POST", f"{path}/decision", decision)
    assert own.status_code in (403, 409)
    decided = firm.quote("bo", "POST", f"{path}/decision", decision)
    assert decided["making"]["state"] == "approved"
    revision = decided["making"]["revision"]
    sent = firm.quote("kim", "POST", f"{path}/send", {"revision": revision})
    assert sent["state"] == "sent"


def test_both_sides_write_and_the_customer_declines_with_a_reason(firm: Firm):
    key = firm.sent()
    firm.quote("riley", "POST", f"/account/quotes/{key}/messages", {"text": "Cheaper?"}, 201)
    seen = firm.quote("kim", "POST", f"/desk/quotes/{key}/messages", {"text": "Sorry, no."})
    assert [(one["side"], one["text"]) for one in seen["messages"]][-2:] == [
        ("customer", "Cheaper?"),
        ("staff", "Sorry, no."),
    ]
    wish = {"version": 1, "reason": "price", "note": "Too dear."}
    declined = firm.quote("riley", "POST", f"/account/quotes/{key}/decline", wish)
    assert declined["state"] == "declined"
    late = {"version": 1, "name": "Riley", "role": "Owner", "agrees": True, "payment": "terms"}
    answer = firm.ask("riley", "POST", f"/account/quotes/{key}/accept", late)
    assert refused(answer) == (409, "quote_declined")
    assert firm.orders() == []


def test_another_version_takes_the_place_of_the_first_and_a_withdrawn_one_is_over(firm: Firm):
    key = firm.sent()
    making = firm.quote("kim", "POST", f"/desk/quotes/{key}/versions")["making"]
    assert making["number"] == 2
    firm.quote("kim", "POST", f"/desk/quotes/{key}/send", {"revision": making["revision"]})
    old = {"version": 1, "name": "Riley", "role": "Owner", "agrees": True, "payment": "terms"}
    answer = firm.ask("riley", "POST", f"/account/quotes/{key}/accept", old)
    assert refused(answer) == (409, "quote_superseded")
    gone = {"reason": "mistake", "note": ""}
    firm.quote("kim", "POST", f"/desk/quotes/{key}/withdraw", gone)
    answer = firm.ask("riley", "POST", f"/account/quotes/{key}/accept", old | {"version": 2})
    assert refused(answer) == (409, "quote_withdrawn")


def test_a_quote_is_nobody_else_s(firm: Firm):
    key = firm.sent()
    for path in (f"/account/quotes/{key}", f"/account/quotes/{uuid.uuid4().hex}"):
        assert firm.ask("june", "GET", path).status_code == 404
    wish = {"version": 1, "name": "June", "role": "Owner", "agrees": True, "payment": "terms"}
    path = f"/account/quotes/{key}/accept"
    assert firm.ask("june", "POST", path, wish).status_code == 404


def test_what_cannot_be_taken_is_told_by_field(firm: Firm):
    for body, field in [
        ({"sku": "nothing", "sites": SITES[:1]}, "lines-0.sku"),
        ({"sites": SITES[:1]}, "cart_id"),
        ({"sku": firm.world.router.sku, "quantity": 0}, "quantity"),
    ]:
        answer = firm.ask("riley", "POST", "/account/quotes", body)
        assert refused(answer) == (422, "invalid_request")
        assert field in {one["field"] for one in answer.json["errors"]}, answer.json
    begun = {"account": firm.account, "sites": SITES}
    key = firm.quote("kim", "POST", "/desk/quotes", begun, 201)["id"]
    assert firm.quote("kim", "GET", f"/desk/quotes/{key}")["name"] == "Riley Moreno"
    page = told(shapes.QuotePage, firm.ask("kim", "GET", "/desk/quotes?state=waiting&page_size=1"))
    assert [one["id"] for one in page["quotes"]] == [key]


def test_a_number_is_chosen_for_a_line_and_told_with_it(firm: Firm):
    house, sku = firm.shop.house, firm.world.plan.sku
    pool = keep_numbers.open_pool(house, sku, "number", Terms(False, 30), "user:kim")
    keep_numbers.add(house, pool, ["020 7946 0101", "020 7946 0102"], "", "user:kim", "first")
    key = firm.asked()
    revision = firm.quote("kim", "GET", f"/desk/quotes/{key}")["making"]["revision"]
    draft = {
        "revision": revision,
        "lines": [{"sku": sku, "quantity": 2, "numbers": ["02079460102"]}],
        "sites": SITES[:1],
        "valid_through": "2026-12-15",
    }
    found = firm.quote("kim", "POST", f"/desk/quotes/{key}/draft", draft)
    (line,) = found["making"]["lines"]
    assert line["numbers"] == ["020 7946 0102"]
    wrong = draft | {"revision": found["making"]["revision"]}
    wrong["lines"] = [{"sku": sku, "numbers": ["020 7946 0999"]}]
    refused = firm.ask("kim", "POST", f"/desk/quotes/{key}/draft", wrong)
    assert refused.status_code == 422
    (error,) = refused.json["errors"]
    assert error["field"] == "lines-0.numbers"
    revision = found["making"]["revision"]
    firm.quote("kim", "POST", f"/desk/quotes/{key}/send", {"revision": revision})
    with house.db.reading() as session:
        rows = picking.listing(session, pool, house.clock.now())
        assert {one.resource.value: one.state for one in rows} == {
            "020 7946 0101": "free",
            "020 7946 0102": "reserved",
        }
