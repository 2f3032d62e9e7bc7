"""A bill says what changed since the last one, once, and nothing when nothing did."""

from datetime import date

from sqlalchemy import update

from core.parties.models import Account
from core.subscriptions import changing
from invoices.document import InvoiceDocument
from tests.flows.billing.conftest import BY, Services
from tests.serving import wish


def notes(services: Services) -> list[str]:
    """What today's bill says at its foot."""
    (invoice,) = services.bill().invoices
    return list(InvoiceDocument.from_dict(invoice.document).notes)


def test_another_plan_is_told_on_the_bill_that_it_comes_with_and_not_again(services: Services):
    services.stand_at(date(2027, 1, 10))
    line = services.begin(services.plans.brook)
    assert notes(services) == ["New since your last bill: Brook, from January 10, 2027."]
    services.stand_at(date(2027, 2, 10))
    assert notes(services) == []
    services.stand_at(date(2027, 2, 20))
    services.change(
        lambda session, row: changing.change(
            session, row, wish(services.plans.stream), services.today, BY, services.clock.now()
        ),
        line,
    )
    (told,) = notes(services)
    assert told == (
        "Changed since your last bill: Stream in place of Brook from February 20, 2027, "
        "$29.00 in place of $19.00."
    )
    services.stand_at(date(2027, 3, 10))
    assert notes(services) == []


def test_more_of_the_same_is_told_in_the_payer_s_language(services: Services):
    services.within(lambda session: session.execute(update(Account).values(locale="de_DE")))
    services.stand_at(date(2027, 3, 10))
    line = services.begin(services.plans.brook)
    assert notes(services) == ["Neu seit der letzten Rechnung: Brook, ab 10. März 2027."]
    services.stand_at(date(2027, 3, 20))
    services.change(
        lambda session, row: changing.change(
            session, row, wish(services.plans.brook, 3), services.today, BY, services.clock.now()
        ),
        line,
    )
    (told,) = notes(services)
    assert told == "Geändert seit der letzten Rechnung: 3 × Brook statt 1 ab 20. März 2027."
