"""What the account's templates are given, in the words of a page."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from core.kernel.money import Money, extend, total
from core.ledger.items import Open
from core.parties.models import Account
from flows.account import Overview
from invoices.models import Invoice
from payments.models import Payment, Refund
from web.context import today
from web.documents import Bill, bill_of
from web.filters import local
from web.login import payable_accounts
from web.services import state_in

_KIND = {
    "invoice": "Bill",
    "credit_memo": "Credit memo",
    "debit_memo": "Debit memo",
    "note": "Note",
}


def greeting(now: datetime, name: str) -> str:
    """By the clock on the reader's wall."""
    hour = local(now).hour
    word = "Good morning" if hour < 12 else "Good afternoon" if hour < 18 else "Good evening"
    return f"{word}, {name.partition(' ')[0]}"


def words(invoice: Invoice, item: Open | None) -> Bill:
    """What the ledger says of a bill to whoever is logged in: a mere viewer is not asked to pay."""
    said = bill_of(invoice, item, today())
    return said._replace(payable=said.payable and invoice.payer_account_id in payable_accounts())


def bill(
    invoice: Invoice,
    item: Open | None,
    *,
    printed: bool,
    chosen: bool = False,
    known: Mapping[uuid.UUID, tuple[str, str]] | None = None,
) -> dict[str, Any]:
    """A row of a list of bills. What a credit memo gives stands below zero; ``known`` are number and
    public id of the bills that memos correct."""
    said = words(invoice, item)
    turn = -1 if invoice.kind == "credit_memo" else 1
    of = (known or {}).get(invoice.corrects_id) if invoice.corrects_id is not None else None
    return {
        "id": invoice.public_id,
        "number": invoice.number,
        "kind_word": _KIND[invoice.kind],
        "href": f"/account/bills/{invoice.public_id}",
        "pdf_href": f"/account/bills/{invoice.public_id}.pdf" if printed else "",
        "issued": invoice.issue_date,
        "due": invoice.due_date,
        "of": of[0] if of is not None else "",
        "of_href": f"/account/bills/{of[1]}" if of is not None else "",
        "total": Money(invoice.total_minor, invoice.currency) * turn,
        "open": said.open * turn,
        "state": said.state,
        "payable": said.payable,
        "chosen": chosen,
    }


def related(documents: Sequence[Invoice]) -> list[tuple[str, str, Money]]:
    """The memos on a bill, or the bill that a memo corrects: words, address, amount."""
    return [
        (
            f"{_KIND[one.kind]} {one.number}",
            f"/account/bills/{one.public_id}",
            Money(one.total_minor, one.currency) * (-1 if one.kind == "credit_memo" else 1),
        )
        for one in documents
    ]


def services(
    seen: Overview, mine: Collection[uuid.UUID], today: date
) -> tuple[list[tuple[Any, ...]], Money | None]:
    """The plans, and what those that one's own accounts pay for come to a month."""
    rows, monthly = [], None
    for one in seen.services:
        phase = one.phase_on(today) or one.phases[-1]
        amount = extend(phase.unit_price_micros, phase.quantity, one.currency)
        href = f"/account/services/{one.public_id}"
        rows.append((phase.name, state_in(one, phase), amount, f"a {phase.interval}", href))
        if phase.interval == "month" and one.payer_account_id in mine:
            monthly = amount if monthly is None else monthly + amount
    return rows, monthly


def lately(seen: Overview, currency: str) -> list[dict[str, Any]]:
    """Bills and payments by date, the newest first, without a running balance across accounts."""
    rows: list[tuple[date, int, dict[str, Any]]] = []
    for invoice in seen.invoices:
        amount = Money(invoice.total_minor, invoice.currency)
        credit = invoice.kind == "credit_memo"
        rows.append(
            (
                invoice.issue_date,
                0,
                {
                    "date": invoice.issue_date,
                    "what": _KIND[invoice.kind],
                    "href": f"/account/bills/{invoice.public_id}",
                    "detail": "",
                    "number": invoice.number,
                    "charged": None if credit else amount,
                    "paid": amount if credit else None,
                },
            )
        )
    rows += [(local(row.captured_at).date(), 1, _payment_row(row)) for row in seen.payments]
    rows += [(local(row.refunded_at).date(), 2, _refund_row(row)) for row in seen.refunds]
    rows.sort(key=lambda row: (row[0], row[1]), reverse=True)
    balance = total((one.open for one in seen.owes), currency) - seen.held
    answer = []
    for _, _, row in rows:
        row["owed_after"] = balance
        balance = (
            balance
            - (row["charged"] or Money.zero(currency))
            + (row["paid"] or Money.zero(currency))
        )
        answer.append(row)
    return answer[:10]


def _payment_row(payment: Payment) -> dict[str, Any]:
    return {
        "date": local(payment.captured_at).date(),
        "what": "Payment",
        "href": f"/account/payments/{payment.public_id}",
        "detail": payment.instrument,
        "number": payment.number,
        "charged": None,
        "paid": Money(payment.amount_minor, payment.currency),
    }


def _refund_row(refund: Refund) -> dict[str, Any]:
    return {
        "date": local(refund.refunded_at).date(),
        "what": "Paid back to your card",
        "href": "",
        "detail": "",
        "number": "",
        "charged": Money(refund.amount_minor, refund.currency),
        "paid": None,
    }


def place(account: Account) -> str:
    """Where the account lives, in one line."""
    address = account.billing_address or {}
    return ", ".join(str(address[k]) for k in ("line1", "city") if address.get(k))
