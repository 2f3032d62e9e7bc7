"""Cases of a bill: the order's first period, trials, cards on file, places, contained taxes, what parks."""

import uuid
from dataclasses import asdict, replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.events import ChargeWanted
from core.kernel.ids import new_id
from core.kernel.jobs import Job
from core.orders.models import OrderLine
from core.parties.models import Account, Channel
from core.subscriptions import activating, paying, reading
from core.subscriptions.models import Subscription, SubscriptionPhase
from flows import correct_invoice, release_parked, run_billing, ship_order
from flows.correct_invoice import Correction
from flows.run_billing import Asked
from invoices import issue
from invoices.billing import parking
from invoices.models import Invoice, InvoiceLine
from tests import books, serving
from tests import world as worlds
from tests.flows.billing.conftest import BY, JANUARY_31, Services
from tests.flows.billing.paying import pay
from tests.rooms.web.looking import statements

FEBRUARY_28 = date(2027, 2, 28)


def trial(services: Services, days: int) -> uuid.UUID:
    """Burrow to try, which becomes a plan that is paid for."""
    service = services.begin(services.plans.backup)
    ends = services.today + timedelta(days=days)

    def work(session: Session) -> None:
        first = session.scalars(
            select(SubscriptionPhase).where(SubscriptionPhase.subscription_id == service)
        ).one()
        price, first.kind, first.unit_price_micros = first.unit_price_micros, "trial", 0
        session.add(
            SubscriptionPhase(
                subscription_id=service,
                number=1,
                variant_id=first.variant_id,
                quantity=1,
                unit_price_micros=price,
                interval="month",
                starts_on=ends,
                cycle_from=ends,
                agreed_at=services.clock.now(),
                agreed_by=BY,
            )
        )

    services.within(work)
    return service


def test_a_trial_begins_with_a_bill_of_nothing_and_turns_by_itself(services: Services):
    trial(services, 14)
    (first,) = services.bill().invoices
    assert (first.total_minor, first.due_date) == (0, None)
    assert services.lines(first) == [("Burrow", "2027-01-31..2027-02-13", 0)]
    services.stand_at(date(2027, 2, 13))
    assert services.bill().invoices == ()
    services.stand_at(date(2027, 2, 14))
    (paid,) = services.bill().invoices
    # its bill day stays the 31st: the days until then first
    assert services.lines(paid) == [("Burrow", "2027-02-14..2027-02-27", 450)]
    services.verify()


def test_a_service_with_a_card_stands_on_a_bill_of_its_own(services: Services):
    services.begin(services.plans.stream)
    other, card = services.begin(services.plans.brook), new_id()
    rows = update(Subscription).where(Subscription.id == other)
    services.within(lambda session: session.execute(rows.values(payment_method_id=card)))
    made = services.bill().invoices
    assert [one.net_minor for one in made] == [2900, 1900]
    assert made[1].due_date == made[1].issue_date
    with services.house.db.reading() as session:
        (job,) = session.scalars(select(Job).where(Job.name == ChargeWanted.NAME)).all()
    assert job.payload == asdict(ChargeWanted(str(made[1].id), str(card)))
    services.verify()


def test_period_0_is_the_order_s_whether_or_not_its_invoice_is_there(services: Services):
    with services.house.db.transaction() as session:
        now, payer = services.clock.now(), session.get_one(Account, services.payer_id)
        service = serving.ordered(session, services.world, payer, services.plans.stream, now)
        shop = books.Books(services.house.db, services.clock, services.world, None)
        order = books._order(session, shop, payer, [(services.plans.stream, 1)], "on_terms")
        (line,) = session.scalars(select(OrderLine).where(OrderLine.order_id == order.id))
        line.subscription_id, line.period_index = service.id, 0
        activating.activate(session, service, services.today, BY, now)
        ship_order.activated(session, service.id, BY, now)
    assert services.bill().invoices == ()
    services.within(lambda s: issue.for_order(s, order.id, books.PRINTING, services.clock.now()))
    assert services.bill().invoices == ()
    with services.house.db.reading() as session:
        (billed,) = session.scalars(
            select(InvoiceLine).where(InvoiceLine.charge_key.is_not(None))
        ).all()
        assert (billed.period_index, billed.rated_minor) == (0, 2900)
    services.stand_at(date(2027, 2, 14))
    services.end(service.id, services.today)
    (memo,) = services.bill().memos
    assert memo.net_minor == 1450
    services.verify()


def test_taxes_are_those_of_the_place_where_it_is_served(services: Services):
    service = services.begin(services.plans.stream)
    rows = update(Subscription).where(Subscription.id == service)
    there = {"name": "Harbor", "line1": "1 Quay", "city": "Salem", "region": "OR", "country": "US"}
    services.within(lambda session: session.execute(rows.values(service_location=there)))
    services.begin(services.plans.brook)
    (invoice,) = services.bill().invoices
    with services.house.db.reading() as session:
        lines = session.scalars(
            select(InvoiceLine)
            .where(InvoiceLine.invoice_id == invoice.id)
            .order_by(InvoiceLine.line_number)
        ).all()
    assert [line.tax_minor for line in lines] == [0, 124]
    services.verify()


