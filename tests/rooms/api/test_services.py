"""Services by the API: a customer's own with their token, everybody's with a key of the desk."""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from pydantic import BaseModel
from sqlalchemy import select
from werkzeug.test import TestResponse

from api import service_shapes as shapes
from core.entitlements import locking
from core.entitlements.models import Entitlement
from core.parties import accounts, tokens
from core.parties.models import Account, User
from core.parties.tokens import STAFF, USER, NewToken
from core.subscriptions import reading
from core.subscriptions.models import Subscription, UsageRecord
from tests import serving
from tests import world as worlds
from tests.rooms.api.conftest import Program
from tests.serving import BY, Plans
from tests.shop import Shop
from tests.world import World


@dataclass
class Line:
    """Riley's line and backup at Fernway's, with a token of Riley's and a key of Kim's."""

    program: Program
    shop: Shop
    plans: Plans
    account: Account
    riley: uuid.UUID
    token: str
    key: str
    service: str
    backup: str

    def ask(
        self, method: str, path: str, body: object = None, *, token: str = "", once: str = ""
    ) -> TestResponse:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        if once:
            headers["Idempotency-Key"] = once
        return self.program.ask(method, path, body, headers=headers)

    def by_desk(self, method: str, path: str, body: object = None, once: str = "") -> TestResponse:
        return self.ask(method, path, body, token=self.key, once=once)

    def rows(self, model: type) -> list:
        with self.shop.house.db.reading() as session:
            return list(session.scalars(select(model)))


@pytest.fixture
def line(shop: Shop, program: Program, world: World) -> Line:
    db, now = shop.house.db, shop.house.clock.now()
    with db.transaction() as session:
        plans = serving.offer(session, world, now)
        account = worlds.account(session, world, now)
        riley = worlds.user(session, now, email="riley@example.com")
        kim = worlds.user(session, now, email="kim@example.com", name="Kim Lund")
        kim.is_staff, kim.roles = True, ["admin"]
        accounts.join(session, riley.id, account.id, "owner", now)
        service = serving.running(session, world, account, plans.brook, now)
        backup = serving.running(session, world, account, plans.backup, now)
        made = [
            tokens.make(
                session, who, NewToken(kind, "Till", tuple(tokens.SCOPES[kind])), now.date(), now
            )[1]
            for who, kind in ((riley.id, USER), (kim.id, STAFF))
        ]
        return Line(
            program,
            shop,
            plans,
            account,
            riley.id,
            made[0],
            made[1],
            service.public_id,
            backup.public_id,
        )


def told(shape: type[BaseModel], answer: TestResponse, status: int = 200):
    assert answer.status_code == status, answer.json
    shape.model_validate_json(answer.data)
    return answer.json


def test_a_customer_sees_their_services_and_nobody_elses(line: Line, world: World):
    now = line.shop.house.clock.now()
    with line.shop.house.db.transaction() as session:
        other = worlds.account(session, world, now, name="June Alder")
        hidden = serving.running(session, world, other, line.plans.brook, now).public_id
    seen = told(shapes.ServicePage, line.ask("GET", "/account/services"))
    assert {one["id"] for one in seen["services"]} == {line.service, line.backup}
    for path in (hidden, "0" * 32, "x"):
        assert line.ask("GET", f"/account/services/{path}").status_code == 404
    everybody = told(shapes.ServicePage, line.by_desk("GET", "/desk/services"))
    assert hidden in {one["id"] for one in everybody["services"]}


def test_a_list_goes_on_where_its_page_ended(line: Line):
    first = told(shapes.ServicePage, line.ask("GET", "/account/services?page_size=1"))
    rest = line.ask("GET", f"/account/services?page_size=1&cursor={first['next_cursor']}")
    second = told(shapes.ServicePage, rest)
    assert second["next_cursor"] is None
    seen = [one["id"] for page in (first, second) for one in page["services"]]
    assert sorted(seen) == sorted([line.service, line.backup])
    assert line.ask("GET", "/account/services?state=ended").json["services"] == []


