"""Gathers the facts that mails are made of, from orders, documents, payments and the ledger.

Called by ``flows.notify`` alone. Reads; writes nothing.
"""

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from cart import address
from core.kernel.clock import local_date
from core.kernel.money import Money, total
from core.ledger import applied, gift_codes, items, paid_by
from core.ledger.chart import UNAPPLIED
from core.ledger.items import Open
from core.ledger.tender_models import GiftCard
from core.notices import addressing
from core.notices.figures import Figures, figures, first_name
from core.notices.letters import (
    BillLetter,
    ChargeFailedLetter,
    GiftCardLetter,
    Letterhead,
    MethodLetter,
    OrderLetter,
    Plan,
    ReceiptLetter,
    RefundLetter,
    Row,
    SoldCard,
)
from core.orders import grouping, placing
from core.orders.models import Order, OrderLine, OrderLineTax
from core.parties.models import Account
from flows.links import Links
from invoices.document import InvoiceDocument, Line, TaxSubtotal
from invoices.models import Invoice
from payments import methods
from payments.automatic_models import ScheduledPayment
from payments.models import Authorisation, Payment, PaymentMethod, PaymentOperation, Refund

#: More rows than this are summed up; the PDF has them all.
MOST_ROWS = 16
#: What the rows of a sum are called.
EVERY = {"monthly": "month", "yearly": "year"}
TOGETHER, TO_PAY, PAID, CREDIT, KEPT = "Together", "To pay", "Paid", "Credit", "Kept for you"


def greeting(account: Account) -> str:
    """The first name of a person; nothing for an organisation."""
    return first_name(account.name) if account.kind == "person" else ""


def buyer(order: Order, account: Account) -> str:
    """The first name of whom an order thanks. In a quote's order places have names, such as "The yard"."""
    to = {} if order.quote_version_id else order.shipping_address or {}
    return first_name(str(to.get("name") or "")) or greeting(account)


# --- an order -------------------------------------------------------------------------------------


def of_order(session: Session, order: Order, link: str) -> OrderLetter:
    """Thank you for a placed order, which has its number."""
    account = session.get_one(Account, order.payer_account_id)
    head = addressing.of_account(session, account)
    lines = grouping.as_placed(placing.lines_of(session, order.id))
    taxes = placing.taxes_of(session, order.id)
    placed = {line.id: taxes[line.id] for line in lines if line.id in taxes}
    to = order.shipping_address or {}
    name = str(to.get("name") or "")
    return OrderLetter(
        head=head,
        name=buyer(order, account),
        number=order.number or "",
        placed_on=local_date(order.placed_at or order.created_at, head.time_zone),
        is_paid=order.payment == "paid",
        rows=_order_rows(order, lines, placed, figures(head.locale)),
        total=Money(order.due_now_minor, order.currency),
        ships=any(line.kind == "physical" for line in lines),
        visits=tuple(line.name for line in lines if line.kind == "service"),
        plans=_plans(order, lines),
        address=tuple(part for part in (name, *address.lines(order.shipping_address)) if part),
        link=link,
        paid_by=_paid_by(session, order),
        is_held=order.is_held,
    )


def _paid_by(session: Session, order: Order) -> tuple[Row, ...]:
    found = paid_by.of_order(session, order.id)
    if {row.kind for row in found} <= {"card", "terms"}:
        return ()
    return tuple(Row(row.label, row.amount, kind="part") for row in found)


def _order_rows(
    order: Order,
    lines: Sequence[OrderLine],
    taxes: dict[uuid.UUID, list[OrderLineTax]],
    say: Figures,
) -> tuple[Row, ...]:
    rows = []
    for one in grouping.standing(lines):
        rows.append(_order_row(one.line, one.priced_minor, order.currency))
        rows += [_order_row(piece, piece.priced_minor, order.currency) for piece in one.pieces]
    for label, minor in _taxes(taxes, say, inclusive=False).items():
        rows.append(Row(label, Money(minor, order.currency), kind="part"))
    within = _taxes(taxes, say, inclusive=True)
    note = ", ".join(
        f"{label}: {say.money(Money(minor, order.currency))}" for label, minor in within.items()
    )
    rows.append(Row(TOGETHER, Money(order.due_now_minor, order.currency), note, "total"))
    return tuple(rows)


def _order_row(line: OrderLine, minor: int, currency: str) -> Row:
    return Row(
        counted(line.name, Decimal(line.quantity)),
        Money(minor, currency),
        f"First {EVERY[line.charge_kind]}" if line.charge_kind in EVERY else "",
        "piece" if line.parent_id else "line",
    )


