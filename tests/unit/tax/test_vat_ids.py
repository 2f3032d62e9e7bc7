"""VAT ids: their form, their check digits, and who accounts for the tax. Numbers are from public registers'
own examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tax import vat_ids
from core.tax.vat_ids import WrongVatId

GOOD = {
    "atu 57194903": "ATU57194903",
    "BE 0697.449.992": "BE0697449992",
    "BG 175 074 752": "BG175074752",
    "CY-10259033P": "CY10259033P",
    "CZ 25123891": "CZ25123891",
    "de 136,695 976": "DE136695976",
    "DK 13585628": "DK13585628",
    "EE 100 931 558": "EE100931558",
    "EL 094259216": "EL094259216",
    "ES B-58378431": "ESB58378431",
    "FI 20774740": "FI20774740",
    "FR 61 954 506 077": "FR61954506077",
    "HR 33392005961": "HR33392005961",
    "HU 12892312": "HU12892312",
    "IE 6433435F": "IE6433435F",
    "IT 00743110157": "IT00743110157",
    "LT 119511515": "LT119511515",
    "LU 150 274 42": "LU15027442",
    "LV 4000 3521 600": "LV40003521600",
    "MT 1167-9112": "MT11679112",
    "NL 4495445B01": "NL004495445B01",
    "PL 8567346215": "PL8567346215",
    "PT 501 964 843": "PT501964843",
    "RO 185 472 90": "RO18547290",
    "SE 123456789701": "SE123456789701",
    "SI 5022 3054": "SI50223054",
    "SK 202 274 96 19": "SK2022749619",
    "GB 980 7806 84": "GB980780684",
    "CHE-107.787.577 IVA": "CHE107787577IVA",
    "NO 995 525 828 MVA": "NO995525828MVA",
}


@pytest.mark.parametrize("typed", GOOD)
def test_an_id_is_written_as_its_register_does_however_it_was_typed(typed: str):
    assert vat_ids.normal(typed) == GOOD[typed]
    assert vat_ids.is_same(GOOD[typed], typed)


@pytest.mark.parametrize("good", GOOD.values())
def test_what_is_normal_stays_as_it_is(good: str):
    assert vat_ids.normal(good) == good
    assert len(good) <= vat_ids.LONGEST


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "136695976",
        "DE",
        "DE13669597",
        "DE136695977",
        "ATU57194904",
        "US123456789",
        "XX1",
        "FR",
        "CHE107787578IVA",
        "NO995525829MVA",
        "GB980780685",
        "DE" + "1" * 40,
        "ÄÖ136695976",
    ],
)
def test_what_is_none_is_refused_in_words(typed: str):
    with pytest.raises(WrongVatId) as refused:
        vat_ids.normal(typed)
    assert str(refused.value).endswith((".", "?"))
    assert not vat_ids.is_same("DE136695976", typed)


@given(st.text(max_size=30))
def test_no_text_breaks_it(typed: str):
    try:
        found = vat_ids.normal(typed)
    except WrongVatId:
        return
    assert vat_ids.normal(found) == found


def test_greek_ids_begin_otherwise_than_greek_addresses():
    assert vat_ids.country_of("EL094259216") == "GR"
    assert vat_ids.is_reverse_charge("DE", "EL094259216", "GR")


@pytest.mark.parametrize(
    ("seller", "vat_id", "place", "accounts"),
    [
        ("DE", "FR61954506077", "FR", True),
        ("DE", "FR61954506077", "BE", True),
        ("DE", "FR61954506077", "DE", False),
        ("DE", "DE136695976", "FR", False),
        ("DE", "FR61954506077", "US", False),
        ("DE", "CHE107787577IVA", "CH", False),
        ("DE", "GB980780684", "GB", False),
        ("GB", "FR61954506077", "FR", False),
        ("US", "FR61954506077", "FR", False),
        ("DE", "", "FR", False),
    ],
)
def test_a_business_accounts_for_the_tax_only_across_a_border_within_the_eu(
    seller, vat_id, place, accounts
):
    assert vat_ids.is_reverse_charge(seller, vat_id, place) is accounts