def test_a_change_brings_exactly_what_its_preview_said_and_is_done_once(line: Line):
    path = f"/account/services/{line.service}"
    change = {"plan": line.plans.stream.sku, "quantity": 1, "when": "now"}
    shown = told(shapes.PreviewAnswer, line.ask("POST", f"{path}/preview", change))
    assert line.ask("GET", path).json["now"]["plan"] == line.plans.brook.sku
    wish = {**change, "expected_total": shown["bill"]["total"]}
    first = line.ask("POST", f"{path}/change", wish, once="up")
    done = told(shapes.DoneAnswer, first)
    assert done["service"]["now"]["plan"] == line.plans.stream.sku
    sums = {"credit_memo": -1, "invoice": 1}
    billed = sum(sums[one["kind"]] * one["total"]["amount"] for one in done["documents"])
    assert billed == shown["bill"]["total"]["amount"] > 0
    again = line.ask("POST", f"{path}/change", wish, once="up")
    assert (again.status_code, again.json) == (200, first.json)
    other = line.ask("POST", f"{path}/change", change, once="up")
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")


def test_another_total_than_was_seen_changes_nothing(line: Line):
    wish = {
        "plan": line.plans.stream.sku,
        "quantity": 1,
        "when": "now",
        "expected_total": {"amount": 1, "currency": "USD"},
    }
    answer = line.ask("POST", f"/account/services/{line.service}/change", wish, once="up")
    assert (answer.status_code, answer.json["code"]) == (409, "bill_moved")
    assert line.ask("GET", f"/account/services/{line.service}").json["revision"] == 2


def test_what_is_refused_says_why_with_a_code(line: Line):
    path = f"/account/services/{line.service}"
    for verb, body, status, code in [
        ("change", {"plan": "T-BACKUP", "quantity": 1, "when": "now"}, 422, "other_family"),
        ("change", {"plan": "nothing", "quantity": 1, "when": "now"}, 404, "not_found"),
        ("change", {"plan": "T-BROOK", "quantity": 1, "when": "now"}, 409, "same_again"),
        ("resume", {}, 409, "not_running"),
        ("keep", {}, 409, "nothing_ahead"),
        ("pause", {"reason": "bored"}, 422, "invalid_request"),
        ("end", {"when": "now"}, 422, "invalid_request"),
    ]:
        answer = line.ask("POST", f"{path}/{verb}", body, once=f"{verb}-{code}")
        assert (answer.status_code, answer.json["code"]) == (status, code), answer.json


def test_a_service_is_paused_resumed_ended_and_kept(line: Line):
    path = f"/account/services/{line.service}"
    paused = line.ask("POST", f"{path}/pause", {"reason": "away", "until": None}, once="1")
    assert told(shapes.DoneAnswer, paused)["service"]["state"] == "paused"
    answer = line.ask("GET", f"/account/{line.account.number}/may-use/internet")
    assert told(shapes.EntitlementAnswer, answer)["reason"] == "paused"
    resumed = told(shapes.DoneAnswer, line.ask("POST", f"{path}/resume", once="2"))
    assert resumed["service"]["state"] == "active"
    end = {"when": "period_end", "reason": "moving", "note": "To the sea"}
    ended = told(shapes.DoneAnswer, line.ask("POST", f"{path}/end", end, once="3"))
    assert ended["service"]["ends_on"] == "2026-12-17"
    kept = told(shapes.DoneAnswer, line.ask("POST", f"{path}/keep", once="4"))
    assert kept["service"]["ends_on"] is None


def test_usage_told_twice_stands_once_and_a_batch_stands_whole_or_not(line: Line):
    def told_usage(key: str, quantity: str = "3.5", meter: str = "moved") -> dict:
        used_at = line.shop.house.clock.now().isoformat()
        return {
            "service_id": line.backup,
            "meter": meter,
            "key": key,
            "quantity": quantity,
            "used_at": used_at,
        }

    batch = {"records": [told_usage("a"), told_usage("b")]}
    for _ in range(2):
        assert told(shapes.UsageTaken, line.by_desk("POST", "/desk/usage", batch)) == {"taken": 2}
    assert len(line.rows(UsageRecord)) == 2
    spoilt = {"records": [told_usage("c"), told_usage("d", meter="steps")]}
    answer = line.by_desk("POST", "/desk/usage", spoilt)
    assert (answer.status_code, answer.json["code"]) == (422, "no_such_meter")
    clash = line.by_desk("POST", "/desk/usage", {"records": [told_usage("a", "4")]})
    assert (clash.status_code, clash.json["code"]) == (409, "usage_conflict")
    assert len(line.rows(UsageRecord)) == 2
    used = told(shapes.UsageAnswer, line.ask("GET", f"/account/services/{line.backup}/usage"))
    assert [(one["meter"], one["quantity"]) for one in used["periods"]] == [("moved", "7")]


