"""Programs are told of what happens: signed, each thing once, until they take it, no longer than is wise."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core.hooks import deliveries, endpoints, signing
from core.hooks.endpoints import EndpointOff, Wish
from core.hooks.models import HookAttempt, HookDelivery, HookEndpoint, HookMessage
from core.hooks.reaching import Answer, refusal
from core.kernel import audit, crash, jobs
from core.kernel.clock import ManualClock
from core.kernel.jobs import Job
from core.notices.models import Notice
from core.orders.models import Order
from core.parties.models import Channel
from flows.deliver_hook import sealer
from flows.house import House
from flows.place_order import place
from flows.verify import verify
from tests.paying import CARD, buy, come_back, drain, fill_cart, wish
from tests.sandbox_process import SandboxProcess
from tests.world import World


@dataclass
class Program:
    """Somebody's program, by what it answers; it keeps what it was sent."""

    status: int | None = 204
    heard: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)

    def refuse(self, url: str) -> str | None:
        return refusal(url, insecure=False)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.heard.append((url, headers, body))
        trouble = "" if self.status else "nobody listens there"
        return Answer(self.status, 7, "thanks\x00" * 200, trouble)

    def told(self) -> list[str]:
        """The types, in the order that they came."""
        return [json.loads(body)["type"] for _, _, body in self.heard]


@pytest.fixture
def program() -> Program:
    return Program()


@pytest.fixture
def shop(house: House, program: Program) -> House:
    return replace(house, poster=program)


def add(
    house: House, *kinds: str, channel: str = "", url: str = "https://erp.example.com/h"
) -> tuple[str, str]:
    """An endpoint: its public id and its secret."""
    wanted = Wish(url, "Books", kinds or ("*",), channel)

    def write(session):
        row, secret = endpoints.add(
            session, wanted, house.poster, sealer(house), "test", house.clock.now()
        )
        return row.public_id, secret

    return house.db.run_tx(write)


def on_terms(house: House, world: World) -> uuid.UUID:
    placed = place(house, wish(fill_cart(house, world.visit.sku), "invoice"))
    return placed.order_id


def rows(house: House, model, *where):
    with house.db.reading() as session:
        return session.scalars(select(model).where(*where).order_by(model.id)).all()


def act(house: House, verb, *args):
    """Something of ``core.hooks`` in a transaction, now."""
    return house.db.run_tx(lambda session: verb(session, *args, house.clock.now()))


def pass_on(house: House, step: timedelta) -> None:
    assert isinstance(house.clock, ManualClock)
    house.clock.advance(step)


def test_a_sale_is_told_step_by_step_signed_and_thin(
    shop: House, program: Program, sandbox: SandboxProcess, world: World
):
    _, secret = add(shop)
    add(shop, "trial.started", url="https://other.example.com/")
    placed = buy(shop, world.router.sku)
    sandbox.pay(placed.redirect_url, CARD)
    come_back(shop, placed)
    drain(shop)
    assert sorted(program.told()) == [
        "invoice.issued",
        "invoice.paid",
        "order.paid",
        "order.placed",
        "payment.received",
    ]
    (order,) = rows(shop, Order)
    for url, headers, body in program.heard:
        assert url == "https://erp.example.com/h"
        content = json.loads(body)
        assert content["version"] == 1
        signed = signing.sign(
            secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body.decode()
        )
        assert headers["webhook-signature"] == signed
        for word in ("riley", "Riley", "Chestnut", order.email, str(order.id)):
            assert word not in body.decode()
    by_kind = {json.loads(body)["type"]: json.loads(body)["data"] for _, _, body in program.heard}
    assert by_kind["order.placed"]["order"] == order.public_id
    assert by_kind["order.placed"]["payment_status"] == "paid"
    assert by_kind["invoice.paid"]["total"] == {"amount": order.due_now_minor, "currency": "USD"}
    assert {row.state for row in rows(shop, HookDelivery)} == {"delivered"}
    assert {row.said for row in rows(shop, HookAttempt)} == {("thanks " * 200)[:500]}
    assert [line for line in verify(shop.db, shop.clock) if not line.holds] == []


def test_what_is_told_twice_by_the_house_is_told_once(shop: House, program: Program, world: World):
    add(shop, "order.placed", "invoice.issued")
    on_terms(shop, world)
    drain(shop)
    with shop.db.transaction() as session:  # each job once more, as after a crash
        again = update(Job).where(Job.handler == "tell_programs")
        session.execute(again.values(state="ready", finished_at=None))
    drain(shop)
    assert sorted(program.told()) == ["invoice.issued", "order.placed"]


