"""A payer's services are billed by comparison: what should stand, less what does, and never twice."""

from datetime import date, timedelta

from core.subscriptions import changing, pausing
from tests import serving
from tests.flows.billing.conftest import BY, JANUARY_31, Services


def test_months_end_where_the_month_does(services: Services):
    services.begin(services.plans.stream)
    seen = []
    for day in (JANUARY_31, date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)):
        services.stand_at(day)
        billed = services.bill()
        (invoice,) = billed.invoices
        seen += services.lines(invoice)
        assert (invoice.net_minor, invoice.tax_minor) == (2900, 189)
    assert [period for _, period, _ in seen] == [
        "2027-01-31..2027-02-27",
        "2027-02-28..2027-03-30",
        "2027-03-31..2027-04-29",
        "2027-04-30..2027-05-30",
    ]
    services.verify()


def test_months_that_were_missed_are_made_up_for(services: Services):
    services.begin(services.plans.stream)
    services.stand_at(date(2027, 4, 15))
    (invoice,) = services.bill().invoices
    assert [net for _, _, net in services.lines(invoice)] == [2900] * 3
    services.verify()


def test_two_services_stand_on_one_bill(services: Services):
    services.begin(services.plans.stream)
    services.begin(services.plans.brook, quantity=2)
    (invoice,) = services.bill().invoices
    assert [net for _, _, net in services.lines(invoice)] == [2900, 3800]
    assert invoice.total_minor == 6700 + 436
    services.verify()


def test_more_pieces_from_today_give_back_and_charge_the_days(services: Services):
    service = services.begin(services.plans.stream)
    services.bill()
    services.stand_at(date(2027, 2, 14))
    wish = serving.wish(services.plans.stream, 3)
    services.change(
        lambda session, row: changing.change(
            session, row, wish, services.today, BY, services.clock.now()
        ),
        service,
    )
    billed = services.bill()
    (memo,), (invoice,) = billed.memos, billed.invoices
    # 14 of 28 days go back, and come again three times
    assert services.lines(memo) == [("Stream", "2027-01-31..2027-02-27", 1450)]
    assert services.lines(invoice) == [("Stream", "2027-02-14..2027-02-27", 4350)]
    services.stand_at(date(2027, 2, 28))
    (invoice,) = services.bill().invoices
    assert [net for _, _, net in services.lines(invoice)] == [8700]
    services.verify()


def test_a_service_that_ends_gives_back_its_days_as_credit(services: Services):
    service = services.begin(services.plans.stream)
    other = services.begin(services.plans.brook)
    assert other
    services.bill()
    services.stand_at(date(2027, 2, 21))
    services.end(service, services.today)
    (memo,) = services.bill().memos
    assert (memo.reason, memo.net_minor) == ("not_used", 725)
    services.stand_at(date(2027, 2, 28))
    (invoice,) = services.bill().invoices
    assert [name for name, _, _ in services.lines(invoice)] == ["Brook"]
    services.verify()


def test_a_pause_costs_nothing(services: Services):
    service = services.begin(services.plans.stream)
    services.bill()
    services.stand_at(date(2027, 2, 7))
    services.change(
        lambda session, row: pausing.pause(
            session, row, services.today, "away", "", BY, services.clock.now()
        ),
        service,
    )
    (memo,) = services.bill().memos
    assert memo.net_minor == 2175  # 21 of 28 days
    services.stand_at(date(2027, 2, 28))
    assert not services.bill().invoices
    services.stand_at(date(2027, 3, 10))
    services.change(
        lambda session, row: pausing.resume(session, row, services.today, BY, services.clock.now()),
        service,
    )
    (invoice,) = services.bill().invoices
    assert services.lines(invoice)[0][2] == round(2900 * 21 / 31)
    services.verify()


def test_usage_is_billed_when_its_period_is_over(services: Services):
    service = services.begin(services.plans.backup)
    services.bill()
    services.stand_at(date(2027, 2, 20))
    services.use(service, "a", "15", date(2027, 2, 10))
    services.stand_at(date(2027, 2, 27))
    assert not services.bill().invoices
    services.stand_at(date(2027, 2, 28))
    (invoice,) = services.bill().invoices
    assert services.lines(invoice) == [
        ("Burrow", "2027-02-28..2027-03-30", 900),
        ("Burrow: Moved", "2027-01-31..2027-02-27", 100),
    ]
    # told late: the difference; corrected: it goes back
    services.stand_at(date(2027, 3, 2))
    services.use(service, "b", "10", date(2027, 2, 20))
    (invoice,) = services.bill().invoices
    assert services.lines(invoice) == [("Burrow: Moved", "2027-01-31..2027-02-27", 100)]
    services.use(service, "c", "0", date(2027, 2, 20), corrects="b")
    (memo,) = services.bill().memos
    assert memo.net_minor == 100
    services.verify()


def test_credit_goes_to_the_next_bill_at_once(services: Services):
    from core.kernel.money import Money
    from tests.flows.billing.paying import pay

    service = services.begin(services.plans.stream)
    (invoice,) = services.bill().invoices
    pay(services, invoice)
    services.stand_at(date(2027, 2, 14))
    services.end(service, services.today + timedelta(days=7))
    (memo,) = services.bill().memos
    services.begin(services.plans.brook)
    billed = services.bill()
    (invoice,) = billed.invoices
    assert billed.credit_used == (Money(memo.total_minor, "USD"),)
    assert invoice.document["totals"]["amount_due"] == str(
        Money(invoice.total_minor - memo.total_minor, "USD").decimal()
    )
    services.verify()
