"""What counts as the same address and the same e-mail."""

import pytest

from core.subscriptions.trial_claims import digest, same_address, same_email

HOME = {
    "name": "Riley Moreno",
    "line1": "4 Chestnut Row",
    "line2": "",
    "city": "Marrow Bay",
    "region": "OH",
    "postal_code": "44001",
    "country": "US",
}


@pytest.mark.parametrize(
    "told",
    [
        {"name": "Ash Vale", "phone": "555"},
        {"line1": "4  chestnut   ROW."},
        {"line1": "4, Chestnut Row"},
        {"postal_code": "44001-1234"},
        {"city": "Marrowbay"},
        {"line1": "4 Chéstnut Row"},
        {"line1": "4", "line2": "Chestnut Row"},
    ],
)
def test_an_address_is_the_same_however_it_is_written(told):
    assert same_address(HOME | told) == same_address(HOME)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12 North Main Street", "12 N. Main St"),
        ("7 Saint Mary's Avenue", "7 St Marys Ave"),
        ("9 Mill Road", "9 Mill Rd."),
    ],
)
def test_words_that_are_written_in_two_ways_are_the_same(one, other):
    assert same_address(HOME | {"line1": one}) == same_address(HOME | {"line1": other})


@pytest.mark.parametrize("told", ["Apt 3", "apartment 3", "#3", "Unit 3", "3"])
def test_a_flat_is_the_same_however_it_is_called(told):
    assert same_address(HOME | {"line2": told}) == same_address(HOME | {"line2": "Apt. 3"})


@pytest.mark.parametrize(
    "told",
    [
        {"line2": "Apt 3"},
        {"line1": "5 Chestnut Row"},
        {"postal_code": "44002"},
        {"country": "CA"},
        {"line1": "4 Dubová", "city": "Žilina"},
    ],
)
def test_another_door_is_another_address(told):
    assert same_address(HOME | told) != same_address(HOME)


def test_an_address_in_another_script_is_not_nothing():
    one = HOME | {"line1": "Дубовая 4", "postal_code": "010001", "country": "KZ"}
    assert same_address(one) != same_address(one | {"line1": "Липовая 4"})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ash@Example.com ", "ash@example.com", True),
        ("ash+backup@example.com", "ash@example.com", True),
        ("a.s.h@gmail.com", "ash@googlemail.com", True),
        ("a.sh@example.com", "ash@example.com", False),
        ("ash@example.com", "ash@example.org", False),
    ],
)
def test_an_e_mail_is_the_same_without_what_its_owner_may_add(one, other, same):
    assert (same_email(one) == same_email(other)) is same


def test_a_digest_is_of_one_shop_one_family_and_one_kind():
    told = {
        digest(secret, family, kind, "ash")
        for secret in ("one", "two")
        for family in ("burrow", "line")
        for kind in ("email", "card")
    }
    assert len(told) == 8
