"""A shop with people in it, shared by all tests of a worker: two customers, staff, something of each kind.

Riley has two open bills and one that is paid, a payment that was begun and links in mails; June has a bill of
her own; Kim is an admin, and of every other role there is a colleague. Tests add to it and take nothing away.
"""

import functools
import itertools
import logging
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
import structlog
from flask.testing import FlaskClient
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cart.quotes.wanting import Wanted
from core.catalog.models import Variant
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.ids import new_public_id, new_token, token_hash
from core.kernel.jobs import DISCARDED, Job
from core.orders.models import Order
from core.parties import accounts, users
from core.parties.models import Account, LinkToken, UserSession
from core.parties.roles import Role
from core.stock.models import StockLevel, StockMovement
from flows import draft_quote, make_statements, record_usage
from flows.house import House
from flows.place_order import Wish, place
from flows.record_usage import Told
from flows.settle_payment import settle
from invoices.models import Invoice
from invoices.statements.models import Statement
from payments import operations
from payments.models import Payment, PaymentOperation
from tests import serving
from tests import world as worlds
from tests.basin import create_database
from tests.databases import open_database
from tests.papers import shortened
from tests.paying import fill_cart, gateway, wish
from tests.postgres import Server
from tests.quoting import ANN, Quoting
from tests.sandbox_process import SandboxProcess
from tests.shop import Shop, make_shop
from tests.world import World

START = datetime(2026, 11, 17, 14, 11, tzinfo=ZoneInfo("America/New_York"))
#: The day on which the statement of what happens at the start is made.
BILL_DAY = datetime(2026, 12, 1, 12, 0, tzinfo=ZoneInfo("America/New_York"))
PASSWORD = "three calm words"
#: So many more on the shelf than the small shop has.
ROUTERS = 1_000
NOBODY, RILEY, JUNE, KIM = "nobody", "riley", "june", "kim"
EVERYBODY = (NOBODY, RILEY, JUNE, KIM)
#: Kim is an admin; of each other role there is one person, called like it, and one who has none yet.
ROLELESS = "newhand"
COLLEAGUES = {role.value: [role.value] for role in Role if role != Role.ADMIN} | {ROLELESS: []}
_NAMES = {RILEY: "Riley Moreno", JUNE: "June Alder", KIM: "Kim Lund"}


@functools.cache
def password_hash() -> str:
    """Everybody's password, hashed once: it takes its time."""
    return users.hash_password(PASSWORD)


class Browser:
    """A browser with its cookies, which sends forms as our pages do."""

    def __init__(self, shop: Shop, base_url: str | None = None) -> None:
        self.shop = shop
        self.base_url = base_url or shop.settings.base_url
        self.client: FlaskClient = shop.client()

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        """One request; redirects are not followed."""
        more = {"method": method, "base_url": self.base_url, "buffered": True, **more}
        return self.client.open(path, **more)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.ask("GET", path, **more)

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        """Send a form with this visitor's token."""
        return self.ask("POST", path, data={"csrf_token": self.token(), **(data or {})}, **more)

    def cookie(self, name: str) -> str | None:
        """A cookie's value as the browser would send it."""
        found = self.client.get_cookie(name, domain=urlsplit(self.base_url).hostname or "")
        return found.value if found is not None else None

    def keep(self, name: str, value: str) -> None:
        """Take a cookie as if the shop had set it."""
        self.client.set_cookie(name, value, domain=urlsplit(self.base_url).hostname or "")

    def token(self) -> str:
        """The token that our forms carry."""
        name = "__Host-csrf" if self.shop.settings.secure else "csrf"
        if self.cookie(name) is None:
            self.get("/account/forgot")
        return self.cookie(name) or ""


