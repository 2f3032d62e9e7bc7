"""Cursors tell nothing, and only ours are read."""

import uuid
from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import cursors
from api.problems import InvalidRequest

SECRET = "a secret for tests, forty characters long"
places = st.tuples(st.integers(-(2**63), 2**63 - 1), st.uuids())


@given(places)
def test_a_cursor_leads_back_to_its_place(place):
    assert cursors.read(SECRET, cursors.write(SECRET, place)) == place


@given(places)
def test_no_key_can_be_read_from_a_cursor(place):
    cursor = cursors.write(SECRET, place)
    assert place[1].hex not in urlsafe_b64decode(cursor).hex()


def test_neighbours_share_nothing_that_would_tell_them_apart():
    one, other = (cursors.write(SECRET, (1, uuid.UUID(int=number))) for number in (1, 2))
    assert sum(a == b for a, b in zip(one, other, strict=True)) < len(one) / 3


@given(places, st.integers(0, 47), st.sampled_from("ABCabc019_-"))
def test_a_cursor_that_was_changed_is_refused(place, position, sign):
    cursor = cursors.write(SECRET, place)
    changed = cursor[:position] + sign + cursor[position + 1 :]
    if changed == cursor:
        return
    with pytest.raises(InvalidRequest):
        cursors.read(SECRET, changed)


@given(st.text(max_size=80))
def test_what_never_was_a_cursor_is_refused(text):
    with pytest.raises(InvalidRequest) as caught:
        cursors.read(SECRET, text)
    assert caught.value.errors[0]["field"] == "cursor"


def test_another_shops_cursor_is_refused():
    cursor = cursors.write("another secret, of forty characters too", (1, uuid.UUID(int=1)))
    with pytest.raises(InvalidRequest):
        cursors.read(SECRET, cursor)
