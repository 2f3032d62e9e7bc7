"""A card is put on file with what its owner agreed to, once, whatever goes wrong; nothing is charged."""

import dataclasses
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from app.handlers import ROUTES
from core.kernel import crash
from core.kernel.jobs import Job
from flows import reconcile
from flows.hear_event import hear
from flows.house import House
from flows.set_up_method import SetupMismatch, begin, give_up, settle
from flows.verify import verify
from payments import inbox, methods
from payments.gateway import Gateway, Indeterminate, WebhookEvent
from payments.models import (
    Authorisation,
    InboundEvent,
    Payment,
    PaymentCustomer,
    PaymentMethod,
    PaymentOperation,
)
from tests.on_file import TEXT, customer, set_up, setup_of, wish
from tests.paying import CARD, DECLINED, drain, house, pass_time, processor, sandbox
from tests.sandbox_process import SandboxProcess
from tests.shop import PostBox
from tests.together import together
from tests.world import World

__all__ = ["house", "processor", "sandbox"]

CUSTOMERS, SESSIONS = "/v1/customers", "/v1/checkout/sessions"


def _count(house: House, model, *where) -> int:
    with house.db.reading() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where))


def _at_processor(sandbox: SandboxProcess, house: House) -> int:
    """How many cards the processor keeps for the only customer that we have there."""
    with house.db.reading() as session:
        row = session.scalars(select(PaymentCustomer)).one()
    return len(house.gateway.list_payment_methods(row.gateway_id or ""))


def _assert_stored_once(house: House, sandbox: SandboxProcess) -> None:
    assert _count(house, PaymentMethod) == _count(house, Authorisation) == 1
    assert _count(house, PaymentCustomer) == 1
    assert _count(house, Payment) == 0
    assert _count(house, Job, Job.state != "done") == 0
    assert _at_processor(sandbox, house) == 1
    told = _count(house, Job, Job.name == "MethodStored")
    assert told == len(ROUTES["MethodStored"]), "each who hears it hears it once"
    assert [f for f in verify(house.db, house.clock, blobs=house.blobs) if not f.holds] == []


def _events(house: House) -> list[WebhookEvent]:
    return list(house.gateway.list_events(created_gte=house.clock.now() - timedelta(days=1)).items)


def _receive(house: House, event: WebhookEvent) -> None:
    house.db.run_tx(lambda session: inbox.receive(session, event, house.clock.now()))


def test_a_card_is_on_file_with_exactly_what_was_agreed(
    house: House, sandbox: SandboxProcess, world: World
):
    riley = customer(house, world)
    agreed_at = house.clock.now()
    url = begin(house, wish(riley))
    assert _count(house, PaymentMethod) == 0
    pass_time(house, sandbox, timedelta(minutes=3))
    sandbox.pay(url, CARD, expiry="03/31")
    operation = setup_of(house)
    assert (operation.amount_minor, operation.state) == (0, "sent")
    assert settle(house, operation.id) == "succeeded"
    with house.db.reading() as session:
        method = session.scalars(select(PaymentMethod)).one()
        given = methods.authorisation(session, operation.id)
        assert methods.is_authorised(session, method.id)
    assert (method.account_id, method.state) == (riley.id, "active")
    assert (method.brand, method.last4, method.exp_month, method.exp_year) == (
        "visa",
        "4242",
        3,
        2031,
    )
    assert (given.text, given.text_version, given.subject) == (TEXT, "2026-11", "example:T-7")
    assert (given.purpose, given.address) == ("trial", "203.0.113.7")
    assert (given.agreed_at, given.ended_at) == (agreed_at, None)
    assert given.payment_method_id == method.id
    drain(house)
    _assert_stored_once(house, sandbox)


def test_the_owner_gets_a_copy_of_what_was_agreed(
    house: House, sandbox: SandboxProcess, world: World
):
    set_up(house, sandbox, customer(house, world))
    post = house.sender
    assert isinstance(post, PostBox)
    (mail,) = post.to("riley.moreno@example.com")
    assert mail["Subject"] == "Visa ending 4242 is on file at Fernway Broadband"
    plain = mail.get_body(("plain",))
    assert plain is not None
    words = " ".join(plain.get_content().split())
    assert TEXT in words
    assert "Nothing was charged" in words


def test_a_card_refused_or_a_visit_given_up_leaves_nothing(
    house: House, sandbox: SandboxProcess, world: World
):
    url = begin(house, wish(customer(house, world)))
    sandbox.pay(url, DECLINED)
    operation = setup_of(house)
    assert settle(house, operation.id) == "sent"
    assert give_up(house, operation.id)
    assert settle(house, operation.id) == "expired"
    assert setup_of(house).state == "expired"
    assert _count(house, PaymentMethod) == _count(house, Authorisation) == 0
    sandbox.pay(url, CARD)
    assert settle(house, operation.id) == "expired"


