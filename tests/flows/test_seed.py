"""Fernway opens in an empty database: believable, whole, and once."""

import fcntl
import json
import os
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.utils import parsedate_to_datetime
from io import StringIO
from pathlib import Path
from typing import cast
from unittest.mock import patch

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.commands import seed, verify
from app.demo.fernway import marks, people, seeding, till
from app.demo.mail_store import MailStore
from app.settings import Settings, load
from app.tables import metadata
from cart.quotes import reading as quotes
from cart.quotes.models import Quote, QuoteVersion
from cms_content import banners, checks
from cms_content import reading as content
from cms_content.models import PageVersion
from core.catalog import products
from core.hooks.kinds import KINDS
from core.hooks.models import HookAttempt, HookDelivery, HookEndpoint
from core.kernel import crash, jobs
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.jobs import Job
from core.kernel.money import Money
from core.ledger import gift_cards, items, tenders
from core.ledger.models import JournalLine
from core.orders import back_orders, held, provisioning
from core.orders.fulfilment_models import Fulfilment, OrderChange
from core.orders.models import Order
from core.orders.pickup_models import PickUp
from core.parties import accounts, users
from core.parties.models import Account
from core.parties.roles import Role
from core.stock.back_order_models import BackOrder
from core.stock.models import Location
from core.subscriptions import trial_reading
from core.subscriptions.models import Subscription
from core.subscriptions.reading import timelines
from core.subscriptions.timeline import Timeline
from core.subscriptions.trial_models import Trial
from flows import browse
from flows.house import House
from invoices.billing import parking, runs
from invoices.billing.models import BillRun
from invoices.disputes import reading as disputes
from invoices.disputes.models import Dispute, DisputeFile
from invoices.models import Invoice, InvoiceLine
from invoices.statements import reading
from payments import chargebacks
from payments.automatic_models import AutoPayRule, ScheduledPayment
from payments.chargebacks import ChargebackRow
from payments.gateway import Gateway
from payments.models import Payment, PaymentMethod, Refund
from tests import postgres, telling
from tests.basin import create_database
from tests.databases import open_database
from tests.papers import shortened
from tests.shop import SECRET, make_house

#: On which it opens.
TODAY = date(2026, 11, 17)
YESTERDAY = TODAY - timedelta(days=1)
STATIC = Path(__file__).resolve().parents[2] / "static"


@dataclass(frozen=True)
class Fernway:
    """The demo's shop as a seed left it, on a Tuesday, November 17, at noon."""

    house: House
    clock: ManualClock
    folder: Path

    @property
    def db(self) -> Database:
        return self.house.db

    @property
    def settings(self) -> Settings:
        return load(
            {
                "SHOP_MODE": "demo",
                "DATABASE_URL": self.db.url,
                "DATA_DIR": str(self.folder),
                "SECRET_KEY": SECRET,
                "BASE_URL": "http://localhost:8000",
                "STRIPE_KEY": "sk_sandbox_seed",
                "STRIPE_BASE": "http://127.0.0.1:8001",
                "STRIPE_WEBHOOK_SECRETS": "whsec_seed",
                "MAIL_FROM": "Fernway <hello@fernway.example.com>",
            }
        )

    def open_shop(self) -> marks.Found:
        return seeding.open_shop(self.house, self.folder / "mail")


def fernway_in(db: Database, folder: Path) -> Fernway:
    clock = ManualClock(parsedate_to_datetime("Tue, 17 Nov 2026 12:00:00 -0500"))
    # No flow of the seed may ask the processor: it has a till of its own.
    house = make_house(db, clock, folder, cast(Gateway, None), allow_invoice=False)
    return Fernway(house, clock, folder)


