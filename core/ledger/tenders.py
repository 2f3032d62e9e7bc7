"""Tenders: the ways of paying that make up one order's or one bill payment's total.

Reserved in the transaction that writes the order or the operation, taken together when the money is
certain, released together when it is not. What a gift card or a credit has left to be used is what is
there less what is reserved; the tables' fences hold that between any two transactions.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from core.kernel.db import insert_rows, keep_new
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import business, gift_cards, items
from core.ledger.chart import CUSTOMER_CREDIT, ORDER_DEPOSIT, UNAPPLIED
from core.ledger.items import NewApplication, NewItem, Open
from core.ledger.journal import Posting, credit, post
from core.ledger.models import OpenItem
from core.ledger.splitting import Share, Source
from core.ledger.tender_models import GiftCard, Tender

#: What an account may pay with: its credit, and money that came and fitted nowhere.
SPENDABLE = (CUSTOMER_CREDIT, UNAPPLIED)


@dataclass(frozen=True)
class Spendable:
    """A credit of an account with what no tender reserves of it."""

    item: Open
    available: Money


def spendable(
    session: Session,
    account_id: uuid.UUID,
    currency: str,
    *,
    lock: bool = False,
    but_order: uuid.UUID | None = None,
) -> list[Spendable]:
    """The account's credits that can be used, the oldest first; with ``lock`` nobody else can meanwhile.

    What ``but_order`` reserves counts as free.
    """
    if lock:
        session.execute(
            select(OpenItem.id)
            .where(
                OpenItem.account_id == account_id,
                OpenItem.side == "credit",
                OpenItem.ledger_code.in_(SPENDABLE),
                OpenItem.currency == currency,
            )
            .order_by(OpenItem.id)
            .with_for_update()
        ).all()
    found = [
        item
        for item in items.held_for(session, [account_id])
        if item.ledger_code in SPENDABLE and item.open.currency == currency
    ]
    rows = [Spendable(item, item.open) for item in unreserved(session, found, but_order)]
    return [row for row in rows if row.available.minor > 0]


def reserved(
    session: Session, item_ids: Sequence[uuid.UUID], but_order: uuid.UUID | None = None
) -> dict[uuid.UUID, Money]:
    """How much of each credit is reserved by tenders: so much less of it may be used elsewhere."""
    if not item_ids:
        return {}
    query = select(Tender.credit_item_id, Tender.currency, func.sum(Tender.amount_minor)).where(
        Tender.credit_item_id.in_(item_ids), Tender.state == "reserved"
    )
    if but_order is not None:
        query = query.where(or_(Tender.order_id.is_(None), Tender.order_id != but_order))
    rows = session.execute(query.group_by(Tender.credit_item_id, Tender.currency))
    return {key: Money(int(minor), currency) for key, currency, minor in rows if key is not None}


def unreserved(
    session: Session, found: Sequence[Open], but_order: uuid.UUID | None = None
) -> list[Open]:
    """The credits with only that open which no tender reserves, those of ``but_order`` left out."""
    taken = reserved(session, [item.id for item in found], but_order)
    return [
        replace(item, open=item.open - taken[item.id]) if item.id in taken else item
        for item in found
    ]


def credit_sources(
    found: Sequence[Spendable], wanted: Money | None = None, label: str = "Your credit"
) -> list[Source]:
    """An account's credits as ways of paying, each an item; together no more than ``wanted``."""
    sources, left = [], wanted
    for row in found:
        part = None if left is None else min(left, row.available)
        if part is not None and left is not None:
            if part.minor <= 0:
                break
            left -= part
        sources.append(Source("credit", label, row.item.id, row.available, part))
    return sources


def reserve(
    session: Session,
    account_id: uuid.UUID,
    shares: Iterable[tuple[uuid.UUID | None, Share]],
    now: datetime,
    *,
    order_id: uuid.UUID | None = None,
    operation_id: uuid.UUID | None = None,
) -> Sequence[Tender]:
    """Write tenders that wait for their money: each with the bill's open item that it pays, if any.

    Answers them in their order. The database refuses what a gift card or a credit does not have.
    """
    rows = [
        {
            **_columns(account_id, share, position, now),
            "order_id": order_id,
            "operation_id": operation_id,
            "open_item_id": open_item_id,
            "taken_minor": 0,
            "state": "reserved",
        }
        for position, (open_item_id, share) in enumerate(shares)
    ]
    insert_rows(session, Tender, rows)
    found = [Tender(**row) for row in rows]
    for one in found:
        keep_new(session, one)
    return found


