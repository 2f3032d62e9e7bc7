"""A brand's stationery: what may be set, and what paper it is printed on."""

import pytest

from invoices.theme import PLAIN, Theme, of_brand


@pytest.mark.parametrize(
    ("locale", "paper"),
    [("en-US", "Letter"), ("en_CA", "Letter"), ("en-GB", "A4"), ("de-DE", "A4"), ("en", "A4")],
)
def test_paper_follows_the_land_unless_the_theme_names_it(locale: str, paper: str) -> None:
    assert PLAIN.paper_for(locale) == paper
    assert Theme(paper="A4").paper_for(locale) == "A4"


def test_a_channels_brand_names_its_stationery() -> None:
    brand = {"phone": "555-0100", "print": {"wordmark": "Fernway", "accent": "#83460d", "x": 1}}
    assert of_brand(brand) == Theme(wordmark="Fernway", accent="#83460d")
    assert of_brand({"phone": "555-0100"}) is PLAIN


@pytest.mark.parametrize("wrong", [{"accent": "red;} @import 'x'"}, {"paper": "Legal"}])
def test_a_theme_with_a_value_that_is_none_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"not a"):
        of_brand({"print": wrong})
