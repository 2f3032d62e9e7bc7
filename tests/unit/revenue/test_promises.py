"""How much of a line is earned, and what the pieces of a bundle come to: whatever happened before."""

import uuid
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.revenue.promises import Promise, allocated, earned

NETS = st.integers(-1_000_000, 1_000_000)


@st.composite
def pieces(draw: st.DrawFn) -> list[Promise]:
    """The lines of a bundle, some of them cancelled or come back."""
    group = uuid.uuid4()
    found = []
    for _ in range(draw(st.integers(1, 5))):
        ordered = draw(st.integers(1, 9))
        whole = draw(st.integers(0, ordered))
        found.append(
            Promise(
                key=uuid.uuid4(),
                trigger="shipped",
                net=draw(st.integers(0, 100_000)),
                done=draw(st.integers(0, whole)),
                whole=whole,
                ordered=ordered,
                alone=draw(st.integers(0, 100_000)),
                group=group,
            )
        )
    return found


@given(NETS, st.integers(0, 50), st.integers(0, 50))
def test_what_is_earned_is_never_more_than_the_line_and_all_of_it_at_the_end(net, done, whole):
    part = earned(net, done, whole)
    assert abs(part) <= abs(net)
    assert part == 0 or (part > 0) == (net > 0)
    assert earned(net, whole, whole) == net


@given(NETS, st.integers(1, 50))
def test_parcel_by_parcel_comes_to_the_line_to_the_cent(net, whole):
    steps = [earned(net, done, whole) for done in range(whole + 1)]
    assert sum(after - before for before, after in pairwise(steps)) == net
    assert all(abs(after) >= abs(before) for before, after in pairwise(steps))


@given(pieces())
def test_the_pieces_of_a_bundle_come_to_what_the_bundle_comes_to(found):
    shares = allocated(found, "USD")
    assert sum(shares.values()) == sum(one.net for one in found)
    assert all(share >= 0 for share in shares.values())


def _piece(net: int, alone: int, whole: int = 1, group: uuid.UUID | None = None) -> Promise:
    return Promise(uuid.uuid4(), "shipped", net, 0, whole, alone=alone, group=group)


@pytest.mark.parametrize(
    "nets, alone, left, shares",
    [
        pytest.param(
            (10_000, 0), (12_000, 8_000), (1, 1), [6_000, 4_000], id="by standalone price"
        ),
        pytest.param((6_000, 4_000), (5_000, 5_000), (1, 1), [5_000, 5_000], id="not the weights"),
        pytest.param((0, 4_000), (5_000, 5_000), (0, 1), [0, 4_000], id="one came back"),
        pytest.param((500, 0), (5_000, 5_000), (0, 0), [250, 250], id="a fee kept of both"),
        pytest.param((6_000, 4_000), (5_000, 0), (1, 1), [6_000, 4_000], id="no price by itself"),
    ],
)
def test_the_pieces_share_by_what_each_sells_for_by_itself(nets, alone, left, shares):
    group = uuid.uuid4()
    found = [_piece(*one, group) for one in zip(nets, alone, left, strict=True)]
    assert list(allocated(found, "USD").values()) == shares


def test_a_line_of_its_own_keeps_its_net():
    one, other = _piece(700, 100), _piece(300, 900)
    assert allocated([one, other], "USD") == {one.key: 700, other.key: 300}
