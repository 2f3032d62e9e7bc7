"""A whole shop for tests: the application on a test database, with a pretend processor and a post box."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from app import worker
from app.settings import Settings, load
from app.web import create_app
from app.wiring import web_settings
from cart.delivery import TableDelivery
from core.kernel.blobs import FolderBlobs
from core.kernel.clock import Clock
from core.kernel.db import Database
from flows.house import House, Rules
from flows.links import Links
from payments.gateway import Gateway
from web.context import Wired, wire

SECRET = "a secret for tests, forty characters long"
BASE = "http://localhost:8000"


@dataclass
class PostBox:
    """Keeps the mails instead of sending them."""

    mail_from: str = "Fernway <shop@fernway.example.com>"
    mails: list[EmailMessage] = field(default_factory=list)

    def deliver(self, message: EmailMessage) -> None:
        self.mails.append(message)

    def to(self, address: str) -> list[EmailMessage]:
        """What somebody got."""
        return [mail for mail in self.mails if mail["To"] == address]


class _Compiled(BytecodeCache):
    """Templates that a shop compiled, for the others of this process."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def _share_what_addresses_compile_to() -> None:
    """A running shop compiles its thousand addresses once; so do all the applications of one process.

    What is compiled of an address finds the converters in the rule that it is called with.
    """
    compile_one = Rule._compile_builder
    compiled: dict[object, Callable[..., tuple[str, str]]] = {}

    def compile_once(self: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        defaults = tuple(sorted((self.defaults or {}).items()))
        key = (self.rule, tuple(self._trace), defaults, append_unknown)
        if key not in compiled:
            compiled[key] = compile_one(self, append_unknown)
        return compiled[key]

    setattr(Rule, "_compile_builder", compile_once)  # noqa: B010 - mypy forbids the other way


_share_what_addresses_compile_to()


@dataclass
class Shop:
    """The running shop of one test."""

    house: House
    settings: Settings
    app: Flask
    post: PostBox

    def client(self) -> FlaskClient:
        """A browser without cookies."""
        return self.app.test_client()

    def drain(self) -> int:
        """Run every job that is due."""
        return worker.drain(self.house)


def make_house(
    db: Database, clock: Clock, folder: Path, gateway: Gateway, *, allow_invoice: bool = True
) -> House:
    """A house whose only outside is the given processor."""
    return House(
        db=db,
        clock=clock,
        gateway=gateway,
        blobs=FolderBlobs(folder / "blobs"),
        sender=PostBox(),
        delivery=TableDelivery(),
        links=Links(BASE, SECRET),
        rules=Rules(
            channel="web",
            hold_for=timedelta(minutes=30),
            payment_for=timedelta(minutes=35),
            payment_grace=timedelta(minutes=5),
            payment_methods=("card", "invoice") if allow_invoice else ("card",),
        ),
    )


def make_shop(
    db: Database,
    clock: Clock,
    folder: Path,
    gateway: Gateway,
    **environment: str,
) -> Shop:
    """The application over a test database. ``environment`` changes settings by their names."""
    house, settings = make_house(db, clock, folder, gateway), _settings(db, folder, environment)
    rules = replace(house.rules, staff_need_second_step=settings.staff_need_second_step)
    house = replace(house, rules=rules)
    return _opened(house, settings, _app(settings, house))


class ShopMaker:
    """Makes shops one after another, each in the application of the one before.

    To wire an application, with all its routes, takes longer than most tests that send it a request.
    """

    def __init__(self) -> None:
        self._app: Flask | None = None
        self._new: dict[str, object] = {}

    def make(self, db: Database, clock: Clock, folder: Path, gateway: Gateway) -> Shop:
        """A shop that remembers nothing; the one before is over."""
        house = make_house(db, clock, folder, gateway)
        settings = _settings(db, folder, {})
        if self._app is None:
            self._app = _app(settings, house)
            self._new = dict(self._app.extensions)
        # All that an application remembers stands in its extensions.
        self._app.extensions.clear()
        self._app.extensions.update(self._new)
        wire(self._app.extensions, Wired(house, web_settings(settings)))
        return _opened(house, settings, self._app)


def _settings(db: Database, folder: Path, environment: dict[str, str]) -> Settings:
    return load(
        {
            "SHOP_MODE": "test",
            "DATABASE_URL": db.url,
            "SECRET_KEY": SECRET,
            "BASE_URL": BASE,
            "DATA_DIR": str(folder),
            "STRIPE_KEY": "sk_sandbox_tests",
            "STRIPE_BASE": "http://127.0.0.1:8001",
            "STRIPE_WEBHOOK_SECRETS": "whsec_tests",
            "MAIL_FROM": "Fernway <shop@fernway.example.com>",
            "RETURN_ORIGINS": "https://headless.example.com",
            "ALLOW_INVOICE": "yes",
            "METRICS_TOKEN": "figures-for-tests",
            "RATE_LOGIN": "1000 per minute",
            "RATE_MAIL": "1000 per minute",
            "RATE_CHECKOUT": "1000 per minute",
            "RATE_GIFT_CARD": "1000 per minute",
            "RATE_CART": "10000 per minute",
            "RATE_API": "100000 per minute",
            **environment,
        }
    )


def _app(settings: Settings, house: House) -> Flask:
    app = create_app(settings, house)
    app.jinja_env.bytecode_cache = _COMPILED
    app.testing = False
    return app


def _opened(house: House, settings: Settings, app: Flask) -> Shop:
    post = house.sender
    assert isinstance(post, PostBox)
    return Shop(house, settings, app, post)
