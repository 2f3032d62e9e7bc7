"""Fernway opens in an empty database: believable, whole, and once."""

import os
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from io import StringIO
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.commands import seed, verify
from app.demo.fernway import marks, people, seeding
from app.demo.mail_store import MailStore
from app.settings import Settings, load
from app.tables import metadata
from core.catalog import products
from core.kernel import crash, jobs
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.jobs import Job
from core.kernel.money import Money
from core.ledger import gift_cards, items, tenders
from core.ledger.models import JournalLine
from core.orders.models import Order
from core.parties import accounts, users
from flows import browse
from flows.house import House
from invoices.models import Invoice, InvoiceLine
from invoices.statements import reading
from payments.gateway import Gateway
from payments.models import Payment
from tests import postgres
from tests.basin import create_database, drop_database
from tests.databases import open_database
from tests.shop import SECRET, make_house

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
def empty(db: Database, tmp_path: Path) -> Fernway:
    """An empty database."""
    return fernway_in(db, tmp_path)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def fernway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fernway]:
    """Seeded once for the tests that only look."""
    folder = tmp_path_factory.mktemp("fernway")
    server: postgres.Server | None = None
    name = f"fernway_{os.getpid()}"
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_file"), folder / "shop.db")
        db = open_database(f"sqlite:///{folder / 'shop.db'}")
    else:
        server = request.getfixturevalue("postgres_server")
        create_database(server, name)
        db = open_database(server.url(name))
    found = fernway_in(db, folder)
    assert found.open_shop().state == "empty"
    yield found
    db.close()
    if server is not None:
        drop_database(server, name)


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
    return {one.number: (one.due_date, owed[one.id].open) for one in invoices}


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


def test_mara_has_two_bills_to_pay_and_one_that_is_paid(fernway):
    with fernway.db.reading() as session:
        bills = bills_of(session, "mara@example.com")
    assert [open_.minor for _, open_ in bills.values()] == [0, 7242, 6335]
    assert [due for due, _ in bills.values() if due and due >= date(2026, 11, 17)] == [
        date(2026, 11, 23),
        date(2026, 11, 30),
    ]


def test_otis_has_a_bill_that_is_overdue(fernway):
    with fernway.db.reading() as session:
        bills = bills_of(session, "otis@example.com")
    assert [(due, open_.minor) for due, open_ in bills.values() if open_] == [
        (date(2026, 11, 13), 12000)
    ]


def test_mara_and_otis_have_two_months_of_statements_that_follow_one_another(fernway):
    with fernway.db.reading() as session:
        for email, closings in (("mara@example.com", (0, 7242)), ("otis@example.com", None)):
            (account,) = accounts.of_user(session, users.find(session, email).id)
            later, earlier = reading.of_accounts(session, [account.id])
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
        assert user.is_staff == (one.email in ("desk@example.com", "tobin@example.com"))
        assert one.password in told
        assert one.email.endswith("@example.com")


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


# --- the books --------------------------------------------------------------------------------------


def test_the_books_of_the_demo_balance_and_every_claim_holds(fernway):
    with fernway.db.reading() as session:
        sides = session.execute(
            select(JournalLine.entry_id, func.sum(JournalLine.amount_minor)).group_by(
                JournalLine.entry_id
            )
        ).all()
    assert len(sides) == 20
    assert all(total == 0 for _, total in sides)
    said = StringIO()
    code = verify.run(["--documents"], fernway.settings, fernway.db, fernway.clock, said)
    assert code == 0, said.getvalue()


def test_nothing_is_left_for_the_worker_to_catch_up_with(fernway):
    with fernway.db.reading() as session:
        assert not jobs.any_due(session, fernway.clock.now() + timedelta(days=1))
        assert session.scalars(select(Job.state).distinct()).all() == ["done"]


def test_mails_of_days_gone_by_lie_in_the_mail_box_on_their_days(fernway):
    page = MailStore(fernway.folder / "mail").page(to="mara@example.com")
    days = [(mail.at.date().isoformat(), mail.subject.partition(":")[0]) for mail in page.mails]
    assert days == [
        ("2026-11-15", "Your bill 100007"),
        ("2026-11-15", "Thank you"),
        ("2026-11-13", "Your statement of November 13, 2026"),
        ("2026-11-08", "Your bill 100006"),
        ("2026-11-08", "Thank you"),
        ("2026-10-13", "Your statement of October 13, 2026"),
        ("2026-10-07", "Receipt P-10001"),
        ("2026-09-26", "Your bill 100001"),
        ("2026-09-26", "Thank you"),
    ]


# --- once -------------------------------------------------------------------------------------------


def test_a_second_seed_changes_nothing(fernway):
    before = counts(fernway.db)
    assert fernway.open_shop().state == "there"
    assert counts(fernway.db) == before


#: Where it may end, and at which passing: early, half-way, late.
@pytest.mark.parametrize(
    ("point", "passing"),
    [
        ("send.after_call", 2),
        ("settle.before_commit", 3),
        ("issue.before_commit", 4),
        ("notice.sent", 9),
        pytest.param("place.before_commit", 1, marks=pytest.mark.long),
        pytest.param("settle.committed", 2, marks=pytest.mark.long),
        pytest.param("store.rendered", 6, marks=pytest.mark.long),
        pytest.param("job.before_finish", 20, marks=pytest.mark.long),
    ],
)
def test_a_seed_that_was_interrupted_goes_on_where_it_stopped(sqlite_db, tmp_path, point, passing):
    fernway = fernway_in(sqlite_db, tmp_path)
    passed = []

    def die(name: str) -> None:
        passed.append(name)
        if passed.count(point) == passing:
            raise crash.SimulatedCrash(name)

    with crash.armed(die), pytest.raises(crash.SimulatedCrash):
        fernway.open_shop()
    fernway.clock.advance(timedelta(days=1))
    assert fernway.open_shop().state == "begun"
    with sqlite_db.reading() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 9
        assert session.scalar(select(func.count()).select_from(Invoice)) == 10
        assert session.scalar(select(func.count()).select_from(Payment)) == 6
        assert [o.minor for _, o in bills_of(session, "mara@example.com").values()] == [
            0,
            7242,
            6335,
        ]
    said = StringIO()
    code = verify.run(["--documents"], fernway.settings, sqlite_db, fernway.clock, said)
    assert code == 0, said.getvalue()
    assert fernway.open_shop().state == "there"


# --- the command ------------------------------------------------------------------------------------


def test_the_command_tells_where_the_logins_are_and_keeps_them_from_others(empty):
    settings, out = empty.settings, StringIO()
    assert seed.run([], settings, empty.db, empty.clock, out) == 0
    logins = settings.data_dir / "logins.txt"
    assert "Fernway is open: 27 products, 9 orders." in out.getvalue()
    assert str(logins) in out.getvalue()
    assert "mara@example.com" in logins.read_text()
    assert logins.stat().st_mode & 0o077 == 0
    logins.unlink()
    assert seed.run([], settings, empty.db, empty.clock, out) == 0
    assert "Fernway is open already; nothing was changed" in out.getvalue()
    assert not logins.exists()


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
