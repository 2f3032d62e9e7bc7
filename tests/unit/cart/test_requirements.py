"""What checkout still asks for: one list with stable codes, for page, API and gate."""

import uuid
from dataclasses import replace

import pytest

from cart.checkout import (
    CheckoutIncomplete,
    Details,
    Requirement,
    TotalChanged,
    email_problem,
    requirements,
)
from cart.delivery import Choice
from cart.priced import GoneLine, PricedCart, PricedLine
from core.kernel.money import Money
from core.prices.resolve import Resolved
from tests.world import ADDRESS

WAYS = ("card", "invoice")


def usd(minor: int) -> Money:
    return Money(minor, "USD")


ROUTER = PricedLine(
    id=uuid.uuid4(),
    public_id="1" * 32,
    variant_id=uuid.uuid4(),
    sku="FW-RT-6",
    name="Wi-Fi 6 router",
    slug="wi-fi-6-router",
    picture="",
    kind="physical",
    tax_category="device",
    quantity=1,
    price=Resolved(129_000_000, "USD", None, 1, {}),
    net=usd(12_900),
    held_until=None,
    price_was=None,
)
VISIT = replace(ROUTER, sku="FW-VISIT", kind="service")
OLD = GoneLine("2" * 32, "FW-OLD", "Old router", "", "", 1, "withdrawn")
STANDARD = Choice("standard", "Standard", "", usd(690), "delivery")
DETAILS = Details("riley@example.com", dict(ADDRESS), None, "card")


def cart(*lines: PricedLine, ways: tuple[Choice, ...] = (STANDARD,), gone: tuple = ()):
    return PricedCart(
        lines=lines,
        methods=ways,
        method=ways[0] if ways else None,
        goods=usd(12_900),
        delivery=usd(690),
        tax=usd(0),
        tax_known=True,
        due_now=usd(13_590),
        recurring=(),
        gone=gone,
    )


def codes(priced: PricedCart, details: Details = DETAILS) -> list[tuple[str, str]]:
    return [(one.code, one.field) for one in requirements(priced, details, WAYS)]


def test_a_cart_that_has_everything_may_be_ordered():
    assert codes(cart(ROUTER)) == []
    assert codes(cart(ROUTER), replace(DETAILS, shipping_method="standard")) == []


def test_an_empty_cart_cannot_be_ordered():
    assert codes(cart(ways=())) == [("cart_empty", "lines")]


def test_what_is_no_longer_sold_stands_in_the_way_and_is_named():
    (one,) = requirements(cart(VISIT, gone=(OLD,)), DETAILS, WAYS)
    assert (one.code, one.field) == ("no_longer_sold", "lines")
    assert "FW-OLD" in one.text


def test_each_field_of_the_address_has_its_own_line():
    address = ADDRESS | {"region": "Ohio", "city": "", "postal_code": "1"}
    assert codes(cart(ROUTER), replace(DETAILS, shipping_address=address)) == [
        ("address", "shipping_address.city"),
        ("address", "shipping_address.region"),
        ("address", "shipping_address.postal_code"),
    ]


def test_goods_for_a_country_that_nobody_goes_to_cannot_be_ordered():
    assert codes(cart(ROUTER, ways=())) == [("no_delivery", "shipping_address.country")]


def test_a_service_needs_no_delivery():
    assert codes(cart(VISIT, ways=())) == []
    assert codes(cart(VISIT, ways=()), replace(DETAILS, shipping_method="by_balloon")) == []


def test_a_way_of_delivery_that_is_not_offered_is_refused():
    details = replace(DETAILS, shipping_method="by_balloon")
    assert codes(cart(ROUTER), details) == [("shipping_method", "shipping_method")]


def test_a_way_of_paying_that_the_shop_does_not_take_is_refused():
    assert codes(cart(ROUTER), replace(DETAILS, payment_method="cowries")) == [
        ("payment_method", "payment_method")
    ]
    on_terms = replace(DETAILS, payment_method="invoice")
    assert [one.code for one in requirements(cart(ROUTER), on_terms, ("card",))] == [
        "payment_method"
    ]


def test_everything_that_is_missing_is_told_at_once():
    nothing = Details("", {}, None, "")
    found = codes(cart(ways=(), gone=(OLD,)), nothing)
    assert list(dict.fromkeys(code for code, _ in found)) == [
        "cart_empty",
        "no_longer_sold",
        "email",
        "address",
        "payment_method",
    ]


@pytest.mark.parametrize(
    "email",
    [
        "riley@example.com",
        " riley@example.com ",
        "o'neil+shop@mail.example.co.uk",
        "ünal@example.com",
    ],
)
def test_an_address_that_can_be_written_to(email: str):
    assert email_problem(email) is None


@pytest.mark.parametrize(
    "email",
    [
        "",
        "   ",
        "riley",
        "riley@example",
        "@example.com",
        "riley@",
        "riley@@example.com",
        "ri ley@example.com",
        "riley@example.com, casey@example.com",
        "Riley <riley@example.com>",
        "riley@example.com\nBcc: all@example.com",
        "ri\x00ley@example.com",
        "ri\ud83dley@example.com",
        "r" * 250 + "@example.com",
    ],
)
def test_an_address_that_cannot_be_written_to(email: str):
    assert email_problem(email) is not None
    assert ("email", "email") in codes(cart(ROUTER), replace(DETAILS, email=email))


def test_what_stands_in_the_way_goes_out_as_plain_facts():
    error = CheckoutIncomplete([Requirement("email", "email", "Tell us.")])
    assert error.code == "checkout_incomplete"
    assert error.facts() == {
        "requirements": [{"code": "email", "field": "email", "text": "Tell us."}]
    }


def test_a_changed_total_names_both():
    error = TotalChanged(usd(13_590), usd(14_590))
    assert error.code == "total_changed"
    assert str(error) == "The total has changed from 135.90 USD to 145.90 USD. Please look again."
