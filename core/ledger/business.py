"""The journal's business events: each posts one entry and opens or settles items with it.

All take the caller's session and commit nothing. Amounts are positive; the entry's shape is the event's.
What comes from outside (payments, refunds) and would lie in a closed period stands on the first open day.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from core.events import OpenItemsChanged
from core.kernel import jobs
from core.kernel.money import Money, total
from core.ledger import items, periods
from core.ledger.chart import (
    CLEARING,
    CUSTOMER_CREDIT,
    ORDER_DEPOSIT,
    RECEIVABLE,
    TAX_PAYABLE,
    UNAPPLIED,
)
from core.ledger.items import NewApplication, NewItem, Open
from core.ledger.journal import Posting, Side, credit, debit, post, post_many

#: What takes held money away: through the processor, or from the bank.
REFUND, PAY_OUT = "refund", "pay_out"


@dataclass(frozen=True)
class Document:
    """What an invoice or memo tells the ledger."""

    id: uuid.UUID
    legal_entity_id: uuid.UUID
    account_id: uuid.UUID
    number: str
    issue_date: date
    due_date: date | None
    #: Net amounts by the ledger account that each credits.
    nets: Sequence[tuple[str, Money]]
    tax: Money
    is_history: bool = False

    @property
    def total(self) -> Money:
        """What is owed, tax included."""
        return total((amount for _, amount in self.nets), self.tax.currency) + self.tax


@dataclass(frozen=True)
class Receipt:
    """Money that came: from which payment, for whom, on which day."""

    payment_id: uuid.UUID
    legal_entity_id: uuid.UUID
    account_id: uuid.UUID
    number: str
    amount: Money
    received_on: date
    #: Where the money is now: at the processor, or in the bank.
    through: str = CLEARING
    #: ``payment``, or ``transfer`` for what came to the bank.
    source_kind: str = "payment"


def charge(session: Session, document: Document, now: datetime) -> uuid.UUID | None:
    """Invoice issued: receivable against contract liability or revenue, and tax.

    Answers the open item's key, or None when the document's total is zero (then nothing is posted).
    The net may be a mix of signs; the total may not be negative.
    """
    return _issue(session, document, charge_posting(document), charge_item(document), now)


def charge_many(session: Session, documents: Sequence[Document], now: datetime) -> None:
    """``charge`` for each of some invoices of one legal entity; tells once of each account."""
    postings = [charge_posting(document) for document in documents]
    entries = iter(post_many(session, [one for one in postings if one is not None], now))
    asking = [
        (next(entries), document)
        for document, posting in zip(documents, postings, strict=True)
        if posting is not None
    ]
    asking = [(entry, document) for entry, document in asking if document.total]
    items.open_many(session, [(entry, charge_item(one)) for entry, one in asking])
    holders = dict.fromkeys(document.account_id for _, document in asking)
    jobs.record_many(session, [(OpenItemsChanged(str(key)), None) for key in holders], now)


def credit_customer(session: Session, document: Document, now: datetime) -> uuid.UUID | None:
    """Credit memo that stands alone: it takes back revenue and tax and becomes customer credit."""
    return _issue(session, document, credit_posting(document), credit_item(document), now)


def _issue(
    session: Session, document: Document, posting: Posting | None, item: NewItem, now: datetime
) -> uuid.UUID | None:
    if posting is None:
        return None
    entry = post(session, posting, now)
    return items.open_item(session, entry, item) if document.total else None


def charge_posting(document: Document) -> Posting | None:
    """The entry of an invoice; None when there is nothing to post. See ``charge``."""
    if document.total.minor < 0:
        raise ValueError("an invoice below zero is a credit memo")
    if not document.total and not any(amount for _, amount in document.nets):
        return None
    return Posting(
        document.legal_entity_id,
        "invoice_issued",
        document.issue_date,
        "invoice",
        document.id,
        [
            debit(RECEIVABLE, document.total, document.account_id),
            *(credit(code, amount, document.account_id) for code, amount in document.nets),
            credit(TAX_PAYABLE, document.tax, document.account_id),
        ],
    )


def credit_posting(document: Document) -> Posting | None:
    """The entry of a credit memo that stands alone; None when there is nothing to post."""
    if not document.total:
        return None
    return Posting(
        document.legal_entity_id,
        "credit_memo_issued",
        document.issue_date,
        "credit_memo",
        document.id,
        [
            *(debit(code, amount, document.account_id) for code, amount in document.nets),
            debit(TAX_PAYABLE, document.tax, document.account_id),
            credit(CUSTOMER_CREDIT, document.total, document.account_id),
        ],
    )


def charge_item(document: Document) -> NewItem:
    """What an invoice leaves to be paid."""
    return _item_of(document, RECEIVABLE, "invoice")


def credit_item(document: Document) -> NewItem:
    """What a credit memo leaves to be used."""
    return replace(_item_of(document, CUSTOMER_CREDIT, "credit_memo"), due_date=None)


def _item_of(document: Document, ledger_code: str, source_kind: str) -> NewItem:
    return NewItem(
        legal_entity_id=document.legal_entity_id,
        account_id=document.account_id,
        ledger_code=ledger_code,
        amount=document.total,
        source_kind=source_kind,
        source_id=document.id,
        number=document.number,
        effective_date=document.issue_date,
        due_date=document.due_date,
        is_history=document.is_history,
    )


def receive_for_order(
    session: Session, receipt: Receipt, order_id: uuid.UUID, now: datetime
) -> uuid.UUID:
    """Card captured for an order: processor clearing against the order's deposit."""
    receipt = on_open_day(session, receipt)
    deposit = credit(ORDER_DEPOSIT, receipt.amount, receipt.account_id)
    entry = _receive(session, receipt, [deposit], now)
    return items.open_item(session, entry, _held(receipt, ORDER_DEPOSIT, receipt.amount, order_id))


