"""What is past due, for programs: a customer's token sees and promises, a key of the desk lists."""

from datetime import timedelta

from api import past_due_shapes as shapes
from core.kernel.clock import ManualClock
from core.parties import accounts, tokens
from core.parties.tokens import STAFF, USER, NewToken
from flows import tell_due
from tests import world as worlds
from tests.on_file import owe
from tests.rooms.api.conftest import Program
from tests.shop import Shop
from tests.world import World


def test_a_token_sees_what_is_past_due_and_promises_and_a_key_lists(
    program: Program, shop: Shop, world: World, clock: ManualClock
):
    now = clock.now()
    with shop.house.db.transaction() as session:
        riley = worlds.account(session, world, now)
        riley.terms_days = 0
        user = worlds.user(session, now, email="riley@example.com")
        accounts.join(session, user.id, riley.id, "owner", now)
        kim = worlds.user(session, now, email="kim@example.com", name="Kim Lund")
        kim.is_staff, kim.roles = True, ["admin"]
        session.flush()
        ends = (now + timedelta(days=90)).date()
        made = {
            kind: tokens.make(session, key, NewToken(kind, "p", scopes, ends), now.date(), now)[1]
            for kind, key, scopes in (
                (USER, user.id, ("billing:read", "billing:write")),
                (STAFF, kim.id, ("billing:read",)),
            )
        }
    owe(shop.house, riley)
    clock.advance(timedelta(days=12))
    tell_due.run(shop.house)
    shop.drain()

    def ask(kind: str, method: str, path: str, body: object = None):
        headers = {"Authorization": f"Bearer {made[kind]}", "Idempotency-Key": "once"}
        return program.ask(method, path, body, headers=headers)

    seen = ask(USER, "GET", "/account/past-due").json
    (one,) = shapes.PastDueAnswer.model_validate(seen, strict=False).past_due
    assert (one.account, one.case.next_step) == (riley.number, "reminder-3")
    assert one.promise_until is not None
    path = f"/account/past-due/{one.case.id}/promise"
    refused = ask(USER, "POST", path, {"until": "2020-01-01"})
    assert (refused.status_code, refused.json["code"]) == (422, "promise_refused")
    headers = {"Authorization": f"Bearer {made[USER]}", "Idempotency-Key": "twice"}
    until = one.promise_until.isoformat()
    done = program.ask("POST", path, {"until": until}, headers=headers)
    assert (done.status_code, done.json["promised_until"]) == (200, until)
    again = program.ask("POST", path, {"until": until}, headers=headers)
    assert again.json == done.json

    page = shapes.CasePage.model_validate(
        ask(STAFF, "GET", "/desk/past-due?state=promised").json, strict=False
    )
    (listed,) = page.cases
    assert (listed.account, listed.amounts[0].amount) == (riley.number, 4500)
    whole = ask(STAFF, "GET", f"/desk/past-due/{listed.id}").json
    assert whole["acts"][0]["kind"] == "promised"
    assert ask(USER, "GET", "/desk/past-due").status_code in (401, 403)