def test_nobody_who_does_not_listen_costs_a_row(shop: House, program: Program, world: World):
    add(shop, "trial.started")
    on_terms(shop, world)
    drain(shop)
    assert rows(shop, HookMessage) == []
    assert program.heard == []


def test_an_endpoint_of_another_channel_hears_nothing_of_this_one(
    shop: House, program: Program, world: World
):
    cart = fill_cart(shop, world.visit.sku)
    with shop.db.transaction() as session:
        here = session.scalars(select(Channel)).one()
        columns = {
            c.key: getattr(here, c.key)
            for c in Channel.__table__.columns
            if c.key not in ("id", "code", "name")
        }
        session.add(Channel(code="trade", name="Trade", **columns))
    add(shop, "order.placed", channel="trade", url="https://trade.example.com/")
    add(shop, "order.placed", channel="web", url="https://web.example.com/")
    place(shop, wish(cart, "invoice"))
    drain(shop)
    assert [url for url, _, _ in program.heard] == ["https://web.example.com/"]


def test_it_is_tried_again_later_and_later_under_the_same_id_until_it_is_taken(
    shop: House, program: Program, world: World
):
    add(shop, "order.placed")
    program.status = 500
    on_terms(shop, world)
    drain(shop)
    pass_on(shop, timedelta(seconds=4))
    drain(shop)
    assert len(program.heard) == 1, "too early"
    for wait in (2, 66, 330):
        pass_on(shop, timedelta(seconds=wait))
        drain(shop)
    assert len(program.heard) == 4
    program.status = 200
    pass_on(shop, timedelta(hours=1))
    drain(shop)
    assert len(program.heard) == 5
    assert len({headers["webhook-id"] for _, headers, _ in program.heard}) == 1
    assert len({headers["webhook-timestamp"] for _, headers, _ in program.heard}) == 5
    assert [row.status for row in rows(shop, HookAttempt)] == [500, 500, 500, 500, 200]
    (endpoint,) = rows(shop, HookEndpoint)
    assert (endpoint.failures, endpoint.failing_since) == (0, None)


def test_after_ten_tries_it_is_given_up_and_may_be_sent_again_by_hand(
    shop: House, program: Program, world: World
):
    add(shop, "order.placed")
    program.status = None
    on_terms(shop, world)
    drain(shop)
    for _ in range(30):
        pass_on(shop, timedelta(hours=3))
        drain(shop)
    (row,) = rows(shop, HookDelivery)
    assert (row.state, row.attempts) == ("failed", len(deliveries.WAITS) + 1)
    assert len(program.heard) == row.attempts

    program.status = 204
    pass_on(shop, timedelta(hours=2))
    (endpoint,) = rows(shop, HookEndpoint)
    assert act(shop, deliveries.all_again, endpoint, "user:kim") == 1
    drain(shop)
    assert act(shop, deliveries.all_again, endpoint, "user:kim") == 0, "it took it"
    assert [row.state for row in rows(shop, HookDelivery)] == ["failed", "delivered"]
    assert len({headers["webhook-id"] for _, headers, _ in program.heard}) == 1
    act(shop, deliveries.again, endpoint, row.public_id, "user:kim")
    drain(shop)
    assert [row.round for row in rows(shop, HookDelivery)] == [1, 2, 3]


def test_a_machine_that_is_down_is_not_asked_for_each_event(
    shop: House, program: Program, world: World
):
    add(shop)
    program.status = None
    for _ in range(6):
        on_terms(shop, world)
        drain(shop)
    tried = len(program.heard)
    assert tried <= 6, "five, and whoever was in the same moment"
    for _ in range(4):
        on_terms(shop, world)
        drain(shop)
    assert len(program.heard) == tried, "it rests"
    program.status = 200
    for _ in range(8):
        pass_on(shop, timedelta(hours=1))
        drain(shop)
    assert {row.state for row in rows(shop, HookDelivery)} == {"delivered"}


