"""Tables of the documents. An issued document never changes; its paid state is read from the ledger."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards
from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id

#: The reason of a credit memo for days of a service that were billed and not used.
NOT_USED = "not_used"


class Invoice(Base):
    """An invoice, credit memo, debit memo or note. Amounts of a credit memo are positive too."""

    __tablename__ = "invoice"
    __table_args__ = (
        CheckConstraint("kind IN ('invoice', 'credit_memo', 'debit_memo', 'note')", name="kind"),
        CheckConstraint("total_minor = net_minor + tax_minor", name="adds_up"),
        UniqueConstraint("legal_entity_id", "series", "number"),
        Index("ix_invoice_account_id", "payer_account_id", "issue_date", "id"),
        Index("ix_invoice_issued_at", "issued_at"),
        Index("ix_invoice_issue_date", "issue_date", "id"),
        Index("ix_invoice_total_minor", "total_minor", "id"),
        Index("ix_invoice_corrects_id", "corrects_id"),
        CheckConstraint(
            "(discount_ppm IS NULL) = (discount_until IS NULL) "
            "AND (discount_ppm IS NULL) = (discount_minor IS NULL)",
            name="discount",
        ),
        Index(
            "uq_invoice_order_id",
            "order_id",
            unique=True,
            sqlite_where=text("kind = 'invoice' AND order_change_id IS NULL"),
            postgresql_where=text("kind = 'invoice' AND order_change_id IS NULL"),
        ),
        Index(
            "uq_invoice_order_change_id",
            "order_change_id",
            unique=True,
            sqlite_where=text("order_change_id IS NOT NULL"),
            postgresql_where=text("order_change_id IS NOT NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    channel_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("channel.id"))
    currency: Mapped[str] = mapped_column(String(3))
    payer_account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    service_account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str] = mapped_column(String(12))
    #: Our own series are gapless; ``is_external`` ones were numbered elsewhere.
    series: Mapped[str] = mapped_column(String(40))
    number: Mapped[str] = mapped_column(String(40))
    #: The number as a position in our own series.
    series_position: Mapped[int | None]
    is_external: Mapped[bool] = mapped_column(default=False)
    #: What an imported document was read from, so that a second reading can be compared.
    content_hash: Mapped[str | None] = mapped_column(String(64))
    order_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("order.id"))
    issue_date: Mapped[date]
    due_date: Mapped[date | None]
    issued_at: Mapped[datetime]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    total_minor: Mapped[int]
    #: The invoice that a memo corrects, and why it does.
    corrects_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("invoice.id"))
    reason: Mapped[str | None] = mapped_column(String(30))
    #: What it was made of, so that it is made once: ``draft:<key>``, ``discount:<key>``.
    made_of: Mapped[str | None] = mapped_column(String(60), unique=True)
    #: For paying early: so much of what is billed (30000 is 3 %), until this day, comes to so much with tax.
    discount_ppm: Mapped[int | None]
    discount_until: Mapped[date | None]
    discount_minor: Mapped[int | None]
    #: The frozen document model that page and PDF are made of.
    document: Mapped[dict[str, Any]]
    #: Of the bill for what a change added to its order after placing.
    order_change_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("order_change.id"))


class InvoiceLine(Base):
    """One line. ``memo_of_id`` is the line that a memo's line corrects."""

    __tablename__ = "invoice_line"
    __table_args__ = (
        UniqueConstraint("invoice_id", "line_number"),
        Index("ix_invoice_line_memo_of_id", "memo_of_id"),
        Index("ix_invoice_line_order_line_id", "order_line_id"),
        Index("ix_invoice_line_phase_id", "phase_id"),
        CheckConstraint("charge_key IS NULL OR phase_id IS NOT NULL", name="charge_of_phase"),
        CheckConstraint("(charge_key IS NULL) = (period_index IS NULL)", name="charge_of_period"),
        CheckConstraint("charge_key IS NULL OR rated_minor >= 0", name="charge_is_rated"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    invoice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invoice.id"))
    line_number: Mapped[int]
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("invoice_line.id"))
    order_line_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("order_line.id"))
    memo_of_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("invoice_line.id"))
    sku: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(300))
    #: As text of a decimal: usage may be a fraction.
    quantity: Mapped[str] = mapped_column(String(40))
    unit_price_micros: Mapped[int]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    #: Which ledger account it credits.
    ledger_code: Mapped[str] = mapped_column(String(40))
    tax_category: Mapped[str] = mapped_column(String(40), default="")
    period_start: Mapped[date | None]
    period_end: Mapped[date | None]
    #: Of a service: the phase, its period counted from 0, and the meter when it is for usage.
    phase_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("subscription_phase.id"))
    period_index: Mapped[int | None]
    meter_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("meter.id"))
    #: Phase, meter, period and how many charges came before: each is billed once.
    charge_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    #: Of a service: what was rated, at the plan's own price: with the tax that it contains, and before any
    #: relief. Of a credit for days that are not used: what it takes back of that.
    rated_minor: Mapped[int | None]
    #: What it costs us, and what it sells for by itself: for staff, and for sharing out revenue.
    cost_minor: Mapped[int | None]
    sale_price_minor: Mapped[int | None]
    #: An ``invoices.why.Why``.
    why: Mapped[dict[str, Any] | None]


