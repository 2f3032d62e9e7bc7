"""What a priced cart says of itself: until when it is held, what ships, what lapsed."""

import uuid
from datetime import UTC, datetime, timedelta

from cart.delivery import Choice
from cart.priced import PricedCart, PricedLine
from cart.pricing import delivery_micros
from core.kernel.money import Money
from core.prices.resolve import Resolved

NOW = datetime(2026, 11, 17, 19, 11, tzinfo=UTC)
ZERO = Money.zero("USD")


def line(kind: str, held_until: datetime | None) -> PricedLine:
    return PricedLine(
        id=uuid.uuid4(),
        public_id="1" * 32,
        variant_id=uuid.uuid4(),
        sku="FW-RT-6",
        name="Router",
        slug="router",
        picture="",
        kind=kind,
        tax_category="device",
        quantity=1,
        price=Resolved(129_000_000, "USD", None, 1, {}),
        net=Money(12_900, "USD"),
        held_until=held_until,
        price_was=None,
    )


def cart(*lines: PricedLine) -> PricedCart:
    return PricedCart(lines, (), None, ZERO, ZERO, ZERO, False, ZERO, ())


def test_the_earliest_end_counts():
    ends = [NOW + timedelta(minutes=minutes) for minutes in (20, 5, 30)]
    assert cart(*(line("physical", end) for end in ends)).held_until == ends[1]


def test_nothing_is_held_of_an_empty_cart_or_of_services():
    assert cart().held_until is None
    assert cart(line("service", None)).held_until is None


def test_only_goods_ship_and_only_goods_lapse():
    goods, service = line("physical", None), line("plan", None)
    assert (goods.lapsed, service.lapsed) == (True, False)
    assert not line("physical", NOW).lapsed
    assert cart(service, goods).ships
    assert not cart(service).ships


def test_a_way_of_delivery_has_a_unit_price_like_any_line():
    assert delivery_micros(Choice("a", "A", "", Money(690, "USD"), "delivery")) == 6_900_000
    assert delivery_micros(Choice("a", "A", "", Money(690, "JPY"), "delivery")) == 690_000_000
