"""What a system did not begin, at the desk and by a key: listed with its reason, tried again, done."""

from datetime import timedelta

from api.provisioning_shapes import ProvisioningAnswer, ProvisioningPage
from core.kernel import audit
from core.orders.provisioning import Provisioning
from core.parties.tokens import STAFF
from tests.rooms.web import provided
from tests.rooms.web.looking import Page
from tests.rooms.web.names import make_token
from tests.rooms.web.stage import KIM, Stage


def test_one_is_asked_again_and_then_done_by_hand(stage: Stage):
    row, kim = provided.failed(stage), stage.browser(KIM)
    here, today = f"/desk/provisioning/{row.public_id}", stage.clock.now().date()
    listed = Page(kim.get("/desk/provisioning?state=failed")).text
    assert provided.TROUBLE in listed
    assert here in kim.get("/desk/provisioning").text
    assert "not begun by the system" in Page(kim.get("/desk")).text
    page = Page(kim.get(here)).text
    assert "The system did not begin it" in page
    assert kim.post(f"{here}/again", {}).status_code == 303
    stage.drain()  # nobody is connected here: a person is asked at once
    assert "do it by hand" in Page(kim.get(here)).text
    for day, words in (
        ("", "The day it began to work."),
        (str(today + timedelta(days=2)), "from"),
    ):
        refused = kim.post(f"{here}/done", {"on_date": day})
        assert (refused.status_code, words in refused.text) == (422, True), refused.text
    done = kim.post(f"{here}/done", {"on_date": str(today), "note": "Patched in the cabinet."})
    assert "It runs." in Page(kim.get(done.headers["Location"])).text
    page = Page(kim.get(here)).text
    assert "Patched in the cabinet." in page
    assert "Done by hand" in page
    again = kim.post(f"{here}/again", {})
    assert "not waiting for a person" in Page(kim.get(again.headers["Location"])).text
    acts = stage.rows(audit.AuditEntry, audit.AuditEntry.subject_id == row.public_id)
    assert [one.act for one in acts if one.actor.startswith("user:")] == [
        "provisioning.tried_again",
        "provisioning.done_by_hand",
    ]


def test_a_key_lists_asks_again_and_says_that_it_is_done(stage: Stage):
    row = provided.failed(stage)
    _, secret = make_token(stage, KIM, STAFF)
    program = stage.browser()
    key = {"Authorization": f"Bearer {secret}"}
    path, today = f"/api/v1/desk/provisioning/{row.public_id}", stage.clock.now().date()
    listed = program.client.get("/api/v1/desk/provisioning?state=failed", headers=key)
    found = ProvisioningPage.model_validate_json(listed.data).items
    assert row.public_id in [one.id for one in found]
    once = key | {"Idempotency-Key": "one"}
    again = program.client.post(f"{path}/try-again", headers=once)
    assert ProvisioningAnswer.model_validate_json(again.data).state == "waiting"
    assert program.client.post(f"{path}/try-again", headers=once).json == again.json
    later = {"on": str(today + timedelta(days=2))}
    refused = program.client.post(
        f"{path}/done", json=later, headers=key | {"Idempotency-Key": "x"}
    )
    assert (refused.status_code, refused.json["code"]) == (422, "wrong_day")
    done = program.client.post(
        f"{path}/done", json={"on": str(today)}, headers=key | {"Idempotency-Key": "two"}
    )
    assert (done.json["state"], done.json["began_on"]) == ("done", str(today)), done.json
    late = program.client.post(f"{path}/try-again", headers=key | {"Idempotency-Key": "three"})
    assert (late.status_code, late.json["code"]) == (409, "stale_state")
    assert stage.row(Provisioning, Provisioning.id == row.id).state == "done"
