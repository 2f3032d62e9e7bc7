"""A bill is charged to a card on file once, whatever happens; what fails is told, with one way out."""

import dataclasses
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app import worker
from core.events import ChargeWanted
from core.kernel import jobs
from core.kernel.jobs import Job
from core.kernel.money import Money
from core.ledger import contested, items
from core.ledger.tender_models import Tender
from core.parties import accounts
from core.parties.models import Account, User
from flows import pay_bill, reconcile
from flows.charge_on_file import charge, go, settle
from flows.hear_event import hear
from flows.house import House
from flows.pay_bill import PayWish
from flows.settle_payment import PaymentMismatch
from flows.settle_payment import settle as settle_visit
from flows.start_payment import ChargeUnderWay
from flows.verify import verify
from invoices.models import Invoice
from payments import inbox, methods, reading
from payments.gateway import Gateway, Indeterminate, KeyConflict
from payments.models import InboundEvent, Payment, PaymentMethod, PaymentOperation
from tests.on_file import (
    ON_FILE_ONLY,
    TOO_LITTLE,
    WANTS_ITS_OWNER,
    customer,
    newest,
    owe,
    set_up,
    still_open,
)
from tests.paying import CARD, drain, house, pass_time, processor, sandbox
from tests.sandbox_process import SandboxProcess
from tests.shop import PostBox
from tests.together import together
from tests.world import World

__all__ = ["house", "processor", "sandbox"]

INTENTS = "/v1/payment_intents"


@dataclasses.dataclass
class Stage:
    """Riley with a card on file and a bill of 45.00."""

    house: House
    sandbox: SandboxProcess
    riley: Account
    method: PaymentMethod
    bill: Invoice

    def charge(self, attempt: int = 1) -> str | None:
        return charge(self.house, self.bill.id, self.method.id, attempt)

    def want(self, attempt: int = 1) -> None:
        """As the billing does: in the transaction of its bill."""
        event = ChargeWanted(str(self.bill.id), str(self.method.id), attempt)
        key = f"charge:{self.bill.id}:{attempt}"
        self.house.db.run_tx(
            lambda session: jobs.record(session, event, self.house.clock.now(), key=key)
        )

    def count(self, model, *where) -> int:
        with self.house.db.reading() as session:
            return session.scalar(select(func.count()).select_from(model).where(*where))

    def mails(self) -> list[str]:
        post = self.house.sender
        assert isinstance(post, PostBox)
        return [mail["Subject"] for mail in post.mails]

    def last_words(self) -> str:
        post = self.house.sender
        assert isinstance(post, PostBox)
        plain = post.mails[-1].get_body(("plain",))
        assert plain is not None
        return " ".join(plain.get_content().split())

    def taken(self) -> int:
        """What the processor took of Riley's card, in cents."""
        query = f"{INTENTS}?customer={self.method.gateway_customer_id}&limit=100"
        found = self.sandbox.control("GET", query)["data"]
        return sum(one["amount_received"] for one in found)

    def tell(self) -> int:
        """Everything that the processor tells goes into the inbox; says how much was new."""
        return reconcile.read_events(self.house)

    def assert_sound(self) -> None:
        assert self.count(Job, Job.state != "done") == 0
        against = verify(self.house.db, self.house.clock, blobs=self.house.blobs)
        assert [finding for finding in against if not finding.holds] == []

    def assert_charged_once(self) -> None:
        assert self.count(Payment) == 1
        assert self.taken() == 4500
        assert still_open(self.house, self.bill) == 0
        assert self.count(PaymentOperation, PaymentOperation.kind == "charge") == 1
        assert self.count(Tender, Tender.state == "reserved") == 0
        self.assert_sound()