def test_the_desk_activates_a_service_on_the_day_it_worked(line: Line, world: World):
    now = line.shop.house.clock.now()
    with line.shop.house.db.transaction() as session:
        account = session.get_one(Account, line.account.id)
        waiting = serving.ordered(session, world, account, line.plans.stream, now).public_id
    body = {"on": (now.date() - timedelta(days=3)).isoformat()}
    answer = line.by_desk("POST", f"/desk/services/{waiting}/activate", body, once="on")
    active = told(shapes.ServiceAnswer, answer)
    assert (active["state"], active["activated_on"]) == ("active", body["on"])
    far = {"on": "2027-11-01"}
    refused = line.by_desk("POST", f"/desk/services/{waiting}/activate", far, once="again")
    assert refused.json["code"] == "already_there"


@pytest.mark.parametrize("method, path", [("GET", "/account/services"), ("GET", "/desk/services")])
def test_a_token_opens_its_own_side_only(line: Line, method: str, path: str):
    wrong = line.key if path.startswith("/account") else line.token
    for token in (wrong, "cf_user_nothing", ""):
        answer = line.program.ask(method, path, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json["code"]) == (401, "bad_token")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="shop"'


def test_a_token_does_no_more_than_its_scopes(line: Line):
    now = line.shop.house.clock.now()
    with line.shop.house.db.transaction() as session:
        new = NewToken(USER, "Reader", ("services:read",))
        reader = tokens.make(session, line.riley, new, now.date(), now)[1]
    path = f"/account/services/{line.service}"
    assert line.ask("GET", path, token=reader).status_code == 200
    answer = line.ask("POST", f"{path}/resume", token=reader, once="1")
    assert (answer.status_code, answer.json["code"]) == (403, "scope_missing")
    assert answer.json["scope"] == "services:write"


def test_a_viewer_sees_and_does_not_change(line: Line):
    now = line.shop.house.clock.now()
    with line.shop.house.db.transaction() as session:
        june = worlds.user(session, now, email="june@example.com", name="June Alder")
        accounts.join(session, june.id, line.account.id, "viewer", now)
        new = NewToken(USER, "June's", ("services:read", "services:write"))
        token = tokens.make(session, june.id, new, now.date(), now)[1]
    path = f"/account/services/{line.service}"
    assert line.ask("GET", path, token=token).status_code == 200
    body = {"reason": "away", "until": None}
    answer = line.ask("POST", f"{path}/pause", body, token=token, once="1")
    assert answer.status_code == 403


def test_a_token_of_somebody_who_is_shut_out_opens_nothing(line: Line):
    with line.shop.house.db.transaction() as session:
        session.get_one(User, line.riley).disabled_at = line.shop.house.clock.now()
    assert line.ask("GET", "/account/services").status_code == 401


def test_when_a_token_was_last_used_is_known_by_the_day(line: Line):
    line.ask("GET", "/account/services")
    with line.shop.house.db.reading() as session:
        rows = tokens.listing(session, USER, line.riley)
    assert [row.last_used_on for row, _ in rows] == [date(2026, 11, 17)]


def test_what_is_locked_at_the_desk_is_told(line: Line):
    assert len(line.rows(Entitlement)) == 2
    assert line.rows(Subscription)
    path = f"/desk/accounts/{line.account.number}/may-use"
    answer = told(shapes.EntitlementAnswer, line.by_desk("GET", f"{path}/backup"))
    assert (answer["allowed"], answer["service_id"]) == (True, line.backup)
    with line.shop.house.db.transaction() as session:
        row = reading.by_public_id(session, line.backup)
        locking.lock(session, row, "desk", BY, line.shop.house.clock.now())
    shut = told(shapes.EntitlementAnswer, line.by_desk("GET", f"{path}/backup"))
    assert (shut["allowed"], shut["reason"]) == (False, "desk")
    never = told(shapes.EntitlementAnswer, line.by_desk("GET", f"{path}/television"))
    assert (never["allowed"], never["reason"]) == (False, "never")
    assert line.by_desk("GET", "/desk/accounts/123456789/may-use/backup").status_code == 404
