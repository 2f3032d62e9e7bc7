"""Whatever theme is shipped: words can be read, and edges can be seen, by light and by dark."""

import pytest

from desk.contrast import EDGE_PAIRS, TEXT_PAIRS, TOKENS, contrast, figures, read_tokens

LIGHT, DARK = read_tokens(TOKENS.read_text(encoding="utf-8"))


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("pair", TEXT_PAIRS, ids=" on ".join)
def test_text_has_a_contrast_of_at_least_four_and_a_half(theme, pair):
    ink, ground = pair
    assert contrast(theme[ink], theme[ground]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("pair", EDGE_PAIRS, ids=" on ".join)
def test_the_edge_of_a_field_has_a_contrast_of_at_least_three(theme, pair):
    edge, ground = pair
    assert contrast(theme[edge], theme[ground]) >= 3


def test_the_dark_theme_sets_colours_of_its_own():
    assert DARK["paper"] != LIGHT["paper"]
    assert set(DARK) == set(LIGHT)


def test_contrast_is_measured_as_the_guideline_says():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#ffffff") == pytest.approx(1)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_the_sheet_prints_the_figure_of_every_pair():
    assert [(f.ink, f.ground) for f in figures()] == list(TEXT_PAIRS)
    first = figures()[0]
    assert first.light == contrast(LIGHT[first.ink], LIGHT[first.ground])
    assert first.dark == contrast(DARK[first.ink], DARK[first.ground])
