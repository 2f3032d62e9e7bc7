"""Certificates: which hold on a day, who may end them, and that nobody rewrites one."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from core.kernel.audit import AuditEntry
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import Invalid, NotFound, StaleState
from core.tax import exemptions
from core.tax.exemptions import NewExemption
from core.tax.models import TaxExemption, TaxExemptionEnd
from tests import world as worlds
from tests.world import World

FIRST, END = date(2026, 1, 1), date(2026, 12, 1)
DAY = timedelta(days=1)


class Files:
    """One account's certificates, each act in a transaction of its own."""

    def __init__(self, db: Database, clock: ManualClock, world: World) -> None:
        self.db, self.clock = db, clock
        with db.transaction() as session:
            self.account = worlds.account(session, world, clock.now())

    def enter(self, number: str = "OH-77", **more) -> str:
        values: dict[str, Any] = {
            "jurisdictions": ("Ohio",),
            "categories": (),
            "valid_from": FIRST,
            "ends_on": END,
        }
        new = NewExemption(self.account.id, number, **(values | more))
        with self.db.transaction() as session:
            return exemptions.enter(session, new, "user:kim", self.clock.now()).public_id

    def revoke(self, public_id: str, reason: str = "Not theirs") -> None:
        with self.db.transaction() as session:
            row = exemptions.one(session, public_id).exemption
            exemptions.revoke(session, row, reason, "user:kim", self.clock.now())

    def holding(self, on: date) -> list[str]:
        with self.db.reading() as session:
            return [one.number for one in exemptions.holding(session, self.account.id, on)]

    def listed(self, state: str, on: date) -> list[str]:
        with self.db.reading() as session:
            rows = exemptions.listing(session, on, state=state, limit=10)
        return [row.exemption.certificate_number for row in rows]


@pytest.fixture
def files(db: Database, clock: ManualClock, world: World) -> Files:
    return Files(db, clock, world)


def test_it_holds_from_its_first_day_until_the_day_on_which_tax_is_charged_again(files):
    files.enter()
    found = {on: files.holding(on) for on in (FIRST - DAY, FIRST, END - DAY, END)}
    assert found == {FIRST - DAY: [], FIRST: ["OH-77"], END - DAY: ["OH-77"], END: []}


def test_one_without_an_end_holds_until_it_is_revoked(files):
    public_id = files.enter(ends_on=None)
    assert files.holding(date(2050, 1, 1)) == ["OH-77"]
    files.revoke(public_id)
    assert files.holding(date(2050, 1, 1)) == []


def test_the_oldest_that_holds_is_named_first(files):
    files.enter("OH-2", valid_from=date(2026, 2, 1))
    files.enter("OH-1")
    assert files.holding(date(2026, 3, 1)) == ["OH-1", "OH-2"]


def test_those_about_to_end_are_told_two_months_before(files):
    files.enter("SOON")
    files.enter("LATER", ends_on=date(2027, 12, 1))
    files.revoke(files.enter("GONE"))
    on = date(2026, 10, 15)
    assert files.listed("ending", on) == ["SOON"]
    assert files.listed("ending", date(2026, 9, 1)) == []
    assert files.listed("ending", END) == []
    assert files.listed("holding", on) == ["LATER", "SOON"]
    assert files.listed("ended", END) == ["SOON"]
    assert files.listed("revoked", on) == ["GONE"]
    assert sorted(files.listed("", on)) == ["GONE", "LATER", "SOON"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"number": " "}, "certificate_number"),
        ({"number": "9" * 81}, "certificate_number"),
        ({"ends_on": FIRST}, "ends_on"),
        ({"file_reference": "x" * 201}, "file_reference"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(files, wrong, field):
    with pytest.raises(Invalid) as refused:
        files.enter(**wrong)
    assert set(refused.value.fields_) == {field}


def test_it_is_revoked_once_and_with_a_reason(files):
    public_id = files.enter()
    with pytest.raises(Invalid):
        files.revoke(public_id, "  ")
    files.revoke(public_id)
    with pytest.raises(StaleState):
        files.revoke(public_id, "again")
    with pytest.raises(NotFound):
        files.revoke("0" * 32)


def test_who_entered_and_who_revoked_it_stands_in_the_audit_log(files):
    public_id = files.enter()
    files.revoke(public_id)
    with files.db.reading() as session:
        acts = [
            (row.act, row.actor, row.subject_id)
            for row in session.query(AuditEntry).filter_by(subject_kind="exemption")
        ]
    assert sorted(acts) == [
        ("exemption.entered", "user:kim", public_id),
        ("exemption.revoked", "user:kim", public_id),
    ]


@pytest.mark.parametrize(
    "change",
    [
        update(TaxExemption).values(certificate_number="OH-1"),
        update(TaxExemptionEnd).values(reason="because"),
        delete(TaxExemption),
    ],
)
def test_nobody_rewrites_what_was_entered(files, change):
    files.revoke(files.enter())
    with pytest.raises(DBAPIError, match="append-only"), files.db.transaction() as session:
        session.execute(change)