class InvoiceLineTax(Base):
    """One tax on one invoice line."""

    __tablename__ = "invoice_line_tax"
    __table_args__ = (
        CheckConstraint("relief IN ('', 'exempt', 'reverse_charge')", name="relief"),
        CheckConstraint("relief = '' OR amount_minor = 0", name="relieved"),
    )

    invoice_line_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("invoice_line.id"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    jurisdiction: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(80))
    rate_ppm: Mapped[int]
    base_minor: Mapped[int]
    amount_minor: Mapped[int]
    inclusive: Mapped[bool]
    #: Reckoned on the taxes beside it too.
    compound: Mapped[bool] = mapped_column(default=False)
    #: Why nothing is charged, and the certificate or VAT id that says so.
    relief: Mapped[str] = mapped_column(String(16), default="")
    reference: Mapped[str] = mapped_column(String(80), default="")


class InvoiceDraft(Base):
    """An invoice in the making: nobody but staff sees it, and it has no number."""

    __tablename__ = "invoice_draft"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'issued', 'discarded')", name="state"),
        CheckConstraint("(state = 'issued') = (invoice_id IS NOT NULL)", name="issued"),
        Index("ix_invoice_draft_state", "state", "updated_at"),
        Index("ix_invoice_draft_payer_account_id", "payer_account_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    payer_account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    state: Mapped[str] = mapped_column(String(10), default="open")
    invoice_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("invoice.id"), unique=True)
    #: An ``invoices.drafts.Draft``.
    content: Mapped[dict[str, Any]]
    #: Counts the changes, so that two people do not write over each other.
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class StoredDocument(Base):
    """The one rendering of a document, and what it was made with."""

    __tablename__ = "stored_document"

    invoice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invoice.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))
    template_version: Mapped[str] = mapped_column(String(40))
    renderer_version: Mapped[str] = mapped_column(String(40))
    fonts_version: Mapped[str] = mapped_column(String(64))
    stored_at: Mapped[datetime]


for _table in (Invoice, InvoiceLine, InvoiceLineTax, StoredDocument):
    guards.append_only(_table.__table__)

#: ``c``: what was credited of a line before. The line ``o`` is overdrawn when net or tax goes past it, or
#: when the last of the net does not bring the last of the tax with it.
_CREDITED = """
SELECT COALESCE(SUM(m.net_minor), 0) AS net, COALESCE(SUM(m.tax_minor), 0) AS tax
FROM invoice_line m JOIN invoice i ON i.id = m.invoice_id
WHERE m.memo_of_id = NEW.memo_of_id AND i.kind = 'credit_memo'
""".strip()
_PAST_THE_LINE = """
(CASE WHEN o.net_minor < 0 THEN -1 ELSE 1 END) * NEW.net_minor < 0
OR (CASE WHEN o.net_minor < 0 THEN -1 ELSE 1 END) * (c.net + NEW.net_minor - o.net_minor) > 0
OR (CASE WHEN o.tax_minor < 0 THEN -1 ELSE 1 END) * NEW.tax_minor < 0
OR (CASE WHEN o.tax_minor < 0 THEN -1 ELSE 1 END) * (c.tax + NEW.tax_minor - o.tax_minor) > 0
OR (c.net + NEW.net_minor = o.net_minor AND c.tax + NEW.tax_minor <> o.tax_minor)
""".strip()
_IS_CREDIT = "(SELECT kind FROM invoice WHERE id = NEW.invoice_id) = 'credit_memo'"

guards.install(
    InvoiceLine.__table__,
    "sqlite",
    [
        f"""
CREATE TRIGGER invoice_line_credit_bound BEFORE INSERT ON invoice_line
WHEN NEW.memo_of_id IS NOT NULL AND {_IS_CREDIT}
  AND EXISTS (SELECT 1 FROM invoice_line o, ({_CREDITED}) c
              WHERE o.id = NEW.memo_of_id AND ({_PAST_THE_LINE}))
BEGIN SELECT RAISE(ABORT, 'credit is more than its line'); END
""".strip(),  # noqa: S608  # constants
    ],
)
guards.install(
    InvoiceLine.__table__,
    "postgresql",
    [
        f"""
CREATE OR REPLACE FUNCTION invoice_line_credit_bound() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF NEW.memo_of_id IS NULL OR NOT {_IS_CREDIT} THEN
    RETURN NEW;
  END IF;
  -- Whoever credits the same line waits here, and then sees what was credited before.
  PERFORM 1 FROM invoice_line WHERE id = NEW.memo_of_id FOR UPDATE;
  IF EXISTS (SELECT 1 FROM invoice_line o, ({_CREDITED}) c
             WHERE o.id = NEW.memo_of_id AND ({_PAST_THE_LINE}))
  THEN
    RAISE EXCEPTION 'credit is more than its line'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $body$
""".strip(),  # noqa: S608  # constants
        "CREATE TRIGGER invoice_line_credit_bound BEFORE INSERT ON invoice_line "
        "FOR EACH ROW EXECUTE FUNCTION invoice_line_credit_bound()",
    ],
)
