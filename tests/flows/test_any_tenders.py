"""Whatever is bought, paid in several ways, given up, given back and ended: no money is spent or given twice.

A small model keeps each card, the credit and each order in plain numbers; the shop, through its flows, must
say the same after every step. The processor is a counter that takes every card at once.
"""

import dataclasses
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.demo.fernway.till import Till
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import ShopError, StaleState
from core.ledger import gift_cards, gift_codes, tender_proofs, tenders
from core.ledger.gift_cards import GiftCardInUse, GiftCardUnknown, GiftCardUsed
from core.ledger.returns import RefundTooMuch
from core.orders import proofs as orders
from core.parties.models import Account
from flows import issue_invoice, keep_gift_cards, refund
from flows.abandon_payment import abandon
from flows.choose_tenders import ByCredit, ByGiftCard, Paying
from flows.give_back import Back, give_back
from flows.house import House
from flows.place_order import Wish, place
from flows.settle_payment import settle
from payments import gateway, operations
from payments import proofs as payments
from payments.gateway import CheckoutSession, Gateway
from payments.models import Payment, Refund
from tests.giving import GIFT_SKU, give_credit, member, sell_gift_cards
from tests.paying import fill_cart, usd, wish
from tests.shop import make_house
from tests.world import World

WORTH, VISIT = 5000, 6000
WAYS = (("card", "gift_card", "credit"), ("credit", "gift_card", "card"), ("gift_card",))


class Counter(Till):
    """A processor that takes every card; visits can be given up, refunds can fail."""

    refunds: dict[str, gateway.Refund]

    def expire_checkout(self, checkout_id: str, op_key: str) -> CheckoutSession:
        return dataclasses.replace(self.get_checkout(checkout_id), status="expired")

    def refund(self, request: gateway.RefundRequest) -> gateway.Refund:
        told = gateway.Refund(
            id=f"re_{request.operation_id}",
            status="succeeded",
            amount=request.amount,
            payment_id=request.payment_id,
            operation_id=request.operation_id,
            metadata={},
            created=self.clock.now(),
            failure=None,
            balance_transaction_id=None,
        )
        return self.refunds.setdefault(request.operation_id, told)

    def get_refund(self, refund_id: str) -> gateway.Refund:
        return self.refunds[refund_id.removeprefix("re_")]


@dataclass
class Card:
    """A gift card as the model knows it."""

    code: str
    public_id: str
    order_id: uuid.UUID
    left: int = WORTH
    ended: bool = False
    returned: bool = False


@dataclass
class Bought:
    """An order: what each way of paying pays of it, and what of that went back."""

    order_id: uuid.UUID
    parts: list[tuple[str, Any, int]]
    state: str = "pending"
    billed: bool = False
    back: dict[int, int] = field(default_factory=dict)
    #: What the shop still holds of it.
    held: int = VISIT

    def of(self, kind: str, key: Any = None) -> int:
        return sum(n for what, whose, n in self.parts if what == kind and key in (None, whose))


picks = st.integers(0, 5)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("buy_card")),
        st.tuples(st.just("credit"), st.integers(1, 4000)),
        st.tuples(st.just("begin"), st.lists(picks, max_size=3), st.booleans()),
        st.tuples(st.just("begin"), st.lists(picks, max_size=2), st.just(True)),
        st.tuples(st.just("state"), picks, st.integers(1, 6000), st.integers(1, 3000)),
        st.tuples(st.just("pay"), picks),
        st.tuples(st.just("pay"), picks),
        st.tuples(st.just("give_up"), picks),
        st.tuples(st.just("bill"), picks),
        st.tuples(st.just("give_back"), picks, st.integers(1, 7000), st.sampled_from(WAYS)),
        st.tuples(st.just("give_back"), picks, st.integers(1, 3000), st.sampled_from(WAYS)),
        st.tuples(st.just("refund_fails"), picks),
        st.tuples(st.just("take_back"), picks),
        st.tuples(st.just("end"), picks, st.booleans()),
    ),
    min_size=6,
    max_size=16,
)


