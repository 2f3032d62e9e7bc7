"""A line of a bill is disputed: from the first word to the money that goes back, on both databases."""

from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from core.events import OpenItemsChanged
from core.kernel import crash
from core.kernel.errors import Invalid, NotFound, StaleState
from core.kernel.jobs import Job
from core.ledger import items
from core.ledger.chart import CUSTOMER_CREDIT
from core.parties import accounts as parties
from flows import correct_invoice, open_dispute, talk_about_dispute
from flows.open_dispute import Asked
from flows.verify import verify
from invoices.disputes.models import Dispute
from invoices.disputes.refusals import (
    AnsweredBefore,
    CreditTooMuch,
    DisputedAlready,
    DisputedTooMuch,
    DisputeOver,
    NothingToChoose,
    OwnDispute,
)
from invoices.disputes.rules import Rules
from payments.models import Refund
from tests.flows.disputes.conftest import Care, photo, usd
from tests.paying import drain, pass_time
from tests.rooms.ledger.books import balance
from tests.together import together

RILEY, DESK = "riley.moreno@example.com", "billing@fernway.example.com"


def test_a_line_of_an_open_bill_is_disputed_and_credited(care: Care):
    public_id = care.open("24.00", files=[photo(), photo("PNG")])
    # Tuesday the 17th and five business days, with Thanksgiving between.
    assert care.told(public_id).dispute.answer_by == date(2026, 11, 24)
    assert care.owes() == ("120.00", "96.00"), "out of AutoPay and reminders, the rest still due"
    assert care.decide(public_id, "24.00") == "resolved"
    found = care.told(public_id)
    assert (found.dispute.outcome, found.dispute.credited_minor) == ("full", 2400)
    assert (found.memo.net_minor, found.memo.tax_minor) == (2000, 400), "the line's own tax"
    assert found.credit_item is None, "all of it lowered the bill"
    assert care.owes() == ("96.00", "96.00")
    care.whole()
    assert care.mails() == [
        (RILEY, "We have your dispute DP100001 and answer by November 24, 2026"),
        (DESK, "Riley Moreno disputes $24.00 on bill 100001: DP100001"),
        (RILEY, "$24.00 back: our answer to your dispute DP100001"),
    ]
    (message,) = found.messages
    assert message.text == "We had no such thing."
    kept = found.files[message.id]
    assert [one.media_type for one in kept] == ["image/jpeg", "image/png"]
    for one in kept:
        data = care.house.blobs.get(one.sha256)
        assert b"at-home" not in data
        assert Image.open(BytesIO(data)).size == (60, 40)


def test_what_is_contested_is_told_to_whoever_collects(care: Care):
    def told() -> int:
        with care.house.db.reading() as session:
            query = select(Job.id).where(Job.name == OpenItemsChanged.NAME, Job.handler.is_(None))
            return len(session.scalars(query).all())

    before = told()
    public_id = care.open("24.00")
    assert told() == before + 1
    care.withdraw(public_id)
    assert told() == before + 2


def test_a_paid_bill_is_credited_and_the_customer_has_the_money_back(care: Care):
    care.pay()
    public_id = care.open(None, line_number=2)
    assert care.told(public_id).dispute.amount_minor == 4800, "all of the line"
    care.decide(public_id, "30.00")
    found = care.told(public_id)
    assert found.dispute.outcome == "part"
    assert found.credit_item.open == usd("30.00"), "kept, until they say otherwise"
    care.have_back(public_id)
    care.have_back(public_id)
    drain(care.house)
    with care.house.db.reading() as session:
        (row,) = session.scalars(select(Refund))
        assert (row.amount_minor, row.state) == (3000, "succeeded")
        assert balance(session, CUSTOMER_CREDIT) == 0
    assert care.told(public_id).credit_item.open == usd("0.00")
    care.whole()


def test_whoever_asked_for_the_money_at_once_gets_it_with_the_answer(care: Care):
    care.pay()
    public_id = care.open("12.00", wish="refund")
    care.decide(public_id, "12.00")
    drain(care.house)
    with care.house.db.reading() as session:
        assert [row.amount_minor for row in session.scalars(select(Refund))] == [1200]
    memo = care.told(public_id).memo
    assert any("back" in note for note in memo.document["notes"])
    care.whole()


def test_a_partly_paid_bill_is_lowered_first_and_only_the_rest_is_credit(care: Care):
    care.transfer("100.00")
    public_id = care.open(None, line_number=2)
    assert care.owes() == ("20.00", "0.00"), "contested is no more than what is open"
    care.decide(public_id, "48.00")
    assert care.owes() == ("0.00", "0.00")
    assert care.told(public_id).credit_item.open == usd("28.00")
    care.whole()