@pytest.fixture
def empty(sqlite_db: Database, tmp_path: Path) -> Fernway:
    """An empty database."""
    return fernway_in(sqlite_db, tmp_path)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def fernway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fernway]:
    """Seeded once in a run, by the first of its workers, for the tests that only look."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "fernway-seeded"
    kind = request.param
    server = request.getfixturevalue("postgres_server") if kind == "postgresql" else None
    empty = request.getfixturevalue("sqlite_file") if server is None else None
    (folder / kind).mkdir(parents=True, exist_ok=True)
    with (folder / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = _seeded(folder / kind, server, empty)
    yield found
    found.db.close()


def _seeded(folder: Path, server: postgres.Server | None, empty: Path | None) -> Fernway:
    """Fernway as a worker before left it; the first one seeds, and notes when its clock stood."""
    note = folder / "seeded.json"
    where = str(server.home) if server is not None else "here"
    told = json.loads(note.read_text()) if note.exists() else {}
    is_there = told.get("where") == where
    if server is not None:
        if not is_there:
            create_database(server, "fernway_seeded")
        db = open_database(server.url("fernway_seeded"))
    else:
        if not is_there:
            assert empty is not None
            shutil.copyfile(empty, folder / "shop.db")
        db = open_database(f"sqlite:///{folder / 'shop.db'}")
    found = fernway_in(db, folder)
    if is_there:
        found.clock.set(datetime.fromisoformat(told["clock"]))
    else:
        with nullcontext() if server is None else shortened():
            assert found.open_shop().state == "empty"
        note.write_text(json.dumps({"where": where, "clock": found.clock.now().isoformat()}))
    return found


def bills_of(session: Session, email: str) -> dict[str, tuple[date | None, Money]]:
    """What somebody's bills ask for: number → due date, still open."""
    user = users.find(session, email)
    assert user is not None
    (account,) = accounts.of_user(session, user.id)
    invoices = session.scalars(
        select(Invoice)
        .where(Invoice.payer_account_id == account.id, Invoice.kind == "invoice")
        .order_by(Invoice.number)
    ).all()
    owed = items.of_sources(session, [invoice.id for invoice in invoices])
    nothing = Money.zero("USD")
    return {
        one.number: (one.due_date, owed[one.id].open if one.id in owed else nothing)
        for one in invoices
    }


def counts(db: Database) -> dict[str, int]:
    with db.reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }


# --- the shop ---------------------------------------------------------------------------------------


def shelf(fernway: Fernway) -> dict[str, browse.Shown]:
    with fernway.db.reading() as session:
        channel, _ = accounts.channel_by_code(session, "web")
        page = browse.Shelves().page(session, channel, fernway.clock.now(), limit=100)
    return {shown.product.slug: shown for shown in page.products}


def test_every_shelf_has_something_and_everything_has_words_and_a_picture(fernway):
    shown = shelf(fernway)
    with fernway.db.reading() as session:
        shelves = [row.name for row in products.categories(session)]
        details = [products.detail(session, slug) for slug in shown]
    assert shelves == ["Internet", "Wi-Fi and home", "Phone", "Backup", "Business"]
    assert {detail.category_name for detail in details} == set(shelves)
    assert len(details) >= 18
    for detail in details:
        assert (STATIC / detail.listed.picture).is_file(), detail.listed.picture
        assert len(detail.description.split(". ")) >= 2, detail.listed.slug
        assert len(detail.facts) >= 3, detail.listed.slug
        assert "\n" not in detail.description


def test_home_help_and_landing_pages_are_written_and_a_draft_lies_open(fernway):
    with fernway.db.reading() as session:
        channel, _ = accounts.channel_by_code(session, "web")
        now = fernway.clock.now()
        live = content.all_live(session, channel.id, now)
        variants = content.live(session, channel.id, "winter-line", now)[0]
        known = {
            variant.sku for shown in shelf(fernway).values() for variant in shown.product.variants
        }
        drafts = session.scalar(
            select(func.count()).select_from(PageVersion).where(PageVersion.state == "draft")
        )
        up = banners.showing(session, channel.id, now)
    help_pages = {"how-billing-works", "moving-house", "returns"}
    assert {one.slug for one in live} == {"home", "winter-line", "welcome-home", *help_pages}
    assert {one.segment for one in variants} == {"", "neighbours"}
    named = {sku for one in live for sku in checks.skus(one.content)}
    assert named <= known
    assert drafts == 1
    assert up is not None


def test_there_is_hardware_in_stock_and_some_that_is_nearly_or_wholly_gone(fernway):
    pieces = {
        offer.variant.sku: offer.pieces
        for shown in shelf(fernway).values()
        for offer in shown.offers
    }
    assert pieces["CAN-100"] == 27
    assert pieces["KNOCK-1"] == 4
    assert pieces["HUB-1"] == 1
    assert pieces["LOOK-2"] == 0
    assert pieces["VIS-INST"] is None


def test_prices_are_what_the_catalog_says(fernway):
    catalog = tomllib.loads(Path(seeding.__file__).with_name("catalog.toml").read_text())
    sold = [row for product in catalog["product"] for row in product["variants"]]
    wanted = {
        row["sku"]: Money.parse(row["price"], "USD")
        for row in [*sold, *catalog["yearly"]]
        if "price" in row
    }
    offers = [offer for shown in shelf(fernway).values() for offer in shown.offers]
    single = {offer.variant.sku: offer for offer in offers if offer.bundle is None}
    assert {sku: offer.price.unit_price for sku, offer in single.items()} == wanted
    yearly = {row["sku"] for row in catalog["yearly"]}
    for sku, offer in single.items():
        interval = "year" if sku in yearly else "month"
        assert offer.price.interval == (interval if offer.variant.kind == "plan" else None)


