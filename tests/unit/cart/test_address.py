"""Addresses as people type them: what is kept of one, what is wrong with it, and how it is printed."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cart import formats
from cart.address import FIELDS, US_STATES, clean, lines, problems

OHIO = {
    "name": "Riley Moreno",
    "phone": "",
    "line1": "4 Chestnut Row",
    "line2": "",
    "city": "Marrow Bay",
    "region": "OH",
    "postal_code": "44001",
    "country": "US",
}
LEEDS = OHIO | {"city": "Leeds", "region": "", "postal_code": "LS1 4DY", "country": "GB"}


# --- what is kept ---------------------------------------------------------------------------------


def test_white_space_goes_and_state_and_country_stand_in_capitals():
    typed = {"name": "  Riley \t Moreno\n", "region": " oh ", "country": "us ", "city": None}
    assert clean(typed) == dict.fromkeys(FIELDS, "") | {
        "name": "Riley Moreno",
        "region": "OH",
        "country": "US",
    }


def test_a_province_elsewhere_keeps_its_spelling():
    assert clean({"region": "Île-de-France", "country": "fr"})["region"] == "Île-de-France"


def test_what_nobody_asked_for_is_not_kept():
    assert set(clean({"name": "Riley", "password": "secret"})) == set(FIELDS)


def test_signs_that_no_database_takes_are_left_out():
    typed = {"name": "Ri\x00ley\x07 Moreno", "line1": "4 Chestnut\x00 Row", "city": "\ud83d\x7f"}
    cleaned = clean(typed)
    assert (cleaned["name"], cleaned["line1"], cleaned["city"]) == (
        "Riley Moreno",
        "4 Chestnut Row",
        "",
    )


@example({"name": "0 \x1b 0"})
@given(st.dictionaries(st.sampled_from([*FIELDS, "more"]), st.text() | st.none() | st.integers()))
def test_a_cleaned_address_is_printable_stays_as_it_is_and_can_be_judged(raw):
    cleaned = clean(raw)
    assert set(cleaned) == set(FIELDS)
    assert clean(cleaned) == cleaned
    assert all(text.isprintable() and text == text.strip() for text in cleaned.values())
    assert set(problems(cleaned)) <= set(FIELDS)


# --- what is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [OHIO, LEEDS, OHIO | {"postal_code": "44001-1234"}])
def test_a_good_address_has_no_problem(address: dict[str, str]):
    assert problems(address) == {}


def test_every_state_is_known_and_nothing_else():
    assert len(US_STATES) == 54
    for state in US_STATES:
        assert problems(OHIO | {"region": state}) == {}
    for state in ("", "XX", "Ohio", "O", "OHI"):
        assert set(problems(OHIO | {"region": state})) == {"region"}


@pytest.mark.parametrize(
    "zip_code", ["4400", "440011", "44001-12", "4400A", "LS1 4DY", "４４００１"]
)
def test_a_zip_code_has_five_digits(zip_code: str):
    assert problems(OHIO | {"postal_code": zip_code}) == {
        "postal_code": "A ZIP code has five digits, like 43099."
    }


def test_elsewhere_a_postal_code_is_whatever_it_is_there_and_a_region_is_no_duty():
    assert problems(LEEDS | {"postal_code": "D02 AF30", "country": "IE"}) == {}
    assert problems(LEEDS | {"region": "West Yorkshire"}) == {}


@pytest.mark.parametrize("name", [name for name in FIELDS if name not in ("phone", "line2")])
def test_what_is_missing_is_named(name: str):
    assert set(problems(OHIO | {name: ""})) == {name}


def test_a_telephone_number_and_a_second_line_may_be_missing():
    assert problems({k: v for k, v in OHIO.items() if k not in ("phone", "line2")}) == {}


def test_an_empty_form_names_everything_at_once():
    assert set(problems(clean({}))) == set(FIELDS) - {"phone", "line2", "region"}
    assert set(problems({})) == set(FIELDS) - {"phone", "line2", "region"}


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "country"])
def test_what_is_too_long_is_named_with_how_long_it_may_be(name: str):
    # Of a country whose postal codes nothing is known of.
    reykjavik = LEEDS | {"country": "IS"}
    address = reykjavik | {name: "x" * (FIELDS[name] + 1)}
    assert problems(address) == {name: f"Use at most {FIELDS[name]} characters."}
    assert problems(reykjavik | {name: "x" * FIELDS[name]}) == {}


@pytest.mark.parametrize("country", ["USA", "U", "U1", "Ü1"])
def test_a_country_has_two_letters(country: str):
    assert set(problems(LEEDS | {"country": country})) == {"country"}


# --- how it is printed ----------------------------------------------------------------------------


def test_it_is_printed_as_letters_are_addressed_there():
    assert lines(OHIO) == ("4 Chestnut Row", "Marrow Bay, OH 44001")
    assert lines(LEEDS | {"line2": "Flat 3"}) == (
        "4 Chestnut Row",
        "Flat 3",
        "Leeds",
        "LS1 4DY",
        "GB",
    )
    assert lines(None) == ()


# --- each country's own way -----------------------------------------------------------------------


@pytest.mark.parametrize("country", formats.listed())
def test_every_country_shows_a_code_that_is_right_by_its_own_rule(country: str):
    known = formats.of(country)
    assert known.is_code(known.example)
    assert (known.postal == "") == (known.code == "")
    typed = known.example.lower().replace(" ", "").replace("-", "")
    assert known.tidy(typed) == known.example
    region = known.region_example or ("Anywhere" if known.region else "")
    address = LEEDS | {"country": country, "postal_code": known.example, "region": region}
    assert problems(address) == {}
    assert set(problems(address | {"postal_code": "", "region": ""})) == known.needs
    assert {"4 Chestnut Row", *known.example.split()} <= set(" ".join(lines(address)).split()) | {
        "4 Chestnut Row"
    }


@pytest.mark.parametrize(
    ("country", "code", "text"),
    [
        ("GB", "12345", "This is no postcode: one looks like LS1 4DY."),
        ("DE", "1011", "A postal code has five digits, like 10115."),
        ("IE", "D02", "This is no eircode: one looks like D02 X285."),
    ],
)
def test_what_is_no_code_there_is_told_with_one_that_is(country: str, code: str, text: str):
    assert problems(LEEDS | {"country": country, "postal_code": code}) == {"postal_code": text}


@pytest.mark.parametrize(
    ("code", "state"),
    [("43099", "OH"), ("10001-1234", "NY"), ("00501", "NY"), ("99950", "AK"), ("00000", "")],
)
def test_a_zip_code_tells_its_state(code: str, state: str):
    assert formats.region_of("US", code) == state


def test_elsewhere_codes_tell_no_region():
    assert formats.region_of("DE", "43099") == ""