def test_an_answer_without_credit_says_why(care: Care):
    public_id = care.open("24.00")
    with pytest.raises(Invalid):
        care.decide(public_id, "0.00", text="  ")
    care.decide(public_id, "0.00", text="The visit was on the 3rd.")
    found = care.told(public_id).dispute
    assert (found.outcome, found.memo_id, found.credited_minor) == ("none", None, 0)
    assert care.owes() == ("120.00", "120.00")
    with pytest.raises(NothingToChoose):
        care.have_back(public_id)
    with pytest.raises(AnsweredBefore):
        care.open("1.00")
    care.whole()


def test_over_the_limit_two_people_decide_and_never_oneself(care: Care):
    small = replace(care.house.rules, disputes=Rules(credit_limit=20))
    care.house = replace(care.house, rules=small)
    public_id = care.open("24.00")
    assert care.decide(public_id, "20.00") == "resolved", "up to the limit one is enough"
    public_id = care.open("48.00", line_number=2)
    assert care.decide(public_id, "36.00") == "waiting"
    assert care.owes() == ("100.00", "52.00"), "nothing is credited yet"
    with pytest.raises(StaleState):
        care.decide(public_id, "36.00", which=1)
    with pytest.raises(OwnDispute):
        care.second(public_id, which=0)
    assert care.second(public_id, which=1, approved=False, note="Ask for the receipt") == "open"
    assert care.decide(public_id, "24.01", which=1) == "waiting"
    first = care.told(public_id).waiting.public_id
    assert care.second(public_id, which=2) == "resolved"
    found = care.told(public_id)
    assert (found.dispute.outcome, found.dispute.credited_minor) == ("part", 2401)
    assert [one.state for one in found.proposals] == ["approved", "declined"]
    assert found.proposals[0].public_id == first
    with pytest.raises(DisputeOver):
        care.second(public_id, which=2)
    with pytest.raises(DatabaseError), care.house.db.transaction() as session:
        session.execute(text("UPDATE dispute_proposal SET decided_by = asked_by"))
    care.whole()


def test_nobody_decides_about_an_account_of_their_own(care: Care):
    public_id = care.open("24.00")
    with care.house.db.transaction() as session:
        parties.join(session, care.staff[0].id, care.payer.id, "viewer", care.house.clock.now())
    with pytest.raises(OwnDispute):
        care.decide(public_id, "24.00", which=0)
    assert care.decide(public_id, "24.00", which=1) == "resolved"


def test_a_line_is_disputed_within_what_is_left_and_once_at_a_time(care: Care):
    with pytest.raises(DisputedTooMuch):
        care.open("72.01")
    with pytest.raises(Invalid):
        care.open("0.00")
    with pytest.raises(Invalid):
        care.open("1.00", reason="mood")
    with pytest.raises(NotFound):
        care.open("1.00", line_number=7)
    public_id = care.open("72.00", named="a form")
    assert care.open("72.00", named="a form") == public_id, "a double click"
    assert care.open("10.00", named="another tab") == public_id
    with pytest.raises(DisputedAlready):
        care.open("10.00")
    care.withdraw(public_id)
    care.withdraw(public_id)
    assert care.owes() == ("120.00", "120.00")
    with pytest.raises(DisputeOver):
        care.decide(public_id, "1.00")
    again = care.open("10.00")
    assert again != public_id
    correction = correct_invoice.Correction(care.bill.public_id, {1: 5500}, "wrong", "m", "test")
    correct_invoice.credit(care.house, correction)
    with pytest.raises(CreditTooMuch):
        care.decide(again, "10.00")
    care.decide(again, "6.00")
    asked = Asked(care.bill.public_id, 1, "courtesy", usd("0.01"), "Once more")
    with pytest.raises(DisputedTooMuch):
        open_dispute.open_one(care.house, asked, care.agent(), None)
    care.whole()


def test_files_that_are_no_pictures_are_refused_and_nothing_is_opened(care: Care):
    for bad in (b"%PDF-1.7", b"<svg onload=alert(1)>", photo()[:-80]):
        with pytest.raises(Invalid) as refused:
            care.open("1.00", files=[photo(), bad])
        assert refused.value.fields_["files"].startswith("Picture 2: This is not a whole")
    with pytest.raises(Invalid):
        care.open("1.00", files=[photo()] * 6)
    with care.house.db.reading() as session:
        assert session.scalars(select(Dispute)).all() == []
    assert care.owes() == ("120.00", "120.00")


def test_somebody_elses_bill_or_dispute_is_not_there(care: Care):
    public_id = care.open("24.00")
    asked = Asked(care.bill.public_id, 2, "overcharge", None, "Not mine", files=[b"unread"])
    with pytest.raises(NotFound):
        open_dispute.open_one(care.house, asked, care.customer, [care.user.id])
    for act in (talk_about_dispute.withdraw, talk_about_dispute.have_back):
        with pytest.raises(NotFound):
            act(care.house, public_id, care.customer.actor, [care.user.id])
    with pytest.raises(NotFound):
        talk_about_dispute.write(care.house, public_id, care.customer, "Hello", [care.user.id])


