"""The card network takes a payment back: heard and posted once however often it is told, won or lost."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from core.kernel import crash
from core.kernel.money import Money
from core.ledger import items
from core.ledger.chart import CLEARING, FEES, RECEIVABLE_CHARGED_BACK
from core.ledger.models import JournalEntry
from flows import hear_chargeback, reconcile
from flows.house import House
from flows.verify import verify
from payments.chargebacks import ChargebackRow
from payments.models import Payment
from tests.flows.disputes.conftest import Care, care
from tests.paying import drain, pass_time
from tests.rooms.ledger.books import balance

__all__ = ["care"]


def taken_back(care: Care, minor: int | None = None) -> str:
    """The bank of whoever paid takes it back; the network's id of it."""
    with care.house.db.reading() as session:
        payment = session.scalars(select(Payment)).one()
    body = {"payment": payment.gateway_id} | ({"amount": minor} if minor else {})
    return care.sandbox.control("POST", "/sandbox/disputes", body)["dispute"]


def decided(care: Care, dispute: str, *, won: bool) -> None:
    care.sandbox.control("POST", "/sandbox/disputes", {"dispute": dispute, "won": won})


def row_of(house: House) -> ChargebackRow:
    with house.db.reading() as session:
        return session.scalars(select(ChargebackRow)).one()


def posted(house: House) -> list[str]:
    with house.db.reading() as session:
        query = select(JournalEntry.kind).where(JournalEntry.source_kind == "chargeback")
        return sorted(session.scalars(query))


def books(house: House, code: str) -> int:
    with house.db.reading() as session:
        return balance(session, code)


@pytest.mark.parametrize("won", [True, False])
def test_a_payment_is_taken_back_and_decided(care: Care, won: bool):
    care.pay()
    dispute = taken_back(care)
    reconcile.read_events(care.house)
    drain(care.house)
    row = row_of(care.house)
    assert (row.state, row.amount_minor, row.fee_minor) == ("open", 12000, 1500)
    assert (row.evidence_due - row.opened_at) == timedelta(days=7)
    assert books(care.house, RECEIVABLE_CHARGED_BACK) == 12000
    assert (books(care.house, FEES), books(care.house, CLEARING)) == (1500, -1500)
    assert care.owes() == ("0.00", "0.00"), "it is not dunned while the network decides"
    care.whole()
    pass_time(care.house, care.sandbox, timedelta(days=3))
    decided(care, dispute, won=won)
    for _ in range(3):
        reconcile.read_events(care.house)
        drain(care.house)
        hear_chargeback.hear(care.house, dispute)
    end = "chargeback_won" if won else "chargeback_lost"
    assert posted(care.house) == sorted(["chargeback_opened", end])
    assert row_of(care.house).state == ("won" if won else "lost")
    assert books(care.house, RECEIVABLE_CHARGED_BACK) == 0
    assert books(care.house, FEES) == 1500, "the fee stays, once"
    assert care.owes() == (("0.00", "0.00") if won else ("120.00", "120.00"))
    care.whole()


def test_told_late_and_in_any_order_it_ends_the_same(care: Care):
    """Nothing is heard until all is over: what is posted is what happened, in its order."""
    care.pay()
    dispute = taken_back(care, 5000)
    decided(care, dispute, won=False)
    events = [event for event in care.sandbox.events if event["type"].startswith("charge.dispute")]
    assert {event["type"] for event in events} == {
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
    }
    shuffled = random.Random(7).sample(events * 2, 6)
    for _ in shuffled:
        assert hear_chargeback.hear(care.house, dispute)
    assert posted(care.house) == ["chargeback_lost", "chargeback_opened"]
    assert care.owes() == ("50.00", "50.00")
    care.whole()


@pytest.mark.parametrize("point", ["chargeback.fetched", "chargeback.before_commit"])
def test_a_crash_loses_and_doubles_nothing(care: Care, point: str):
    care.pay()
    dispute = taken_back(care)
    with crash.crash_at(point):
        hear_chargeback.hear(care.house, dispute)
    reconcile.read_events(care.house)
    drain(care.house)
    assert posted(care.house) == ["chargeback_opened"]
    decided(care, dispute, won=True)
    with crash.crash_at(point):
        hear_chargeback.hear(care.house, dispute)
    hear_chargeback.hear(care.house, dispute)
    assert posted(care.house) == ["chargeback_opened", "chargeback_won"]
    care.whole()


def test_more_than_stands_of_a_payment_is_told_to_the_desk_and_not_posted(care: Care):
    """A refund was on its way when the bank took the payment back."""
    care.pay()
    dispute = taken_back(care, 12100)
    assert hear_chargeback.hear(care.house, dispute)
    row = row_of(care.house)
    assert row.state == "open"
    assert "121.00 USD is charged back" in row.trouble
    assert posted(care.house) == []
    assert [f for f in verify(care.house.db, care.house.clock) if not f.holds] == []


def test_a_chargeback_of_somebody_elses_payment_is_ignored(care: Care):
    care.pay()
    dispute = taken_back(care)
    with care.house.db.transaction() as session:
        held = items.of_sources(session, [care.bill.id])[care.bill.id]
        assert held.open == Money.zero("USD")
        session.scalars(select(Payment)).one().gateway_id = "pi_of_another_shop"
    assert not hear_chargeback.hear(care.house, dispute)
    with care.house.db.reading() as session:
        assert session.scalar(select(func.count()).select_from(ChargebackRow)) == 0
