"""Whatever way the processor's webhooks come, the shop ends in the same state as when they come in order.

Two like groups of shoppers pay and close their tabs. Of one group each webhook comes once and in order; of
the other they come twice, shuffled, among forged and stale ones. A third group never pays, and the forged say
that it did.
"""

import hashlib
import hmac
import json
import random
import secrets
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.ledger.models import JournalLine, OpenItem
from core.orders.models import Order
from core.subscriptions.models import Subscription
from flows.place_order import Placed
from flows.verify import verify
from invoices.models import Invoice
from payments import operations
from payments.models import InboundEvent, Payment, Refund
from tests.paying import CARD, DECLINED, buy, drain, gateway
from tests.sandbox_process import SandboxProcess
from tests.shop import Shop, make_shop
from tests.world import World

#: What Stripe tells of one purchase, in its order; which object each is about.
TYPES = (
    ("payment_intent.created", "payment_intent"),
    ("charge.succeeded", "payment_intent"),
    ("payment_intent.succeeded", "payment_intent"),
    ("checkout.session.completed", "checkout.session"),
)


@dataclass(frozen=True)
class Told:
    """One webhook as it comes in."""

    body: bytes
    signature: str
    believed: bool


@dataclass
class Post:
    """The processor's side of the wire: it signs what it sends, and others try to."""

    shop: Shop
    secret: str
    chance: random.Random

    def event(self, type_: str, kind: str, object_id: str) -> bytes:
        now = int(self.shop.house.clock.now().timestamp())
        return json.dumps(
            {
                "id": f"evt_{secrets.token_hex(12)}",
                "object": "event",
                "type": type_,
                "created": now,
                "livemode": False,
                "data": {"object": {"id": object_id, "object": kind}},
            }
        ).encode()

    def told(self, body: bytes, *, secret: str = "", age: int = 0, believed: bool = True) -> Told:
        at = int(self.shop.house.clock.now().timestamp()) - age
        key = (secret or self.secret).encode()
        mac = hmac.new(key, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return Told(body, f"t={at},v1={mac}", believed)

    def forged(self, body: bytes) -> Told:
        """Signed by somebody who guesses, or changed on its way."""
        if self.chance.random() < 0.5:
            return self.told(body, secret="whsec_guessed", believed=False)
        right = self.told(body)
        return Told(
            body.replace(b'"livemode": false', b'"livemode":false '), right.signature, False
        )

    def stale(self, body: bytes) -> Told:
        return self.told(body, age=self.chance.randrange(301, 90_000), believed=False)


def _objects(shop: Shop, placed: Placed) -> dict[str, str]:
    """The processor's ids of a purchase: the session and, once it was paid, the payment."""
    with shop.house.db.reading() as session:
        operation = operations.of_order(session, placed.order_id)
    assert operation is not None
    assert operation.gateway_id is not None
    found = shop.house.gateway.get_checkout(operation.gateway_id)
    return {
        "checkout.session": operation.gateway_id,
        "payment_intent": found.payment_id or "pi_none",
    }


def _events(post: Post, purchases: list[dict[str, str]], copies: int) -> list[list[bytes]]:
    """For each purchase its events in their order, each type ``copies`` times under ids of their own."""
    return [
        [post.event(type_, kind, ids[kind]) for type_, kind in TYPES for _ in range(copies)]
        for ids in purchases
    ]


def _deliver(shop: Shop, told: list[Told], work_every: int) -> Counter[int]:
    """Post each, and let the worker work now and then; how often each status was answered."""
    client, answers = shop.client(), Counter[int]()
    for number, one in enumerate(told, start=1):
        answer = client.post(
            "/webhooks/stripe", data=one.body, headers={"Stripe-Signature": one.signature}
        )
        assert answer.status_code == (200 if one.believed else 400)
        answers[answer.status_code] += 1
        if number % work_every == 0:
            drain(shop.house)
    drain(shop.house)
    return answers


def _state(shop: Shop, group: list[Placed]) -> dict[str, object]:
    """All that came of a group's orders, but for numbers and times: those follow who was first."""
    keys = [placed.order_id for placed in group]
    with shop.house.db.reading() as session:
        orders = session.scalars(select(Order).where(Order.id.in_(keys))).all()
        payments = session.scalars(select(Payment).where(Payment.order_id.in_(keys))).all()
        bills = session.scalars(select(Invoice).where(Invoice.order_id.in_(keys))).all()
        sources = [row.id for row in payments] + [row.id for row in bills]
        items = session.execute(
            select(OpenItem.side, OpenItem.ledger_code, func.sum(OpenItem.amount_minor))
            .where(OpenItem.source_id.in_(sources))
            .group_by(OpenItem.side, OpenItem.ledger_code)
        ).all()
        payers = [row.payer_account_id for row in orders]
        lines = session.execute(
            select(JournalLine.ledger_code, func.count(), func.sum(JournalLine.amount_minor))
            .where(JournalLine.account_id.in_(payers))
            .group_by(JournalLine.ledger_code)
        ).all()
        services = session.scalars(
            select(Subscription.state).where(Subscription.payer_account_id.in_(payers))
        ).all()
        refunds = session.scalars(
            select(Refund.id).where(Refund.payment_id.in_([row.id for row in payments]))
        ).all()
    return {
        "orders": sorted((row.lifecycle, row.payment, row.due_now_minor) for row in orders),
        "payments": sorted((row.amount_minor, row.currency) for row in payments),
        "bills": sorted((row.kind, row.total_minor) for row in bills),
        "items": sorted(tuple(row) for row in items),
        "journal": sorted(tuple(row) for row in lines),
        "services": sorted(services),
        "refunds": len(refunds),
    }


@pytest.mark.parametrize(
    ("shoppers", "copies"),
    [(4, 2), pytest.param(50, 25, marks=pytest.mark.long)],
    ids=["some", "ten thousand"],
)
def test_twice_shuffled_forged_and_stale_ends_as_once_and_in_order(
    db: Database,
    clock: ManualClock,
    world: World,
    sandbox: SandboxProcess,
    tmp_path: Path,
    shoppers: int,
    copies: int,
):
    shop = make_shop(db, clock, tmp_path, gateway(sandbox))
    chance = random.Random(20_261_129)
    post = Post(shop, sandbox.webhook_secret, chance)
    groups: list[list[Placed]] = [[], []]
    for group in groups:
        for number in range(shoppers):
            skus = (world.visit.sku, world.plan.sku) if number % 2 else (world.visit.sku,)
            placed = buy(shop.house, *skus)
            assert placed.redirect_url is not None
            sandbox.pay(placed.redirect_url, CARD)
            group.append(placed)
    nobody = [buy(shop.house, world.visit.sku) for _ in range(2)]
    assert nobody[0].redirect_url is not None
    sandbox.pay(nobody[0].redirect_url, DECLINED)

    in_order, mixed = (
        _events(post, [_objects(shop, placed) for placed in group], copies) for group in groups
    )
    _deliver(shop, [post.told(one) for events in in_order for one in events], 50)
    wanted = _state(shop, groups[0])
    assert [row[1] for row in wanted["orders"]] == ["paid"] * shoppers  # type: ignore[attr-defined]

    # Each event twice; one in twenty of all is forged and one in twenty stale, of these and of others.
    real = [post.told(one) for events in mixed for one in events for _ in range(2)]
    unpaid = _events(post, [_objects(shop, placed) for placed in nobody], copies)
    others = [one for events in (*unpaid, *mixed) for one in events]
    share = max(len(real) // 18, 1)
    bad = [post.forged(chance.choice(others)) for _ in range(share)]
    bad += [post.stale(chance.choice(others)) for _ in range(share)]
    told = [*real, *bad]
    chance.shuffle(told)
    answers = _deliver(shop, told, 37)
    assert answers == {200: len(real), 400: len(bad)}

    assert _state(shop, groups[1]) == wanted
    assert {row[:2] for row in _state(shop, nobody)["orders"]} == {("pending", "awaiting")}  # type: ignore[attr-defined]
    with db.reading() as session:
        stored = session.scalar(select(func.count()).select_from(InboundEvent))
        open_ = session.scalar(
            select(func.count()).select_from(InboundEvent).where(InboundEvent.state == "received")
        )
    assert (stored, open_) == (2 * shoppers * copies * len(TYPES), 0)
    assert [line for line in verify(db, clock, blobs=shop.house.blobs) if not line.holds] == []