def test_both_sides_write_and_the_other_is_told(care: Care):
    public_id = care.open("24.00")
    mine = [care.payer.id]
    for _ in range(2):
        talk_about_dispute.write(
            care.house,
            public_id,
            care.customer,
            "Here is a photo.",
            mine,
            files=[photo()],
            named="f",
        )
    talk_about_dispute.write(care.house, public_id, care.agent(), "Thank you.\nWe look.", None)
    drain(care.house)
    found = care.told(public_id)
    assert [(one.side, one.text) for one in found.messages] == [
        ("customer", "We had no such thing."),
        ("customer", "Here is a photo."),
        ("staff", "Thank you.\nWe look."),
    ]
    assert care.mails()[2:] == [
        (DESK, "Riley Moreno wrote about dispute DP100001"),
        (RILEY, "Fernway Broadband wrote about dispute DP100001"),
    ]
    care.decide(public_id, "0.00", text="No.")
    talk_about_dispute.write(care.house, public_id, care.customer, "But why?", mine)
    assert care.told(public_id).dispute.last_side == "customer"
    care.whole()


def test_what_was_said_and_answered_does_not_change(care: Care):
    public_id = care.open("24.00", files=[photo()])
    care.decide(public_id, "24.00")
    for statement in (
        "UPDATE dispute SET amount_minor = 1",
        "UPDATE dispute SET credited_minor = 1",
        "UPDATE dispute SET state = 'open', closed_at = NULL, outcome = NULL, decided_by = NULL",
        "DELETE FROM dispute",
        "UPDATE dispute_message SET text = 'x'",
        "DELETE FROM dispute_file",
    ):
        with pytest.raises(DatabaseError), care.house.db.transaction() as session:
            session.execute(text(statement))


POINTS = ("dispute.files_stored", "dispute.before_commit", "memo.written", "job.before_commit")


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_any_point_loses_and_doubles_nothing(care: Care, point: str):
    """Everybody presses again after each crash; then there is one of everything."""
    care.pay()

    def story() -> None:
        with care.house.db.reading() as session:
            found = session.scalars(select(Dispute)).all()
        public_id = care.open("12.00", files=[photo()], wish="refund", named="form")
        if not found or found[0].state == "open":
            care.decide(public_id, "12.00")
        drain(care.house)

    passed: list[str] = []
    deaths: list[str] = []

    def die(name: str) -> None:
        passed.append(name)
        # The first, the third and the fifth time.
        if name == point and passed.count(point) in (1, 3, 5):
            deaths.append(name)
            raise crash.SimulatedCrash(name)

    with crash.armed(die):
        for _ in range(6):
            try:
                story()
            except crash.SimulatedCrash:
                pass
            pass_time(care.house, care.sandbox, timedelta(minutes=3))
    assert deaths
    story()
    with care.house.db.reading() as session:
        (dispute,) = session.scalars(select(Dispute))
        assert (dispute.state, dispute.credited_minor) == ("resolved", 1200)
        assert [row.amount_minor for row in session.scalars(select(Refund))] == [1200]
        assert items.of_sources(session, [dispute.memo_id])[dispute.memo_id].open == usd("0.00")
    assert len(care.mails()) == 3
    care.whole()


def test_two_agents_at_once_make_one_memo_and_two_tabs_one_dispute(care: Care):
    def at_once(*acts):
        outcomes = together(list(acts))
        return [type(one).__name__ if isinstance(one, Exception) else one for one in outcomes]

    first, second = at_once(
        lambda: care.open("24.00", named="one tab"), lambda: care.open("24.00", named="the other")
    )
    assert first == second
    said = at_once(
        lambda: care.decide(first, "24.00", which=0), lambda: care.decide(first, "12.00", which=1)
    )
    assert sorted(said) == ["DisputeOver", "resolved"]
    found = care.told(first)
    assert found.dispute.credited_minor == found.memo.total_minor in (2400, 1200)
    care.whole()


def test_verify_finds_a_dispute_that_is_not_its_ledger(care: Care):
    public_id = care.open("24.00")
    with care.house.db.transaction() as session:
        session.execute(
            text("UPDATE contested_amount SET closed_at = opened_at, closed_on = opened_on")
        )
    (wrong,) = [one for one in verify(care.house.db, care.house.clock) if not one.holds]
    assert wrong.offenders == (
        f"dispute {care.told(public_id).dispute.number}: it stands, and nothing is contested",
    )