def _taxes(
    taxes: dict[uuid.UUID, list[OrderLineTax]], say: Figures, *, inclusive: bool
) -> dict[str, int]:
    sums: dict[str, int] = {}
    for tax in (tax for of_line in taxes.values() for tax in of_line):
        if tax.inclusive == inclusive and not tax.relief:
            label = _tax_label(tax.name, tax.jurisdiction, say.percent(tax.rate_ppm))
            sums[label] = sums.get(label, 0) + tax.amount_minor
    return sums


def _plans(order: Order, lines: Sequence[OrderLine]) -> tuple[Plan, ...]:
    return tuple(
        Plan(
            counted(line.name, Decimal(line.quantity)),
            Money(line.priced_minor, order.currency),
            EVERY[line.charge_kind],
        )
        for line in lines
        if line.charge_kind in EVERY
    )


# --- a document -----------------------------------------------------------------------------------


def of_bill(
    session: Session, invoice: Invoice, link: str, *, is_guest: bool, pay_link: str = ""
) -> BillLetter:
    """A document with what the ledger says is open of it now."""
    account = session.get_one(Account, invoice.payer_account_id)
    head = addressing.of_account(session, account)
    whole = Money(invoice.total_minor, invoice.currency)
    item = items.of_sources(session, [invoice.id]).get(invoice.id)
    still_open = item.open if item else Money.zero(invoice.currency)
    document = InvoiceDocument.from_dict(invoice.document)
    rows = document_rows(document, figures(head.locale))
    return BillLetter(
        head=head,
        name=greeting(account),
        kind=invoice.kind,
        number=invoice.number,
        account_number=account.number,
        order_number=document.order_number,
        issued_on=invoice.issue_date,
        due_on=invoice.due_date,
        total=whole,
        open=still_open,
        rows=(*rows, *_sum_rows(invoice.kind, whole, still_open)),
        link=link,
        is_guest=is_guest,
        pay_link=pay_link if still_open and invoice.kind != "credit_memo" else "",
    )


def _sum_rows(kind: str, whole: Money, still_open: Money) -> list[Row]:
    if kind == "credit_memo":
        return [Row(CREDIT, whole, kind="total")]
    if still_open == whole:
        return [Row(TO_PAY, whole, kind="total")]
    paid = Row(PAID, still_open - whole, kind="part")
    return [Row(TOGETHER, whole), paid, Row(TO_PAY, still_open, kind="total")]


def document_rows(document: InvoiceDocument, say: Figures) -> list[Row]:
    """What a document charges, with delivery and taxes; many lines are summed up."""
    currency = document.currency
    rows = [_line_row(line, currency, say) for line in document.charged_lines]
    if len(rows) > MOST_ROWS:
        rest = rows[MOST_ROWS - 1 :]
        summed = total((row.amount for row in rest), currency)
        rows = [*rows[: MOST_ROWS - 1], Row(f"{len(rest)} more lines, in the PDF", summed)]
    if document.totals.delivery:
        rows.append(Row("Delivery", _money(document.totals.delivery, currency)))
    rows += [_tax_row(tax, currency, say) for tax in document.tax_on_top if not tax.relief]
    return rows


def _line_row(line: Line, currency: str, say: Figures) -> Row:
    days = say.days(line.period_start, line.period_end)
    return Row(counted(line.name, line.quantity), _money(line.net, currency), days)


def _tax_row(tax: TaxSubtotal, currency: str, say: Figures) -> Row:
    rate = say.percent(int(tax.rate * 10_000))
    label = _tax_label(tax.name, tax.jurisdiction, rate)
    return Row(label, _money(tax.amount, currency), kind="part")


def _tax_label(name: str, place: str, rate: str) -> str:
    return f"{name}, {place} {rate}" if place else f"{name}, {rate}"


def counted(name: str, quantity: Decimal) -> str:
    """``Router × 3``; one goes without saying."""
    return name if quantity == 1 else f"{name} × {quantity.normalize():f}"


def _money(amount: Decimal, currency: str) -> Money:
    return Money.parse(str(amount), currency)


# --- money that came, and money that goes back ----------------------------------------------------


