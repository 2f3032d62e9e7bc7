"""Tables of the tenders and of the gift cards, with the fences that keep money from being spent twice.

Each fence locks the card or the item that is drawn on before it adds up, so that it also holds between
two transactions that began at the same moment.
"""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards
from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id
from core.ledger.models import Application


class GiftCard(Base):
    """One gift card. What it is worth is the sum of its entries; its code is kept as a hash."""

    __tablename__ = "gift_card"
    __table_args__ = (
        CheckConstraint("state IN ('live', 'void')", name="state"),
        CheckConstraint("worth_minor > 0", name="positive"),
        CheckConstraint("(state = 'void') = (voided_at IS NOT NULL)", name="voided"),
        UniqueConstraint("order_line_id", "piece"),
        Index("ix_gift_card_last_four", "last_four"),
        Index("ix_gift_card_created_at", "created_at", "id"),
        Index("ix_gift_card_worth_minor", "worth_minor", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    #: Who bought it; whoever has the code may use it.
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    order_id: Mapped[uuid.UUID] = mapped_column(index=True)
    order_line_id: Mapped[uuid.UUID]
    #: A line of three is three cards.
    piece: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    worth_minor: Mapped[int]
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    last_four: Mapped[str] = mapped_column(String(4))
    state: Mapped[str] = mapped_column(String(4), default="live")
    created_at: Mapped[datetime]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str | None] = mapped_column(String(200))


class GiftCardEntry(Base):
    """What was put on a card (positive) or taken off it (negative), with its posting."""

    __tablename__ = "gift_card_entry"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('sold', 'used', 'given_back', 'returned', 'voided')", name="kind"
        ),
        CheckConstraint("(amount_minor > 0) = (kind IN ('sold', 'given_back'))", name="sign"),
        CheckConstraint("amount_minor <> 0", name="not_zero"),
        Index("ix_gift_card_entry_card_id", "card_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    card_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("gift_card.id"))
    kind: Mapped[str] = mapped_column(String(10))
    amount_minor: Mapped[int]
    entry_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("journal_entry.id"))
    #: The tender that used it, or got it back.
    tender_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("tender.id"))
    posted_at: Mapped[datetime]


class Tender(Base):
    """One way of paying one order or one bill payment; several make the total."""

    __tablename__ = "tender"
    __table_args__ = (
        CheckConstraint("kind IN ('card', 'terms', 'credit', 'gift_card')", name="kind"),
        CheckConstraint("state IN ('reserved', 'committed', 'released')", name="state"),
        CheckConstraint("amount_minor > 0", name="positive"),
        CheckConstraint("(kind = 'gift_card') = (gift_card_id IS NOT NULL)", name="gift_card"),
        CheckConstraint("(kind = 'credit') = (credit_item_id IS NOT NULL)", name="credit"),
        CheckConstraint(
            "taken_minor BETWEEN 0 AND amount_minor AND (state = 'committed' OR taken_minor = 0)",
            name="taken",
        ),
        Index("ix_tender_order_id", "order_id"),
        Index("ix_tender_operation_id", "operation_id"),
        Index("ix_tender_open_item_id", "open_item_id"),
        Index(
            "ix_tender_gift_card_id",
            "gift_card_id",
            sqlite_where=text("gift_card_id IS NOT NULL"),
            postgresql_where=text("gift_card_id IS NOT NULL"),
        ),
        Index(
            "ix_tender_credit_item_id",
            "credit_item_id",
            sqlite_where=text("credit_item_id IS NOT NULL"),
            postgresql_where=text("credit_item_id IS NOT NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    order_id: Mapped[uuid.UUID | None]
    operation_id: Mapped[uuid.UUID | None]
    #: The invoice's open item that this tender pays, in the order of ``position``.
    open_item_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("open_item.id"))
    position: Mapped[int] = mapped_column(default=0)
    kind: Mapped[str] = mapped_column(String(10))
    gift_card_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("gift_card.id"))
    #: The customer credit or unapplied money that it draws on.
    credit_item_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("open_item.id"))
    amount_minor: Mapped[int]
    #: How much of it was taken in the end: of a bill that others paid meanwhile it may be less.
    taken_minor: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(10), default="reserved")
    created_at: Mapped[datetime]


class TenderReturn(Base):
    """So much of a tender was given back (positive); or it could not be paid out (negative)."""

    __tablename__ = "tender_return"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="not_zero"),
        CheckConstraint("(amount_minor > 0) = (reverses_id IS NULL)", name="reversal_sign"),
        UniqueConstraint("tender_id", "key"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    tender_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tender.id"))
    #: Names the refund that it is a part of: once for each.
    key: Mapped[str] = mapped_column(String(80))
    #: The processor's refund, for what goes to a card.
    refund_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    amount_minor: Mapped[int]
    reverses_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("tender_return.id"), unique=True
    )
    created_at: Mapped[datetime]


for _table in (GiftCardEntry, TenderReturn):
    guards.append_only(_table.__table__)