def test_giving_up_too_late_finds_the_card_on_file(
    house: House, sandbox: SandboxProcess, world: World
):
    sandbox.pay(begin(house, wish(customer(house, world))), CARD)
    assert not give_up(house, setup_of(house).id)
    drain(house)
    _assert_stored_once(house, sandbox)


def test_a_button_pressed_twice_opens_one_visit_and_another_wish_another(
    house: House, sandbox: SandboxProcess, world: World
):
    riley = customer(house, world)
    first = begin(house, wish(riley))
    assert begin(house, wish(riley)) == first
    assert begin(house, wish(riley, "trial:T-8")) != first
    assert _count(house, PaymentOperation) == 2
    assert _count(house, PaymentCustomer) == 1


def test_a_second_card_belongs_to_the_same_customer_and_the_same_card_is_known_again(
    house: House, sandbox: SandboxProcess, world: World
):
    riley = customer(house, world)
    first = set_up(house, sandbox, riley)
    second = set_up(house, sandbox, riley, "5555555555554444")
    again = set_up(house, sandbox, customer(house, world, "June Alder"))
    assert first.gateway_customer_id == second.gateway_customer_id != again.gateway_customer_id
    assert first.fingerprint_digest == again.fingerprint_digest != second.fingerprint_digest
    with house.db.reading() as session:
        listed = [method.id for method in methods.of_account(session, riley.id)]
    assert listed == [second.id, first.id]


@pytest.mark.parametrize("path", ["https://elsewhere.example.com", "//elsewhere", "/\\elsewhere"])
def test_nobody_is_sent_on_to_another_site(
    house: House, sandbox: SandboxProcess, world: World, path: str
):
    asked = dataclasses.replace(wish(customer(house, world)), done_path=path)
    with pytest.raises(ValueError, match="outside"):
        begin(house, asked)


# --- what was agreed stands as it is --------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE authorisation SET text = 'something else'",
        "UPDATE authorisation SET address = '198.51.100.1', ended_at = agreed_at",
        "DELETE FROM authorisation",
    ],
)
def test_nobody_changes_what_was_agreed(
    house: House, sandbox: SandboxProcess, world: World, change: str
):
    set_up(house, sandbox, customer(house, world))
    with pytest.raises(DBAPIError, match="append-only"), house.db.transaction() as session:
        session.execute(text(change))


def test_what_was_agreed_ends_once_and_for_all(house: House, sandbox: SandboxProcess, world: World):
    method = set_up(house, sandbox, customer(house, world))
    now = house.clock.now()
    assert house.db.run_tx(lambda session: methods.end(session, "example:T-7", now)) == 1
    assert house.db.run_tx(lambda session: methods.end(session, "example:T-7", now)) == 0
    with house.db.reading() as session:
        assert not methods.is_authorised(session, method.id)
        assert [given.ended_at for given in methods.of_subject(session, "example:T-7")] == [now]
    for change in ("NULL", "agreed_at"):
        with pytest.raises(DBAPIError, match="append-only"), house.db.transaction() as session:
            session.execute(text(f"UPDATE authorisation SET ended_at = {change}"))


def test_a_card_taken_off_file_ends_what_was_agreed_for_it(
    house: House, sandbox: SandboxProcess, world: World
):
    riley = customer(house, world)
    method, now = set_up(house, sandbox, riley), house.clock.now()
    assert house.db.run_tx(lambda session: methods.detach(session, method.id, now))
    assert not house.db.run_tx(lambda session: methods.detach(session, method.id, now))
    with house.db.reading() as session:
        assert methods.of_account(session, riley.id) == []
        assert not methods.is_authorised(session, method.id)


# --- what can go wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", [CUSTOMERS, SESSIONS])
@pytest.mark.parametrize("kind", ["drop_after_success", "500", "malformed", "key_in_use"])
def test_a_call_without_an_answer_is_asked_again_and_opens_one_visit(
    house: House, sandbox: SandboxProcess, world: World, kind: str, path: str
):
    riley = customer(house, world)
    sandbox.fault(kind, path=path, method="POST")
    with pytest.raises(Indeterminate):
        begin(house, wish(riley))
    sandbox.pay(begin(house, wish(riley)), CARD)
    assert settle(house, setup_of(house).id) == "succeeded"
    drain(house)
    _assert_stored_once(house, sandbox)
    assert _count(house, PaymentOperation) == 1


def test_the_webhook_alone_stores_the_card_in_any_order_and_twice(
    house: House, sandbox: SandboxProcess, world: World
):
    sandbox.pay(begin(house, wish(customer(house, world))), CARD)
    told = _events(house)
    about = {event.object_type for event in told}
    assert {"checkout.session", "setup_intent", "payment_method", "customer"} <= about
    for event in [*reversed(told), *told]:
        _receive(house, event)
    drain(house)
    for event in told:
        hear(house, event.id)
    _assert_stored_once(house, sandbox)
    assert setup_of(house).state == "succeeded"