def test_a_bundle_is_what_the_catalog_says_and_cheaper_than_its_pieces_apart(fernway):
    catalog = tomllib.loads(Path(seeding.__file__).with_name("catalog.toml").read_text())
    offers = [offer for shown in shelf(fernway).values() for offer in shown.offers]
    found = {offer.variant.sku: offer.bundle for offer in offers if offer.bundle is not None}
    assert set(found) == {row["sku"] for row in catalog["bundle"]}
    for row in catalog["bundle"]:
        bundle = found[row["sku"]]
        told = {charge.charge_kind: charge.together for charge in bundle.charges(1)}
        assert told == {kind: Money.parse(text, "USD") for kind, text in row["prices"].items()}
        assert all(charge.saving.minor > 0 for charge in bundle.charges(1))
        inside = [piece.component.sku for piece in bundle.pieces]
        assert inside == [piece["sku"] for piece in row["pieces"]]


# --- the people and their bills ---------------------------------------------------------------------


def test_mara_has_paid_for_months_and_has_three_bills_to_pay(fernway):
    with fernway.db.reading() as session:
        bills = bills_of(session, "mara@example.com")
    assert [(due, open_.minor) for due, open_ in bills.values() if open_] == [
        (date(2026, 11, 23), 6284),
        (date(2026, 11, 30), 5483),
        (date(2026, 11, 30), 5352),
    ]
    assert len(bills) - 3 == len([open_ for _, open_ in bills.values() if not open_]) == 7


def test_otis_has_a_bill_that_is_overdue(fernway):
    with fernway.db.reading() as session:
        bills = bills_of(session, "otis@example.com")
    assert [(due, open_.minor) for due, open_ in bills.values() if open_] == [
        (date(2026, 11, 13), 12000),
        (date(2026, 11, 30), 15100),
    ]


def test_mara_and_otis_have_months_of_statements_that_follow_one_another(fernway):
    with fernway.db.reading() as session:
        for email, closings in (("mara@example.com", (800, 6284)), ("otis@example.com", None)):
            (account,) = accounts.of_user(session, users.find(session, email).id)
            later, earlier, *_ = reading.of_accounts(session, [account.id])
            assert later.opening_minor == earlier.closing_minor
            assert later.period_start == earlier.period_end + timedelta(days=1)
            assert later.entry_count > 0 < earlier.entry_count
            assert closings is None or (earlier.closing_minor, later.closing_minor) == closings
            assert len(reading.stored_ids(session, [later.id, earlier.id])) == 2


def test_otis_has_credit_and_a_gift_card_whose_code_is_in_the_mail_box(fernway):
    with fernway.db.reading() as session:
        user = users.find(session, "otis@example.com")
        (account,) = accounts.of_user(session, user.id)
        credit = sum(row.available.minor for row in tenders.spendable(session, account.id, "USD"))
        (held,) = gift_cards.listing(session)
    assert credit > 0
    assert held.balance.minor == 5000
    page = MailStore(fernway.folder / "mail").page(to="otis@example.com")
    assert "Your gift card" in [mail.subject.partition(":")[0] for mail in page.mails]
    assert "gift card" in people.logins("http://localhost:8000")


def test_each_of_them_can_log_in_with_the_password_that_is_told(fernway):
    told = people.logins("http://localhost:8000")
    with fernway.db.reading() as session:
        found = {one.email: users.find(session, one.email) for one in people.WITH_LOGIN}
    for one in people.WITH_LOGIN:
        assert one.password is not None
        user = users.verify_login(found[one.email], one.password)
        assert (user.is_staff, tuple(user.roles)) == (bool(one.roles), one.roles)
        assert one.password in told
        assert one.email.endswith("@example.com")
    at_the_desk = [role for one in people.WITH_LOGIN for role in one.roles]
    assert sorted(at_the_desk) == sorted(Role), "one person of each role"


