"""A bill is charged to a card on file once, whatever happens; what fails is told, with one way out."""

import dataclasses
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core.kernel import crash
from core.kernel.jobs import Job
from core.kernel.money import Money
from core.ledger import contested, items
from core.ledger.tender_models import Tender
from core.parties import accounts
from core.parties.models import User
from flows import pay_bill, reconcile
from flows.charge_on_file import charge
from flows.house import House
from flows.pay_bill import PayWish
from flows.settle_payment import settle as settle_visit
from flows.start_payment import ChargeUnderWay
from payments import methods, reading
from payments.gateway import Indeterminate
from payments.models import Payment, PaymentMethod
from tests.on_file import (
    INTENTS,
    ON_FILE_ONLY,
    TOO_LITTLE,
    WANTS_ITS_OWNER,
    Stage,
    newest,
    open_stage,
    set_up,
    still_open,
)
from tests.paying import drain, house, pass_time, processor, sandbox
from tests.sandbox_process import SandboxProcess
from tests.world import World

__all__ = ["house", "processor", "sandbox"]


@pytest.fixture
def stage(house: House, sandbox: SandboxProcess, world: World) -> Stage:
    return open_stage(house, sandbox, world)


def test_a_bill_is_charged_and_paid_like_any_card_payment(stage: Stage):
    stage.want()
    drain(stage.house)
    stage.assert_charged_once()
    with stage.house.db.reading() as session:
        paid = session.scalars(select(Payment)).one()
    assert (paid.amount_minor, paid.instrument) == (4500, "Visa ending 4242")
    assert paid.account_id == stage.riley.id
    operation = newest(stage.house, "charge")
    assert (operation.state, operation.gateway_id) == ("succeeded", paid.gateway_id)
    assert stage.mails()[-1] == f"Receipt {paid.number}: $45.00, thank you"


def test_the_same_wish_twice_is_one_charge(stage: Stage):
    assert stage.charge() == stage.charge() == "succeeded"
    stage.want()
    drain(stage.house)
    stage.assert_charged_once()


def test_only_what_is_open_and_not_disputed_is_charged(stage: Stage):
    now = stage.house.clock.now()
    with stage.house.db.transaction() as session:
        item = items.of_sources(session, [stage.bill.id])[stage.bill.id]
        day = stage.bill.issue_date
        part = Money(1500, "USD")
        contested.contest(session, item, part, ("note", item.id), day, now)
    assert stage.charge() == "succeeded"
    assert stage.taken() == 3000
    assert still_open(stage.house, stage.bill) == 1500
    assert stage.charge(2) is None
    drain(stage.house)
    stage.assert_sound()


def test_a_bill_that_is_paid_is_not_charged(stage: Stage):
    assert stage.charge() == "succeeded"
    assert stage.charge(2) is None
    assert stage.taken() == 4500


# --- no charge, and who is told -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("card", "failure", "words"),
    [
        (ON_FILE_ONLY, "generic_decline", "Your bank declined the charge."),
        (TOO_LITTLE, "insufficient_funds", "too little money on the card"),
        (WANTS_ITS_OWNER, "authentication_required", "confirm this payment yourself"),
    ],
)
def test_a_refusal_is_told_with_one_link_that_puts_it_right(
    house: House, sandbox: SandboxProcess, world: World, card: str, failure: str, words: str
):
    stage = open_stage(house, sandbox, world, card)
    stage.want()
    drain(house)
    operation = newest(house, "charge")
    assert (operation.state, operation.failure) == ("failed", failure)
    assert stage.mails()[-1] == f"$45.00 for bill {stage.bill.number} could not be charged"
    assert words in stage.last_words()
    link = f"/account/cards/{stage.method.public_id}/instead"
    assert stage.last_words().count("http") == stage.last_words().count(link) == 1
    assert stage.taken() == 0
    assert still_open(house, stage.bill) == 4500
    assert stage.count(Tender, Tender.state != "released") == 0
    told = len(stage.mails())
    stage.charge()
    stage.tell()
    drain(house)
    assert len(stage.mails()) == told
    stage.assert_sound()
    with house.db.reading() as session:
        assert reading.in_trouble(session) == []


def test_a_later_attempt_is_another_charge(house: House, sandbox: SandboxProcess, world: World):
    stage = open_stage(house, sandbox, world, ON_FILE_ONLY)
    assert stage.charge() == stage.charge() == "failed"
    better = set_up(house, sandbox, stage.riley)
    stage = dataclasses.replace(stage, method=better)
    assert stage.charge() == "succeeded"
    drain(house)
    assert stage.taken() == 4500
    stage.assert_sound()


@pytest.mark.parametrize(
    ("spoil", "failure"),
    [
        (lambda session, stage, now: methods.detach(session, stage.method.id, now), "method_detached"),
        (
            lambda session, stage, now: methods.end(
                session, "example:T-7", stage.bill.issued_at - timedelta(seconds=1)
            ),
            "not_authorised",
        ),
        (
            lambda session, stage, now: session.execute(
                update(PaymentMethod).values(exp_month=10, exp_year=2026)
            ),
            "method_expired",
        ),
    ],
)  # fmt: skip
def test_a_card_that_may_not_be_charged_is_not_even_tried(stage: Stage, spoil, failure: str):
    stage.house.db.run_tx(lambda session: spoil(session, stage, stage.house.clock.now()))
    assert stage.charge() == "failed"
    operation = newest(stage.house, "charge")
    assert (operation.failure, operation.attempts) == (failure, 0)
    drain(stage.house)
    assert stage.mails()[-1] == f"$45.00 for bill {stage.bill.number} could not be charged"
    assert stage.sandbox.control("GET", INTENTS)["data"] == []
    stage.assert_sound()


