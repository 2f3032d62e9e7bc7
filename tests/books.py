"""A shop's books with something on every page: orders paid and on terms, a refund, a bill paid too much,
imported history, holds, a stored document and a sealed audit log."""

import sqlite3
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.commands import import_invoices
from app.commands import verify as command
from cart import address
from core.kernel import audit, blobs
from core.kernel.blobs import FolderBlobs
from core.kernel.clock import ManualClock, local_date
from core.kernel.db import Database
from core.kernel.ids import new_id
from core.kernel.money import Money, extend
from core.ledger import business, items, tenders
from core.ledger.models import OpenItem
from core.ledger.splitting import Share, Source
from core.orders import placing
from core.orders.drafting import NewLine, NewOrder
from core.orders.models import Order
from core.parties.models import Account
from core.stock import holds
from core.stock.holds import Demand, Owner
from core.tax.arithmetic import Tax, tax_lines
from flows.verify import Finding, verify
from invoices import issue
from invoices.models import Invoice, StoredDocument
from invoices.wording import Printing
from payments import gateway, money
from payments.models import Payment, PaymentOperation
from tests import retail
from tests.world import OHIO_PPM, ZONE, Goods, World, account

#: A Tuesday afternoon at Fernway's.
START = datetime(2026, 11, 17, 19, 11, tzinfo=UTC)
OHIO = Tax("Ohio", "Sales tax", OHIO_PPM)
PRINTING = Printing(lambda public_id: f"http://localhost/i/{public_id}", address.lines)


@dataclass
class Books:
    """The shop whose books these are, and how to write in them."""

    db: Database
    clock: ManualClock
    world: World
    folder: Path

    @property
    def blobs(self) -> FolderBlobs:
        """Where stored documents are: the place that ``./shop verify --documents`` looks at."""
        return FolderBlobs(self.folder / "blobs")

    def tamper(self, *statements: str) -> None:
        """What somebody with the database's password could do: no trigger and no key stops them."""
        if self.db.is_sqlite:
            with sqlite3.connect(self.db.url.removeprefix("sqlite:///")) as raw:
                found = raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                for (name,) in found.fetchall():
                    raw.execute(f"DROP TRIGGER {name}")
                for statement in statements:
                    assert raw.execute(statement).rowcount != 0, statement
            raw.close()
            return
        with self.db.transaction() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                done = session.connection().exec_driver_sql(statement)
                assert done.rowcount != 0, statement


def write(db: Database, clock: ManualClock, world: World, folder: Path) -> Books:
    """Fill the books. Our invoices are 100001 (paid), 100002 (on terms, paid later with 5.00 too
    much) and 100003 (paid); order O-10004 was paid for too late and refunded."""
    books = Books(db, clock, world, folder)
    with db.transaction() as session:
        riley = account(session, world, clock.now(), number="204187751")
        _paid_order(session, books, riley, [(world.router, 1), (world.visit, 1)])
        on_terms = _order(session, books, riley, [(world.camera, 2)], "on_terms")
        issue.for_order(session, on_terms.id, PRINTING, clock.now())
        _paid_order(session, books, riley, [(world.plan, 1)])
        _sent_back(session, books, riley)
    clock.advance(timedelta(days=3))
    with db.transaction() as session:
        _pay_bill(session, books, riley.id, "100002")
        cart = Owner("cart", new_id())
        demand = Demand(new_id(), world.camera.variant_id, 1)
        holds.hold(session, cart, [demand], clock.now() + timedelta(minutes=30), clock.now())
        for number in ("100001", "100002", "100003"):
            _store(session, books, number)
        audit.write(session, clock.now(), "system", "books.written", ("shop", "1"))
    _import(books)
    with db.transaction() as session:
        audit.seal(session, clock.now())
    return books


def _order(
    session: Session, books: Books, payer: Account, goods: list[tuple[Goods, int]], payment: str
) -> Order:
    now = books.clock.now()
    nets = [(extend(one.unit_price_micros, pieces, "USD").minor, [OHIO]) for one, pieces in goods]
    order = placing.write(
        session,
        NewOrder(
            legal_entity_id=books.world.legal_entity_id,
            channel_id=books.world.channel_id,
            currency="USD",
            payer_account_id=payer.id,
            service_account_id=payer.id,
            cart_id=new_id(),
            payment_method="invoice" if payment == "on_terms" else "card",
            email="riley@example.com",
            shipping_address=None,
            shipping_method=None,
            lines=[
                NewLine(
                    variant_id=one.variant_id,
                    sku=one.sku,
                    name=one.sku,
                    kind="physical" if one.level_id else "service",
                    tax_category="device",
                    charge_kind="one_off",
                    quantity=pieces,
                    unit_price_micros=one.unit_price_micros,
                    price_trace={},
                    taxed=taxed,
                )
                for (one, pieces), taxed in zip(goods, tax_lines(nets, "document"), strict=True)
            ],
        ),
        now,
    )
    demands = [
        Demand(line.id, line.variant_id, line.quantity)
        for line in placing.lines_of(session, order.id)
        if line.variant_id is not None
    ]
    owner = Owner("order", order.id)
    holds.hold(session, owner, demands, now + timedelta(minutes=36), now)
    holds.allocate(session, owner, demands, f"order:{order.public_id}", now)
    placing.confirm(session, order, payment, now)
    kind = "terms" if payment == "on_terms" else "card"
    share = Share(Source(kind, kind), Money(order.due_now_minor, "USD"))
    tenders.reserve(session, payer.id, [(None, share)], now, order_id=order.id)
    entity_id, today = books.world.legal_entity_id, local_date(now, ZONE)
    tenders.take_for_order(session, order.id, entity_id, today, now)
    return order