def open_stage(house: House, sandbox: SandboxProcess, world: World, card: str = CARD) -> Stage:
    riley = customer(house, world)
    method = set_up(house, sandbox, riley, card)
    stage = Stage(house, sandbox, riley, method, owe(house, riley))
    drain(house)
    return stage


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
        contested.contest(session, item, part, ("dispute", stage.riley.id), day, now)
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
def test_a_refusal_is_told_with_one_link_that_opens_the_bill(
    house: House, sandbox: SandboxProcess, world: World, card: str, failure: str, words: str
):
    stage = open_stage(house, sandbox, world, card)
    stage.want()
    drain(house)
    operation = newest(house, "charge")
    assert (operation.state, operation.failure) == ("failed", failure)
    assert stage.mails()[-1] == f"$45.00 for bill {stage.bill.number} could not be charged"
    assert words in stage.last_words()
    link = f"/account/pay?bill={stage.bill.public_id}"
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
        (lambda session, stage, now: methods.end(session, "trial:T-7", now), "not_authorised"),
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


# --- what can go wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drop_after_success", "500", "malformed", "429", "key_in_use"])
def test_a_call_without_an_answer_is_repeated_and_takes_the_money_once(stage: Stage, kind: str):
    stage.sandbox.fault(kind, path=INTENTS, method="POST")
    stage.want()
    drain(stage.house)
    assert newest(stage.house, "charge").state == "indeterminate"
    assert stage.count(Payment) == 0
    pass_time(stage.house, stage.sandbox, timedelta(minutes=3))
    drain(stage.house)
    stage.assert_charged_once()


def test_a_timeout_is_no_failure(stage: Stage):
    hasty = dataclasses.replace(stage.house, gateway=hasty_gateway(stage.sandbox))
    stage.sandbox.fault("slow", path=INTENTS, method="POST", delay_seconds=2)
    with pytest.raises(Indeterminate):
        charge(hasty, stage.bill.id, stage.method.id)
    operation = newest(stage.house, "charge")
    assert (operation.state, operation.failure) == ("indeterminate", None)
    pass_time(stage.house, stage.sandbox, timedelta(minutes=3))
    assert reconcile.run(stage.house).problems == ()
    drain(stage.house)
    stage.assert_charged_once()


def hasty_gateway(sandbox: SandboxProcess):
    from payments.stripe_gateway import StripeGateway

    return StripeGateway(
        sandbox.api_key,
        webhook_secrets=(sandbox.webhook_secret,),
        api_base=sandbox.base_url,
        timeout=0.5,
        sandbox=True,
    )


@pytest.mark.parametrize("did_it", [True, False])
def test_a_kept_500_is_looked_through(stage: Stage, did_it: bool):
    """The key answers 500 for a day: what was done is found by our id, what was not is given up after it."""
    stage.sandbox.fault("stored_500", path=INTENTS, method="POST", after_success=did_it)
    with pytest.raises(Indeterminate):
        stage.charge()
    pass_time(stage.house, stage.sandbox, timedelta(minutes=3))
    if did_it:
        assert reconcile.run(stage.house).problems == ()
        drain(stage.house)
        stage.assert_charged_once()
        return
    assert len(reconcile.run(stage.house).problems) == 1
    pass_time(stage.house, stage.sandbox, timedelta(hours=21))
    assert reconcile.run(stage.house).problems == ()
    drain(stage.house)
    operation = newest(stage.house, "charge")
    assert (operation.state, operation.failure) == ("failed", "no_answer")
    assert stage.mails()[-1] == f"$45.00 for bill {stage.bill.number} could not be charged"
    with stage.house.db.reading() as session:
        assert [row.id for row in reading.in_trouble(session)] == [operation.id]
    assert stage.taken() == 0
    stage.assert_sound()


def test_a_key_that_stands_for_another_request_takes_nothing_and_is_seen(stage: Stage):
    stage.sandbox.fault("500", path=INTENTS, method="POST")
    with pytest.raises(Indeterminate):
        stage.charge()
    operation = newest(stage.house, "charge")
    stage.sandbox.api(
        "POST", "/v1/customers", "name=Somebody", **{"Idempotency-Key": operation.op_key}
    )
    with pytest.raises(KeyConflict):
        go(stage.house, operation.id)
    with stage.house.db.reading() as session:
        assert [row.id for row in reading.in_trouble(session)] == [operation.id]
    assert stage.taken() == 0


