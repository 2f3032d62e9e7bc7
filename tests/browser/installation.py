"""A whole installation for the browser: the demo as ``./shop demo`` opens it, on ports of its own."""

import os
import pathlib
import shlex
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.demo.fernway import people
from app.demo.ground import Ports
from app.demo.mail_store import Mail, MailStore
from app.settings import Settings, load
from app.wiring import build
from cart import lines, owning
from cart.checkout import Details
from cart.models import Cart
from core.ledger import items
from core.parties import accounts, users
from core.stock.models import Hold
from flows.house import House
from flows.place_order import Placed, Wish, place
from invoices.models import Invoice
from payments.models import PaymentOperation
from tests.ports import free_ports
from tests.processes import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
#: Whoever drives a browser is faster than people are.
RATES = {
    "RATE_LOGIN": "1000 per minute",
    "RATE_MAIL": "1000 per minute",
    "RATE_CHECKOUT": "1000 per minute",
    "RATE_GIFT_CARD": "1000 per minute",
    "RATE_CART": "10000 per minute",
}


class Installation:
    """The running demo: its addresses, its mails, and hands to turn what a visitor can't."""

    def __init__(self, data: pathlib.Path, ports: Ports) -> None:
        self.data = data
        self.ports = ports
        self.shop = f"http://localhost:{ports.web}"
        self.processor = f"http://127.0.0.1:{ports.processor}"
        self.mail_box = f"http://127.0.0.1:{ports.mail}"

    @cached_property
    def settings(self) -> Settings:
        """What its processes were started with."""
        text = (self.data / "settings.env").read_text()
        return load(dict(word.split("=", 1) for word in shlex.split(text)))

    @cached_property
    def house(self) -> House:
        """The same house that its processes live in."""
        return build(self.settings)

    def close(self) -> None:
        if "house" in self.__dict__:
            self.house.db.close()

    # --- mails ---

    def mails(self, to: str) -> list[Mail]:
        """What somebody got, the newest first, without the bodies."""
        return list(MailStore(self.data / "mail").page(1, to).mails)

    def mail(self, to: str, subject: str, seconds: float = 20) -> Mail:
        """The newest mail to somebody whose subject holds some words; waits for it."""
        found: list[Mail] = []

        def look() -> bool:
            found[:] = [mail for mail in self.mails(to) if subject in mail.subject]
            return bool(found)

        assert wait_until(look, seconds), (subject, [mail.subject for mail in self.mails(to)])
        return MailStore(self.data / "mail").get(found[0].id)

    # --- what a visitor can't do ---

    def order_on_terms(self, email: str, pieces: Mapping[str, int]) -> str:
        """Somebody with a log-in orders by bill; answers the bill's number once it is written."""
        with self.house.db.reading() as session:
            user = users.find(session, email)
            assert user is not None
            _, entity = accounts.channel_by_code(session, self.house.rules.channel)
            account = accounts.buying_account(session, user.id, entity.id)
            assert account is not None
        details = Details(email, dict(account.billing_address or {}), "standard", "invoice")
        order = self._order(details, pieces, user.id)
        numbers: list[str] = []

        def written() -> bool:
            numbers[:] = self.values(Invoice.number, Invoice.order_id == order.order_id)
            return bool(numbers)

        assert wait_until(written), "no bill was written"
        return numbers[0]

    def order_by_guest(self, email: str, payment_method: str) -> Placed:
        """A stranger orders a chime; by card they are left at the processor's page."""
        details = Details(email, dict(people.NELL.address), "standard", payment_method)
        return self._order(details, {"CHIME-1": 1}, None)

    def _order(
        self, details: Details, pieces: Mapping[str, int], user_id: uuid.UUID | None
    ) -> Placed:
        house = self.house
        now = house.clock.now()

        def fill(session: Session) -> str:
            channel, _ = accounts.channel_by_code(session, house.rules.channel)
            if user_id is None:
                cart = lines.open_cart(session, channel, now)
            else:
                cart = owning.opened_for(session, channel, user_id, now)
            for sku, quantity in pieces.items():
                lines.add(session, cart, sku, quantity, house.rules.hold_for, now)
            return cart.public_id

        return place(house, Wish(house.db.run_tx(fill), details, user_id=user_id))

    def operation_of(self, order_id: uuid.UUID) -> str:
        """By what name the way back from the processor knows an order's payment."""
        operations = self.values(PaymentOperation.public_id, PaymentOperation.order_id == order_id)
        assert len(operations) == 1
        return str(operations[0])

    def open_bills(self, email: str) -> list[str]:
        """The numbers of what somebody's account has to pay, the earliest due first."""
        with self.house.db.snapshot() as session:
            user = users.find(session, email)
            assert user is not None
            _, entity = accounts.channel_by_code(session, self.house.rules.channel)
            account = accounts.buying_account(session, user.id, entity.id)
            assert account is not None
            return [item.number for item in items.owed_by(session, [account.id])]

    def move_hold(self, cart_id: str, seconds_left: float) -> None:
        """Lets the hold of a cart end so many seconds from now; a negative number: it has ended."""
        ends = self.house.clock.now() + timedelta(seconds=seconds_left)

        def move(session: Session) -> None:
            cart = session.scalars(select(Cart.id).where(Cart.public_id == cart_id)).one()
            session.execute(
                update(Hold)
                .where(Hold.owner_id == cart, Hold.state == "active")
                .values(expires_at=ends)
            )

        self.house.db.run_tx(move)

    def values(self, column: Any, *where: Any) -> list[Any]:
        """One column of the rows for which something holds."""
        with self.house.db.reading() as session:
            return list(session.scalars(select(column).where(*where)))

    def count(self, column: Any, *where: Any) -> int:
        """How many rows there are for which something holds."""
        return len(self.values(column, *where))


@contextmanager
def opened(data: pathlib.Path) -> Iterator[Installation]:
    """The demo on a folder, opened as people open it; closed at the end, with nothing left running."""
    ports = Ports(free_ports(4))
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "demo", "--port", f"{ports.web}", "--data", f"{data}"],
        cwd=ROOT,
        env={**os.environ, **RATES, "WEB_PROCESSES": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []
    is_open = threading.Event()
    listener = threading.Thread(target=_listen, args=(process.stdout, said, is_open))
    listener.start()
    installation = Installation(data, ports)
    try:
        assert is_open.wait(60), said
        assert process.poll() is None, said
        yield installation
    finally:
        installation.close()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=15)
        listener.join()
        assert process.stdout is not None
        process.stdout.close()


def _listen(lines_: Any, said: list[str], is_open: threading.Event) -> None:
    for line in lines_:
        said.append(line.rstrip())
        if "Ctrl-C closes it" in line:
            is_open.set()
    is_open.set()
