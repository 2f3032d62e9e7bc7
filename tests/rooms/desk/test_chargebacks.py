"""Chargebacks at the desk: the list with its tabs, one with what we answer, and the same by a key."""

import base64
import io
from typing import Any

from werkzeug.test import TestResponse

from api import chargeback_shapes as shapes
from core.kernel import audit
from core.parties.tokens import STAFF
from tests.rooms.web import charged
from tests.rooms.web.disputed import photo
from tests.rooms.web.looking import Page, statements
from tests.rooms.web.names import make_token
from tests.rooms.web.stage import KIM, Stage


def test_one_is_answered_with_words_and_pictures_once_and_then_decided(stage: Stage):
    kim, row = stage.browser(KIM), charged.opened(stage)
    number, here = charged.payment_of(stage, row).number, f"/desk/chargebacks/{row.public_id}"

    def done(path: str, data: dict[str, Any]) -> TestResponse:
        answer = kim.post(f"{here}/evidence{path}", data)
        return kim.get(answer.headers["Location"])

    assert here in kim.get("/desk/chargebacks?state=open").text
    assert "charged back, and may be answered" in Page(kim.get("/desk")).text
    with statements(stage.db) as sent:
        page = Page(kim.get(here)).text
    assert len(sent) <= 16
    for words in ("To answer", "they say that they did not make this payment", "15.00", number):
        assert words in page
    assert "chargeback opened" in page, "what it does to the books"
    assert "Send it to the network" not in page
    assert "Write or attach something" in Page(done("/send", {})).text

    big = kim.post(f"{here}/evidence", {"text": "x" * 20_001})
    assert (big.status_code, "At most 20000 characters" in big.text) == (422, True)
    bad = {"text": "Signed for.", "receipt": (io.BytesIO(b"%PDF-1.7"), "bill.pdf")}
    refused = kim.post(f"{here}/evidence", bad)
    assert (refused.status_code, "not a whole JPEG" in refused.text) == (422, True)
    draft = {"text": "Signed for.", "receipt": (io.BytesIO(photo()), "bill.jpg")}
    page = Page(done("", draft)).text
    assert "Nothing has been sent" in page
    assert "It can be sent once" in page
    assert "on its way" in Page(done("/send", {})).text
    stage.drain()
    page = Page(kim.get(here)).text
    assert "The network has our evidence" in page
    assert "Save as a draft" not in page
    assert "takes no more evidence" in Page(done("", {})).text
    acts = [
        one.act
        for one in stage.rows(audit.AuditEntry, audit.AuditEntry.subject_id == row.public_id)
    ]
    assert acts == ["chargeback.opened", "chargeback.evidence_kept", "chargeback.evidence_sent"]
    assert number not in Page(kim.get("/desk/chargebacks?state=lost")).text
    charged.decided(stage, row, won=False)
    assert number in Page(kim.get("/desk/chargebacks?state=lost")).text
    assert "No chargeback like that" in Page(kim.get("/desk/chargebacks?state=ended")).text
    assert kim.get("/desk/chargebacks?before=junk").status_code == 404


def test_a_key_lists_shows_and_answers_within_its_scopes(stage: Stage):
    row = charged.opened(stage)
    _, reads = make_token(stage, KIM, STAFF, ("chargebacks:read",))
    _, writes = make_token(stage, KIM, STAFF, ("chargebacks:read", "chargebacks:write"))
    client, base = stage.browser().client, "/api/v1/desk/chargebacks"

    def ask(method: str, path: str, body: object = None, key: str = "", token: str = writes):
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        return client.open(base + path, method=method, json=body, headers=headers)

    listed = shapes.ChargebackPage.model_validate(ask("GET", "?state=open").json, strict=False)
    assert row.public_id in [one.id for one in listed.chargebacks]
    here = f"/{row.public_id}"
    told = shapes.ChargebackAnswer.model_validate(ask("GET", here).json, strict=False)
    assert (told.may_answer, told.evidence, told.fee.amount) == (True, None, 1500)
    empty = ask("POST", f"{here}/evidence/send", {}, "send-empty")
    assert (empty.status_code, empty.json["code"]) == (409, "evidence_empty")
    data = base64.b64encode(photo("PNG")).decode()
    wish = {"text": "Signed for.", "pictures": [{"shows": "delivery", "data": data}]}
    scopeless = ask("POST", f"{here}/evidence", wish, "keep", token=reads)
    assert (scopeless.status_code, scopeless.json["code"]) == (403, "scope_missing")
    kept = ask("POST", f"{here}/evidence", wish, "keep")
    assert kept.status_code == 200, kept.json
    assert kept.json["evidence"]["pictures"][0]["shows"] == "delivery"
    assert ask("POST", f"{here}/evidence", wish, "keep").json == kept.json
    words = {"text": "Signed for.", "pictures": [{"shows": "delivery", "data": "bm8="}]}
    refused = ask("POST", f"{here}/evidence", words, "keep-words")
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_request")
    sent = ask("POST", f"{here}/evidence/send", {}, "send")
    assert sent.json["evidence"]["state"] == "sending"
    stage.drain()
    told = shapes.ChargebackAnswer.model_validate(ask("GET", here).json, strict=False)
    assert (told.may_answer, told.evidence.state) == (False, "sent")
    late = ask("POST", f"{here}/evidence", wish, "late")
    assert (late.status_code, late.json["code"]) == (409, "evidence_over")
