"""Events from the processor: which are believed, and how they arrive when things go wrong."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from payments.gateway import Indeterminate, WebhookRefused
from tests.processes import wait_until
from tests.rooms.payments.conftest import Side, gateway_to, side_of
from tests.rooms.payments.stripe_types import answer_problems
from tests.sandbox_process import Caught, SandboxProcess, WebhookCatcher, running_sandbox


def _signed(secret: str, body: bytes, at: datetime) -> str:
    stamp = int(at.timestamp())
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={mac}"


def _event(**other: Any) -> bytes:
    usual = {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "created": 1_790_000_000,
        "livemode": False,
        "data": {"object": {"id": "cs_test_1", "object": "checkout.session"}},
    }
    return json.dumps(usual | other).encode()


def _why(refused: pytest.ExceptionInfo[WebhookRefused]) -> str:
    return refused.value.why


# --- which are believed --------------------------------------------------------------------------


def test_a_payment_is_announced_with_ids_that_can_be_fetched(
    side: Side, sandbox: SandboxProcess, catcher: WebhookCatcher
) -> None:
    payment = side.paid()
    (caught,) = catcher.wait_for("checkout.session.completed")
    event = side.gateway.parse_webhook(caught.body, caught.signature, side.now())

    assert (event.type, event.object_type) == ("checkout.session.completed", "checkout.session")
    assert not event.livemode
    assert abs(event.created - side.now()) < timedelta(minutes=1)
    assert side.gateway.get_checkout(event.object_id).payment_id == payment.id
    types = [one.event["type"] for one in catcher.caught]
    assert types.index("payment_intent.created") < types.index("payment_intent.succeeded")
    assert [problem for one in catcher.caught for problem in answer_problems(one.event)] == []


def test_the_same_event_is_told_by_webhook_and_by_listing(
    side: Side, catcher: WebhookCatcher
) -> None:
    began = side.now() - timedelta(seconds=1)
    side.paid()
    (caught,) = catcher.wait_for("checkout.session.completed")
    told = side.gateway.parse_webhook(caught.body, caught.signature, side.now())
    assert told in side.gateway.list_events(created_gte=began, limit=1000).items


def test_a_body_that_was_changed_is_refused(side: Side, catcher: WebhookCatcher) -> None:
    side.paid()
    (caught,) = catcher.wait_for("checkout.session.completed")
    changed = caught.body.replace(b'"amount_total": 31800', b'"amount_total": 31801')
    assert changed != caught.body
    with pytest.raises(WebhookRefused) as refused:
        side.gateway.parse_webhook(changed, caught.signature, side.now())
    assert _why(refused) == "forged"


@pytest.mark.parametrize(
    "signature",
    ["", "nonsense", "t=1790000000", "v1=abc", "t=abc,v1=abc", "t=1790000000,v0=abc", "t=,v1="],
)
def test_a_signature_that_is_none_is_refused(side: Side, signature: str) -> None:
    with pytest.raises(WebhookRefused) as refused:
        side.gateway.parse_webhook(_event(), signature, side.now())
    assert _why(refused) == ("forged" if signature else "unsigned")


def test_an_event_without_any_signature_is_refused(side: Side) -> None:
    with pytest.raises(WebhookRefused) as refused:
        side.gateway.parse_webhook(_event(), None, side.now())
    assert _why(refused) == "unsigned"


def test_bytes_that_are_no_text_are_refused(side: Side, sandbox: SandboxProcess) -> None:
    body = b"\xff\xfe"
    with pytest.raises(WebhookRefused):
        side.gateway.parse_webhook(
            body, _signed(sandbox.webhook_secret, body, side.now()), side.now()
        )


@pytest.mark.parametrize(
    ("seconds", "believed"), [(-299, True), (-301, False), (299, True), (301, False)]
)
def test_clocks_may_differ_by_five_minutes_and_no_more(
    side: Side, sandbox: SandboxProcess, seconds: int, believed: bool
) -> None:
    now = datetime(2026, 11, 17, 14, 11, tzinfo=UTC)
    signature = _signed(sandbox.webhook_secret, _event(), now + timedelta(seconds=seconds))
    if believed:
        assert side.gateway.parse_webhook(_event(), signature, now).id == "evt_1"
        return
    with pytest.raises(WebhookRefused) as refused:
        side.gateway.parse_webhook(_event(), signature, now)
    assert _why(refused) == "stale"


def test_while_a_secret_is_changed_both_are_believed_and_afterwards_only_the_new_one(
    sandbox: SandboxProcess, side: Side
) -> None:
    now = side.now()
    changing = gateway_to(sandbox, webhook_secrets=("whsec_new", sandbox.webhook_secret))
    changed = gateway_to(sandbox, webhook_secrets=("whsec_new",))
    old = _signed(sandbox.webhook_secret, _event(), now)
    new = _signed("whsec_new", _event(), now)

    assert changing.parse_webhook(_event(), old, now).id == "evt_1"
    assert changing.parse_webhook(_event(), new, now).id == "evt_1"
    assert changed.parse_webhook(_event(), new, now).id == "evt_1"
    with pytest.raises(WebhookRefused):
        changed.parse_webhook(_event(), old, now)


def test_a_processor_that_signs_with_two_secrets_is_believed_by_either(
    sandbox: SandboxProcess, side: Side, catcher: WebhookCatcher
) -> None:
    sandbox.send_webhooks_to(catcher.url, [sandbox.webhook_secret, "whsec_new"])
    side.paid()
    (caught,) = catcher.wait_for("checkout.session.completed")
    for secret in (sandbox.webhook_secret, "whsec_new"):
        gateway = gateway_to(sandbox, webhook_secrets=(secret,))
        event = gateway.parse_webhook(caught.body, caught.signature, side.now())
        assert event.id == caught.event["id"]


def test_a_live_event_at_a_test_shop_is_refused(side: Side, sandbox: SandboxProcess) -> None:
    body = _event(livemode=True)
    with pytest.raises(WebhookRefused) as refused:
        side.gateway.parse_webhook(
            body, _signed(sandbox.webhook_secret, body, side.now()), side.now()
        )
    assert _why(refused) == "wrong_mode"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'"evt"',
        _event(object="charge"),
        _event(data={}),
        _event(data=None),
        _event(id=None),
        _event(livemode="no"),
        _event(created="today"),
        _event(created=True),
    ],
)
def test_what_is_signed_but_no_event_is_refused(
    side: Side, sandbox: SandboxProcess, body: bytes
) -> None:
    with pytest.raises(WebhookRefused) as refused:
        side.gateway.parse_webhook(
            body, _signed(sandbox.webhook_secret, body, side.now()), side.now()
        )
    assert _why(refused) == "malformed"


# --- how they arrive -----------------------------------------------------------------------------


def _ids(caught: list[Caught]) -> list[str]:
    return [str(one.event["id"]) for one in caught]


def test_an_event_that_was_not_taken_comes_again_the_same(
    side: Side, sandbox: SandboxProcess, catcher: WebhookCatcher
) -> None:
    catcher.answers = [500]
    sandbox.fault("hold_webhooks", times=20)
    side.gateway.expire_checkout(side.open().id, f"end-{side.new_name()}")
    sandbox.clear_faults()

    first, second = catcher.wait_for("checkout.session.expired", 2)
    assert first.body == second.body
    assert wait_until(lambda: sandbox.deliveries[0]["state"] == "delivered")
    assert sandbox.deliveries[0]["attempts"] == 2


def test_an_event_may_come_twice(
    side: Side, sandbox: SandboxProcess, catcher: WebhookCatcher
) -> None:
    sandbox.fault("duplicate_webhooks")
    side.gateway.expire_checkout(side.open().id, f"end-{side.new_name()}")
    first, second = _ids(catcher.wait_for("checkout.session.expired", 2))
    assert first == second


def test_events_may_come_in_the_wrong_order(
    side: Side, sandbox: SandboxProcess, catcher: WebhookCatcher
) -> None:
    sandbox.fault("reverse_webhooks", times=4)
    side.paid()
    catcher.wait_for("payment_intent.created")
    types = [one.event["type"] for one in catcher.caught]
    assert types[0] == "checkout.session.completed"
    assert types[-1] == "payment_intent.created"


def test_events_may_come_late(side: Side, sandbox: SandboxProcess, catcher: WebhookCatcher) -> None:
    sandbox.fault("hold_webhooks", times=20)
    payment = side.paid()
    assert wait_until(lambda: {one["state"] for one in sandbox.deliveries[:4]} == {"held"})
    assert payment.status == "succeeded"
    assert catcher.caught == []
    sandbox.release_webhooks()
    catcher.wait_for("checkout.session.completed")


def test_an_event_may_be_lost_and_is_still_listed(
    side: Side, sandbox: SandboxProcess, catcher: WebhookCatcher
) -> None:
    began = side.now() - timedelta(seconds=1)
    sandbox.fault("lose_webhooks", times=4)
    payment = side.paid()
    assert wait_until(lambda: {one["state"] for one in sandbox.deliveries[:4]} == {"lost"})
    assert catcher.caught == []
    listed = side.gateway.list_events(created_gte=began, limit=1000).items
    assert payment.id in [event.object_id for event in listed]


def test_an_event_may_be_sent_again_long_after(
    side: Side, sandbox: SandboxProcess, catcher: WebhookCatcher
) -> None:
    side.paid()
    (caught,) = catcher.wait_for("checkout.session.completed")
    sandbox.resend(caught.event["id"])
    again = catcher.wait_for("checkout.session.completed", 2)[1]
    assert again.body == caught.body


def test_a_webhook_may_be_there_before_the_answer_of_the_call(
    side: Side, sandbox: SandboxProcess, catcher: WebhookCatcher
) -> None:
    session = side.open()
    sandbox.fault("slow", path="*/expire", delay_seconds=60)
    with pytest.raises(Indeterminate):
        gateway_to(sandbox, timeout=0.3).expire_checkout(session.id, f"end-{side.new_name()}")
    (caught,) = catcher.wait_for("checkout.session.expired")
    assert caught.event["data"]["object"]["id"] == session.id


def test_what_was_not_delivered_goes_out_after_a_restart(data_dir: Path) -> None:
    with WebhookCatcher() as catcher:
        with running_sandbox(data_dir, "http://127.0.0.1:1/nobody") as first:
            side = side_of(first)
            session = side.open()
            side.gateway.expire_checkout(session.id, "end")
            assert wait_until(lambda: first.deliveries[0]["attempts"] >= 1)
            first.process.kill()
        with running_sandbox(
            data_dir,
            catcher.url,
            api_key=first.api_key,
            webhook_secret=first.webhook_secret,
        ) as second:
            catcher.wait_for("checkout.session.expired")
            assert gateway_to(second).get_checkout(session.id).status == "expired"
        assert len(catcher.caught) == 1
