"""Cards, AutoPay and payments on a date by a customer's token, and what a key of the desk sees of them."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

import pytest
from pydantic import BaseModel
from sqlalchemy import select
from werkzeug.test import TestResponse

from api import card_shapes
from core.kernel.clock import local_date
from core.parties import accounts
from core.parties.models import Account, User
from flows.house import House
from payments import methods
from payments.methods import Consent
from payments.models import PaymentMethod
from tests import world as worlds
from tests.on_file import owe
from tests.rooms.api.conftest import Program, bearers
from tests.shop import Shop
from tests.world import ZONE, World


@dataclass
class Payer:
    """Riley with a card on file and a bill of 45.00, and Kim's key."""

    program: Program
    shop: Shop
    account: Account
    bill: str
    card: str
    by_side: dict[str, str]
    count: int = 0

    def ask(self, side: str, method: str, path: str, body: object = None) -> TestResponse:
        self.count += 1
        headers = {"Authorization": f"Bearer {self.by_side[side]}"}
        if method != "GET":
            headers["Idempotency-Key"] = f"key-{self.count}"
        return self.program.ask(method, f"/{side}{path}", body, headers=headers)

    def day(self, after: int) -> str:
        today = local_date(self.shop.house.clock.now(), ZONE)
        return (today + timedelta(days=after)).isoformat()


def told(shape: type[BaseModel], answer: TestResponse, status: int = 200):
    assert answer.status_code == status, answer.json
    shape.model_validate_json(answer.data)
    return answer.json


def _card(house: House, account: Account, last4: str) -> str:
    now = house.clock.now()
    with house.db.transaction() as session:
        card = PaymentMethod(
            public_id=uuid.uuid4().hex,
            account_id=account.id,
            gateway_customer_id="cus_1",
            gateway_id=f"pm_{last4}",
            brand="visa",
            last4=last4,
            exp_month=12,
            exp_year=2030,
            state="active",
            created_at=now,
        )
        session.add(card)
        session.flush()
        consent = Consent(None, methods.ON_FILE, "test", "I agree.", "1", "203.0.113.7")
        methods.agree(session, card, consent, now)
        return card.public_id


@pytest.fixture
def payer(shop: Shop, program: Program, world: World) -> Payer:
    house, by_side = shop.house, bearers(shop)
    with house.db.transaction() as session:
        account = worlds.account(session, world, house.clock.now())
        riley = session.scalars(select(User).where(User.email == "riley@example.com")).one()
        accounts.join(session, riley.id, account.id, "owner", house.clock.now())
    bill = owe(house, account)
    card = _card(house, account, "4242")
    return Payer(program, shop, account, bill.public_id, card, by_side)


def test_autopay_is_turned_on_under_the_words_that_were_shown_and_off(payer: Payer):
    off = told(card_shapes.AutoPayAnswer, payer.ask("account", "GET", "/autopay"))
    assert (off["on"], off["notice_days"]) == (False, 3)
    (terms,) = off["terms"]
    wish = {"card": payer.card, "agrees": True, "shown": "0" * 16}
    assert payer.ask("account", "POST", "/autopay", wish).json["code"] == "words_changed"
    wish["shown"] = terms["shown"]
    on = told(card_shapes.AutoPayAnswer, payer.ask("account", "POST", "/autopay", wish))
    assert (on["on"], on["card"], on["agreed"]) == (True, payer.card, terms["text"])
    (card,) = told(card_shapes.CardList, payer.ask("account", "GET", "/cards"))["cards"]
    assert [use["kind"] for use in card["uses"]] == ["autopay"]
    refused = payer.ask("account", "POST", f"/cards/{payer.card}/remove")
    assert (refused.status_code, refused.json["code"]) == (409, "card_needed")
    number = payer.account.number
    seen = told(card_shapes.WalletAnswer, payer.ask("desk", "GET", f"/accounts/{number}/cards"))
    assert (seen["autopay_card"], seen["waiting"][0]["origin"]) == (payer.card, "autopay")
    for _ in range(2):
        stopped = payer.ask("account", "POST", "/autopay/stop", {"account": number})
        assert told(card_shapes.AutoPayAnswer, stopped)["on"] is False
    gone = told(card_shapes.CardAnswer, payer.ask("account", "POST", f"/cards/{payer.card}/remove"))
    assert gone["state"] == "detached"