def test_what_is_taxed_depends_on_the_place_and_on_the_thing(fernway):
    with fernway.db.reading() as session:
        rows = session.execute(
            select(Order.email, InvoiceLine.sku, InvoiceLine.net_minor, InvoiceLine.tax_minor)
            .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
            .join(Order, Order.id == Invoice.order_id)
        ).all()
    tax = {(email, sku): (net, tax) for email, sku, net, tax in rows}
    assert tax["mara@example.com", "CAN-100"] == (12900, 839)  # Ohio, 6.5 %
    assert tax["rosa@example.com", "LOOK-2"] == (19000, 1330)  # Indiana, 7 %
    assert tax["mara@example.com", "STR-18"] == (2900, 0)
    assert tax["mara@example.com", "VIS-INST"] == (6000, 0)


# --- services, trials, quotes --------------------------------------------------------------------------


def test_services_are_in_every_state_that_can_be_tried(fernway):
    with fernway.db.reading() as session:
        rows = timelines(session)
        account = {row.id: row.name for row in session.scalars(select(Account))}
    found: dict[tuple[str, str], list[Timeline]] = {}
    for one in rows:
        found.setdefault((account[one.service_account_id], one.phases[0].sku), []).append(one)
    (mara,) = found["Mara Hollis", "STR-18"]
    assert [phase.sku for phase in mara.phases] == ["STR-18", "RIV-100"]
    assert [rest.days for rest in mara.pauses] == [9]
    (otis,) = found["Otis Fell", "RIV-100"]
    assert otis.phases[-1].sku == "STR-18"
    assert otis.phases[-1].starts_on > TODAY
    (yard,) = found["Fell Boat Yard", "BIZ-100"]
    assert account[yard.payer_account_id] == "Otis Fell"
    assert found["Hanne Orr", "STR-18"][0].ended_on > TODAY
    assert found["Silas Brandt", "BRK-6-Y"][0].phases[0].interval == "year"
    assert found["Sanna Birch", "RIV-100"][0].activated_on == TODAY - timedelta(days=1)
    assert found["Jory Teal", "STR-18"][0].state == "ordered"
    states = sorted(one.state for one in found["Weir Bakery", "BIZ-100"])
    assert states == ["active", "active", "ordered"]


def test_usage_came_late_and_was_corrected_and_both_are_billed(fernway):
    with fernway.db.reading() as session:
        otis = accounts.by_number(session, people.OTIS.account_number)
        rows = session.execute(
            select(Invoice.kind, InvoiceLine.net_minor)
            .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
            .where(Invoice.payer_account_id == otis.id, InvoiceLine.sku == "BUR-0")
            .order_by(Invoice.issued_at)
        ).all()
    # nothing to begin with; a month; the next, too high; the first one's rest; what goes back; the third
    assert [(kind, net) for kind, net in rows] == [
        ("invoice", 0),
        ("invoice", 200),
        ("invoice", 320),
        ("invoice", 60),
        ("credit_memo", 120),
        ("invoice", 200),
    ]


def test_there_is_a_trial_of_each_kind_in_each_state(fernway):
    with fernway.db.reading() as session:
        rows = session.scalars(select(Trial)).all()
        due = trial_reading.follow_ups_due(session, TODAY, limit=9)
    found = {row.email.partition("@")[0]: (row.kind, row.state) for row in rows}
    assert found == {
        "mara": ("card", "running"),
        "cora": ("card", "converted"),
        "piet": ("card", "cancelled"),
        "juno": ("no_card", "running"),
        "ivo": ("no_card", "running"),
        "wren": ("no_card", "lapsed"),
        "bram": ("free_tier", "running"),
        "otis": ("free_tier", "converted"),
        "lena": ("free_tier", "converted"),
    }
    assert {(one.user.name, one.follow_up.due_on) for one in due} == {
        ("Juno Pike", TODAY),
        ("Ivo Lark", TODAY),
    }
    (mara,) = [row for row in rows if row.email == "mara@example.com"]
    assert mara.noticed_on is not None
    assert TODAY < mara.ends_on <= TODAY + timedelta(days=7)


def test_cards_pay_by_themselves_are_planned_declined_and_about_to_expire(fernway):
    with fernway.db.reading() as session:
        names = {row.id: row.name for row in session.scalars(select(Account))}
        rules = {names[row.account_id] for row in session.scalars(select(AutoPayRule))}
        rows = session.scalars(select(ScheduledPayment).order_by(ScheduledPayment.created_at))
        found = {(names[row.account_id], row.origin, row.state) for row in rows}
        (empty,) = session.scalars(
            select(ScheduledPayment).where(ScheduledPayment.state == "retrying")
        )
        cards = session.scalars(select(PaymentMethod)).all()
    assert rules == {"Vera Holt", "Abel Crane"}
    assert found >= {
        ("Mara Hollis", "customer", "planned"),
        ("Vera Holt", "autopay", "paid"),
        ("Abel Crane", "autopay", "retrying"),
    }
    assert (empty.failure, empty.tries) == ("insufficient_funds", 2)
    assert empty.next_at > fernway.clock.now()
    (second,) = [card for card in cards if card.last4 == "4444"]
    assert (second.exp_year, second.exp_month) == (TODAY.year, TODAY.month)


