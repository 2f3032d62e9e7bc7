"""Tables of the quotes. A version is frozen when it is sent: ``fences`` has the database hold that.

A quote has versions; one of them may be in the making, and at most one is sent. What was sent is accepted
once, as it stands, or never.
"""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cart.quotes.offer import NUMBERS
from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id

#: Who may follow whom. ``expired`` is no state: it is ``sent`` after its time.
QUOTE = {
    "requested": ("drafting", "sent", "declined", "withdrawn"),
    "drafting": ("sent", "declined", "withdrawn"),
    "sent": ("sent", "accepted", "declined", "withdrawn"),
    "declined": ("drafting",),
    "withdrawn": ("drafting",),
    "accepted": (),
}
VERSION = {
    "draft": ("waiting", "sent", "dropped"),
    "waiting": ("draft", "approved", "dropped"),
    "approved": ("draft", "sent", "dropped"),
    "sent": ("accepted", "declined", "superseded", "withdrawn"),
    "accepted": (),
    "declined": (),
    "superseded": (),
    "withdrawn": (),
    "dropped": (),
}
#: States of a version that is still in the making.
IN_THE_MAKING = ("draft", "waiting", "approved")
#: How a version lets the customer pay.
PAYMENTS = ("either", "terms", "card")
#: More pieces than this are several lines: up to here a price each says a line's amount exactly.
MOST_PIECES = 999
_OPEN = text("state IN ('draft', 'waiting', 'approved')")
_SENT = text("state = 'sent'")