def _paid_order(
    session: Session, books: Books, payer: Account, goods: list[tuple[Goods, int]]
) -> None:
    order = _order(session, books, payer, goods, "paid")
    payment = _capture(session, books, payer.id, order.due_now_minor, order.id)
    receipt = money.receipt_of(payment, local_date(books.clock.now(), ZONE))
    business.receive_for_order(session, receipt, order.id, books.clock.now())
    issue.for_order(session, order.id, PRINTING, books.clock.now())


def _capture(
    session: Session, books: Books, account_id: uuid.UUID, minor: int, order_id: uuid.UUID | None
) -> Payment:
    operation = _operation(session, books, "checkout", account_id, minor, order_id, None)
    usd, zero = Money(minor, "USD"), Money.zero("USD")
    captured = gateway.Payment(
        id=f"pi_{operation.public_id}",
        status="succeeded",
        amount=usd,
        amount_capturable=zero,
        amount_received=usd,
        amount_refunded=zero,
        operation_id=operation.public_id,
        metadata={},
        created=books.clock.now(),
        last_decline=None,
        card_brand="visa",
        card_last4="4242",
        balance_transaction_id=None,
        fee=None,
    )
    return money.record_capture(
        session, operation, captured, books.world.legal_entity_id, books.clock.now()
    )


def _operation(
    session: Session,
    books: Books,
    kind: str,
    account_id: uuid.UUID,
    minor: int,
    order_id: uuid.UUID | None,
    payment_id: uuid.UUID | None,
) -> PaymentOperation:
    operation = PaymentOperation(
        op_key=f"{kind}-{new_id()}",
        kind=kind,
        account_id=account_id,
        order_id=order_id,
        payment_id=payment_id,
        amount_minor=minor,
        currency="USD",
        request={"reason": "paid_too_late"},
        state="succeeded",
        created_at=books.clock.now(),
    )
    session.add(operation)
    session.flush()
    return operation


def _sent_back(session: Session, books: Books, payer: Account) -> None:
    """Money for an order that could not be kept: held for it, then refunded."""
    now, today = books.clock.now(), local_date(books.clock.now(), ZONE)
    order = _order(session, books, payer, [(books.world.visit, 1)], "paid")
    payment = _capture(session, books, payer.id, 6390, order.id)
    business.receive_for_order(session, money.receipt_of(payment, today), order.id, now)
    (held,) = items.find(session, OpenItem.source_id == payment.id)
    operation = _operation(session, books, "refund", payer.id, 6390, order.id, payment.id)
    refund = money.record_refund(
        session,
        operation,
        gateway.Refund(
            id=f"re_{operation.public_id}",
            status="succeeded",
            amount=held.open,
            payment_id=payment.gateway_id,
            operation_id=operation.public_id,
            metadata={},
            created=now,
            failure=None,
            balance_transaction_id=None,
        ),
        now,
    )
    business.refund_credit(session, held, held.open, refund.id, today, now)


def _pay_bill(session: Session, books: Books, account_id: uuid.UUID, number: str) -> None:
    (owed,) = items.find(session, OpenItem.number == number)
    payment = _capture(session, books, account_id, owed.open.minor + 500, None)
    receipt = money.receipt_of(payment, local_date(books.clock.now(), ZONE))
    business.receive_for_items(session, receipt, [(owed, owed.open)], books.clock.now())


def _store(session: Session, books: Books, number: str) -> None:
    """Keep a document's bytes; what they say is of no matter here."""
    data = f"document {number}".encode()
    sha256 = books.blobs.put(data)
    blobs.note(session, sha256, len(data), "application/pdf", books.clock.now())
    session.flush()
    session.add(
        StoredDocument(
            invoice_id=session.scalars(select(Invoice.id).where(Invoice.number == number)).one(),
            sha256=sha256,
            template_version="1",
            renderer_version="1",
            fonts_version="1",
            stored_at=books.clock.now(),
        )
    )


def _import(books: Books) -> None:
    books.folder.mkdir(exist_ok=True)
    file = retail.write(books.folder / "history.csv")
    out = StringIO()
    argv = [str(file), "--columns", str(retail.SHIPPED)]
    settings = retail.settings(books.folder)
    code = import_invoices.run(argv, settings, books.db, books.clock, out)
    assert code == 0, out.getvalue()


def findings(books: Books, as_of: date | None = None) -> dict[int, Finding]:
    """Every line, the stored documents included."""
    found = verify(books.db, books.clock, as_of=as_of, blobs=books.blobs)
    return {finding.number: finding for finding in found}


def run(books: Books, *argv: str) -> tuple[int, str]:
    out = StringIO()
    settings = retail.settings(books.folder)
    code = command.run(argv, settings, books.db, books.clock, out)
    return code, out.getvalue()