def test_there_is_a_quote_in_each_state(fernway):
    with fernway.db.reading() as session:
        rows = session.scalars(select(Quote)).all()
        ((asked, _, waiting),) = quotes.approvals_waiting(session)
        newest = session.execute(
            select(Quote.company, func.max(QuoteVersion.number))
            .join(QuoteVersion, QuoteVersion.quote_id == Quote.id)
            .group_by(Quote.company)
        ).all()
        ines = users.find(session, "desk@example.com")
    assert {row.company: row.state for row in rows} == {
        "Hale Veterinary Practice": "requested",
        "Tarnbrook School": "drafting",
        "Fell Boat Yard": "sent",
        "Riverside Camping": "sent",
        "Weir Bakery": "accepted",
        "Kiln Pottery": "declined",
    }
    now = fernway.clock.now()
    valid = {row.company: row.expires_at > now for row in rows if row.state == "sent"}
    assert valid == {"Fell Boat Yard": True, "Riverside Camping": False}
    assert (waiting.company, asked.asked_by) == ("Tarnbrook School", f"user:{ines.id}")
    assert {row[0]: row[1] for row in newest}["Fell Boat Yard"] == 2


def test_there_is_a_dispute_in_each_state(fernway):
    with fernway.db.reading() as session:
        rows = session.scalars(select(Dispute).order_by(Dispute.opened_at)).all()
        found = [(row.state, row.outcome, row.credited_minor) for row in rows]
        assert found == [
            ("resolved", "none", 0),
            ("withdrawn", None, 0),
            ("resolved", "full", 2000),
            ("open", None, 0),
            ("waiting", None, 0),
            ("open", None, 0),
        ]
        late = session.scalars(disputes.late(TODAY)).all()
        assert late == [rows[3].id]
        back = session.scalars(select(Refund).where(Refund.amount_minor == 2000)).one()
        assert back.state == "succeeded", "on a paid bill, to the card that paid"
        pictures = session.scalars(select(DisputeFile)).all()
        assert [one.dispute_id for one in pictures] == [rows[5].id]


def test_one_chargeback_was_answered_and_won_and_one_waits_for_an_answer(fernway):
    with fernway.db.reading() as session:
        rows = session.scalars(select(ChargebackRow).order_by(ChargebackRow.opened_at)).all()
        assert [(row.state, row.answered_at is not None) for row in rows] == [
            ("won", True),
            ("open", False),
        ]
        assert session.scalars(chargebacks.to_answer()).all() == [rows[1].id]
        assert rows[1].evidence_due > fernway.clock.now()
        known = {one["payment"]: one["dispute"] for one in till.payments_taken(session)}
        assert [one["won"] for one in known.values() if one] == [True, False]
    box = MailStore(fernway.folder / "mail").page(to=people.BILLING_DESK.email)
    subjects = [mail.subject.partition(":")[0] for mail in box.mails]
    assert subjects == ["Charged back", "Chargeback won", "Charged back"]


def test_last_night_was_billed_but_for_one_account_that_waits_for_a_person(fernway):
    with fernway.db.reading() as session:
        nights = session.scalars(
            select(BillRun).where(BillRun.kind == "real").order_by(BillRun.started_at.desc())
        ).all()
        sums = {one.as_of: runs.totals(session, one) for one in nights}
        previews = session.scalars(select(BillRun).where(BillRun.kind == "preview")).all()
        ((parked, account),) = parking.listing(session)
    assert (sums[YESTERDAY].parked, sums[YESTERDAY].by_currency["USD"].invoices) == (1, 3)
    assert sums[date(2026, 10, 16)].by_currency["USD"].invoices == 3
    assert (account.name, parked.reason) == ("Lena Moss", "too_much")
    assert [one.as_of for one in previews] == [YESTERDAY + timedelta(days=30)]
    assert len(nights) < 30, "a night on which nothing is due has no run"


# --- the books --------------------------------------------------------------------------------------


