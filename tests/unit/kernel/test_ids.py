"""Keys are ordered in time; whatever a stranger may hold is random or derived from the secret."""

import re

from core.kernel.ids import (
    derived_token,
    new_id,
    new_public_id,
    new_token,
    same_token,
    token_hash,
)


def test_keys_are_ordered_by_the_time_they_were_made():
    keys = [new_id() for _ in range(500)]
    assert keys == sorted(keys)
    assert len(set(keys)) == 500
    assert {key.version for key in keys} == {7}


def test_a_public_id_is_128_random_bits_and_tells_nothing_of_its_neighbour():
    ids = [new_public_id() for _ in range(500)]
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in ids)
    assert len({one[:8] for one in ids}) > 490, "they begin differently"


def test_a_token_fits_into_an_address_and_only_its_hash_is_stored():
    token = new_token()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert token_hash(token) == token_hash(token) != token_hash(new_token())
    assert token not in token_hash(token)
    assert len(token_hash(token)) == 64


def test_a_derived_token_holds_for_one_secret_one_purpose_and_one_subject():
    token = derived_token("s" * 32, "order", "77")
    assert token == derived_token("s" * 32, "order", "77")
    others = {
        derived_token("t" * 32, "order", "77"),
        derived_token("s" * 32, "reset", "77"),
        derived_token("s" * 32, "order", "78"),
    }
    assert len(others) == 3
    assert token not in others


def test_tokens_are_compared_whole():
    assert same_token("abc", "abc")
    assert not same_token("abc", "abd")
    assert not same_token("abc", "ab")
    assert not same_token("é", "e")