def receive_for_items(
    session: Session,
    receipt: Receipt,
    wanted: Sequence[tuple[Open, Money]],
    now: datetime,
) -> Money:
    """Money that came for bills of the payer: clears each item up to what is still open of it.

    What no longer fits anywhere (somebody else paid meanwhile) is kept as unapplied; its amount is
    answered. Money that came before a bill waits as unapplied until the bill's day. Raises ValueError
    for an item of another account.
    """
    receipt = on_open_day(session, receipt)
    at_once = [one for one in wanted if one[0].effective_date <= receipt.received_on]
    applied, cleared, left = fit(receipt.account_id, receipt.amount, at_once)
    unapplied = credit(UNAPPLIED, left, receipt.account_id)
    entry = _receive(session, receipt, [*cleared, unapplied], now)
    for item, part in applied:
        items.apply(
            session,
            entry,
            now,
            NewApplication(
                part,
                receipt.source_kind,
                receipt.payment_id,
                receipt.received_on,
                debit_item_id=item.id,
            ),
        )
    if not left:
        return left
    held = items.open_item(session, entry, _held(receipt, UNAPPLIED, left, None))
    later = [one for one in wanted if one[0].effective_date > receipt.received_on]
    parts, _, left = fit(receipt.account_id, left, later)
    for item, part in parts:
        owed, day = items.get(session, item.id), item.effective_date
        use_credit(session, items.get(session, held), owed, part, day, now)
    return left


def on_open_day(session: Session, receipt: Receipt) -> Receipt:
    """The receipt on its day, or on the first open one when the books are closed for it."""
    day = periods.open_day(session, receipt.legal_entity_id, receipt.received_on)
    return receipt if day == receipt.received_on else replace(receipt, received_on=day)


def fit(
    account_id: uuid.UUID, amount: Money, wanted: Sequence[tuple[Open, Money]]
) -> tuple[list[tuple[Open, Money]], list[Side], Money]:
    """What goes where: (item, part), the line that clears them, and what is left over.

    Raises ValueError for what the account does not owe.
    """
    left, applied, sides = amount, [], []
    now_open = {item.id: item for item, _ in wanted}
    for item, most in wanted:
        if (item.account_id, item.ledger_code) != (account_id, RECEIVABLE):
            raise ValueError(f"{item.number} is nothing that account {account_id} owes")
        fresh = now_open[item.id]
        part = min(most, fresh.open, left)
        if part.minor > 0:
            applied.append((item, part))
            sides.append(fresh.settle(part))
            now_open[item.id] = replace(fresh, open=fresh.open - part)
            left -= part
    if not sides:
        return [], [], left
    cleared = total((side.amount for side in sides), amount.currency)
    functional = sum(side.functional or 0 for side in sides)
    return applied, [replace(sides[0], amount=cleared, functional=functional)], left


def _receive(
    session: Session, receipt: Receipt, credits: Sequence[Side], now: datetime
) -> uuid.UUID:
    kind = "payment_captured" if receipt.source_kind == "payment" else "transfer_received"
    return post(
        session,
        Posting(
            receipt.legal_entity_id,
            kind,
            receipt.received_on,
            receipt.source_kind,
            receipt.payment_id,
            [debit(receipt.through, receipt.amount), *credits],
        ),
        now,
    )


def _held(receipt: Receipt, ledger_code: str, amount: Money, order_id: uuid.UUID | None) -> NewItem:
    return NewItem(
        legal_entity_id=receipt.legal_entity_id,
        account_id=receipt.account_id,
        ledger_code=ledger_code,
        amount=amount,
        source_kind=receipt.source_kind,
        source_id=receipt.payment_id,
        number=receipt.number,
        effective_date=receipt.received_on,
        order_id=order_id,
    )


def use_credit(
    session: Session, held: Open, owed: Open, amount: Money, on: date, now: datetime
) -> None:
    """A deposit or credit settles a receivable, also between two accounts of one legal entity."""
    if amount > held.open or amount > owed.open or amount.minor <= 0:
        raise ValueError(f"cannot apply {amount}: {held.open} held, {owed.open} open")
    if (held.side, owed.side) != ("credit", "debit"):
        raise ValueError(f"cannot apply {held.ledger_code} to {owed.ledger_code}")
    entry = post(
        session,
        Posting(
            held.legal_entity_id,
            "credit_applied",
            on,
            held.source_kind,
            held.source_id,
            [held.settle(amount), owed.settle(amount)],
        ),
        now,
    )
    items.apply(
        session,
        entry,
        now,
        NewApplication(
            amount,
            held.source_kind,
            held.source_id,
            on,
            credit_item_id=held.id,
            debit_item_id=owed.id,
        ),
    )


def refund_credit(
    session: Session,
    held: Open,
    amount: Money,
    refund_id: uuid.UUID,
    on: date,
    now: datetime,
    *,
    through: str = CLEARING,
) -> None:
    """A deposit or credit goes back: through the processor, or from the bank (a pay-out)."""
    if amount > held.open or amount.minor <= 0 or held.side != "credit":
        raise ValueError(f"cannot refund {amount}: {held.open} held")
    day = periods.open_day(session, held.legal_entity_id, on)
    kind = REFUND if through == CLEARING else PAY_OUT
    entry = post(
        session,
        Posting(
            held.legal_entity_id,
            "refunded",
            day,
            kind,
            refund_id,
            [held.settle(amount), credit(through, amount)],
        ),
        now,
    )
    items.apply(
        session,
        entry,
        now,
        NewApplication(amount, kind, refund_id, day, credit_item_id=held.id),
    )
