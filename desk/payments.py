"""Payments: the list, and one with what it paid and what was asked of the processor."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from core.kernel import sheet
from core.kernel.money import Money, total
from core.kernel.sorting import Place
from core.ledger import reading as ledger
from core.parties.models import Account
from core.parties.roles import Role
from desk import lists, shown
from desk.lists import Asked, Listing
from flows import account as accounts
from flows.account import Paid
from payments import reading
from payments.models import Payment
from web.access import Who, allow
from web.context import house
from web.documents import State
from web.pages import page

payments = Blueprint("desk_payments", __name__, url_prefix="/desk", template_folder="templates")


LISTED = Listing(
    "/desk/payments",
    "payment",
    reading.SORTS,
    "-captured",
    head=(
        "number",
        "captured",
        "customer",
        "account",
        "method",
        "processor_id",
        "currency",
        "amount",
        "applied",
    ),
)
Found = tuple[Payment, Account]


@payments.get("/payments")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def listed() -> str:
    """Payments, the newest first."""
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
        drawn = _drawn(session, rows)
    return page(
        "desk/payments.html",
        payments=drawn,
        tabs_=[],
        current_tab="",
        sums=lists.sums(drawn, "amount", "applied"),
        **context,
    )


def _found(session: Session, asked: Asked, place: Place, limit: int) -> list[Found]:
    return reading.listing(session, words=asked.words, place=place, limit=limit)


def _drawn(session: Session, rows: Sequence[Found]) -> list[dict[str, Any]]:
    settled = accounts.settled_by(session, [payment.id for payment, _ in rows])
    return [_row(payment, who, settled.get(payment.id, [])) for payment, who in rows]


@payments.get("/payments.csv")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def export() -> Response:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, _cells)


def _cells(session: Session, rows: Sequence[Found]) -> Iterator[list[sheet.Cell]]:
    for (payment, who), row in zip(rows, _drawn(session, rows), strict=True):
        yield [
            sheet.code(payment.number),
            sheet.moment(payment.captured_at),
            sheet.words(who.name),
            sheet.code(who.number),
            sheet.words(payment.instrument),
            sheet.code(payment.gateway_id),
            sheet.code(payment.currency),
            sheet.amount(row["amount"]),
            sheet.amount(row["applied"]),
        ]


def _row(payment: Payment, who: Account, settled: list[accounts.Settled]) -> dict[str, Any]:
    what = ", ".join(f"Bill {part.number}" for part in settled)
    return {
        "number": payment.number,
        "href": f"/desk/payments/{payment.public_id}",
        "at": payment.captured_at,
        "customer": who.name,
        "method": payment.instrument,
        "state": State("go", "Captured"),
        "amount": Money(payment.amount_minor, payment.currency),
        "applied": total((part.amount for part in settled), payment.currency),
        "what": "An order" if payment.order_id else what,
    }


@payments.get("/payments/<public_id>")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def one(public_id: str) -> str:
    """One payment."""
    with house().db.snapshot() as session:
        paid = accounts.payment(session, public_id)
        who = session.get_one(Account, paid.payment.account_id)
        asked = reading.operations_of(session, paid.payment)
        sources = [paid.payment.id, *(refund.id for refund in paid.refunds)]
        entries = ledger.entries_about(session, sources)
    return page(
        "desk/payment.html",
        payment=_words(paid, who),
        facts=[
            ("Account", who.number),
            ("At the processor", paid.payment.gateway_id),
            ("Kept for later", f"{paid.kept.decimal()} {paid.kept.currency}"),
        ],
        applications=[
            (f"Bill {part.number}", f"/desk/invoices/{part.public_id}", _day(paid), part.amount)
            for part in paid.settled
        ],
        operations=[shown.operation(row) for row in asked],
        failed_refunds=[
            (
                f"{row.currency} {Money(row.amount_minor, row.currency).decimal()}: {row.failure}",
                f"/desk/payments/{public_id}/refunds/{row.id}/again",
            )
            for row in paid.refunds
            if row.state == "failed"
        ],
        entries=shown.entries(entries),
        events=shown.moments(
            ("Captured", paid.payment.captured_at),
            *((f"Refunded: {row.reason}", row.refunded_at) for row in paid.refunds),
        ),
    )


def _day(paid: Paid) -> Any:
    return paid.payment.captured_at.date()


def _words(paid: Paid, who: Account) -> dict[str, Any]:
    row = paid.payment
    return {
        "public_id": row.public_id,
        "number": row.number,
        "at": row.captured_at,
        "customer": who.name,
        "customer_href": f"/desk/customers/{who.public_id}",
        "method": row.instrument,
        "state": State("go", "Captured"),
        "amount": Money(row.amount_minor, row.currency),
        "what": "an order" if row.order_id else "bills",
        "what_href": "",
        "gateway_id": row.gateway_id,
    }
