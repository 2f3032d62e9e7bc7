"""Tables of the documents. An issued document never changes; its paid state is read from the ledger."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards
from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id


class Invoice(Base):
    """An invoice, credit memo, debit memo or note. Amounts of a credit memo are positive too."""

    __tablename__ = "invoice"
    __table_args__ = (
        CheckConstraint("kind IN ('invoice', 'credit_memo', 'debit_memo', 'note')", name="kind"),
        CheckConstraint("total_minor = net_minor + tax_minor", name="adds_up"),
        UniqueConstraint("legal_entity_id", "series", "number"),
        UniqueConstraint("subscription_id", "period_index"),
        Index("ix_invoice_account_id", "payer_account_id", "issue_date"),
        Index("ix_invoice_issued_at", "issued_at"),
        Index(
            "uq_invoice_order_id",
            "order_id",
            unique=True,
            sqlite_where=text("kind = 'invoice'"),
            postgresql_where=text("kind = 'invoice'"),
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
    subscription_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("subscription.id"))
    period_index: Mapped[int | None]
    issue_date: Mapped[date]
    due_date: Mapped[date | None]
    issued_at: Mapped[datetime]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    total_minor: Mapped[int]
    #: The frozen document model that page and PDF are made of.
    document: Mapped[dict[str, Any]]


class InvoiceLine(Base):
    """One line. ``memo_of_id`` is the line that a memo's line corrects."""

    __tablename__ = "invoice_line"
    __table_args__ = (
        UniqueConstraint("invoice_id", "line_number"),
        Index("ix_invoice_line_memo_of_id", "memo_of_id"),
        Index("ix_invoice_line_order_line_id", "order_line_id"),
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
    cost_minor: Mapped[int | None]
    why: Mapped[dict[str, Any] | None]


class InvoiceLineTax(Base):
    """One tax on one invoice line."""

    __tablename__ = "invoice_line_tax"

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