@dataclass
class Stage:
    """The shop, and what is found in it."""

    shop: Shop
    clock: ManualClock
    world: World
    sandbox: SandboxProcess
    folder: Path
    people: dict[str, uuid.UUID]
    accounts: dict[str, uuid.UUID]
    #: What stands in addresses: ``riley_bill``, ``riley_order``, ``operation``, …
    ids: dict[str, str]
    #: What ``walk.walked`` found here.
    walk: list[Any] = field(default_factory=list)

    @property
    def house(self) -> House:
        return self.shop.house

    @property
    def db(self) -> Database:
        return self.shop.house.db

    def browser(self, who: str = NOBODY, shop: Shop | None = None) -> Browser:
        """A browser, logged in without the log-in page."""
        browser = Browser(shop or self.shop)
        if who != NOBODY:
            secure = browser.shop.settings.secure
            browser.keep("__Host-session" if secure else "session", self.session_of(who))
        return browser

    def session_of(self, who: str, days: int = 14) -> str:
        """A session as logging in leaves it; answers its token."""
        token, now = new_token(), self.clock.now()
        key = self.people[who]
        with self.db.transaction() as session:
            session.add(
                UserSession(
                    token_hash=token_hash(token),
                    user_id=key,
                    data={"_user_id": str(key), "_fresh": True, "desk": ""},
                    created_at=now,
                    expires_at=now + timedelta(days=days),
                )
            )
        return token

    def another_shop(self, **environment: str) -> Shop:
        """A second process of the same shop, with settings of its own."""
        return self.shop_at(self.clock, **environment)

    def shop_at(self, clock: ManualClock, /, **environment: str) -> Shop:
        """The same with a clock of its own."""
        return make_shop(self.db, clock, self.folder, self.house.gateway, **environment)

    def row(self, model: type[Any], *where: Any) -> Any:
        """The only row there is."""
        with self.db.reading() as session:
            return session.scalars(select(model).where(*where)).one()

    def rows(self, model: type[Any], *where: Any) -> list[Any]:
        """In the order in which they were made; a database alone does not promise any."""
        with self.db.reading() as session:
            query = select(model).where(*where)
            return list(session.scalars(query.order_by(*inspect(model).primary_key)))

    def drain(self) -> None:
        """Let the worker do everything that is due, without a failure; papers are short ones."""
        with shortened():
            self.shop.drain()
        failed = self.rows(
            Job,
            Job.last_error.is_not(None),
            ~Job.last_error.startswith(DISCARDED),
            Job.state != "dead",
        )
        assert [job.last_error for job in failed] == []

    def newcomer(self, name: str = "Ash Vale") -> str:
        """Another customer with an account of their own; answers how they are called here."""
        who, now = f"ash-{new_public_id()[:12]}", self.clock.now()
        with self.db.transaction() as session:
            user = worlds.user(session, now, email=f"{who}@example.com", name=name)
            account = worlds.account(session, self.world, now, name=name)
            account.email = user.email
            accounts.join(session, user.id, account.id, "owner", now)
            self.people[who], self.accounts[who] = user.id, account.id
        return who

    def service(self, who: str) -> str:
        """A backup of theirs that runs and has been used; answers its public id."""
        with self.db.transaction() as session:
            return self.serve(session, self.accounts[who])

    def serve(self, session: Session, account_id: uuid.UUID) -> str:
        """The same, in a session."""
        now = self.clock.now()
        made = session.scalar(select(Variant).where(Variant.sku == "T-BACKUP"))
        if made is None:
            serving.offer(session, self.world, now)
        account = session.get_one(Account, account_id)
        backup = serving.goods(session, "T-BACKUP")
        row = serving.running(session, self.world, account, backup, now)
        told = Told(row.public_id, "moved", "monday", Decimal(7), now)
        record_usage.record_within(session, self.house, told, "user:kim")
        return row.public_id

    def begin_to_pay(self, *skus: str, who: str = NOBODY) -> Order:
        """An order whose payment was begun and not made."""
        placed = place(self.house, self.wish(*skus, method="card", who=who))
        found: Order = self.row(Order, Order.id == placed.order_id)
        return found

    def order_on_terms(self, *skus: str, who: str = NOBODY) -> Order:
        """An order that is billed; its bill is open, and its PDF is made."""
        placed = place(self.house, self.wish(*skus, method="invoice", who=who))
        self.drain()
        found: Order = self.row(Order, Order.id == placed.order_id)
        return found

    def wish(self, *skus: str, method: str, who: str = NOBODY) -> Wish:
        email = f"{who}@example.com" if who != NOBODY else "guest@example.com"
        asked = wish(fill_cart(self.house, *skus), method, email=email)
        return Wish(asked.cart_id, asked.details, self.people.get(who))

    def bill_of(self, order: Order) -> Invoice:
        """The invoice of an order."""
        found: Invoice = self.row(Invoice, Invoice.order_id == order.id)
        return found

    def quote(self, who: str) -> Quoting:
        """A quote that was sent twice, with its papers, and is worked on again."""
        asked = Quoting.ask(
            self.house,
            self.world,
            self.world.visit.sku,
            email=f"{who}@example.com",
            user_id=self.people[who],
        )
        asked.ready(Wanted(sku=self.world.visit.sku, quantity=2), days=20)
        self.drain()
        asked.another(Wanted(sku=self.world.visit.sku, quantity=3), days=20)
        self.drain()
        draft_quote.another(self.house, asked.public_id, ANN)
        return asked

    def state(self, who: str) -> Statement:
        """The statement of somebody's next bill day, with its paper. The stage's own clock stands still."""
        house = replace(self.house, clock=ManualClock(BILL_DAY))
        number = self.row(Account, Account.id == self.accounts[who]).number
        make_statements.run(house, BILL_DAY.date(), account_number=number)
        found = self.rows(Statement, Statement.account_id == self.accounts[who])[-1]
        with shortened():
            make_statements.store(house, found.id)
        return found

    def link(self, purpose: str, who: str) -> str:
        """The token of a link in a mail."""
        with self.db.transaction() as session:
            link_id = users.new_link(session, purpose, self.people[who], self.clock.now())
        row = self.row(LinkToken, LinkToken.id == link_id)
        return users.link_token(self.house.links.secret, row)

    def operation_of(self, order: Order) -> PaymentOperation:
        with self.db.reading() as session:
            found = operations.of_order(session, order.id)
        assert found is not None
        return found

    def pay(self, operation: PaymentOperation) -> Payment:
        """Fill in the processor's page and come back."""
        assert operation.redirect_url is not None
        self.sandbox.pay(operation.redirect_url)
        assert settle(self.house, operation.id) == "succeeded"
        found: Payment = self.row(Payment, Payment.operation_id == operation.id)
        return found