_WORTH = "(SELECT COALESCE(SUM(amount_minor), 0) FROM gift_card_entry WHERE card_id = {card})"
_CARD_RESERVED = (
    "(SELECT COALESCE(SUM(amount_minor), 0) FROM tender"
    " WHERE gift_card_id = {card} AND state = 'reserved')"
)
_CREDIT_LEFT = (
    "(SELECT amount_minor FROM open_item WHERE id = {item})"
    " - (SELECT COALESCE(SUM(amount_minor), 0) FROM application WHERE credit_item_id = {item})"
)
_CREDIT_RESERVED = (
    "(SELECT COALESCE(SUM(amount_minor), 0) FROM tender"
    " WHERE credit_item_id = {item} AND state = 'reserved')"
)


def _fence(
    model: type[Base], name: str, cases: list[tuple[str, str, str, str]], timing: str = "INSERT"
) -> None:
    """Refuse a row ``timing`` for which one of ``cases`` holds: (when, lock, is wrong, words)."""
    on = model.__tablename__
    sqlite = [
        f"CREATE TRIGGER {name}_{number} BEFORE {timing} ON {on} "
        f"WHEN {when} AND {wrong} BEGIN SELECT RAISE(ABORT, '{words}'); END"
        for number, (when, _, wrong, words) in enumerate(cases, start=1)
    ]
    body = "\n".join(
        f"  IF {when} THEN{lock and ' '}{lock}\n    IF {wrong} THEN\n"
        f"      RAISE EXCEPTION '{words}' USING ERRCODE = 'integrity_constraint_violation';\n"
        "    END IF;\n  END IF;"
        for when, lock, wrong, words in cases
    )
    postgresql = [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$\n"
        f"BEGIN\n{body}\n  RETURN NEW;\nEND $body$",
        f"CREATE TRIGGER {name} BEFORE {timing} ON {on} FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]
    guards.install(model.__table__, "sqlite", sqlite)
    guards.install(model.__table__, "postgresql", postgresql)


_LOCK_CARD = "PERFORM 1 FROM gift_card WHERE id = {card} FOR UPDATE;"
_LOCK_ITEM = "PERFORM 1 FROM open_item WHERE id = {item} FOR UPDATE;"
_NEW_CARD, _NEW_ITEM = "NEW.gift_card_id", "NEW.credit_item_id"

_fence(
    Tender,
    "tender_is_covered",
    [
        (
            "NEW.gift_card_id IS NOT NULL AND NEW.state = 'reserved'",
            _LOCK_CARD.format(card=_NEW_CARD),
            f"{_WORTH.format(card=_NEW_CARD)} - {_CARD_RESERVED.format(card=_NEW_CARD)}"
            " < NEW.amount_minor",
            "gift card has not as much",
        ),
        (
            "NEW.credit_item_id IS NOT NULL AND NEW.state = 'reserved'",
            _LOCK_ITEM.format(item=_NEW_ITEM),
            f"{_CREDIT_LEFT.format(item=_NEW_ITEM)}"
            f" - {_CREDIT_RESERVED.format(item=_NEW_ITEM)} < NEW.amount_minor",
            "credit has not as much",
        ),
    ],
)
_fence(
    Tender,
    "tender_only_concludes",
    [
        (
            "(OLD.state <> 'reserved' OR OLD.amount_minor <> NEW.amount_minor)",
            "",
            "(OLD.state <> NEW.state OR OLD.amount_minor <> NEW.amount_minor"
            " OR OLD.taken_minor <> NEW.taken_minor)",
            "tender is concluded",
        )
    ],
    "UPDATE",
)
_fence(
    GiftCardEntry,
    "gift_card_is_covered",
    [
        (
            "NEW.amount_minor < 0",
            _LOCK_CARD.format(card="NEW.card_id"),
            f"{_WORTH.format(card='NEW.card_id')} + NEW.amount_minor"
            f" < {_CARD_RESERVED.format(card='NEW.card_id')}",
            "gift card has not as much",
        )
    ],
)
_fence(
    Application,
    "credit_is_covered",
    [
        (
            "NEW.credit_item_id IS NOT NULL AND NEW.amount_minor > 0",
            _LOCK_ITEM.format(item=_NEW_ITEM),
            f"{_CREDIT_LEFT.format(item=_NEW_ITEM)}"
            f" - {_CREDIT_RESERVED.format(item=_NEW_ITEM)} < NEW.amount_minor",
            "credit has not as much",
        )
    ],
)
_fence(
    TenderReturn,
    "tender_return_is_within",
    [
        (
            "NEW.amount_minor <> 0",
            "PERFORM 1 FROM tender WHERE id = NEW.tender_id FOR UPDATE;",
            "((SELECT COALESCE(SUM(amount_minor), 0) FROM tender_return"
            " WHERE tender_id = NEW.tender_id) + NEW.amount_minor"
            " NOT BETWEEN 0 AND (SELECT taken_minor FROM tender WHERE id = NEW.tender_id))",
            "more than the tender paid",
        )
    ],
)