def test_the_books_of_the_demo_balance_and_every_claim_holds(fernway):
    with fernway.db.reading() as session:
        sides = session.execute(
            select(JournalLine.entry_id, func.sum(JournalLine.amount_minor)).group_by(
                JournalLine.entry_id
            )
        ).all()
    assert len(sides) == 160
    assert all(total == 0 for _, total in sides)
    said = StringIO()
    code = verify.run(["--documents"], fernway.settings, fernway.db, fernway.clock, said)
    assert code == 0, said.getvalue()


def test_orders_are_in_every_state_and_pieces_went_both_ways(fernway):
    with fernway.db.reading() as session:
        orders = session.scalars(select(Order)).all()
        changes = session.scalars(select(OrderChange).order_by(OrderChange.asked_at)).all()
        tracked = session.scalars(
            select(Fulfilment.tracking_link).where(Fulfilment.kind == "parcel")
        ).all()
    assert {order.fulfilment for order in orders} == {"unfulfilled", "partial", "fulfilled"}
    assert {order.lifecycle for order in orders} == {"confirmed", "completed"}
    assert [(one.kind, one.state) for one in changes] == [
        ("return", "done"),
        ("return", "announced"),
        ("cancellation", "done"),
        ("return", "asked"),
        ("change", "done"),
    ]
    assert len(tracked) == 9
    assert all(link.startswith("https://") for link in tracked)


def test_one_large_order_waits_to_be_checked(fernway):
    with fernway.db.reading() as session:
        ((order, account),) = held.listing(session)
    assert (order.is_held, order.reasons, order.fulfilment) == (True, ("amount",), "unfulfilled")
    assert (account.name, order.payment) == ("Rosa Quill", "paid")


def test_one_order_was_fetched_at_the_depot_and_one_lies_ready(fernway):
    with fernway.db.reading() as session:
        rows = session.execute(
            select(Order.email, PickUp.state, Order.fulfilment, Location.code)
            .join(PickUp, PickUp.order_id == Order.id)
            .join(Location, Location.id == PickUp.location_id)
            .order_by(PickUp.ready_at)
        ).all()
    assert [tuple(row) for row in rows] == [
        ("bram@example.com", "collected", "fulfilled", "depot"),
        ("cora@example.com", "ready", "unfulfilled", "depot"),
    ]
    told = {
        name: {
            mail.subject.partition(":")[0]
            for mail in MailStore(fernway.folder / "mail").page(to=f"{name}@example.com").mails
        }
        & {"Ready to collect", "Handed over"}
        for name in ("bram", "cora")
    }
    assert told == {"bram": {"Ready to collect", "Handed over"}, "cora": {"Ready to collect"}}


def test_what_was_sold_before_it_was_there_came_for_one_and_another_waits(fernway):
    with fernway.db.reading() as session:
        ((row, order),) = [(one.row, one.order) for one in back_orders.page(session)]
        came = session.scalars(select(BackOrder).where(BackOrder.waiting == 0)).one()
        first = session.scalars(select(Order).where(Order.email == "ivo@example.com")).one()
    assert (order.email, row.waiting, order.fulfilment) == ("juno@example.com", 1, "unfulfilled")
    assert (came.reference, came.quantity) == (f"order:{first.public_id}", 2)
    assert first.fulfilment == "fulfilled"
    told = MailStore(fernway.folder / "mail").page(to="ivo@example.com").mails
    assert "It has come in" in [mail.subject.partition(":")[0] for mail in told]


def test_the_exchange_began_one_address_and_left_eight_to_a_person(fernway):
    with fernway.db.reading() as session:
        rows = provisioning.listing(session)
    assert [(one.line.sku, one.row.state) for one in rows] == [
        ("ADDR-1", "done"),
        ("ADDR-8", "failed"),
    ]


def test_everything_of_it_can_be_told_to_programs_without_a_person_in_it(fernway):
    now = fernway.clock.now() - timedelta(days=3)  # bills that were paid lately are told as such
    with fernway.db.snapshot() as session:
        news = list(telling.everything(session, now))
        names = set(session.scalars(select(Account.name)))
    assert KINDS.keys() - {one.kind for one in news} <= {
        "payment.failed",
        "dispute.opened",
        "dispute.closed",
        "case.unlocked",
        "chargeback.appealed",
    }
    assert all(one.kind in KINDS for one in news)
    said = [json.dumps(dict(one.data)) for one in news]
    assert [text for text in said if "@" in text or any(name in text for name in names)] == []
    assert max(map(len, (one.key for one in news))) <= 200