def _fill_shelf(session: Session, world: World, now: datetime) -> None:
    """Routers for every walk of every module that shares the stage."""
    level = session.get_one(StockLevel, world.router.level_id)
    level.on_hand += ROUTERS
    session.add(
        StockMovement(
            level_id=level.id, kind="received", on_hand=ROUTERS, reference="walks", at=now
        )
    )
    session.flush()


def build(db: Database, sandbox: SandboxProcess, folder: Path) -> Stage:
    """Open the shop and let a few things happen in it."""
    clock = ManualClock(START)
    with db.transaction() as session:
        world = worlds.build(session, clock.now())
        _fill_shelf(session, world, clock.now())
        people, own = {}, {}
        for who, name in _NAMES.items():
            user = worlds.user(session, clock.now(), email=f"{who}@example.com", name=name)
            user.password_hash, user.is_staff = password_hash(), who == KIM
            user.roles = [Role.ADMIN.value] if who == KIM else []
            people[who] = user.id
            if who != KIM:
                account = worlds.account(session, world, clock.now(), name=name)
                accounts.join(session, user.id, account.id, "owner", clock.now())
                own[who] = account.id
        for who, roles in COLLEAGUES.items():
            user = worlds.user(session, clock.now(), email=f"{who}@example.com", name=who.title())
            user.password_hash, user.is_staff, user.roles = password_hash(), True, roles
            people[who] = user.id
    shop = make_shop(db, clock, folder, gateway(sandbox))
    stage = Stage(shop, clock, world, sandbox, folder, people, own, {})
    _fill(stage)
    return stage


