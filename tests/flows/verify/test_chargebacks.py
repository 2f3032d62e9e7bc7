"""A payment that a card network takes back is still somewhere, on every day, and won it is as before."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.kernel.clock import local_date
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import appeals, chargebacks, items, writeoffs
from core.ledger.chargebacks import Chargeback
from core.ledger.models import OpenItem
from payments.chargebacks import ChargebackRow
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
        now = books.clock.now()
        heard = ChargebackRow(id=taken.id, gateway_id="dp_1", payment_id=payment.id, currency="USD")
        heard.amount_minor, heard.fee_minor, heard.state = minor, 1_500, "open"
        heard.opened_at = heard.heard_at = now
        session.add(heard)
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
        heard = session.get_one(ChargebackRow, taken.id)
        heard.state, heard.closed_at = "won" if "won" in how else "lost", now
        if how == "won on appeal":
            assert appeals.win(session, taken.id, ZERO, today(books), now)
        elif how == "won":
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
    assert "chargebacks: contested 25.00 USD" in meanwhile[4].figure

    books.clock.advance(timedelta(days=30))
    end(books, taken, how)
    after = findings(books)
    assert [one.number for one in after.values() if not one.holds] == []
    back = "charged back 0.00 USD" if how == "won" else "charged back 25.00 USD"
    assert back in after[4].figure
    assert "receivable charged back 0.00 USD" in after[2].figure
    assert ("accounts receivable 20.00 USD" in after[2].figure) == (how == "lost")

    ended = "won" if how == "won" else "lost"
    assert f"{ended} 25.00 USD" in after[4].figure

    assert captured(books, begun_on) == meanwhile[4].figure.split(";")[0]
    assert captured(books, begun_on - timedelta(days=1)) == before.split(";")[0]


def test_what_is_won_on_appeal_is_accounted_for_though_some_was_written_off_meanwhile(books):
    taken = begin(books, 2_500)
    end(books, taken, "lost")

    def given_up(session) -> None:
        ((bill, _),) = chargebacks.bills_of(session, taken.id)
        now = books.clock.now()
        asked = writeoffs.request(
            session, items.get(session, bill.id), Money(1_500, "USD"), "They left.", "user:1", now
        )
        writeoffs.approve(session, asked, "user:2", today(books), now)

    books.db.run_tx(given_up)
    end(books, taken, "won on appeal")
    found = findings(books)
    assert [one.number for one in found.values() if not one.holds] == []
    assert "charged back 0.00 USD" in found[4].figure


def test_a_chargeback_that_the_books_do_not_have_as_it_was_told_is_named(books):
    taken = begin(books, 2_500)
    books.db.run_tx(
        lambda session: setattr(session.get_one(ChargebackRow, taken.id), "fee_minor", 1_400)
    )
    (wrong,) = findings(books)[4].offenders
    assert wrong.startswith("chargeback dp_1 of payment P-")
    books.db.run_tx(
        lambda session: setattr(session.get_one(ChargebackRow, taken.id), "fee_minor", 1_500)
    )
    assert findings(books)[4].holds
