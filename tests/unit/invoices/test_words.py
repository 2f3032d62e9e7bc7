"""Documents speak the reader's language: every word is there in each, with the same figures in it."""

import re
from dataclasses import fields

import pytest

from invoices.words import DE, EN, GB, Words, words


def test_the_most_exact_language_is_taken_and_english_where_there_is_none():
    assert words("en-US") is EN
    assert words("en_GB") is GB
    assert words("de-DE") is words("de_AT") is DE
    assert words("xx") is EN


@pytest.mark.parametrize("theirs", [GB, DE])
def test_every_sentence_has_the_same_places_for_figures(theirs: Words):
    for field in fields(Words):
        mine, other = getattr(EN, field.name), getattr(theirs, field.name)
        assert other.strip(), field.name
        assert set(re.findall(r"{\w*}", mine)) == set(re.findall(r"{\w*}", other)), field.name


def test_german_leaves_no_english_word_behind():
    same = {f.name for f in fields(Words) if getattr(EN, f.name) == getattr(DE, f.name)}
    assert same == {"digital"}
