"""Only the last sent, approved, unexpired version is accepted, once; what it held is then sold."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from cart.checkout import CheckoutIncomplete
from cart.quotes import refusals
from cart.quotes.models import Quote, QuoteAcceptance
from cart.quotes.wanting import Wanted
from core.kernel.errors import Invalid, StaleState
from core.kernel.jobs import Job
from core.parties.models import Account, Membership
from core.subscriptions.models import Subscription, SubscriptionPhase
from flows import accept_quote, draft_quote, send_quote
from flows.house import House
from flows.verify import verify
from invoices.document import InvoiceDocument
from invoices.models import Invoice
from tests.paying import drain
from tests.quoting import ANN, BOB, DEPOT, MILL, YARD, Quoting, off, stand_at
from tests.world import World


def _sound(house: House) -> None:
    drain(house)
    with house.db.reading() as session:
        left = session.scalars(select(Job.last_error).where(Job.state != "done")).all()
    assert left == []
    assert [one for one in verify(house.db, house.clock, blobs=house.blobs) if not one.holds] == []


def test_a_quote_for_three_places_becomes_one_order_with_their_places_and_terms(
    house: House, world: World
):
    quoting = Quoting.ask(house, world)
    quoting.ready(
        Wanted(sku=world.router.sku, quantity=2),
        Wanted(sku=world.router.sku, quantity=1, site=1),
        Wanted(sku=world.plan.sku, term_months=24, site=1),
        Wanted(sku=world.plan.sku, term_months=12, site=2),
        Wanted(name="Trench and duct", price_micros=310_000_000, tax_category="service", site=2),
        sites=(DEPOT, MILL, YARD),
        discount=off("5"),
    )
    placed = quoting.accept()
    drain(house)
    lines = quoting.order_lines(placed.order_id)
    assert [(line.name, (line.service_location or {}).get("name")) for line in lines] == [
        ("Wi-Fi 6 router", "The depot"),
        ("Wi-Fi 6 router", "The mill"),
        ("River 100", "The mill"),
        ("River 100", "The yard"),
        ("Trench and duct", "The yard"),
        ("Delivery, Standard delivery", "The depot"),
        ("Delivery, Standard delivery", "The mill"),
    ]
    with house.db.reading() as session:
        services = session.execute(
            select(Subscription.term_months, SubscriptionPhase.unit_price_micros)
            .join(SubscriptionPhase, SubscriptionPhase.subscription_id == Subscription.id)
            .order_by(Subscription.term_months)
        ).all()
        bill = session.scalars(select(Invoice)).one()
    assert [tuple(row) for row in services] == [(12, 42_750_000), (24, 42_750_000)]
    document = InvoiceDocument.from_dict(bill.document)
    assert [line.description.partition(",")[0] for line in document.lines] == [
        str((line.service_location or {}).get("name")) for line in lines
    ]
    assert bill.total_minor == quoting.orders()[0].due_now_minor
    assert quoting.quote.state == quoting.version().state == "accepted"
    _sound(house)


# --- what cannot be accepted ----------------------------------------------------------------------


def test_what_was_not_sent_cannot_be_accepted(house: House, world: World):
    quoting = Quoting.ask(house, world)
    with pytest.raises(refusals.QuoteNotSent):
        quoting.accept()
    quoting.write(Wanted(sku=world.router.sku, price_micros=1_000_000), discount=off("0"))
    with pytest.raises(refusals.QuoteNotSent):
        quoting.accept()
    assert quoting.orders() == []


def test_an_older_version_cannot_be_accepted_and_says_which_one_can(house: House, world: World):
    quoting = Quoting.ask(house, world).ready().another()
    with pytest.raises(refusals.QuoteSuperseded, match="version 2"):
        quoting.accept(version=1)
    assert quoting.accept(version=2).redirect_url is None


def test_a_version_ends_with_its_last_day_where_the_shop_is(house: House, world: World):
    quoting = Quoting.ask(house, world).ready(days=3)
    ends = quoting.version().expires_at
    assert ends is not None
    stand_at(house, ends)
    with pytest.raises(refusals.QuoteExpired, match="valid until November 20, 2026"):
        quoting.accept()
    stand_at(house, ends - timedelta(seconds=1))
    assert len(quoting.orders()) == 0
    quoting.accept()
    assert len(quoting.orders()) == 1


def test_what_was_taken_back_or_declined_cannot_be_accepted(house: House, world: World):
    taken = Quoting.ask(house, world).ready()
    send_quote.withdraw(house, taken.public_id, "mistake", "", ANN)
    with pytest.raises(refusals.QuoteWithdrawn):
        taken.accept()
    declined = Quoting.ask(house, world).ready()
    accept_quote.decline(house, declined.public_id, 1, "price", "Too dear", "Pat")
    with pytest.raises(refusals.QuoteDeclined):
        declined.accept()
    assert declined.quote.close_reason == "price"
    # It can be worked on again, and then be accepted.
    declined.another()
    declined.accept()
    assert declined.quote.state == "accepted"


def test_accepting_asks_for_name_role_consent_and_an_offered_way_to_pay(house: House, world: World):
    quoting = Quoting.ask(house, world).ready(payment="terms")
    with pytest.raises(Invalid) as told:
        quoting.accept(name=" ", role="", agrees=False)
    assert set(told.value.fields_) == {"name", "role", "agrees"}
    with pytest.raises(refusals.PaymentNotOffered):
        quoting.accept("card")
    quoting.accept()
    with house.db.reading() as session:
        kept = session.scalars(select(QuoteAcceptance)).one()
    assert (kept.name, kept.role, kept.ip) == ("Pat Rowan", "Owner", "203.0.113.9")
    assert kept.consent_text == accept_quote.CONSENT
    assert kept.consent_version == accept_quote.CONSENT_VERSION


def test_a_buyer_with_a_limit_accepts_no_more_than_that(house: House, world: World):
    quoting = Quoting.ask(house, world).ready()
    with house.db.transaction() as session:
        from core.parties import accounts, users
        from core.parties.accounts import NewAccount

        now = house.clock.now()
        channel, entity = accounts.channel_by_code(session, "web")
        user = users.add(session, "buyer@example.com", "Bo Reed", None, now)
        account = accounts.open_account(
            session, entity, channel, NewAccount("Rowan Mills", "pat@rowan.example.com"), now
        )
        session.add(
            Membership(
                user_id=user.id,
                account_id=account.id,
                role="buyer",
                limit_minor=100,
                created_at=now,
            )
        )
        session.execute(
            text("UPDATE quote SET account_id = :account"),
            {"account": account.id.hex if house.db.is_sqlite else account.id},
        )
        user_id = user.id
    with pytest.raises(refusals.OverTheBuyersLimit):
        quoting.accept(user_id=user_id)
    with house.db.transaction() as session:
        session.execute(
            text("UPDATE quote SET user_id = :asked"),
            {"asked": user_id.hex if house.db.is_sqlite else user_id},
        )
    with pytest.raises(refusals.OverTheBuyersLimit):
        quoting.accept()  # by the link of the mail that they got
    assert quoting.orders() == []


# --- what is frozen -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE quote_version SET discount_ppm = 5",
        "UPDATE quote_version SET document = NULL",
        "UPDATE quote_version SET net_minor = 1",
        "DELETE FROM quote_version",
        "UPDATE quote_line SET unit_price_micros = 1",
        "DELETE FROM quote_line_tax",
        "UPDATE quote_line_tax SET amount_minor = 0",
        "UPDATE quote_site SET position = 9",
        "DELETE FROM quote_line",
    ],
)
def test_the_database_refuses_to_change_what_was_sent(house: House, world: World, change: str):
    Quoting.ask(house, world).ready()
    with pytest.raises(DBAPIError, match="does not change"), house.db.transaction() as session:
        session.execute(text(change))


def test_words_and_signatures_are_kept_for_good(house: House, world: World):
    Quoting.ask(house, world).ready().accept()
    for change in ("UPDATE quote_message SET text = 'x'", "DELETE FROM quote_acceptance"):
        with pytest.raises(DBAPIError, match="append-only"), house.db.transaction() as session:
            session.execute(text(change))


def test_a_price_that_changed_since_changes_nothing_of_what_was_sent(house: House, world: World):
    quoting = Quoting.ask(house, world).ready()
    due = (quoting.version().net_minor or 0) + (quoting.version().tax_minor or 0)
    with house.db.transaction() as session:
        session.execute(text("UPDATE price SET unit_price_micros = unit_price_micros * 3"))
        session.execute(text("UPDATE tax_rate SET rate_ppm = 250000"))
    quoting.accept()
    assert quoting.orders()[0].due_now_minor == due


# --- two editors ----------------------------------------------------------------------------------


def test_two_editors_do_not_write_over_each_other(house: House, world: World):
    quoting = Quoting.ask(house, world)
    quoting.write(Wanted(sku=world.router.sku, quantity=2))
    revision = quoting.version().revision
    quoting.write(Wanted(sku=world.router.sku, quantity=3), by=BOB)
    draft = draft_quote.Draft([Wanted(sku=world.router.sku, quantity=9)], quoting.offer())
    with pytest.raises(StaleState):
        draft_quote.change(house, quoting.public_id, draft, revision, ANN)
    with pytest.raises(StaleState):
        send_quote.send(house, quoting.public_id, revision, ANN)
    assert quoting.offer().lines[0].quantity == 3


def test_an_account_that_wants_its_own_number_accepts_with_one_alone(house: House, world: World):
    quoting = Quoting.ask(house, world).ready()
    other = Quoting.ask(house, world).ready()
    quoting.accept(purchase_order="PO-1")
    assert quoting.orders()[0].purchase_order == "PO-1"
    with house.db.transaction() as session:
        account = session.get_one(Account, quoting.orders()[0].payer_account_id)
        account.needs_purchase_order = True
        session.get_one(Quote, other.quote.id).account_id = account.id
    with pytest.raises(CheckoutIncomplete) as refused:
        other.accept()
    (one,) = refused.value.requirements
    assert (one.code, one.field) == ("purchase_order_needed", "purchase_order")
    with pytest.raises(Invalid):
        other.accept(purchase_order="x" * 61)
    assert len(quoting.orders()) == 1
    other.accept(purchase_order="PO-2")
    assert sorted(str(order.purchase_order) for order in quoting.orders()) == ["PO-1", "PO-2"]
