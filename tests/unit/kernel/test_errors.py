"""An expected failure has a stable code, its facts and a sentence for people."""

from core.kernel.errors import Forbidden, Invalid, NotFound, ShopError, StaleState


def test_each_error_has_a_code_of_its_own():
    kinds: list[type[ShopError]] = [ShopError, NotFound, Invalid, StaleState, Forbidden]
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_the_sentence_is_filled_from_the_facts():
    error = StaleState(what="order", wanted="pending")
    assert str(error) == "This order has changed in the meantime."
    assert error.facts() == {"what": "order", "wanted": "pending"}


def test_an_error_without_facts_still_says_something():
    assert str(NotFound()) == "There is no such page here."
    assert Forbidden().facts() == {}
    assert str(ShopError())


def test_wrong_input_is_told_by_field():
    error = Invalid({"quantity": "Choose at least 1."})
    assert error.facts() == {"fields": {"quantity": "Choose at least 1."}}
    assert str(error)