def on_terms(
    session: Session, account_id: uuid.UUID, share: Share, order_id: uuid.UUID, now: datetime
) -> None:
    """All of an order is left to its bill, which asks for no money now: reserved and taken in one row."""
    row = {
        **_columns(account_id, share, 0, now),
        "order_id": order_id,
        "operation_id": None,
        "open_item_id": None,
        "taken_minor": share.amount.minor,
        "state": "committed",
    }
    insert_rows(session, Tender, [row])


def _columns(account_id: uuid.UUID, share: Share, position: int, now: datetime) -> dict[str, Any]:
    kind, key = share.source.kind, share.source.key
    return {
        "id": new_id(),
        "account_id": account_id,
        "position": position,
        "kind": kind,
        "gift_card_id": key if kind == "gift_card" else None,
        "credit_item_id": key if kind == "credit" else None,
        "amount_minor": share.amount.minor,
        "currency": share.amount.currency,
        "created_at": now,
    }


def of_operation(session: Session, operation_id: uuid.UUID) -> Sequence[Tender]:
    """The tenders that one operation pays, in their order."""
    return session.scalars(
        select(Tender).where(Tender.operation_id == operation_id).order_by(Tender.position)
    ).all()


def of_order(session: Session, order_id: uuid.UUID) -> Sequence[Tender]:
    """The ways in which an order is paid, or was to be paid, in their order."""
    return session.scalars(
        select(Tender)
        .where(Tender.order_id == order_id)
        .order_by(Tender.created_at, Tender.position)
    ).all()


def rivals(session: Session, open_item_ids: Sequence[uuid.UUID]) -> Sequence[uuid.UUID]:
    """Operations that reserve gift cards or credit for one of these bills and are not concluded."""
    found = session.scalars(
        select(Tender.operation_id)
        .where(
            Tender.open_item_id.in_(open_item_ids),
            Tender.kind.in_(("gift_card", "credit")),
            Tender.state == "reserved",
        )
        .distinct()
    )
    return [operation_id for operation_id in found if operation_id is not None]


def is_being_paid(session: Session, open_item_id: uuid.UUID) -> bool:
    """Does a payment that was begun reserve anything for this bill?"""
    found = (
        select(Tender.id)
        .where(
            Tender.open_item_id == open_item_id,
            Tender.operation_id.is_not(None),
            Tender.state == "reserved",
        )
        .limit(1)
    )
    return session.scalar(found) is not None


def paid_by_operations(session: Session, open_item_ids: Sequence[uuid.UUID]) -> Sequence[uuid.UUID]:
    """The payments that were begun and reserve anything for one of these bills."""
    found = session.scalars(
        select(Tender.operation_id)
        .where(Tender.open_item_id.in_(open_item_ids), Tender.state == "reserved")
        .distinct()
    )
    return [operation_id for operation_id in found if operation_id is not None]


def release(
    session: Session,
    *,
    operation_id: uuid.UUID | None = None,
    order_id: uuid.UUID | None = None,
) -> None:
    """All reserved tenders of an operation or an order are let go together."""
    query = update(Tender).where(Tender.state == "reserved")
    if operation_id is not None:
        query = query.where(Tender.operation_id == operation_id)
    else:
        query = query.where(Tender.order_id == order_id)
    session.execute(query.values(state="released"))