class Quote(Base):
    """A wish for a price, and what became of it. Whoever holds its link may answer it."""

    __tablename__ = "quote"
    __table_args__ = (
        CheckConstraint(
            "state IN ('requested', 'drafting', 'sent', 'accepted', 'declined', 'withdrawn')",
            name="state",
        ),
        CheckConstraint("source IN ('cart', 'product', 'staff')", name="source"),
        CheckConstraint("last_side IN ('customer', 'staff')", name="last_side"),
        CheckConstraint(
            "(state IN ('accepted', 'declined', 'withdrawn')) = (closed_at IS NOT NULL)",
            name="closed",
        ),
        CheckConstraint("state <> 'sent' OR expires_at IS NOT NULL", name="expires"),
        UniqueConstraint("legal_entity_id", "number"),
        Index("ix_quote_account_id", "account_id", "requested_at"),
        Index("ix_quote_state", "state", "changed_at"),
        Index("ix_quote_changed_at", "changed_at", "id"),
        Index("ix_quote_requested_at", "requested_at", "id"),
        Index("ix_quote_value_minor", "value_minor", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    number: Mapped[str] = mapped_column(String(40))
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"))
    currency: Mapped[str] = mapped_column(String(3))
    source: Mapped[str] = mapped_column(String(10))
    #: Who is to be billed; a guest's account is opened when they accept.
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    #: Who asked while they were logged in.
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    company: Mapped[str] = mapped_column(String(120), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    vat_id: Mapped[str | None] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10), default="requested")
    owner_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    #: What the last version is worth over its terms, before tax: for lists and the report.
    value_minor: Mapped[int] = mapped_column(default=0)
    #: Of the version that is sent.
    expires_at: Mapped[datetime | None]
    #: Who wrote last, and when; ``answered_at``: the house's first message or version.
    last_side: Mapped[str] = mapped_column(String(10), default="customer")
    last_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    requested_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    close_reason: Mapped[str | None] = mapped_column(String(40))
    close_note: Mapped[str | None] = mapped_column(Text)


class QuoteVersion(Base):
    """One offer. ``revision`` tells two editors apart; ``document`` is what page and PDF say."""

    __tablename__ = "quote_version"
    __table_args__ = (
        CheckConstraint(
            "state IN ('draft', 'waiting', 'approved', 'sent', 'accepted', 'declined', "
            "'superseded', 'withdrawn', 'dropped')",
            name="state",
        ),
        CheckConstraint("payment IN ('either', 'terms', 'card')", name="payment"),
        CheckConstraint("discount_ppm BETWEEN 0 AND 1000000", name="discount_ppm"),
        CheckConstraint("discount_minor >= 0", name="discount_minor"),
        CheckConstraint("discount_ppm = 0 OR discount_minor = 0", name="one_discount"),
        CheckConstraint("delivery_minor >= 0", name="delivery"),
        CheckConstraint(
            "(state IN ('draft', 'waiting', 'approved', 'dropped')) = (frozen_at IS NULL)",
            name="frozen",
        ),
        CheckConstraint(
            "frozen_at IS NULL OR (document IS NOT NULL AND expires_at IS NOT NULL "
            "AND net_minor IS NOT NULL AND tax_minor IS NOT NULL)",
            name="whole",
        ),
        CheckConstraint(
            "state <> 'approved' OR approved_by IS NOT NULL",
            name="approved",
        ),
        CheckConstraint(
            "frozen_at IS NULL OR NOT needs_approval OR approved_by IS NOT NULL",
            name="second_person",
        ),
        CheckConstraint("approved_by <> drafted_by", name="never_oneself"),
        UniqueConstraint("quote_id", "number"),
        Index(
            "uq_quote_version_open",
            "quote_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(
            "uq_quote_version_sent",
            "quote_id",
            unique=True,
            sqlite_where=_SENT,
            postgresql_where=_SENT,
        ),
        Index("ix_quote_version_waiting", "state", "changed_at"),
        Index("ix_quote_version_expires_at", "expires_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    quote_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("quote.id"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default="draft")
    revision: Mapped[int] = mapped_column(default=1)
    #: The last day on which it holds, where the channel is.
    valid_through: Mapped[date | None]
    expires_at: Mapped[datetime | None]
    discount_ppm: Mapped[int] = mapped_column(default=0)
    discount_minor: Mapped[int] = mapped_column(default=0)
    discount_reason: Mapped[str] = mapped_column(String(200), default="")
    #: Which way goods go; empty takes the cheapest. ``delivery_minor``: its price for each place, if agreed.
    delivery_method: Mapped[str] = mapped_column(String(40), default="")
    delivery_minor: Mapped[int | None]
    payment: Mapped[str] = mapped_column(String(10), default="either")
    #: Words to the customer, on the document.
    note: Mapped[str] = mapped_column(String(600), default="")
    needs_approval: Mapped[bool] = mapped_column(default=False)
    #: ``user:ID``, as in the audit log.
    drafted_by: Mapped[str] = mapped_column(String(80))
    approved_by: Mapped[str | None] = mapped_column(String(80))
    #: From here on frozen: due at acceptance, its taxes, and what page and PDF are made of.
    net_minor: Mapped[int | None]
    tax_minor: Mapped[int | None]
    document: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    frozen_at: Mapped[datetime | None]


class QuoteSite(Base):
    """A place where goods go or a service is used. The first is where the bill goes, of a new customer."""

    __tablename__ = "quote_site"
    __table_args__ = (UniqueConstraint("version_id", "position"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("quote_version.id"), index=True)
    position: Mapped[int]
    address: Mapped[dict[str, Any]]


class QuoteLine(Base):
    """One line: something from the catalog, or words. What recurs is a plan of the catalog.

    ``unit_price_micros`` was agreed; ``final_price_micros`` is what one costs once the version's discount
    is off, and its amounts are frozen with it. Delivery becomes lines when the version is sent.
    """

    __tablename__ = "quote_line"
    __table_args__ = (
        CheckConstraint("quantity BETWEEN 1 AND 999", name="quantity"),
        CheckConstraint("unit_price_micros >= 0 AND final_price_micros >= 0", name="price"),
        CheckConstraint("charge_kind IN ('one_off', 'monthly', 'yearly')", name="charge_kind"),
        CheckConstraint(
            "charge_kind = 'one_off' OR variant_id IS NOT NULL", name="recurs_from_catalog"
        ),
        CheckConstraint(
            "term_months IS NULL OR (charge_kind <> 'one_off' AND term_months BETWEEN 1 AND 120)",
            name="term",
        ),
        UniqueConstraint("version_id", "line_number"),
        Index("ix_quote_line_site_id", "site_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("quote_version.id"))
    line_number: Mapped[int]
    site_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("quote_site.id"))
    variant_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("variant.id"))
    sku: Mapped[str] = mapped_column(String(60), default="")
    name: Mapped[str] = mapped_column(String(200))
    #: A variant's kind, ``other`` for words, or ``delivery``.
    kind: Mapped[str] = mapped_column(String(10))
    tax_category: Mapped[str] = mapped_column(String(40), default="")
    charge_kind: Mapped[str] = mapped_column(String(10), default="one_off")
    term_months: Mapped[int | None]
    quantity: Mapped[int]
    list_price_micros: Mapped[int | None]
    unit_price_micros: Mapped[int]
    cost_micros: Mapped[int | None]
    price_trace: Mapped[dict[str, Any]] = mapped_column(default=dict)
    final_price_micros: Mapped[int | None]
    net_minor: Mapped[int | None]
    tax_minor: Mapped[int | None]
    contained_minor: Mapped[int | None]

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers that staff chose for it, of what is sold by numbers."""
        return tuple(self.price_trace.get(NUMBERS, ()))


class QuoteLineTax(Base):
    """One tax on one line, frozen with it."""

    __tablename__ = "quote_line_tax"
    __table_args__ = (
        CheckConstraint("relief IN ('', 'exempt', 'reverse_charge')", name="relief"),
        CheckConstraint("relief = '' OR amount_minor = 0", name="relieved"),
    )

    quote_line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("quote_line.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    jurisdiction: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(80))
    rate_ppm: Mapped[int]
    base_minor: Mapped[int]
    amount_minor: Mapped[int]
    inclusive: Mapped[bool]
    compound: Mapped[bool] = mapped_column(default=False)
    relief: Mapped[str] = mapped_column(String(16), default="")
    reference: Mapped[str] = mapped_column(String(80), default="")


class QuoteApproval(Base):
    """A wish for a second person's word on one revision of a version, and what they said."""

    __tablename__ = "quote_approval"
    __table_args__ = (
        CheckConstraint("state IN ('asked', 'approved', 'declined', 'void')", name="state"),
        CheckConstraint(
            "decided_by <> asked_by AND decided_by <> drafted_by", name="second_person"
        ),
        CheckConstraint(
            "(state IN ('approved', 'declined')) = (decided_by IS NOT NULL) "
            "AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="decided",
        ),
        Index(
            "uq_quote_approval_asked",
            "version_id",
            unique=True,
            sqlite_where=text("state = 'asked'"),
            postgresql_where=text("state = 'asked'"),
        ),
        Index("ix_quote_approval_version_id", "version_id", "asked_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("quote_version.id"))
    revision: Mapped[int]
    #: Codes of ``approving``: which limits it is over.
    reasons: Mapped[list[Any]]
    note: Mapped[str] = mapped_column(Text, default="")
    drafted_by: Mapped[str] = mapped_column(String(80))
    asked_by: Mapped[str] = mapped_column(String(80))
    asked_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default="asked")
    decided_by: Mapped[str | None] = mapped_column(String(80))
    decided_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(Text, default="")


class QuoteMessage(Base):
    """What one side wrote to the other, in plain text. Append-only."""

    __tablename__ = "quote_message"
    __table_args__ = (
        CheckConstraint("side IN ('customer', 'staff')", name="side"),
        Index("ix_quote_message_quote_id", "quote_id", "at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    quote_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("quote.id"))
    side: Mapped[str] = mapped_column(String(10))
    author: Mapped[str] = mapped_column(String(200))
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class QuoteAcceptance(Base):
    """Somebody's word: who, as what, to which text, when and from where; and the order that it made.

    An order that was not paid for is given up, and the version may be accepted anew: then there is another.
    """

    __tablename__ = "quote_acceptance"
    __table_args__ = (
        CheckConstraint("payment IN ('terms', 'card')", name="payment"),
        Index("ix_quote_acceptance_version_id", "version_id", "accepted_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("quote_version.id"))
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order.id"), unique=True)
    payment: Mapped[str] = mapped_column(String(10))
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(120))
    consent_version: Mapped[str] = mapped_column(String(20))
    consent_text: Mapped[str] = mapped_column(Text)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    ip: Mapped[str] = mapped_column(String(45))
    accepted_at: Mapped[datetime]


class QuoteFile(Base):
    """Where the PDF of a sent version is kept."""

    __tablename__ = "quote_file"

    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("quote_version.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))
    template_version: Mapped[str] = mapped_column(String(40))
    renderer_version: Mapped[str] = mapped_column(String(40))
    fonts_version: Mapped[str] = mapped_column(String(64))
    stored_at: Mapped[datetime]