def test_the_warehouse_was_told_of_orders_and_is_off_when_the_demo_opens(fernway):
    with fernway.db.reading() as session:
        (endpoint,) = session.scalars(select(HookEndpoint)).all()
        states = session.scalars(select(HookDelivery.state)).all()
        tries = session.scalars(select(HookAttempt.status)).all()
    assert (endpoint.name, endpoint.state, endpoint.off_because) == ("Warehouse", "off", "person")
    assert len(states) >= 10
    assert set(states) == {"delivered"}
    assert sorted(set(tries)) == [204, 503]


def test_nothing_is_left_for_the_worker_to_catch_up_with(fernway):
    with fernway.db.reading() as session:
        assert not jobs.any_due(session, fernway.clock.now() + timedelta(days=1))
        assert session.scalars(select(Job.state).distinct()).all() == ["done"]


def test_mails_of_days_gone_by_lie_in_the_mail_box_on_their_days(fernway):
    page = MailStore(fernway.folder / "mail").page(to="mara@example.com")
    days = [(mail.at.date().isoformat(), mail.subject.partition(":")[0]) for mail in page.mails]
    assert days[:15] == [
        ("2026-11-17", "Your payment of $123.26 is planned for November 22, 2026"),
        ("2026-11-16", "We have your dispute DP100006 and answer by November 23, 2026"),
        ("2026-11-16", "On its way"),
        ("2026-11-16", "Your bill 100048"),
        ("2026-11-16", "Burrow backup"),
        ("2026-11-15", "Your return for order O-10017"),
        ("2026-11-15", "Your bill 100045"),
        ("2026-11-15", "Thank you"),
        ("2026-11-15", "Mastercard ending 4444 expires at the end of this month"),
        ("2026-11-15", "Mastercard ending 4444 is on file at Fernway"),
        ("2026-11-12", "Your statement of November 12, 2026"),
        ("2026-11-09", "On its way"),
        ("2026-11-08", "Your bill 100037"),
        ("2026-11-08", "Thank you"),
        ("2026-11-08", "Halfway"),
    ]
    older = [
        (mail.at.date().isoformat(), mail.subject.partition(":")[0])
        for number in (2, 3, 4)
        for mail in MailStore(fernway.folder / "mail").page(number, to="mara@example.com").mails
    ]
    assert ("2026-09-16", "Your bill 100008") in older


# --- once -------------------------------------------------------------------------------------------


def test_a_second_seed_changes_nothing(fernway):
    before = counts(fernway.db)
    assert fernway.open_shop().state == "there"
    assert counts(fernway.db) == before


#: Where it may end, and at which passing since it began again; in the order of the history.
ENDS = [
    ("send.after_call", 1),
    ("issue.before_commit", 1),
    ("settle.before_commit", 1),
    ("bill_run.committed", 1),
    ("notice.sent", 9),
    ("quote.before_commit", 1),
    ("setup.prepared", 1),
    ("accept.before_commit", 1),
    ("setup.committed", 1),
    ("charge.asked", 1),
    ("bill_run.before_done", 1),
]


def interrupted(fernway: Fernway, point: str, passing: int) -> None:
    """Seed until a point is passed so many times."""
    passed = []

    def die(name: str) -> None:
        passed.append(name)
        if passed.count(point) == passing:
            raise crash.SimulatedCrash(name)

    with crash.armed(die), pytest.raises(crash.SimulatedCrash):
        fernway.open_shop()
    fernway.clock.advance(timedelta(minutes=10))


def assert_is_whole(fernway: Fernway) -> None:
    """Everything happened once."""
    with fernway.db.reading() as session:
        found = {
            model.__name__: session.scalar(select(func.count()).select_from(model))
            for model in (Order, Invoice, Payment, Subscription, Trial, Quote, BillRun)
        }
        bills = bills_of(session, "mara@example.com").values()
    assert found == {
        "Order": 29,
        "Invoice": 65,
        "Payment": 23,
        "Subscription": 27,
        "Trial": 9,
        "Quote": 6,
        "BillRun": 28,
    }
    assert [open_.minor for _, open_ in bills if open_] == [6284, 5483, 5352]
    said = StringIO()
    code = verify.run(["--documents"], fernway.settings, fernway.db, fernway.clock, said)
    assert code == 0, said.getvalue()


def test_a_seed_that_is_interrupted_again_and_again_goes_on_where_it_stopped(sqlite_db, tmp_path):
    fernway = fernway_in(sqlite_db, tmp_path)
    for point, passing in ENDS:
        interrupted(fernway, point, passing)
    assert fernway.open_shop().state == "begun"
    assert_is_whole(fernway)
    assert fernway.open_shop().state == "there"


