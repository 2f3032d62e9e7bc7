"""What an order's page says of what comes again."""

from core.notices.samples.everyday import usd
from core.orders.models import OrderLine
from storefront.orders import coming_again


def _line(name: str, minor: int, charge: str) -> OrderLine:
    return OrderLine(name=name, net_minor=minor, contained_minor=0, charge_kind=charge)


def test_the_same_plan_for_several_places_is_told_once():
    lines = [
        _line("River", 13_900, "monthly"),
        _line("Switch", 6_400, "one_off"),
        _line("River", 13_900, "monthly"),
        _line("Brook", 19_000, "yearly"),
    ]
    assert coming_again(lines, "USD") == [
        (usd(27_800), "month", "2 × River"),
        (usd(19_000), "year", "Brook"),
    ]
