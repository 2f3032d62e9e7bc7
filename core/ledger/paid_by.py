"""How an order or a bill was paid, in words for pages, receipts and mails. Reads only."""

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger.gift_cards import label_of
from core.ledger.models import Application, OpenItem
from core.ledger.tender_models import GiftCard, Tender

CREDIT, CARD, TERMS = "Your credit", "Card", "By bill"
_WORDS = {"card": CARD, "credit": CREDIT, "terms": TERMS}
_SOURCES = {
    "payment": "Payment",
    "transfer": "Bank transfer",
    "credit_memo": "Credit memo",
    "settlement": "Paid before",
    "tender": CREDIT,
    "write_off": "Written off",
}


@dataclass(frozen=True)
class PaidBy:
    """One way of paying with what it paid."""

    kind: str
    label: str
    amount: Money


def of_order(session: Session, order_id: uuid.UUID, state: str = "committed") -> list[PaidBy]:
    """What was taken for an order, in the payer's order; with ``reserved`` what waits to be taken."""
    rows = session.execute(
        select(Tender, GiftCard)
        .outerjoin(GiftCard, GiftCard.id == Tender.gift_card_id)
        .where(Tender.order_id == order_id, Tender.state == state)
        .order_by(Tender.position)
    )
    found: dict[str, PaidBy] = {}
    for tender, joined in rows:
        card: GiftCard | None = joined
        label = label_of(card) if card is not None else _WORDS[tender.kind]
        _add(found, tender.kind, label, Money(tender.amount_minor, tender.currency))
    return list(found.values())


def of_item(session: Session, item_id: uuid.UUID) -> list[PaidBy]:
    """What has paid a bill so far, reversals taken off, the first first."""
    rows = session.execute(
        select(
            Application.source_kind,
            OpenItem.currency,
            func.sum(Application.amount_minor),
            GiftCard,
        )
        .join(OpenItem, OpenItem.id == Application.debit_item_id)
        .outerjoin(
            Tender,
            (Tender.id == Application.source_id) & (Application.source_kind == "gift_card"),
        )
        .outerjoin(GiftCard, GiftCard.id == Tender.gift_card_id)
        .where(Application.debit_item_id == item_id)
        .group_by(Application.source_kind, OpenItem.currency, GiftCard.id)
        .order_by(func.min(Application.posted_at))
    )
    found: dict[str, PaidBy] = {}
    for kind, currency, minor, joined in rows:
        card: GiftCard | None = joined
        label = label_of(card) if card is not None else _SOURCES.get(kind, "Credit")
        _add(found, kind, label, Money(int(minor), currency))
    return [row for row in found.values() if row.amount]


def _add(found: dict[str, PaidBy], kind: str, label: str, amount: Money) -> None:
    before = found.get(label)
    found[label] = PaidBy(kind, label, amount + before.amount if before else amount)