@pytest.mark.long
@pytest.mark.parametrize(
    ("point", "passing"),
    [
        ("send.after_call", 2),
        ("settle.before_commit", 3),
        ("issue.before_commit", 4),
        ("notice.sent", 9),
        ("place.before_commit", 1),
        ("settle.committed", 2),
        ("store.rendered", 6),
        ("job.before_finish", 20),
        ("trial.before_start", 3),
        ("trial.before_commit", 40),
        ("bill_run.before_commit", 9),
    ],
)
def test_a_seed_that_was_interrupted_goes_on_where_it_stopped(sqlite_db, tmp_path, point, passing):
    fernway = fernway_in(sqlite_db, tmp_path)
    interrupted(fernway, point, passing)
    assert fernway.open_shop().state == "begun"
    assert_is_whole(fernway)


#: Month ends, a leap day, both changes of the clocks, and the first hours of a day.
@pytest.mark.long
@pytest.mark.parametrize(
    "opens",
    [
        "2027-01-01T00:10:00-05:00",
        "2027-03-01T09:00:00-05:00",
        "2027-03-14T03:30:00-04:00",
        "2027-03-31T18:00:00-04:00",
        "2027-07-01T12:00:00-04:00",
        "2027-11-07T12:00:00-05:00",
        "2028-02-29T23:50:00-05:00",
        "2028-05-31T05:00:00-04:00",
    ],
)
def test_it_opens_on_any_day(sqlite_db, tmp_path, opens):
    fernway = fernway_in(sqlite_db, tmp_path)
    fernway.clock.set(datetime.fromisoformat(opens))
    fernway.open_shop()
    said = StringIO()
    code = verify.run(["--documents"], fernway.settings, sqlite_db, fernway.clock, said)
    assert code == 0, said.getvalue()
    with sqlite_db.reading() as session:
        assert session.scalars(select(Job.state).distinct()).all() == ["done"]
        ((_, account),) = parking.listing(session)
        assert account.name == "Lena Moss"


# --- the command ------------------------------------------------------------------------------------


def test_the_command_tells_where_the_logins_are_and_keeps_them_from_others(empty):
    """For that the shop needs no history."""
    settings, out = empty.settings, StringIO()
    with patch("app.demo.fernway.history._ALL", ()):
        assert seed.run([], settings, empty.db, empty.clock, out) == 0
    logins = settings.data_dir / "logins.txt"
    assert "Fernway is open: 28 products, " in out.getvalue()
    assert str(logins) in out.getvalue()
    assert "mara@example.com" in logins.read_text()
    assert logins.stat().st_mode & 0o077 == 0
    assert json.loads((settings.data_dir / "processor" / "known.json").read_text()) == []
    logins.unlink()
    assert seed.run([], settings, empty.db, empty.clock, out) == 0
    assert "Fernway is open already; nothing was changed" in out.getvalue()
    assert not logins.exists()


def test_the_pretend_processor_learns_of_the_payments_and_cards_of_days_gone_by(fernway, tmp_path):
    seed._write_cards(tmp_path / "known.json", fernway.db)
    known = json.loads((tmp_path / "known.json").read_text())
    assert {one["email"] for one in known if "email" in one} == {
        f"{name}@example.com" for name in ("mara", "cora", "piet", "vera", "abel")
    }
    taken = [one for one in known if "payment" in one]
    assert len(taken) == 23
    assert sorted(bool(one["refunded"]) for one in taken)[-2:] == [True, True]


def test_another_shop_is_left_alone(db, clock, world, tmp_path):
    fernway, out, before = fernway_in(db, tmp_path), StringIO(), counts(db)
    assert seed.run([], fernway.settings, db, clock, out) == 0
    assert "There is another shop in this database; nothing was changed" in out.getvalue()
    assert counts(db) == before
    assert not (tmp_path / "logins.txt").exists()


def test_production_gets_no_accounts_with_known_passwords(sqlite_db, clock, tmp_path):
    settings = load(
        {
            "DATABASE_URL": sqlite_db.url,
            "DATA_DIR": str(tmp_path),
            "SECRET_KEY": SECRET,
            "BASE_URL": "https://shop.example.com",
            "STRIPE_KEY": "sk_live_seed",
            "STRIPE_WEBHOOK_SECRETS": "whsec_seed",
            "MAIL_FROM": "Shop <shop@example.com>",
        }
    )
    out = StringIO()
    assert seed.run([], settings, sqlite_db, clock, out) == 1
    assert "SHOP_MODE is production" in out.getvalue()
    assert counts(sqlite_db)["user"] == 0