def test_another_card_takes_the_place_of_one_and_may_be_the_first(payer: Payer):
    other = _card(payer.shop.house, payer.account, "4444")
    terms = payer.ask("account", "GET", "/autopay").json["terms"]
    (shown,) = (one["shown"] for one in terms if one["card"] == payer.card)
    wish = {"card": payer.card, "agrees": True, "shown": shown}
    told(card_shapes.AutoPayAnswer, payer.ask("account", "POST", "/autopay", wish))
    moved = {"card": other, "agrees": True}
    answer = payer.ask("account", "POST", f"/cards/{payer.card}/instead", moved)
    assert told(card_shapes.OffTo, answer)["redirect_url"] is None
    assert payer.ask("account", "GET", "/autopay").json["card"] == other
    assert payer.ask("account", "POST", "/cards/" + "0" * 32 + "/default").status_code == 404


def test_a_payment_is_previewed_planned_once_changed_and_cancelled(payer: Payer):
    wish = {
        "kind": "amount",
        "card": payer.card,
        "on": payer.day(9),
        "amount": {"amount": 1000, "currency": "USD"},
    }
    seen = payer.ask("account", "POST", "/scheduled-payments/preview", wish)
    terms = told(card_shapes.PreviewedPlan, seen)["terms"]
    agreed = wish | {"agrees": True, "shown": terms["shown"]}
    made = payer.ask("account", "POST", "/scheduled-payments", agreed)
    row = told(card_shapes.ScheduledDetail, made, 201)
    payer.count -= 1  # the same key again
    assert payer.ask("account", "POST", "/scheduled-payments", agreed).json["id"] == row["id"]
    assert row["agreed"] == terms["text"]
    where = f"/scheduled-payments/{row['id']}"
    bills: dict[str, object] = {"kind": "bills", "card": payer.card, "on": payer.day(4)}
    bills["bills"] = [payer.bill]
    shown = payer.ask("account", "POST", "/scheduled-payments/preview", bills).json["terms"]
    bills = {**bills, "agrees": True, "shown": shown["shown"], "revision": 1}
    moved = told(
        card_shapes.ScheduledDetail, payer.ask("account", "POST", f"{where}/change", bills)
    )
    assert (moved["kind"], moved["on"], moved["revision"]) == ("bills", payer.day(4), 2)
    assert moved["amount"] == {"amount": 4500, "currency": "USD"}
    assert payer.ask("account", "POST", f"{where}/change", bills).json["code"] == "stale_state"
    again = payer.ask("account", "POST", f"{where}/try-again")
    assert (again.status_code, again.json["code"]) == (409, "not_again")
    for _ in range(2):
        ended = payer.ask("account", "POST", f"{where}/cancel")
        assert told(card_shapes.ScheduledDetail, ended)["state"] == "cancelled"
    page = payer.ask("account", "GET", "/scheduled-payments?state=cancelled&page_size=1")
    assert [one["id"] for one in told(card_shapes.ScheduledPage, page)["payments"]] == [row["id"]]
    number = payer.account.number
    desk = payer.ask("desk", "GET", f"/accounts/{number}/scheduled-payments")
    assert len(told(card_shapes.ScheduledPage, desk)["payments"]) == 1


def test_what_cannot_be_planned_names_its_field(payer: Payer):
    wish = {"kind": "balance", "card": payer.card, "on": payer.day(0)}
    refused = payer.ask("account", "POST", "/scheduled-payments/preview", wish)
    assert refused.status_code == 422
    assert [one["field"] for one in refused.json["errors"]] == ["on"]
    wish |= {"on": payer.day(3), "card": "0" * 32}
    assert payer.ask("account", "POST", "/scheduled-payments/preview", wish).status_code == 404
    wish |= {"card": payer.card, "account": "999999999"}
    assert payer.ask("account", "POST", "/scheduled-payments/preview", wish).status_code == 404
