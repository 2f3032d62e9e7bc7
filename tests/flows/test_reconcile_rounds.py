"""A payment of which nobody told us: the webhook was lost and the tab was closed.

The reconciler finds it, and the desk reads what its round did.
"""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from app import worker
from core.kernel.clock import ManualClock
from core.ledger import items
from core.parties.models import Account, Membership
from flows import pay_bill, reconcile
from flows.house import House
from flows.pay_bill import PayWish
from flows.verify import verify
from invoices.models import Invoice
from payments import rounds
from payments.gateway import Indeterminate
from payments.models import Payment
from tests.on_file import customer, owe
from tests.sandbox_process import SandboxProcess
from tests.shop import PostBox
from tests.world import World


class Silent:
    """A processor that does not answer."""

    def __getattr__(self, name: str):
        def ask(*given, **more):
            raise Indeterminate("no answer")

        return ask


def begin(house: House, riley: Account, bill: Invoice) -> str:
    """The address of the processor's page."""
    with house.db.reading() as session:
        user = session.scalars(
            select(Membership.user_id).where(Membership.account_id == riley.id)
        ).one()
    url = pay_bill.pay(house, PayWish(user, [bill.id]))
    assert url is not None
    return url


def receipts(house: House) -> list[str]:
    post = house.sender
    assert isinstance(post, PostBox)
    return [str(mail["Subject"]) for mail in post.mails if "Receipt" in str(mail["Subject"])]


def test_a_lost_webhook_and_a_closed_tab_are_found_posted_and_told(
    house: House, sandbox: SandboxProcess, world: World, clock: ManualClock
):
    riley = customer(house, world)
    bill = owe(house, riley)
    sandbox.pay(begin(house, riley, bill))
    worker.drain(house)
    with house.db.reading() as session:
        assert session.scalars(select(Payment)).all() == [], "nobody told us"

    report = reconcile.run(house, "user:kim")
    worker.drain(house)
    assert report.events > 0
    assert report.problems == ()
    with house.db.reading() as session:
        payment = session.scalars(select(Payment)).one()
        assert not items.of_sources(session, [bill.id])[bill.id].open
        run = rounds.one(session, report.public_id)
        told = rounds.findings_of(session, run.id)
    assert (run.actor, run.found, run.indeterminate) == ("user:kim", report.events, 0)
    assert payment.operation_id in {op.id for _, op in told if op is not None}
    assert {row.outcome for row, _ in told} == {"mended"}
    assert len(receipts(house)) == 1

    again = reconcile.run(house)
    worker.drain(house)
    assert (again.events, again.settled) == (0, 0)
    assert len(receipts(house)) == 1
    wrong = [found for found in verify(house.db, clock) if not found.holds]
    assert [found for found in wrong if "document" not in found.claim] == []


def test_a_silent_processor_is_told_and_quiet_rounds_are_forgotten(
    house: House, sandbox: SandboxProcess, world: World, clock: ManualClock
):
    silent = reconcile.run(replace(house, gateway=Silent()))
    reconcile.run(house)
    with house.db.reading() as session:
        first = rounds.one(session, silent.public_id)
        assert (first.indeterminate, first.found) == (1, 0)
        assert [one.public_id for one in rounds.listing(session, telling=True)] == [first.public_id]
        assert len(rounds.listing(session)) == 2
    clock.advance(timedelta(days=3))
    with house.db.transaction() as session:
        assert rounds.forget(session, clock.now()) == 1
        assert [one.public_id for one in rounds.listing(session)] == [first.public_id]
    clock.advance(timedelta(days=200))
    with house.db.transaction() as session:
        assert rounds.forget(session, clock.now()) == 1
