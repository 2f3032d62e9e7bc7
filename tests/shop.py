"""A whole shop for tests: the application on a test database, with a pretend processor and a post box."""

from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from app import worker
from app.settings import Settings, load
from app.web import create_app
from cart.delivery import FlatDelivery
from core.kernel.blobs import FolderBlobs
from core.kernel.clock import Clock
from core.kernel.db import Database
from flows.house import House, Rules
from flows.links import Links
from payments.gateway import Gateway

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
        delivery=FlatDelivery(),
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
    house = make_house(db, clock, folder, gateway)
    settings = load(
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
    app = create_app(settings, house)
    app.testing = False
    post = house.sender
    assert isinstance(post, PostBox)
    return Shop(house, settings, app, post)
