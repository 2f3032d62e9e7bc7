"""Tables of the parties. Reads for a user are scoped through a membership."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id


class LegalEntity(Base):
    """Who bills: its number series, chart of accounts and functional currency."""

    __tablename__ = "legal_entity"
    __table_args__ = (CheckConstraint("tax_rounding IN ('document', 'line')", name="tax_rounding"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    address: Mapped[list[Any]]
    country: Mapped[str] = mapped_column(String(2))
    time_zone: Mapped[str] = mapped_column(String(60))
    functional_currency: Mapped[str] = mapped_column(String(3))
    tax_id: Mapped[str | None] = mapped_column(String(40))
    tax_rounding: Mapped[str] = mapped_column(String(10), default="document")
    phone: Mapped[str | None] = mapped_column(String(40))
    email: Mapped[str | None] = mapped_column(String(200))


class Channel(Base):
    """Where people come in: brand, currency, locale, and the legal entity that bills for it."""

    __tablename__ = "channel"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    currency: Mapped[str] = mapped_column(String(3))
    locale: Mapped[str] = mapped_column(String(20))
    time_zone: Mapped[str] = mapped_column(String(60))
    prices_include_tax: Mapped[bool] = mapped_column(default=False)
    terms_days: Mapped[int] = mapped_column(default=14)
    #: Finer terms of payment (``invoices.terms.Terms``) than so many days after issue.
    terms: Mapped[dict[str, Any] | None]
    #: What the header and footer say: ``{"phone": …, "address": …, "hours": …}``.
    brand: Mapped[dict[str, Any]]
    #: Which orders are held until somebody has checked them (``core.orders.screening.Rules``).
    screening: Mapped[dict[str, Any] | None]


class Account(Base):
    """Who is billed: a person or an organisation. A guest's order has an account of its own."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("kind IN ('person', 'organisation')", name="kind"),
        CheckConstraint("bill_day BETWEEN 1 AND 31", name="bill_day"),
        UniqueConstraint("legal_entity_id", "external_ref"),
        Index("ix_account_name", "name"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    #: Nine digits, random, printed on bills.
    number: Mapped[str] = mapped_column(String(9), unique=True)
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    channel_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("channel.id"))
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    #: It has no statements of its own: what happens on it stands on its parent's.
    is_stated_with_parent: Mapped[bool] = mapped_column(default=False)
    kind: Mapped[str] = mapped_column(String(20), default="person")
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(254))
    currency: Mapped[str] = mapped_column(String(3))
    locale: Mapped[str | None] = mapped_column(String(20))
    time_zone: Mapped[str] = mapped_column(String(60))
    bill_day: Mapped[int] = mapped_column(default=1)
    terms_days: Mapped[int | None]
    terms: Mapped[dict[str, Any] | None]
    credit_limit_minor: Mapped[int | None]
    billing_address: Mapped[dict[str, Any] | None]
    #: Of a business, as its register writes it: ``DE136695976``.
    vat_id: Mapped[str | None] = mapped_column(String(20))
    #: The id that another system gave this account; unique per legal entity.
    external_ref: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime]
    #: How often its pay code was made anew.
    pay_code_series: Mapped[int] = mapped_column(default=0)
    #: Of a business: nothing is ordered for it without a number of its own.
    needs_purchase_order: Mapped[bool] = mapped_column(default=False)


class User(Base):
    """Who logs in. ``email`` is stored in lower case."""

    __tablename__ = "user"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    #: None until the person has set a password from an invitation.
    password_hash: Mapped[str | None] = mapped_column(String(200))
    is_staff: Mapped[bool] = mapped_column(default=False)
    roles: Mapped[list[Any]] = mapped_column(default=list)
    email_verified_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Membership(Base):
    """What a user may do on an account."""

    __tablename__ = "membership"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'buyer', 'approver', 'payer', 'viewer')", name="role"),
        Index("ix_membership_account_id", "account_id"),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"), primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(20))
    limit_minor: Mapped[int | None]
    created_at: Mapped[datetime]


class Address(Base):
    """A place that an account delivers to or is billed at."""

    __tablename__ = "address"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20), default="delivery")
    address: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class UserSession(Base):
    """One browser's session. The cookie holds a random token; here is only its hash."""

    __tablename__ = "user_session"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"), index=True)
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class LinkToken(Base):
    """A link that was sent by mail. The token in the link is derived from the shop's secret."""

    __tablename__ = "link_token"
    __table_args__ = (CheckConstraint("purpose IN ('reset', 'invite', 'verify')", name="purpose"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_public_id)
    purpose: Mapped[str] = mapped_column(String(10))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"), index=True)
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
