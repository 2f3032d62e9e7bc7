"""Trials by a customer's token, and bill runs by a key of the desk."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

import pytest
from pydantic import BaseModel
from sqlalchemy import select
from werkzeug.test import TestResponse

from api import billing_shapes, trial_shapes
from core.kernel.clock import local_date
from core.parties import accounts
from core.parties.models import Account, User
from core.subscriptions.models import Subscription
from core.tax.service import Answers
from flows import bill_account
from invoices.billing import parking
from invoices.models import Invoice
from tests import trying
from tests import world as worlds
from tests.rooms.api.conftest import Program, bearers
from tests.shop import Shop
from tests.trying import CARD_OFFER, FREE_OFFER, NO_CARD_OFFER
from tests.world import ADDRESS, ZONE, World


@dataclass
class Tryer:
    """Riley, who may try Burrow, and Kim's key."""

    program: Program
    shop: Shop
    account_id: uuid.UUID
    by_side: dict[str, str]
    count: int = 0

    def ask(self, side: str, method: str, path: str, body: object = None) -> TestResponse:
        self.count += 1
        headers = {"Authorization": f"Bearer {self.by_side[side]}"}
        if method != "GET":
            headers["Idempotency-Key"] = f"key-{self.count}"
        return self.program.ask(method, f"/{side}{path}", body, headers=headers)

    def begin(self, code: str) -> TestResponse:
        offers = told(trial_shapes.OfferList, self.ask("account", "GET", "/trial-offers"))
        (shown,) = (one["shown"] for one in offers["offers"] if one["code"] == code)
        wish = {"offer": code, "shown": shown, "agrees": True}
        return self.ask("account", "POST", "/trials", wish)

    def invoices(self) -> list[Invoice]:
        with self.shop.house.db.reading() as session:
            return list(session.scalars(select(Invoice).order_by(Invoice.issued_at)))


def told(shape: type[BaseModel], answer: TestResponse, status: int = 200):
    assert answer.status_code == status, answer.json
    shape.model_validate_json(answer.data)
    return answer.json


@pytest.fixture
def tryer(shop: Shop, program: Program, world: World) -> Tryer:
    now = shop.house.clock.now()
    by_side = bearers(shop)
    with shop.house.db.transaction() as session:
        trying.offer(session, world, now)
        account = worlds.account(session, world, now)
        account.billing_address = dict(ADDRESS)
        riley = session.scalars(select(User).where(User.email == "riley@example.com")).one()
        accounts.join(session, riley.id, account.id, "owner", now)
        key = account.id
    return Tryer(program, shop, key, by_side)


def test_a_trial_begins_under_the_words_that_were_shown_and_is_cancelled_and_kept(tryer: Tryer):
    begun = told(trial_shapes.BegunAnswer, tryer.begin(NO_CARD_OFFER), 201)
    trial = begun["trial"]
    assert (trial["state"], trial["kind"], begun["redirect_url"]) == ("running", "no_card", None)
    page = told(trial_shapes.TrialPage, tryer.ask("account", "GET", "/trials"))
    assert [one["id"] for one in page["trials"]] == [trial["id"]]
    path = f"/trials/{trial['id']}"
    for _ in range(2):
        gone = told(trial_shapes.TrialAnswer, tryer.ask("account", "POST", f"{path}/cancel"))
        assert gone["cancelled"]
    kept = told(trial_shapes.TrialAnswer, tryer.ask("account", "POST", f"{path}/keep"))
    assert not kept["cancelled"]
    going = tryer.ask("account", "POST", f"{path}/go-on", {"when": "end"})
    assert told(trial_shapes.TrialAnswer, going)["goes_on"]
    assert [row.total_minor for row in tryer.invoices()] == [0]


def test_a_trial_with_a_card_says_where_to_put_it_on_file(tryer: Tryer):
    begun = told(trial_shapes.BegunAnswer, tryer.begin(CARD_OFFER), 201)
    assert begun["trial"]["state"] == "awaiting_card"
    assert begun["redirect_url"].startswith("http://127.0.0.1:")
    assert tryer.invoices() == []


def test_one_trial_each_and_never_under_other_words(tryer: Tryer):
    told(trial_shapes.BegunAnswer, tryer.begin(FREE_OFFER), 201)
    again = tryer.begin(NO_CARD_OFFER)
    assert (again.status_code, again.json["code"]) == (409, "has_the_plan")
    wish = {"offer": NO_CARD_OFFER, "shown": "0" * 64, "agrees": True}
    moved = tryer.ask("account", "POST", "/trials", wish)
    assert (moved.status_code, moved.json["code"]) == (409, "words_changed")
    assert tryer.ask("account", "GET", f"/trials/{'0' * 32}").status_code == 404


def test_a_run_is_begun_once_done_by_the_worker_and_told(tryer: Tryer):
    trial = told(trial_shapes.BegunAnswer, tryer.begin(NO_CARD_OFFER), 201)["trial"]
    going = tryer.ask("account", "POST", f"/trials/{trial['id']}/go-on", {"when": "now"})
    told(trial_shapes.TrialAnswer, going)
    before = len(tryer.invoices())
    tryer.program.wait(timedelta(days=31))
    today = local_date(tryer.shop.house.clock.now(), ZONE).isoformat()
    looked = {"as_of": today, "preview": True}
    preview = told(billing_shapes.RunAnswer, tryer.ask("desk", "POST", "/bill-runs", looked), 202)
    run = told(
        billing_shapes.RunAnswer, tryer.ask("desk", "POST", "/bill-runs", {"as_of": today}), 202
    )
    tryer.shop.drain()
    assert len(tryer.invoices()) == before + 1
    done = told(billing_shapes.RunAnswer, tryer.ask("desk", "GET", f"/bill-runs/{run['id']}"))
    seen = told(billing_shapes.RunAnswer, tryer.ask("desk", "GET", f"/bill-runs/{preview['id']}"))
    assert done["finished_at"] is not None
    assert (done["sums"], done["billed_accounts"]) == (seen["sums"], 1)
    assert done["sums"][0]["billed"] == {"amount": 959, "currency": "USD"}
    page = told(billing_shapes.RunPage, tryer.ask("desk", "GET", "/bill-runs?page_size=1"))
    assert page["next_cursor"] is not None


def test_a_day_that_lies_ahead_is_refused(tryer: Tryer):
    answer = tryer.ask("desk", "POST", "/bill-runs", {"as_of": "2029-01-01"})
    assert (answer.status_code, answer.json["code"]) == (422, "day_ahead")


def test_a_parked_account_is_let_go_once(tryer: Tryer):
    house = tryer.shop.house
    now = house.clock.now()
    with house.db.transaction() as session:
        parking.park(session, tryer.account_id, ValueError("odd"), now.date(), "system", now)
        number = session.get_one(Account, tryer.account_id).number
    (row,) = told(billing_shapes.ParkedPage, tryer.ask("desk", "GET", "/parked-accounts"))["parked"]
    assert row["account"] == number
    path = f"/parked-accounts/{row['id']}/release"
    let_go = tryer.ask("desk", "POST", path, {"note": "It was a typing error."})
    assert told(billing_shapes.ReleasedAnswer, let_go) == {"account": number}
    again = tryer.ask("desk", "POST", path, {"note": ""})
    assert (again.status_code, again.json["code"]) == (409, "stale_state")
    with house.db.transaction() as session:
        found = bill_account.bill_within(
            session, house, tryer.account_id, now.date(), Answers(house.taxes)
        )
        assert found.parked == ""
        assert session.scalars(select(Subscription)).all() == []