def test_a_webhook_before_the_answer_finds_its_set_up(
    house: House, sandbox: SandboxProcess, world: World
):
    with crash.crash_at("send.after_call"):
        begin(house, wish(customer(house, world)))
    operation = setup_of(house)
    assert operation.gateway_id is None
    visit = house.gateway.find_checkout_by_operation(operation.public_id, operation.created_at)
    assert visit is not None
    sandbox.pay(visit.url or "", CARD)
    for event in _events(house):
        _receive(house, event)
    drain(house)
    _assert_stored_once(house, sandbox)


def test_a_lost_webhook_and_a_closed_tab_are_found_by_the_reconciler(
    house: House, sandbox: SandboxProcess, world: World
):
    sandbox.pay(begin(house, wish(customer(house, world))), CARD)
    with house.db.transaction() as session:
        session.query(InboundEvent).delete()
    pass_time(house, sandbox, timedelta(minutes=40))
    assert reconcile.run(house).problems == ()
    drain(house)
    _assert_stored_once(house, sandbox)


def test_a_visit_that_nobody_finished_or_that_never_opened_is_closed(
    house: House, sandbox: SandboxProcess, world: World
):
    riley = customer(house, world)
    begin(house, wish(riley))
    with crash.crash_at("send.before_call"):
        begin(house, wish(riley, "trial:T-8"))
    pass_time(house, sandbox, timedelta(hours=1))
    assert reconcile.run(house).problems == ()
    assert _count(house, PaymentOperation, PaymentOperation.state == "expired") == 2
    assert _count(house, PaymentMethod) == 0


def test_return_page_and_webhook_at_once_store_one_card(
    house: House, sandbox: SandboxProcess, world: World
):
    sandbox.pay(begin(house, wish(customer(house, world))), CARD)
    operation_id = setup_of(house).id
    assert together([lambda: settle(house, operation_id)] * 4) == ["succeeded"] * 4
    drain(house)
    _assert_stored_once(house, sandbox)


def test_two_who_begin_at_once_share_one_customer(
    house: House, sandbox: SandboxProcess, world: World
):
    riley = customer(house, world)
    assert len(set(together([lambda: begin(house, wish(riley))] * 3))) == 1
    assert _count(house, PaymentCustomer) == _count(house, PaymentOperation) == 1


class _Lying:
    """A processor that reports a set-up of somebody else."""

    def __init__(self, honest: Gateway) -> None:
        self._honest = honest

    def __getattr__(self, name: str):
        return getattr(self._honest, name)

    def get_setup(self, setup_id: str):
        return dataclasses.replace(self._honest.get_setup(setup_id), customer_id="cus_other")


def test_a_set_up_of_somebody_else_is_never_applied(
    house: House, sandbox: SandboxProcess, world: World
):
    sandbox.pay(begin(house, wish(customer(house, world))), CARD)
    lied_to = dataclasses.replace(house, gateway=_Lying(house.gateway))
    with pytest.raises(SetupMismatch):
        settle(lied_to, setup_of(house).id)
    assert _count(house, PaymentMethod) == 0
    pass_time(house, sandbox, timedelta(minutes=40))
    assert "cus_other" in "".join(reconcile.run(lied_to).problems)
    assert "cus_other" in str(setup_of(house).last_error)


# --- a process may die at any point ---------------------------------------------------------------

POINTS = (
    "setup.customer_written",
    "setup.customer_made",
    "setup.prepared",
    "send.before_call",
    "send.after_call",
    "send.after_commit",
    "setup.fetched",
    "setup.before_commit",
    "setup.committed",
    "job.before_commit",
    "notice.before_send",
    "notice.sent",
)


def _go_through(house: House, sandbox: SandboxProcess, asked) -> None:
    """Begin, put a card on file, come back, and let the worker do the rest; from wherever it stopped."""
    if _count(house, PaymentMethod) == 0:
        sandbox.pay(begin(house, asked), CARD)
        settle(house, setup_of(house).id)
    drain(house)


def test_the_named_points_are_those_that_are_passed(
    house: House, sandbox: SandboxProcess, world: World
):
    passed: list[str] = []
    with crash.armed(passed.append):
        _go_through(house, sandbox, wish(customer(house, world)))
    assert set(POINTS) == {name for name in passed if name != "job.before_finish"}


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_any_point_puts_one_card_on_file(
    house: House, sandbox: SandboxProcess, world: World, point: str
):
    asked = wish(customer(house, world))
    with crash.crash_at(point):
        _go_through(house, sandbox, asked)
    pass_time(house, sandbox, timedelta(minutes=2))
    _go_through(house, sandbox, asked)
    _assert_stored_once(house, sandbox)
