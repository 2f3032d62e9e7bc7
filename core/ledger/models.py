"""Tables of the ledger.

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
)
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards
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
    """One side of an entry: debits positive, credits negative, in minor units of ``currency``."""

    __tablename__ = "journal_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["legal_entity_id", "ledger_code"],
            ["ledger_account.legal_entity_id", "ledger_account.code"],
            name="fk_journal_line_ledger_account",
        ),
        CheckConstraint("amount_minor <> 0", name="not_zero"),
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
        Index("ix_open_item_account_id", "account_id", "currency"),
        Index("ix_open_item_source", "source_kind", "source_id"),
        Index("ix_open_item_order_id", "order_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    entry_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("journal_entry.id"))
    #: The control account that it is a part of.
    ledger_code: Mapped[str] = mapped_column(String(40))
    side: Mapped[str] = mapped_column(String(6))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int]
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
    open item or a target such as a refund.
    """

    __tablename__ = "application"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="not_zero"),
        CheckConstraint("(amount_minor > 0) = (reverses_id IS NULL)", name="reversal_sign"),
        CheckConstraint("credit_item_id IS NOT NULL OR debit_item_id IS NOT NULL", name="touches"),
        Index("ix_application_credit_item_id", "credit_item_id"),
        Index("ix_application_debit_item_id", "debit_item_id"),
        Index("ix_application_source", "source_kind", "source_id"),
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
    reverses_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("application.id"), unique=True)


class ContestedAmount(Base):
    """A part of an open item that the payer disputes: not dunned, not drawn."""

    __tablename__ = "contested_amount"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="positive"),
        Index("ix_contested_amount_item_id", "item_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    item_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("open_item.id"))
    amount_minor: Mapped[int]
    source_kind: Mapped[str] = mapped_column(String(30))
    source_id: Mapped[uuid.UUID]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Tender(Base):
    """One way of paying one order or one bill payment; several make the total."""

    __tablename__ = "tender"
    __table_args__ = (
        CheckConstraint("kind IN ('card', 'terms', 'credit', 'gift_card')", name="kind"),
        CheckConstraint("state IN ('reserved', 'committed', 'released')", name="state"),
        CheckConstraint("amount_minor > 0", name="positive"),
        Index("ix_tender_order_id", "order_id"),
        Index("ix_tender_operation_id", "operation_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    order_id: Mapped[uuid.UUID | None]
    operation_id: Mapped[uuid.UUID | None]
    #: The invoice's open item that this tender pays, in the order of ``position``.
    open_item_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("open_item.id"))
    position: Mapped[int] = mapped_column(default=0)
    kind: Mapped[str] = mapped_column(String(10))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(10), default="reserved")
    created_at: Mapped[datetime]


for _table in (JournalEntry, JournalLine, OpenItem, Application):
    guards.append_only(_table.__table__)

guards.install(
    JournalEntry.__table__,
    "sqlite",
    [
        """
CREATE TRIGGER journal_entry_balances BEFORE INSERT ON journal_entry
WHEN NOT EXISTS (SELECT 1 FROM journal_line WHERE entry_id = NEW.id)
  OR EXISTS (SELECT 1 FROM journal_line WHERE entry_id = NEW.id
             GROUP BY currency HAVING SUM(amount_minor) <> 0)
  OR (SELECT SUM(functional_minor) FROM journal_line WHERE entry_id = NEW.id) <> 0
BEGIN SELECT RAISE(ABORT, 'journal entry does not balance'); END
""".strip(),
    ],
)
guards.install(
    JournalLine.__table__,
    "sqlite",
    [
        """
CREATE TRIGGER journal_line_not_late BEFORE INSERT ON journal_line
WHEN EXISTS (SELECT 1 FROM journal_entry WHERE id = NEW.entry_id)
BEGIN SELECT RAISE(ABORT, 'journal entry is already posted'); END
""".strip(),
    ],
)
guards.install(
    JournalEntry.__table__,
    "postgresql",
    [
        """
CREATE OR REPLACE FUNCTION journal_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM journal_line WHERE entry_id = NEW.id)
    OR EXISTS (SELECT 1 FROM journal_line WHERE entry_id = NEW.id
               GROUP BY currency HAVING SUM(amount_minor) <> 0)
    OR (SELECT SUM(functional_minor) FROM journal_line WHERE entry_id = NEW.id) <> 0
  THEN
    RAISE EXCEPTION 'journal entry does not balance'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$
""".strip(),
        "CREATE TRIGGER journal_entry_balances BEFORE INSERT ON journal_entry "
        "FOR EACH ROW EXECUTE FUNCTION journal_entry_balances()",
    ],
)
guards.install(
    JournalLine.__table__,
    "postgresql",
    [
        """
CREATE OR REPLACE FUNCTION journal_line_not_late() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF EXISTS (SELECT 1 FROM journal_entry WHERE id = NEW.entry_id) THEN
    RAISE EXCEPTION 'journal entry is already posted'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$
""".strip(),
        "CREATE TRIGGER journal_line_not_late BEFORE INSERT ON journal_line "
        "FOR EACH ROW EXECUTE FUNCTION journal_line_not_late()",
    ],
)
