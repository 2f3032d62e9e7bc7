"""The card network takes a payment back: heard and posted once however often it is told, won or lost."""

import json
import random
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from core.hooks import endpoints
from core.hooks.endpoints import Wish as Listener
from core.hooks.models import HookMessage
from core.kernel import crash
from core.kernel.errors import Invalid
from core.kernel.jobs import Job
from core.kernel.money import Money
from core.ledger import items
from core.ledger.chart import CLEARING, FEES, RECEIVABLE_CHARGED_BACK
from core.ledger.models import JournalEntry
from core.notices.models import Notice
from core.parties.models import User
from flows import answer_chargeback, hear_chargeback, reconcile
from flows.answer_chargeback import Wish
from flows.deliver_hook import sealer
from flows.hear_chargeback import follow
from flows.house import House
from flows.pay_bill import PayWish, pay
from flows.verify import verify
from payments import chargebacks, evidence, inbox
from payments.chargebacks import ChargebackRow
from payments.evidence import EvidenceOver, NothingToSend
from payments.gateway import Indeterminate
from payments.models import Payment
from payments.network import NetworkChargeback
from tests.flows.disputes.conftest import Care, care, photo
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


def listen(house: House, kind: str, url: str) -> None:
    """A program that hears of one type."""
    wanted = Listener(url, "Books", (kind,))
    house.db.run_tx(
        lambda session: endpoints.add(
            session, wanted, house.poster, sealer(house), "test", house.clock.now()
        )
    )


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


def snapshots(amount: Money) -> dict[str, NetworkChargeback]:
    """A chargeback as it stood when each of its events was told."""
    when = datetime(2026, 11, 17, 19, tzinfo=UTC)
    zero, fee, counter = Money.zero("USD"), Money(1500, "USD"), Money(1500, "USD")
    created = NetworkChargeback(
        "dp_order", None, "needs_response", amount, taken=False, fee=zero, fee_back=zero,
        reason="fraudulent", created=when, evidence_due=when + timedelta(days=7),
    )  # fmt: skip
    withdrawn = replace(created, taken=True, fee=fee)
    updated = replace(withdrawn, status="under_review", answered=True, fee=fee + counter)
    closed = replace(updated, status="won", evidence_due=None)
    return {
        "created": created,
        "funds_withdrawn": withdrawn,
        "updated": updated,
        "closed": closed,
        "funds_reinstated": replace(closed, fee_back=counter),
    }


class Undone(Exception):
    """What was tried is taken back."""


def test_snapshots_in_any_order_and_twice_end_in_the_same_state(care: Care):
    """Two workers may fetch one after the other and commit the other way round."""
    care.pay()
    with care.house.db.reading() as session:
        paid_by = session.scalars(select(Payment)).one().gateway_id
    told = [replace(one, payment_id=paid_by) for one in snapshots(Money(5000, "USD")).values()]

    def ended(order: list[NetworkChargeback]) -> tuple[object, ...]:
        found: list[object] = []
        with suppress(Undone), care.house.db.transaction() as session:
            for one in order:
                assert hear_chargeback.follow(session, care.house, one)
            row = session.scalars(select(ChargebackRow)).one()
            found += [row.state, row.fee_minor, row.fee_back_minor, row.answered_at is not None]
            found += [row.evidence_due, row.trouble]
            found += [balance(session, code) for code in (CLEARING, FEES, RECEIVABLE_CHARGED_BACK)]
            found += [items.of_sources(session, [care.bill.id])[care.bill.id].open]
            news = session.scalars(select(Job.key).where(Job.name == "ChargebackMoved"))
            found.append(sorted(key.split(":")[0] for key in news))
            raise Undone
        return tuple(found)

    wanted = ended(told)
    assert wanted[:4] == ("won", 3000, 1500, True)
    assert wanted[6:9] == (12000 - 1500, 1500, 0), "what it took is back but for one fee"
    assert wanted[-1] == ["chargeback-answered", "chargeback-closed", "chargeback-opened"]
    for seed in range(5):
        shuffled = random.Random(seed).sample(told + told[seed % 5 :], len(told) + 5 - seed % 5)
        assert ended(shuffled) == wanted, [one.status for one in shuffled]


def test_what_is_won_on_appeal_pays_what_is_still_owed_and_the_rest_is_kept(care: Care):
    listen(care.house, "chargeback.appealed", "https://books.example.com/")
    care.pay()
    dispute = taken_back(care)
    decided(care, dispute, won=False)
    hear_chargeback.hear(care.house, dispute)
    assert care.owes() == ("120.00", "120.00")
    decided(care, dispute, won=True)
    with crash.crash_at("chargeback.before_commit"):
        hear_chargeback.hear(care.house, dispute)
    for _ in range(2):
        hear_chargeback.hear(care.house, dispute)
    drain(care.house)
    row = row_of(care.house)
    assert (row.state, row.trouble) == ("won", "")
    assert posted(care.house) == ["chargeback_lost", "chargeback_opened", "chargeback_won"]
    assert care.owes() == ("0.00", "0.00")
    assert (books(care.house, FEES), books(care.house, CLEARING)) == (1500, 12000 - 1500)
    with care.house.db.reading() as session:
        assert session.scalars(select(HookMessage.kind)).all() == ["chargeback.appealed"]
        mails = session.scalars(select(Notice.subject).where(Notice.template == "chargeback"))
        assert [one for one in mails if "won on appeal" in one]
    assert [f for f in verify(care.house.db, care.house.clock) if not f.holds] == []