def _fill(stage: Stage) -> None:
    order = stage.order_on_terms(stage.world.visit.sku, who=RILEY)
    other = stage.order_on_terms(stage.world.plan.sku, who=RILEY)
    june = stage.order_on_terms(stage.world.visit.sku, who=JUNE)
    bought = stage.begin_to_pay(stage.world.router.sku, who=RILEY)
    payment = stage.pay(stage.operation_of(bought))
    guest = stage.order_on_terms(stage.world.visit.sku)
    stage.drain()
    stage.ids |= {
        "riley_bill": stage.bill_of(order).public_id,
        "riley_statement": stage.state(RILEY).public_id,
        "june_statement": stage.state(JUNE).public_id,
        "riley_other_bill": stage.bill_of(other).public_id,
        "june_bill": stage.bill_of(june).public_id,
        "riley_order": order.public_id,
        "riley_order_token": stage.house.links.order_token(order.public_id),
        "riley_payment": payment.public_id,
        "paid_bill": stage.bill_of(bought).public_id,
        "paid_operation": stage.operation_of(bought).public_id,
        "guest_order": guest.public_id,
        "guest_order_token": stage.house.links.order_token(guest.public_id),
        "guest_bill": stage.bill_of(guest).public_id,
        "reset_link": stage.link("reset", RILEY),
        "invite_link": stage.link("invite", JUNE),
        "verify_link": stage.link("verify", RILEY),
        "riley_quote": (quote := stage.quote(RILEY)).public_id,
        "riley_quote_token": stage.house.links.quote_token(quote.public_id),
        "slug": stage.world.router.slug,
        "job": str(stage.rows(Job)[0].id),
        "operation": stage.operation_of(stage.begin_to_pay(stage.world.visit.sku)).public_id,
    }


# --- one stage for each kind of database and worker ------------------------------------------------


class Stages:
    """Builds a stage when it is first asked for and keeps it."""

    def __init__(self, folder: Callable[[str], Path], template: Path, server: Server) -> None:
        self.folder, self.template, self.server = folder, template, server
        self.built: dict[str, Stage] = {}
        self.numbers = itertools.count()

    def get(self, kind: str, sandbox: SandboxProcess) -> Stage:
        if kind not in self.built:
            self.built[kind] = self.new(kind, sandbox)
        return self.built[kind]

    def new(self, kind: str, sandbox: SandboxProcess) -> Stage:
        """A stage that nobody else has."""
        folder = self.folder(f"stage-{kind}")
        sandbox.set_clock(START.timestamp())
        return build(open_database(self._url(kind, folder)), sandbox, folder)

    def _url(self, kind: str, folder: Path) -> str:
        if kind == "sqlite":
            shutil.copyfile(self.template, folder / "shop.db")
            return f"sqlite:///{folder / 'shop.db'}"
        name = f"stage_{uuid.uuid4().hex[:12]}"
        create_database(self.server, name)
        return self.server.url(name)

    def close(self) -> None:
        for stage in self.built.values():
            stage.db.close()


@pytest.fixture(scope="session")
def stages(
    tmp_path_factory: pytest.TempPathFactory, sqlite_file: Path, postgres_server: Server
) -> Iterator[Stages]:
    found = Stages(tmp_path_factory.mktemp, sqlite_file, postgres_server)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """No logs: writing them out with every traceback takes longer than the tests."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture(params=["sqlite", "postgresql"])
def stage(
    request: pytest.FixtureRequest, stages: Stages, processor: SandboxProcess
) -> Iterator[Stage]:
    """The shop with people in it; every test that takes it runs on both databases."""
    found = stages.get(request.param, processor)
    processor.clear_faults()
    processor.set_clock(found.clock.now().timestamp())
    yield found
    processor.clear_faults()


@pytest.fixture
def one_stage(stages: Stages, processor: SandboxProcess) -> Iterator[Stage]:
    """The same on SQLite alone, for what no database has a part in."""
    found = stages.get("sqlite", processor)
    processor.clear_faults()
    processor.set_clock(found.clock.now().timestamp())
    yield found
    processor.clear_faults()