def test_prices_that_contain_their_tax_are_compared_as_they_are(services: Services):
    services.within(
        lambda session: session.execute(update(Channel).values(prices_include_tax=True))
    )
    service = services.begin(services.plans.stream)
    (invoice,) = services.bill().invoices
    assert (invoice.total_minor, invoice.net_minor) == (2900, 2723)
    total = invoice.total_minor
    for day in (date(2027, 2, 26), date(2027, 2, 17), date(2027, 2, 9)):
        ended = {"ended_on": day, "revision": Subscription.revision + 1}
        move = update(Subscription).where(Subscription.id == service).values(ended)
        with services.house.db.transaction() as session:
            session.execute(move)
        (memo,) = services.bill().memos
        total -= memo.total_minor
    assert abs(total - round(2900 * 9 / 28)) <= 2  # each memo rounds its net once
    services.verify()


def test_a_bill_that_was_taken_back_gives_nothing_twice(services: Services):
    service = services.begin(services.plans.stream)
    (invoice,) = services.bill().invoices
    correct_invoice.void(services.house, invoice.public_id, "once", BY, refunded=False)
    services.stand_at(date(2027, 2, 14))
    services.end(service, services.today)
    billed = services.bill()
    assert (billed.invoices, billed.memos, billed.parked) == ((), (), "")
    services.verify()


def test_what_was_given_for_goodwill_is_not_given_again(services: Services):
    service = services.begin(services.plans.stream)
    (invoice,) = services.bill().invoices
    asked = Correction(invoice.public_id, {1: 2000}, "goodwill", "once", BY)
    correct_invoice.credit(services.house, asked)
    services.stand_at(date(2027, 2, 14))
    services.end(service, services.today)
    (memo,) = services.bill().memos
    assert memo.net_minor == 900, "no more than is left of the line"
    services.verify()


def test_a_repair_that_is_refused_parks_the_account_and_the_change_stands(
    services: Services, monkeypatch: pytest.MonkeyPatch
):
    service = services.begin(services.plans.stream)
    (invoice,) = services.bill().invoices
    pay(services, invoice)
    services.stand_at(date(2027, 2, 14))
    services.end(service, services.today)

    def refuse(*_: object) -> None:
        from core.kernel.money import Money
        from core.ledger.memos import ChargedBack

        raise ChargedBack(invoice.number, Money(0, "USD"))

    monkeypatch.setattr("core.ledger.memos._check_not_charged_back", refuse)
    assert services.bill().parked == "charged_back"
    run_billing.run(services.house, Asked(services.today, "system"))
    monkeypatch.undo()
    with services.house.db.reading() as session:
        ((row, _),) = parking.listing(session)
        assert session.scalar(select(Invoice.id).where(Invoice.kind == "credit_memo")) is None
    billed = release_parked.release(services.house, row.public_id, "the bank gave it back", BY)
    assert [memo.net_minor for memo in billed.memos] == [1450]
    services.verify()


def test_somebody_else_pays_from_the_next_period_on(services: Services):
    service = services.begin(services.plans.stream)
    services.bill()
    with services.house.db.transaction() as session:
        other = worlds.account(session, services.world, services.clock.now(), name="June Alder")
        row = reading.lock(session, service)
        paying.set_payer(session, row, other, BY, services.clock.now())
        other_id = other.id
    services.stand_at(FEBRUARY_28)
    assert services.bill().invoices == ()
    (invoice,) = replace(services, payer_id=other_id).bill().invoices
    assert invoice.net_minor == 2900
    services.verify()


def test_statements_are_as_many_for_a_long_history_and_many_services(services: Services):
    """A run asks as often for a group of old accounts as for a group of new ones."""

    def asked(day: date) -> int:
        services.stand_at(day)
        with statements(services.house.db) as sent:
            run_billing.run(services.house, Asked(day, "system"))
        return len(sent)

    def invoices() -> list[uuid.UUID]:
        with services.house.db.reading() as session:
            return list(session.scalars(select(Invoice.id).where(Invoice.kind == "invoice")))

    services.begin(services.plans.stream)
    run_billing.run(services.house, Asked(JANUARY_31, "system"))
    few = asked(FEBRUARY_28)
    for month in range(4, 11):
        asked(date(2027, month, 1) - timedelta(days=1))
    with services.house.db.transaction() as session:
        for number in range(8):
            now = services.clock.now()
            payer = worlds.account(session, services.world, now, name=f"Payer {number}")
            for goods in (services.plans.stream, services.plans.brook):
                serving.running(session, services.world, payer, goods, now, on=services.today)
    run_billing.run(services.house, Asked(services.today, "system"))
    before = len(invoices())
    assert asked(date(2027, 10, 31)) <= few + 1
    assert len(invoices()) == before + 9
    services.verify()