def test_what_was_won_is_not_lost_again_by_itself_but_told_to_the_desk(care: Care):
    care.pay()
    with care.house.db.reading() as session:
        paid_by = session.scalars(select(Payment)).one().gateway_id
    won = replace(snapshots(Money(5000, "USD"))["closed"], payment_id=paid_by)
    for told in (won, replace(won, status="lost")):
        with care.house.db.transaction() as session:
            assert follow(session, care.house, told)
    row = row_of(care.house)
    assert (row.state, posted(care.house)) == ("won", ["chargeback_opened", "chargeback_won"])
    assert row.trouble == "It was won, and the network now says that it is lost."
    with care.house.db.reading() as session:
        assert session.scalars(chargebacks.to_answer()).all() == [row.id]


def test_a_chargeback_that_is_heard_before_its_payment_brings_that_home_first(care: Care):
    """The card of a bank that takes every payment back at once; the payer's page never came back."""
    url = pay(care.house, PayWish(care.user.id, [care.bill.id]))
    care.sandbox.pay(url, "4000000000000259")
    told = [e for e in care.house.gateway.list_events().items if e.object_type == "dispute"]
    now = care.house.clock.now()
    care.house.db.run_tx(lambda session: inbox.receive(session, told[-1], now))
    drain(care.house)
    assert posted(care.house) == ["chargeback_opened"]
    assert books(care.house, RECEIVABLE_CHARGED_BACK) == 12000
    care.whole()


def test_evidence_is_a_draft_until_it_is_sent_once_and_everybody_is_told(care: Care):
    with care.house.db.transaction() as session:
        session.get_one(User, care.staff[0].id).roles = ["billing"]
    for number, kind in enumerate(
        ("chargeback.answered", "chargeback.closed", "chargeback.opened")
    ):
        listen(care.house, kind, f"https://books{number}.example.com/")
    care.pay()
    dispute = taken_back(care)
    hear_chargeback.hear(care.house, dispute)
    house, kim, public_id = care.house, care.agent().actor, row_of(care.house).public_id
    with pytest.raises(NothingToSend):
        answer_chargeback.send(house, public_id, kim)
    with pytest.raises(Invalid) as refused:
        answer_chargeback.keep(house, public_id, Wish("", {"receipt": photo("WEBP")}), kim)
    assert "JPEG and PNG" in refused.value.fields_["receipt"]

    files = {"receipt": photo(), "delivery": photo("PNG")}
    answer_chargeback.keep(house, public_id, Wish("They were at home.", files), kim)
    wish = Wish("They signed for it: winning_evidence", {"receipt": photo("PNG")}, ["delivery"])
    answer_chargeback.keep(house, public_id, wish, kim)
    with house.db.reading() as session:
        kept = evidence.files_of(session, row_of(house).id)
        assert [(one.kind, one.media_type) for one in kept] == [("receipt", "image/png")]
        assert b"at-home" not in house.blobs.get(kept[0].sha256), "it was written anew"

    care.sandbox.fault("500", path="/v1/disputes/*", method="POST")
    answer_chargeback.send(house, public_id, kim)
    with pytest.raises(EvidenceOver):
        answer_chargeback.send(house, public_id, kim)
    with pytest.raises(Indeterminate):
        answer_chargeback.hand_over(house, row_of(house).id, 1)
    with crash.crash_at("evidence.handed_over"):
        answer_chargeback.hand_over(house, row_of(house).id, 1)
    drain(house)
    row = row_of(house)
    assert (row.state, row.answered_at) == ("won", house.clock.now())
    assert posted(house) == ["chargeback_opened", "chargeback_won"]
    with house.db.reading() as session:
        assert evidence.of(session, row.id).state == "sent"
        told = session.scalars(select(HookMessage).order_by(HookMessage.kind)).all()
        mails = session.scalars(select(Notice).where(Notice.template == "chargeback")).all()
    assert [one.kind for one in told] == [
        f"chargeback.{how}" for how in ("answered", "closed", "opened")
    ]
    assert json.loads(told[0].body)["data"]["bills"] == [care.bill.number]
    assert json.loads(told[1].body)["data"]["status"] == "won"
    assert {one.to_address for one in mails} == {care.staff[0].email}
    assert sorted(one.subject.split(":")[0] for one in mails) == [
        "Chargeback won",
        "Charged back",
    ]
    with pytest.raises(EvidenceOver):
        answer_chargeback.keep(house, public_id, Wish("And another thing."), kim)
    with pytest.raises(DBAPIError), house.db.transaction() as session:
        evidence.of(session, row.id).text = "We said something else."


def test_what_the_processor_refuses_is_a_draft_again_with_the_reason(care: Care):
    care.pay()
    dispute = taken_back(care)
    hear_chargeback.hear(care.house, dispute)
    public_id, kim = row_of(care.house).public_id, care.agent().actor
    answer_chargeback.keep(care.house, public_id, Wish("It was delivered."), kim)
    answer_chargeback.send(care.house, public_id, kim)
    decided(care, dispute, won=False)
    drain(care.house)
    with care.house.db.reading() as session:
        kept = evidence.of(session, row_of(care.house).id)
    assert (kept.state, kept.sent_at) == ("draft", None)
    assert "takes no more evidence" in kept.trouble


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