def test_webhooks_alone_twice_and_in_any_order_settle_a_charge(stage: Stage):
    stage.sandbox.fault("drop_after_success", path=INTENTS, method="POST")
    with pytest.raises(Indeterminate):
        stage.charge()
    told = list(
        stage.house.gateway.list_events(
            created_gte=stage.house.clock.now() - timedelta(days=1)
        ).items
    )
    for event in [*reversed(told), *told]:
        stage.house.db.run_tx(
            lambda session, event=event: inbox.receive(session, event, stage.house.clock.now())
        )
    drain(stage.house)
    for event in told:
        hear(stage.house, event.id)
    stage.assert_charged_once()


def test_a_webhook_before_the_answer_and_the_answer_are_one_payment(stage: Stage):
    house = dataclasses.replace(
        stage.house, gateway=_Overtaken(stage.house.gateway, lambda: settle_newest(stage))
    )
    assert charge(house, stage.bill.id, stage.method.id) == "succeeded"
    drain(stage.house)
    stage.assert_charged_once()


def settle_newest(stage: Stage) -> None:
    assert settle(stage.house, newest(stage.house, "charge").id) == "succeeded"


class _Overtaken:
    """A processor whose webhook is here before its answer is."""

    def __init__(self, honest: Gateway, meanwhile) -> None:
        self._honest, self._meanwhile = honest, meanwhile

    def __getattr__(self, name: str):
        return getattr(self._honest, name)

    def charge_saved(self, request):
        answer = self._honest.charge_saved(request)
        self._meanwhile()
        return answer


def test_a_lost_webhook_is_found_by_the_reconciler(stage: Stage):
    stage.sandbox.fault("drop_after_success", path=INTENTS, method="POST")
    with pytest.raises(Indeterminate):
        stage.charge()
    with stage.house.db.transaction() as session:
        session.query(InboundEvent).delete()
    pass_time(stage.house, stage.sandbox, timedelta(days=2))
    assert reconcile.run(stage.house).problems == ()
    drain(stage.house)
    stage.assert_charged_once()


def test_money_that_was_taken_after_all_is_taken_down(stage: Stage):
    """Given up as unanswered, and the processor had it: money is money."""
    stage.sandbox.fault("drop_after_success", path=INTENTS, method="POST")
    with pytest.raises(Indeterminate):
        stage.charge()
    with stage.house.db.transaction() as session:
        session.execute(
            update(PaymentOperation)
            .where(PaymentOperation.kind == "charge")
            .values(state="failed", failure="no_answer")
        )
        session.execute(update(Tender).values(state="released"))
    stage.tell()
    drain(stage.house)
    stage.assert_charged_once()
    assert newest(stage.house, "charge").failure is None


def test_two_workers_charge_once(stage: Stage):
    stage.want()
    stage.house.db.run_tx(
        lambda session: jobs.record(
            session,
            ChargeWanted(str(stage.bill.id), str(stage.method.id)),
            stage.house.clock.now(),
            key="again",
        )
    )
    together([lambda: worker.drain(stage.house, "one"), lambda: worker.drain(stage.house, "two")])
    pass_time(stage.house, stage.sandbox, timedelta(minutes=1))
    drain(stage.house)
    stage.assert_charged_once()


def test_four_at_once_charge_once(stage: Stage):
    together([stage.charge] * 4)
    drain(stage.house)
    assert stage.charge() == "succeeded"
    stage.assert_charged_once()


class _Lying:
    """A processor that reports another amount than was asked for."""

    def __init__(self, honest: Gateway) -> None:
        self._honest = honest

    def __getattr__(self, name: str):
        return getattr(self._honest, name)

    def charge_saved(self, request):
        told = self._honest.charge_saved(request)
        return dataclasses.replace(told, amount_received=Money(1, "USD"))


def test_another_amount_is_never_applied(stage: Stage):
    lied_to = dataclasses.replace(stage.house, gateway=_Lying(stage.house.gateway))
    with pytest.raises(PaymentMismatch):
        charge(lied_to, stage.bill.id, stage.method.id)
    assert stage.count(Payment) == 0


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