def take_for_order(
    session: Session, order_id: uuid.UUID, legal_entity_id: uuid.UUID, on: date, now: datetime
) -> None:
    """All reserved tenders of an order are taken together: gift cards and credits become its deposit.

    What a card pays is posted by its payment, what terms leave open by the order's bill.
    """
    for tender in of_order(session, order_id):
        if tender.state != "reserved":
            continue
        _conclude(session, tender, tender.amount_minor)
        amount = Money(tender.amount_minor, tender.currency)
        if tender.kind == "gift_card":
            against = credit(ORDER_DEPOSIT, amount, tender.account_id)
            entry = gift_cards.use(session, tender, against, on, now)
            deposit = _deposit(session, tender, legal_entity_id, on)
            items.open_item(session, entry, deposit)
        elif tender.kind == "credit":
            assert tender.credit_item_id is not None
            held = items.get(session, tender.credit_item_id)
            move(session, held, amount, ORDER_DEPOSIT, tender.id, on, now, order_id=order_id)


def _deposit(session: Session, tender: Tender, legal_entity_id: uuid.UUID, on: date) -> NewItem:
    assert tender.gift_card_id is not None
    card = session.get_one(GiftCard, tender.gift_card_id)
    return NewItem(
        legal_entity_id=legal_entity_id,
        account_id=tender.account_id,
        ledger_code=ORDER_DEPOSIT,
        amount=Money(tender.amount_minor, tender.currency),
        source_kind="gift_card",
        source_id=tender.id,
        number=gift_cards.label_of(card),
        effective_date=on,
        order_id=tender.order_id,
    )


def move(
    session: Session,
    held: Open,
    amount: Money,
    ledger_code: str,
    source_id: uuid.UUID,
    on: date,
    now: datetime,
    *,
    order_id: uuid.UUID | None = None,
) -> uuid.UUID:
    """Money that is held for an account is held for something else: credit becomes a deposit, or back.

    A payment's money stays that payment's; other credit is from then on ``source_id``'s. Answers the
    new item's key.
    """
    source = ("tender", source_id)
    if held.source_kind == "payment":
        source = (held.source_kind, held.source_id)
    gone = held.settle(amount)
    worth = gone.functional or 0
    entry = post(
        session,
        Posting(
            held.legal_entity_id,
            "credit_moved",
            on,
            *source,
            [gone, replace(gone, ledger_code=ledger_code, amount=-gone.amount, functional=-worth)],
        ),
        now,
    )
    used = NewApplication(amount, "tender", source_id, on, credit_item_id=held.id)
    items.apply(session, entry, now, used)
    return items.open_item(
        session,
        entry,
        NewItem(
            legal_entity_id=held.legal_entity_id,
            account_id=held.account_id,
            ledger_code=ledger_code,
            amount=amount,
            source_kind=source[0],
            source_id=source[1],
            number=held.number,
            effective_date=on,
            order_id=order_id,
        ),
    )


def take_for_bills(session: Session, found: Sequence[Tender], on: date, now: datetime) -> None:
    """Reserved tenders of bills are taken, each up to what is still open of its bill.

    What others have paid meanwhile is not taken: it stays on the gift card or with the account.
    """
    for tender in found:
        if tender.state != "reserved":
            continue
        if tender.kind not in ("gift_card", "credit"):
            _conclude(session, tender, tender.amount_minor)
            continue
        assert tender.open_item_id is not None
        owed = items.get(session, tender.open_item_id)
        part = min(Money(tender.amount_minor, tender.currency), owed.open)
        _conclude(session, tender, max(part.minor, 0))
        if part.minor > 0 and tender.kind == "gift_card":
            entry = gift_cards.use(session, tender, owed.settle(part), on, now)
            settled = NewApplication(part, "gift_card", tender.id, on, debit_item_id=owed.id)
            items.apply(session, entry, now, settled)
        elif part.minor > 0:
            _use_credit(session, tender, owed, part, on, now)


def _use_credit(
    session: Session, tender: Tender, owed: Open, part: Money, on: date, now: datetime
) -> None:
    assert tender.credit_item_id is not None
    held = items.get(session, tender.credit_item_id)
    business.use_credit(session, held, owed, part, on, now)


def _conclude(session: Session, tender: Tender, taken_minor: int) -> None:
    """Committed with what is taken of it; released when that is nothing. From here nothing is reserved."""
    tender.state = "committed" if taken_minor else "released"
    tender.taken_minor = taken_minor
    session.flush()