def test_after_five_days_of_nothing_it_is_switched_off_and_the_desk_is_told(
    shop: House, program: Program, world: World
):
    public_id, _ = add(shop, "order.placed")
    program.status = 503
    for _ in range(6):
        on_terms(shop, world)
        drain(shop)
        pass_on(shop, timedelta(hours=25))
    drain(shop)
    (endpoint,) = rows(shop, HookEndpoint)
    assert (endpoint.state, endpoint.off_because) == ("off", "failing")
    (mail,) = rows(shop, Notice, Notice.template == "hook_off")
    assert mail.to_address == "billing@fernway.example.com"
    assert "Books has taken nothing for 5 days" in mail.text_body
    assert "it answered 503" in " ".join(mail.text_body.split())
    heard = len(program.heard)
    on_terms(shop, world)
    pass_on(shop, timedelta(days=1))
    drain(shop)
    assert len(program.heard) == heard
    assert "waiting" not in {row.state for row in rows(shop, HookDelivery)}
    with pytest.raises(EndpointOff):
        act(shop, deliveries.all_again, endpoint, "user:kim")
    program.status = 200
    act(shop, lambda session, now: endpoints.switch(session, public_id, True, "test", now))
    (endpoint,) = rows(shop, HookEndpoint)
    told = len(rows(shop, HookMessage))
    assert act(shop, deliveries.all_again, endpoint, "user:kim") == told >= 5
    drain(shop)
    assert len(program.heard) == heard + told


def test_an_endpoint_that_says_it_is_gone_is_off_at_once(
    shop: House, program: Program, world: World
):
    add(shop, "order.placed")
    program.status = 410
    on_terms(shop, world)
    drain(shop)
    (endpoint,) = rows(shop, HookEndpoint)
    assert (endpoint.state, len(program.heard)) == ("off", 1)
    assert len(rows(shop, Notice, Notice.template == "hook_off")) == 1


def test_a_crash_after_their_yes_sends_it_again_under_the_same_id(
    shop: House, program: Program, world: World
):
    add(shop, "order.placed")
    on_terms(shop, world)
    with crash.crash_at("hook.sent"):
        drain(shop)
    pass_on(shop, jobs.LEASE + timedelta(seconds=1))
    drain(shop)
    assert len(program.heard) == 2
    assert len({headers["webhook-id"] for _, headers, _ in program.heard}) == 1
    assert [row.state for row in rows(shop, HookDelivery)] == ["delivered"]


def test_while_a_secret_is_turned_both_sign_and_then_the_new_one_alone(
    shop: House, program: Program, world: World
):
    public_id, old = add(shop, "order.placed")
    _, new = act(
        shop,
        lambda session, now: endpoints.rotate(session, public_id, sealer(shop), "test", now),
    )
    on_terms(shop, world)
    drain(shop)
    pass_on(shop, timedelta(hours=25))
    on_terms(shop, world)
    drain(shop)
    for (_, headers, body), keys in zip(program.heard, ([new, old], [new]), strict=True):
        at = int(headers["webhook-timestamp"])
        wanted = [signing.sign(key, headers["webhook-id"], at, body.decode()) for key in keys]
        assert headers["webhook-signature"].split() == wanted


def test_secrets_are_sealed_and_looks_at_them_are_written_down(shop: House):
    public_id, secret = add(shop)
    (row,) = rows(shop, HookEndpoint)
    assert secret not in row.secret
    shown = act(
        shop, lambda session, now: endpoints.reveal(session, public_id, sealer(shop), "user:1", now)
    )
    assert shown == secret
    assert [entry.act for entry in rows(shop, audit.AuditEntry)] == [
        "webhook.added",
        "webhook.secret_seen",
    ]
    act(shop, lambda session, now: endpoints.remove(session, public_id, "user:1", now))
    (row,) = rows(shop, HookEndpoint)
    assert (row.state, row.secret, row.old_secret) == ("removed", "", None)


def test_a_test_goes_to_one_endpoint_whatever_it_listens_to(shop: House, program: Program):
    add(shop, url="https://other.example.com/")
    add(shop, "trial.ended")
    endpoint = rows(shop, HookEndpoint)[-1]
    act(shop, lambda session, now: deliveries.test(session, endpoint, "test", now))
    drain(shop)
    assert program.told() == ["webhook.test"]
    assert program.heard[0][0] == endpoint.url


def test_what_is_over_is_forgotten_after_thirty_days_and_what_waits_is_not(
    shop: House, program: Program, world: World
):
    add(shop, "order.placed")
    on_terms(shop, world)
    drain(shop)
    pass_on(shop, timedelta(days=31))
    program.status = 500
    on_terms(shop, world)
    drain(shop)
    with shop.db.transaction() as session:
        deliveries.forget(session, shop.clock.now() - deliveries.KEPT)
    assert [row.state for row in rows(shop, HookDelivery)] == ["waiting"]
    assert len(rows(shop, HookMessage)) == len(rows(shop, HookAttempt)) == 1
