"""A payment that a card network takes back is still somewhere, on every day, and won it is as before."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.kernel.clock import local_date
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import chargebacks
from core.ledger.chargebacks import Chargeback
from core.ledger.models import OpenItem
from payments.models import Payment
from tests.books import findings
from tests.world import ZONE

ZERO = Money.zero("USD")


def begin(books, minor: int) -> Chargeback:
    """Some of the payment that paid a bill and left a bit unapplied."""

    def work(session) -> Chargeback:
        held = select(OpenItem.source_id).where(OpenItem.ledger_code == "unapplied")
        payment = session.scalars(select(Payment).where(Payment.id.in_(held))).one()
        taken = Chargeback(new_id(), payment.id, Money(minor, "USD"), Money(1_500, "USD"))
        assert chargebacks.begin(session, taken, today(books), books.clock.now())
        return taken

    return books.db.run_tx(work)


def today(books):
    return local_date(books.clock.now(), ZONE)


def captured(books, day) -> str:
    """The line of what was captured, as of a day."""
    return findings(books, as_of=day)[4].figure.split(";")[0]


def end(books, taken: Chargeback, how: str) -> None:
    def work(session) -> None:
        now = books.clock.now()
        if how == "won":
            assert chargebacks.win(session, taken.id, ZERO, today(books), now)
        else:
            given_up = how == "given up"
            assert chargebacks.lose(session, taken.id, today(books), now, give_up=given_up)

    books.db.run_tx(work)


@pytest.mark.parametrize("how", ["won", "lost", "given up"])
def test_what_is_charged_back_is_accounted_for_from_beginning_to_end(books, how):
    before = findings(books)[4].figure
    books.clock.advance(timedelta(days=1))
    taken = begin(books, 2_500)
    meanwhile, begun_on = findings(books), today(books)
    assert [one.number for one in meanwhile.values() if not one.holds] == []
    assert "unapplied 0.00 USD" in meanwhile[4].figure
    assert "charged back 25.00 USD" in meanwhile[4].figure
    assert "receivable charged back 20.00 USD" in meanwhile[2].figure
    assert "20.00 USD" in meanwhile[10].figure

    books.clock.advance(timedelta(days=30))
    end(books, taken, how)
    after = findings(books)
    assert [one.number for one in after.values() if not one.holds] == []
    back = "charged back 0.00 USD" if how == "won" else "charged back 25.00 USD"
    assert back in after[4].figure
    assert "receivable charged back 0.00 USD" in after[2].figure
    assert ("accounts receivable 20.00 USD" in after[2].figure) == (how == "lost")

    assert captured(books, begun_on) == meanwhile[4].figure.split(";")[0]
    assert captured(books, begun_on - timedelta(days=1)) == before.split(";")[0]