def test_what_was_agreed_when_the_bill_was_issued_covers_it(stage: Stage):
    with stage.house.db.transaction() as session:
        methods.end(session, "example:T-7", stage.bill.issued_at)
    assert stage.charge() == "succeeded"
    drain(stage.house)
    stage.assert_charged_once()


@pytest.mark.parametrize("point", ["detach.before_call", "detach.done"])
def test_a_card_that_is_off_file_is_off_file_at_the_processor(stage: Stage, point: str):
    card = stage.method
    with stage.house.db.transaction() as session:
        assert methods.detach(session, card.id, stage.house.clock.now())
        assert not methods.detach(session, card.id, stage.house.clock.now())
    assert stage.house.gateway.list_payment_methods(card.gateway_customer_id)
    with crash.crash_at(point):
        drain(stage.house)
    pass_time(stage.house, stage.sandbox, timedelta(days=2))  # its key is forgotten
    drain(stage.house)
    assert stage.house.gateway.list_payment_methods(card.gateway_customer_id) == ()
    stage.assert_sound()


def test_a_card_that_is_gone_at_the_processor_is_off_file_here_too(stage: Stage):
    stage.house.gateway.detach("off-1", stage.method.gateway_id)
    assert stage.charge() == "failed"
    assert newest(stage.house, "charge").failure == "method_detached"
    with stage.house.db.reading() as session:
        assert methods.of_account(session, stage.riley.id) == []


def test_a_bill_paid_before_the_mail_was_written_is_not_complained_about(
    house: House, sandbox: SandboxProcess, world: World
):
    stage = open_stage(house, sandbox, world, ON_FILE_ONLY)
    assert stage.charge() == "failed"
    better = set_up_again(stage)
    assert charge(house, stage.bill.id, better.id) == "succeeded"
    drain(house)
    assert stage.count(Job, Job.name == "ChargeFailed", Job.state == "done") >= 1
    assert stage.count(Job, Job.state != "done") == 0
    assert not any("could not be charged" in subject for subject in stage.mails())


def set_up_again(stage: Stage) -> PaymentMethod:
    """Another card on file; what waits to be told still waits."""
    with stage.house.db.transaction() as session:
        session.execute(
            update(Job).where(Job.name == "ChargeFailed").values(state="running", lease_until=None)
        )
    method = set_up(stage.house, stage.sandbox, stage.riley)
    with stage.house.db.transaction() as session:
        session.execute(update(Job).where(Job.name == "ChargeFailed").values(state="ready"))
    return method


# --- the payer is faster, or slower ---------------------------------------------------------------


def _owner(stage: Stage) -> User:
    with stage.house.db.reading() as session:
        owner = session.scalars(select(User)).one()
        assert accounts.payable_by(session, owner.id)
        return owner


def _visit(stage: Stage) -> str:
    url = pay_bill.pay(stage.house, PayWish(_owner(stage).id, [stage.bill.id]))
    assert url is not None
    return url


def test_a_payer_at_the_processors_page_is_not_charged_as_well(stage: Stage):
    url = _visit(stage)
    assert stage.charge() == "pending"
    pass_time(stage.house, stage.sandbox, timedelta(minutes=6))
    assert reconcile.run(stage.house).problems == ()
    assert newest(stage.house, "charge").state == "pending"
    stage.sandbox.pay(url)
    assert settle_visit(stage.house, newest(stage.house, "checkout").id) == "succeeded"
    pass_time(stage.house, stage.sandbox, timedelta(minutes=6))
    assert reconcile.run(stage.house).problems == ()
    assert newest(stage.house, "charge").state == "expired"
    assert stage.taken() == 0
    drain(stage.house)
    assert not any("could not be charged" in subject for subject in stage.mails())
    stage.assert_sound()


def test_a_payer_who_left_the_page_is_charged_after_all(stage: Stage):
    _visit(stage)
    assert stage.charge() == "pending"
    for _ in range(2):
        pass_time(stage.house, stage.sandbox, timedelta(minutes=45))
        assert reconcile.run(stage.house).problems == ()
    drain(stage.house)
    stage.assert_charged_once()


def test_a_bill_that_is_being_charged_is_not_paid_a_second_time(stage: Stage):
    stage.sandbox.fault("drop_after_success", path=INTENTS, method="POST")
    with pytest.raises(Indeterminate):
        stage.charge()
    with pytest.raises(ChargeUnderWay):
        _visit(stage)
    other = set_up(stage.house, stage.sandbox, stage.riley, "5555555555554444")
    with pytest.raises(ChargeUnderWay):
        charge(stage.house, stage.bill.id, other.id)
    with stage.house.db.reading() as session:
        (underway,) = reading.underway(session, [stage.riley.id])
    assert underway.amount_minor == 4500