def of_receipt(session: Session, payment: Payment, link: str, now: datetime) -> ReceiptLetter:
    """What a payment settled, and what its account still owes."""
    account = session.get_one(Account, payment.account_id)
    head = addressing.of_account(session, account)
    say = figures(head.locale)
    amount = Money(payment.amount_minor, payment.currency)
    rows = [
        Row(
            f"Bill {each.item.number}",
            each.amount,
            f"{say.money(each.item.open)} still open" if each.item.open else "Settled",
        )
        for each in applied.of_payment(session, payment.id)
    ]
    kept = _kept(session, payment)
    if kept:
        rows.append(Row(KEPT, kept))
    left, next_due = _left(session, account, payment.currency, local_date(now, head.time_zone))
    return ReceiptLetter(
        head=head,
        name=greeting(account),
        number=payment.number,
        account_number=account.number,
        amount=amount,
        paid_on=_day(payment.captured_at, head),
        instrument=payment.instrument,
        settled=(*rows, Row(TOGETHER, amount, kind="total")),
        kept=kept,
        left=left,
        next_due=next_due,
        link=link,
    )


def _kept(session: Session, payment: Payment) -> Money:
    held = items.of_sources(session, [payment.id]).get(payment.id)
    if held is None or held.ledger_code != UNAPPLIED:
        return Money.zero(payment.currency)
    return held.amount


def _left(
    session: Session, account: Account, currency: str, today: date
) -> tuple[Money, date | None]:
    """What is still owed, and when the next of it is due; no date when some of it is due already."""
    owed = [
        item for item in items.owed_by(session, [account.id]) if item.amount.currency == currency
    ]
    left = total((item.open for item in owed), currency)
    first = owed[0].due_date if owed else None
    return left, first if first is not None and first >= today else None


def of_refund(
    session: Session, refund: Refund, payment: Payment, account: Account, link: str
) -> RefundLetter:
    """Money that goes back to where it came from."""
    head = addressing.of_account(session, account)
    return RefundLetter(
        head=head,
        name=greeting(account),
        amount=Money(refund.amount_minor, refund.currency),
        refunded_on=_day(refund.refunded_at, head),
        paid_on=_day(payment.captured_at, head),
        instrument=payment.instrument,
        reason=refund.reason,
        payment_number=payment.number,
        link=link,
    )


# --- cards on file --------------------------------------------------------------------------------


def of_method(session: Session, given: Authorisation, link: str) -> MethodLetter:
    """A card that was put on file, with what its owner agreed to."""
    account = session.get_one(Account, given.account_id)
    head = addressing.of_account(session, account)
    return MethodLetter(
        head=head,
        name=greeting(account),
        link=link,
        account_number=account.number,
        instrument=methods.label(session.get_one(PaymentMethod, given.payment_method_id)),
        agreed=given.text,
        agreed_on=_day(given.agreed_at, head),
    )


def of_failed_charge(
    session: Session,
    operation: PaymentOperation,
    parts: Sequence[tuple[Open, Money]],
    row: ScheduledPayment | None,
    link: str,
) -> ChargeFailedLetter:
    """Bills that could not be charged to a card on file, and when that is tried again."""
    account = session.get_one(Account, operation.account_id)
    head = addressing.of_account(session, account)
    method = session.get_one(PaymentMethod, operation.payment_method_id)
    days = [item.due_date for item, _ in parts if item.due_date is not None]
    is_retried = row is not None and row.state == "retrying" and row.next_at is not None
    return ChargeFailedLetter(
        head=head,
        name=greeting(account),
        link=link,
        number=", ".join(item.number for item, _ in parts),
        account_number=account.number,
        amount=Money(operation.amount_minor, operation.currency),
        instrument=methods.label(method),
        reason=operation.failure or "",
        tried_on=_day(operation.settled_at or operation.created_at, head),
        due_on=min(days, default=None),
        next_on=_day(row.next_at, head) if is_retried and row and row.next_at else None,
    )


def _day(moment: datetime, head: Letterhead) -> date:
    return local_date(moment, head.time_zone)


# --- gift cards -----------------------------------------------------------------------------------


def of_gift_cards(
    session: Session, order: Order, cards: Sequence[GiftCard], links: Links
) -> GiftCardLetter:
    """The codes of the cards that were just sold."""
    account = session.get_one(Account, order.payer_account_id)
    sold = tuple(
        SoldCard(
            gift_codes.spaced(gift_codes.code_of(links.secret, card.public_id)),
            Money(card.worth_minor, card.currency),
            links.gift_card(card.public_id),
        )
        for card in cards
    )
    return GiftCardLetter(
        head=addressing.of_account(session, account),
        name=buyer(order, account),
        link=sold[0].link if len(sold) == 1 else "",
        number=order.number or "",
        cards=sold,
        total=total((card.amount for card in sold), order.currency),
    )
