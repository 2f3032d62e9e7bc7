"""The states of an order: the tables in the code and the checks in the database know the same ones."""

import re

import pytest
from sqlalchemy import CheckConstraint, Table

from core.orders.models import LIFECYCLE, PAYMENT, Order
from core.orders.placing import number_of


def states_of(column: str) -> set[str]:
    """The states that the database lets into a column."""
    table = Order.__table__
    assert isinstance(table, Table)
    (check,) = [
        one
        for one in table.constraints
        if isinstance(one, CheckConstraint) and str(one.name) == f"ck_order_{column}"
    ]
    return set(re.findall("'([a-z_]+)'", str(check.sqltext)))


@pytest.mark.parametrize("column, table", [("lifecycle", LIFECYCLE), ("payment", PAYMENT)])
def test_code_and_database_know_the_same_states(column: str, table: dict[str, tuple[str, ...]]):
    assert states_of(column) == set(table)


@pytest.mark.parametrize(
    # A refund that could not be paid out is due again; nothing else comes back.
    "table, returning",
    [(LIFECYCLE, set()), (PAYMENT, {"refund_due", "refunded"})],
)
def test_every_step_leads_to_a_known_state_and_only_a_failed_refund_back(
    table: dict[str, tuple[str, ...]], returning: set[str]
):
    back = set()
    for state, following in table.items():
        assert set(following) <= set(table)
        reached, ahead = set(), set(following)
        while ahead:
            reached |= ahead
            ahead = {to for one in ahead for to in table[one]} - reached
        if state in reached:
            back.add(state)
    assert back == returning


@pytest.mark.parametrize(
    "column, table, first",
    [("lifecycle", LIFECYCLE, "pending"), ("payment", PAYMENT, "awaiting")],
)
def test_every_state_is_reached_from_the_first(
    column: str, table: dict[str, tuple[str, ...]], first: str
):
    assert Order.__table__.c[column].default.arg == first
    reached, ahead = {first}, {first}
    while ahead:
        ahead = {to for one in ahead for to in table[one]} - reached
        reached |= ahead
    assert reached == set(table)


def test_the_first_number_is_friendly():
    assert [number_of(1), number_of(2), number_of(90_000)] == ["O-10001", "O-10002", "O-100000"]
