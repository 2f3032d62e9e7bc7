"""Tables of the ledger; what the database itself refuses stands in ``fences``.

Lines go in first and the entry last: the entry's trigger refuses what does not balance, and a line
for an entry that stands already is refused too.
"""

import uuid
from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id


class LedgerAccount(Base):
    """One account of a legal entity's chart."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        CheckConstraint("class IN ('asset', 'liability', 'income', 'expense')", name="class"),
    )

    legal_entity_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("legal_entity.id"), primary_key=True
    )
    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    ledger_class: Mapped[str] = mapped_column("class", String(10))


class JournalEntry(Base):
    """One posting. ``posting_number`` has no gap within its legal entity."""

    __tablename__ = "journal_entry"
    __table_args__ = (
        UniqueConstraint("legal_entity_id", "posting_number"),
        Index("ix_journal_entry_source", "source_kind", "source_id"),
        Index("ix_journal_entry_effective", "legal_entity_id", "effective_date"),
        # A chargeback is begun once and decided once, however often the processor tells of it.
        Index(
            "ux_journal_entry_chargeback",
            "source_id",
            "kind",
            unique=True,
            sqlite_where=text("source_kind = 'chargeback'"),
            postgresql_where=text("source_kind = 'chargeback'"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    posting_number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(40))
    effective_date: Mapped[date]
    posted_at: Mapped[datetime]
    #: What it stands for: ``invoice``, ``payment``, ``refund``, … and that thing's key.
    source_kind: Mapped[str] = mapped_column(String(30))
    source_id: Mapped[uuid.UUID]
    reverses_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("journal_entry.id"))


class JournalLine(Base):
    """One side of an entry: debits positive, credits negative, in minor units of ``currency``.

    A realised currency difference is of no amount but in the functional currency.
    """

    __tablename__ = "journal_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["legal_entity_id", "ledger_code"],
            ["ledger_account.legal_entity_id", "ledger_account.code"],
            name="fk_journal_line_ledger_account",
        ),
        CheckConstraint(
            "amount_minor <> 0 OR (functional_minor <> 0 AND ledger_code = 'currency_difference')",
            name="not_zero",
        ),
        Index("ix_journal_line_balance", "legal_entity_id", "ledger_code", "account_id"),
        Index("ix_journal_line_account_id", "account_id"),
    )

    entry_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("journal_entry.id", deferrable=True, initially="DEFERRED"), primary_key=True
    )
    line_number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    legal_entity_id: Mapped[uuid.UUID]
    ledger_code: Mapped[str] = mapped_column(String(40))
    #: Whose balance it changes; None for accounts that are nobody's.
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int]
    functional_minor: Mapped[int]
    #: Major units of the functional currency for one of ``currency``, as text of a decimal.
    rate: Mapped[str] = mapped_column(String(24), default="1")


class OpenItem(Base):
    """An amount that waits: a receivable to be paid, or a deposit or credit to be used.

    It carries what it stands for and imports nothing of it. ``amount_minor`` is positive; what is still
    open is read from the applications, never stored.
    """

    __tablename__ = "open_item"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="positive"),
        CheckConstraint("side IN ('debit', 'credit')", name="side"),
        CheckConstraint("account_id IS NOT NULL OR ledger_code = 'unidentified'", name="whose"),
        CheckConstraint("functional_minor >= 0", name="functional"),
        Index("ix_open_item_account_id", "account_id", "currency"),
        Index("ix_open_item_source", "source_kind", "source_id"),
        Index("ix_open_item_order_id", "order_id"),
        Index("ix_open_item_number", "number"),
        Index(
            "ix_open_item_history",
            "account_id",
            "id",
            sqlite_where=text("is_history = 1"),
            postgresql_where=text("is_history"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    #: None for money that nobody knows yet.
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    entry_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("journal_entry.id"))
    #: The control account that it is a part of.
    ledger_code: Mapped[str] = mapped_column(String(40))
    side: Mapped[str] = mapped_column(String(6))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int]
    #: What the whole of it is in the functional currency, at the rate of the day it was opened.
    functional_minor: Mapped[int]
    source_kind: Mapped[str] = mapped_column(String(30))
    source_id: Mapped[uuid.UUID]
    number: Mapped[str] = mapped_column(String(40))
    effective_date: Mapped[date]
    due_date: Mapped[date | None]
    #: The order that a deposit is earmarked to.
    order_id: Mapped[uuid.UUID | None]
    #: Brought in from another system: no dunning, no AutoPay, no late fee.
    is_history: Mapped[bool] = mapped_column(default=False)


class Application(Base):
    """So much of one thing settles so much of another, on a date. Undone only by a reversal.

    The credit side is an open item (deposit, credit) or a source such as a payment; the debit side is an
    open item or a target such as a refund. Reversals of one application never sum to more than it.
    """

    __tablename__ = "application"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="not_zero"),
        CheckConstraint("(amount_minor > 0) = (reverses_id IS NULL)", name="reversal_sign"),
        CheckConstraint("credit_item_id IS NOT NULL OR debit_item_id IS NOT NULL", name="touches"),
        Index("ix_application_credit_item_id", "credit_item_id"),
        Index("ix_application_debit_item_id", "debit_item_id"),
        Index("ix_application_source", "source_kind", "source_id"),
        Index("ix_application_reverses_id", "reverses_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    entry_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("journal_entry.id"))
    credit_item_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("open_item.id"))
    debit_item_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("open_item.id"))
    #: Where the money came from: ``payment``, ``credit_memo``, ``settlement``, …
    source_kind: Mapped[str] = mapped_column(String(30))
    source_id: Mapped[uuid.UUID]
    amount_minor: Mapped[int]
    effective_date: Mapped[date]
    posted_at: Mapped[datetime]
    reverses_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("application.id"))


class ContestedAmount(Base):
    """A part of an open item that the payer disputes: not dunned, not drawn.

    Another amount is another row: this one is closed and a new one opened.
    """

    __tablename__ = "contested_amount"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="positive"),
        CheckConstraint("(closed_at IS NULL) = (closed_on IS NULL)", name="closed"),
        Index("ix_contested_amount_item_id", "item_id"),
        Index(
            "uq_contested_amount_open",
            "item_id",
            "source_kind",
            "source_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    item_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("open_item.id"))
    amount_minor: Mapped[int]
    source_kind: Mapped[str] = mapped_column(String(30))
    source_id: Mapped[uuid.UUID]
    opened_at: Mapped[datetime]
    opened_on: Mapped[date]
    closed_at: Mapped[datetime | None]
    closed_on: Mapped[date | None]