class Story:
    """One example: the shop and the model go through the same steps."""

    def __init__(self, house: House, world: World, counter: Counter) -> None:
        self.house, self.world, self.counter = house, world, counter
        self.who = member(house, name=f"R {uuid.uuid4().hex[:10]}")
        self.cards: list[Card] = []
        self.orders: list[Bought] = []
        self.refunds: list[tuple[Bought, uuid.UUID, list[tuple[int, int]]]] = []
        self.credit_left = 0
        self.keys = 0

    # -- what can happen

    def buy_card(self) -> None:
        placed = place(self.house, wish(fill_cart(self.house, GIFT_SKU), email="g@example.com"))
        self._settle(placed.order_id)
        self._bill(placed.order_id)
        with self.house.db.reading() as session:
            (held,) = gift_cards.of_order(session, placed.order_id)
        code = gift_codes.code_of(self.house.links.secret, held.card.public_id)
        self.cards.append(Card(code, held.card.public_id, placed.order_id))

    def credit(self, minor: int) -> None:
        def work(session: Session) -> None:
            give_credit(session, session.get_one(Account, self.who.account_id), minor, self.house)

        self.house.db.run_tx(work)
        self.credit_left += minor

    def begin(self, numbers: list[int], use_credit: bool) -> None:
        used = list(dict.fromkeys(n % len(self.cards) for n in numbers)) if self.cards else []
        parts: list[Any] = [ByGiftCard(self.cards[n].code) for n in used]
        if use_credit:
            parts.append(ByCredit())
        if any(self.cards[n].ended or not self._available(n) for n in used):
            with pytest.raises(GiftCardUnknown):
                self._place(Paying(tuple(parts)))
            return
        left = VISIT
        shares: list[Any] = []
        for n in used:
            left = self._share(shares, left, "gift_card", n, self._available(n))
        if use_credit:
            left = self._share(shares, left, "credit", None, self._credit_available())
        self._share(shares, left, "card", None, left)
        self._begun(self._place(Paying(tuple(parts))), shares)

    def state(self, number: int, of_card: int, of_credit: int) -> None:
        """The payer states amounts, credit first."""
        if not self.cards:
            return
        n = number % len(self.cards)
        paying = Paying((ByCredit(usd(of_credit)), ByGiftCard(self.cards[n].code, usd(of_card))))
        credit = min(of_credit, self._credit_available())
        available = self._available(n)
        if self.cards[n].ended or not available or of_card > available:
            with pytest.raises(ShopError):
                self._place(paying)
            return
        shares: list[tuple[str, Any, int]] = []
        left = self._share(shares, VISIT, "credit", None, credit)
        left = self._share(shares, left, "gift_card", n, of_card)
        self._share(shares, left, "card", None, left)
        self._begun(self._place(paying), shares)

    def pay(self, pick: int) -> None:
        bought = self._pick(pick)
        if bought is not None and bought.of("card"):
            self._settle(bought.order_id)
            if bought.state == "pending":
                bought.state = "paid"

    def give_up(self, pick: int) -> None:
        bought = self._pick(pick)
        if bought is not None and bought.state == "pending":
            assert abandon(self.house, bought.order_id, "came_back")
            bought.state = "given up"

    def bill(self, pick: int) -> None:
        bought = self._pick(pick)
        if bought is not None and bought.state == "paid":
            self._bill(bought.order_id)
            bought.billed, bought.held = True, bought.held if bought.billed else 0

    def give_back(self, pick: int, minor: int, way: tuple[str, ...]) -> None:
        bought = self._pick(pick)
        if bought is None:
            return
        self.keys += 1
        back = Back(
            bought.order_id, usd(minor), f"{bought.order_id.hex[-12:]}-{self.keys}", "x", way
        )
        shares = self._shares_back(bought, minor, way)
        if shares is None:
            with pytest.raises(RefundTooMuch):
                give_back(self.house, back)
            return
        before = self._refunds_of(bought)
        give_back(self.house, back)
        give_back(self.house, back)
        bought.held -= minor
        for at, part in shares:
            bought.back[at] = bought.back.get(at, 0) + part
            kind, whose, _ = bought.parts[at]
            if kind == "gift_card":
                self.cards[whose].left += part
                self.cards[whose].ended = False
            elif kind == "credit":
                self.credit_left += part
        made = self._refunds_of(bought) - before
        by_card = [(at, part) for at, part in shares if bought.parts[at][0] == "card"]
        assert len(made) == (1 if by_card else 0)
        self.refunds += [(bought, key, by_card) for key in made]

    def refund_fails(self, pick: int) -> None:
        """Days later the processor says that a refund could not be paid out; it says so twice."""
        if not self.refunds:
            return
        bought, key, parts = self.refunds.pop(pick % len(self.refunds))
        with self.house.db.reading() as session:
            row = session.get_one(Refund, key)
        told = self.counter.get_refund(row.gateway_id)
        failed = dataclasses.replace(told, status="failed", failure="closed account")
        self.counter.refunds[told.operation_id] = failed
        for _ in range(2):
            assert refund.hear_of_refund(self.house, told.id)
        for at, part in parts:
            bought.back[at] -= part
            bought.held += part

    def take_back(self, pick: int) -> None:
        if not self.cards:
            return
        n = pick % len(self.cards)
        card = self.cards[n]
        if not card.returned and (card.ended or card.left != WORTH or self._reserved(n)):
            with pytest.raises((GiftCardUsed, GiftCardInUse, StaleState)):
                keep_gift_cards.refund_unused(self.house, card.public_id, "desk")
            return
        keep_gift_cards.refund_unused(self.house, card.public_id, "desk")
        card.left, card.ended, card.returned = 0, True, True

    def end(self, pick: int, forfeit: bool) -> None:
        if not self.cards:
            return
        n = pick % len(self.cards)
        card = self.cards[n]
        if card.ended or self._reserved(n):
            with pytest.raises(ShopError):
                keep_gift_cards.void(self.house, card.public_id, "lost", "desk", forfeit=forfeit)
            return
        keep_gift_cards.void(self.house, card.public_id, "lost", "desk", forfeit=forfeit)
        card.left, card.ended = 0, True

    # -- what must be so

    def check(self) -> None:
        with self.house.db.snapshot() as session:
            for n, card in enumerate(self.cards):
                held = gift_cards.by_public_id(session, card.public_id)
                shown = (held.balance.minor, held.reserved.minor)
                assert shown == (card.left, self._reserved(n)), card
            found = tenders.spendable(session, self.who.account_id, "USD")
            assert sum(row.available.minor for row in found) == self._credit_available()

    def prove(self) -> None:
        """The books prove themselves."""
        with self.house.db.snapshot() as session:
            for part in (
                payments.captured_is_somewhere(session, None),
                tender_proofs.gift_cards_tie(session, None),
                tender_proofs.nothing_is_reserved_twice(session),
                tender_proofs.returned_is_within(session),
                orders.tenders_add_up(session),
            ):
                assert part.offenders == (), part

    # -- the model's own sums

    def _share(self, shares: list[Any], left: int, kind: str, key: Any, most: int) -> int:
        part = min(left, most)
        if part > 0:
            shares.append((kind, key, part))
        return left - part

    def _reserved(self, n: int) -> int:
        return sum(one.of("gift_card", n) for one in self.orders if one.state == "pending")

    def _available(self, n: int) -> int:
        return self.cards[n].left - self._reserved(n)

    def _credit_available(self) -> int:
        waits = sum(one.of("credit") for one in self.orders if one.state == "pending")
        return self.credit_left - waits

    def _shares_back(
        self, bought: Bought, minor: int, way: tuple[str, ...]
    ) -> list[tuple[int, int]] | None:
        """Kind by kind, the last first; None when they did not pay as much or it is not held."""
        if bought.state != "paid" or minor > bought.held:
            return None
        left, shares = minor, []
        for kind in way:
            for at, (what, _, whole) in reversed(list(enumerate(bought.parts))):
                part = min(left, whole - bought.back.get(at, 0)) if what == kind else 0
                if part > 0:
                    shares.append((at, part))
                    left -= part
        return None if left else shares

    # -- the shop

    def _pick(self, pick: int) -> Bought | None:
        return self.orders[pick % len(self.orders)] if self.orders else None

    def _place(self, paying: Paying) -> uuid.UUID:
        plain = wish(fill_cart(self.house, self.world.visit.sku))
        asked = Wish(plain.cart_id, plain.details, self.who.user_id, paying=paying)
        return place(self.house, asked).order_id

    def _begun(self, order_id: uuid.UUID, shares: list[tuple[str, Any, int]]) -> None:
        bought = Bought(order_id, shares)
        if not bought.of("card"):
            bought.state = "paid"
            self._take(bought)
        self.orders.append(bought)

    def _take(self, bought: Bought) -> None:
        for kind, key, part in bought.parts:
            if kind == "gift_card":
                self.cards[key].left -= part
            elif kind == "credit":
                self.credit_left -= part

    def _settle(self, order_id: uuid.UUID) -> None:
        with self.house.db.reading() as session:
            operation = operations.of_order(session, order_id)
        assert operation is not None
        state = settle(self.house, operation.id)
        for one in self.orders:
            if one.order_id == order_id and one.state == "pending":
                assert state == "succeeded"
                self._take(one)

    def _bill(self, order_id: uuid.UUID) -> None:
        self.house.db.run_tx(lambda s: issue_invoice.for_order(s, self.house, order_id))

    def _refunds_of(self, bought: Bought) -> set[uuid.UUID]:
        with self.house.db.reading() as session:
            return set(
                session.scalars(
                    select(Refund.id)
                    .join(Payment, Payment.id == Refund.payment_id)
                    .where(Payment.order_id == bought.order_id)
                )
            )


def _go_through(house: House, world: World, counter: Counter, examples: int) -> None:
    sell_gift_cards(house, world)

    @given(STEPS)
    @settings(max_examples=examples, phases=[Phase.generate])
    def check(steps: list[tuple[Any, ...]]) -> None:
        story = Story(house, world, counter)
        story.buy_card()
        story.credit(1500)
        for name, *arguments in steps:
            getattr(story, name)(*arguments)
            story.check()
        story.prove()

    check()


@pytest.fixture
def counter(db: Database, clock: ManualClock) -> Counter:
    made = Counter(db, clock)
    object.__setattr__(made, "refunds", {})
    return made


@pytest.fixture
def house(
    db: Database, clock: ManualClock, world: World, counter: Counter, tmp_path: Path
) -> House:
    return make_house(db, clock, tmp_path, cast(Gateway, counter))


def test_no_sequence_spends_or_gives_back_more_than_there_was(
    house: House, world: World, counter: Counter
):
    _go_through(house, world, counter, 8)


@pytest.mark.long
def test_no_long_sequence_spends_or_gives_back_more_than_there_was(
    house: House, world: World, counter: Counter
):
    _go_through(house, world, counter, 600)
