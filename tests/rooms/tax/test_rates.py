"""Which taxes apply: by place, category and day."""

from datetime import date, timedelta

import pytest

from core.kernel.db import Database
from core.tax import rates
from core.tax.arithmetic import Tax
from core.tax.models import TaxRate
from tests.world import OHIO_PPM, TAXED, World

DAY = date(2026, 11, 17)
OHIO = {"country": "US", "region": "OH"}
SALES = Tax("Ohio", "Sales tax", OHIO_PPM)


@pytest.fixture
def taxes(db: Database, world: World):
    """Asks for the taxes of a place on a day."""

    def ask(place: dict | None, on: date = DAY) -> dict[str, list[Tax]]:
        with db.reading() as session:
            return rates.taxes_by_category(session, world.legal_entity_id, place, on)

    return ask


@pytest.fixture
def levy(db: Database, world: World):
    """Writes a rate."""

    def add(name: str, **more) -> None:
        values = {
            "country": "US",
            "region": "OH",
            "category": "device",
            "jurisdiction": "Here",
            "rate_ppm": 10_000,
            "valid_from": date(2020, 1, 1),
        }
        with db.transaction() as session:
            session.add(
                TaxRate(legal_entity_id=world.legal_entity_id, name=name, **(values | more))
            )

    return add


def names(found: dict[str, list[Tax]], category: str = "device") -> list[str]:
    return [tax.name for tax in found.get(category, [])]


def test_each_category_has_its_taxes(taxes):
    assert taxes(OHIO) == {category: [SALES] for category in TAXED}


@pytest.mark.parametrize("place", [None, {}, {"region": "OH"}, {"country": ""}])
def test_where_the_place_is_unknown_nothing_is_taxed_yet(taxes, place):
    assert taxes(place) == {}


@pytest.mark.parametrize(
    "place", [{"country": "US", "region": "MI"}, {"country": "US"}, {"country": "GB"}]
)
def test_elsewhere_nothing_is_taxed(taxes, place):
    assert taxes(place) == {}


def test_a_countrys_tax_holds_beside_the_regions_and_comes_first(taxes, levy):
    levy("Excise", region="", jurisdiction="United States")
    levy("Transit", jurisdiction="Marrow County")
    assert names(taxes(OHIO)) == ["Excise", "Transit", "Sales tax"]
    assert names(taxes({"country": "US", "region": "MI"})) == ["Excise"]
    assert names(taxes({"country": "US", "region": None})) == ["Excise"]


def test_a_rate_holds_from_its_first_day_to_its_last(taxes, levy):
    levy("Day tax", valid_from=DAY, valid_to=DAY)
    day = timedelta(days=1)
    asked = {on: names(taxes(OHIO, on)) for on in (DAY - day, DAY, DAY + day)}
    assert asked == {
        DAY - day: ["Sales tax"],
        DAY: ["Day tax", "Sales tax"],
        DAY + day: ["Sales tax"],
    }


def test_a_rate_may_be_contained_in_prices(taxes, levy):
    levy("VAT", country="GB", region="", rate_ppm=200_000, inclusive=True)
    assert taxes({"country": "GB"})["device"] == [Tax("Here", "VAT", 200_000, True)]
