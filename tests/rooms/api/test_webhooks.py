"""Webhooks by the API: added, changed, tried, looked at, sent again; a secret is told once."""

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from api import hook_shapes as shapes
from api.shapes import Problem
from core.hooks.models import HookEndpoint
from core.parties import tokens
from core.parties.roles import Role
from core.parties.tokens import STAFF, NewToken
from tests import world as worlds
from tests.rooms.api.conftest import Program
from tests.shop import Shop

WISH = {"url": "https://erp.example.com/hooks", "name": "Books", "kinds": ["order.placed"]}


@pytest.fixture
def ask(program: Program, shop: Shop):
    """Asks with a key of somebody's who is an admin, unless told otherwise."""
    now = shop.house.clock.now()

    def key(role: Role, *scopes: str) -> str:
        with shop.house.db.transaction() as session:
            made = worlds.user(session, now, email=f"{role}@fernway.example.com")
            made.is_staff, made.roles = True, [role]
            new = NewToken(STAFF, "A program", scopes or tuple(tokens.SCOPES[STAFF]))
            return tokens.make(session, made.id, new, now.date(), now)[1]

    keys: dict[str, str] = {role: key(role) for role in (Role.ADMIN, Role.SALES)}
    keys["reads"] = key(Role.BILLING, "webhooks:read")

    def send(method: str, path: str, body: object = None, who: str = Role.ADMIN) -> TestResponse:
        headers = {"Authorization": f"Bearer {keys[who]}"}
        return program.ask(method, f"/desk/webhooks{path}", body, headers=headers)

    return send


def told(shape, answer: TestResponse, status: int = 200):
    """The answer, in the form that the description tells."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    shape.model_validate_json(answer.get_data())
    return answer.json


def test_a_webhook_from_its_beginning_to_its_end(ask, shop: Shop):
    answer = ask("POST", "", WISH)
    made = told(shapes.HookSecretAnswer, answer, 201)
    here = f"/{made['id']}"
    assert answer.headers["Location"] == f"/api/v1/desk/webhooks{here}"
    assert made["secret"].startswith("whsec_")
    shown = told(shapes.HookAnswer, ask("GET", here))
    assert "secret" not in shown
    assert told(shapes.HookPage, ask("GET", ""))["webhooks"] == [shown]

    changed = told(shapes.HookAnswer, ask("PUT", here, {**WISH, "kinds": ["*", "order.paid"]}))
    assert changed["kinds"] == ["*"]
    other = told(shapes.HookSecretAnswer, ask("POST", f"{here}/secret"))
    assert other["secret"] != made["secret"]

    tested = told(shapes.DeliveryAnswer, ask("POST", f"{here}/test"), 202)
    assert (tested["kind"], tested["state"], tested["tries"]) == ("webhook.test", "waiting", [])
    shop.drain()  # this shop has no way out
    sent = told(shapes.DeliveryAnswer, ask("GET", f"{here}/deliveries/{tested['id']}"))
    assert [one["trouble"] for one in sent["tries"]] == ["this shop has no way out"]
    again = told(shapes.DeliveryAnswer, ask("POST", f"{here}/deliveries/{sent['id']}/again"), 202)
    assert again["message"] == sent["message"]
    page = told(shapes.DeliveryPage, ask("GET", f"{here}/deliveries?page_size=1"))
    assert [one["id"] for one in page["deliveries"]] == [again["id"]]
    rest = ask("GET", f"{here}/deliveries?page_size=1&cursor={page['next_cursor']}")
    assert [one["id"] for one in told(shapes.DeliveryPage, rest)["deliveries"]] == [sent["id"]]

    off = told(shapes.HookAnswer, ask("POST", f"{here}/switch", {"on": False}))
    assert (off["state"], off["off_because"]) == ("off", "person")
    refused = told(Problem, ask("POST", f"{here}/test"), 409)
    assert refused["code"] == "endpoint_off"
    assert ask("DELETE", here).status_code == 204
    assert ask("GET", here).status_code == 404
    with shop.house.db.reading() as session:
        assert session.scalars(select(HookEndpoint.secret)).all() == [""]


def test_what_is_wrong_is_told_by_field(ask):
    wrong = {"url": "http://10.0.0.1/", "name": "x", "kinds": ["order.eaten"], "channel": "moon"}
    problem = told(Problem, ask("POST", "", wrong), 422)
    assert sorted(error["field"] for error in problem["errors"]) == ["channel", "kinds", "url"]
    assert told(Problem, ask("POST", "", {**WISH, "secret": "mine"}), 422)


def test_a_key_that_may_not_is_refused(ask):
    assert ask("GET", "", who=Role.SALES).status_code == 403
    assert ask("GET", "", who="reads").status_code == 403, "its maker is no admin"
    assert ask("POST", "", WISH, who="reads").json["code"] == "scope_missing"
