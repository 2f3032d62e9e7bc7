"""Tables of the cart."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards, kept_rules
from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id


class Cart(Base):
    """What somebody means to buy. Whoever holds the public id holds the cart."""

    __tablename__ = "cart"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'checking_out', 'ordered')", name="state"),
        Index("ix_cart_changed_at", "changed_at"),
        # Somebody who is logged in has one cart, wherever they are.
        Index(
            "ix_cart_user_id",
            "user_id",
            "channel_id",
            unique=True,
            sqlite_where=text("user_id IS NOT NULL AND state <> 'ordered'"),
            postgresql_where=text("user_id IS NOT NULL AND state <> 'ordered'"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"))
    currency: Mapped[str] = mapped_column(String(3))
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    email: Mapped[str | None] = mapped_column(String(254))
    vat_id: Mapped[str | None] = mapped_column(String(20))
    shipping_address: Mapped[dict[str, Any] | None]
    shipping_method: Mapped[str | None] = mapped_column(String(40))
    #: Gift cards (by public id) and credit that are to be used before the card.
    paying: Mapped[dict[str, Any] | None]
    #: What was answered at checkout beside that: ``purchase_order``, ``cost_centre``, ``consents``.
    answers: Mapped[dict[str, Any] | None]
    state: Mapped[str] = mapped_column(String(12), default="open")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    #: One more with every change of what is in it, where it goes or its state: programs say which they saw.
    version: Mapped[int] = mapped_column(default=1)


class CartLine(Base):
    """One variant in a cart, with the price it had when it was last put in and why."""

    __tablename__ = "cart_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        UniqueConstraint("cart_id", "variant_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    cart_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("cart.id"))
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variant.id"))
    quantity: Mapped[int]
    unit_price_micros: Mapped[int]
    price_trace: Mapped[dict[str, Any]]
    added_at: Mapped[datetime]
    #: By the rules nothing is held for it: it is sold before it is there.
    unheld: Mapped[bool] = mapped_column(default=False)


class HoldPolicy(Base):
    """How carts hold things: for a product, a kind of customer and a channel, each of them or all ("", None).

    See ``cart.holds``, which says whose row counts.
    """

    __tablename__ = "hold_policy"
    __table_args__ = (
        CheckConstraint("segment IN ('', 'guest', 'person', 'organisation')", name="segment"),
        CheckConstraint("minutes BETWEEN 1 AND 10080", name="minutes"),
        CheckConstraint("most_for_one IS NULL OR most_for_one > 0", name="most_for_one"),
        Index("ix_hold_policy_product_id", "product_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    #: Channel, product and segment in one, so that no two rows are for the same.
    scope: Mapped[str] = mapped_column(String(120), unique=True)
    channel_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("channel.id"))
    product_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("product.id"))
    segment: Mapped[str] = mapped_column(String(12), default="")
    minutes: Mapped[int]
    #: Whatever is changed in a cart holds all of it for the whole time again.
    extends: Mapped[bool] = mapped_column(default=True)
    #: So many of a product one customer may have, earlier orders counted; None: as many as they like.
    most_for_one: Mapped[int | None]
    #: Also what is sold before it is there is held.
    holds_beyond: Mapped[bool] = mapped_column(default=False)


class SavedLine(Base):
    """Something put aside for later, by somebody who is logged in or in a guest's cart. Nothing is held."""

    __tablename__ = "saved_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("(user_id IS NULL) <> (cart_id IS NULL)", name="keeper"),
        UniqueConstraint("user_id", "variant_id"),
        UniqueConstraint("cart_id", "variant_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    cart_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("cart.id"))
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variant.id"))
    quantity: Mapped[int]
    #: What one cost when it was put aside, as due at once.
    unit_price_micros: Mapped[int]
    saved_at: Mapped[datetime]


class SharedCart(Base):
    """A frozen copy of a cart, for whoever has its link."""

    __tablename__ = "shared_cart"
    __table_args__ = (Index("ix_shared_cart_expires_at", "expires_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"))
    currency: Mapped[str] = mapped_column(String(3))
    #: ``[{"sku", "name", "quantity", "unit_price_micros"}, …]``
    lines: Mapped[list[Any]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class ConsentAsk(Base):
    """Words that somebody agrees to at checkout, in one version. Other words are another version."""

    __tablename__ = "consent_ask"
    __table_args__ = (
        CheckConstraint("mode IN ('stated', 'required', 'optional')", name="mode"),
        UniqueConstraint("channel_id", "code", "version"),
        Index(
            "ix_consent_ask_now",
            "channel_id",
            "code",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"))
    code: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    #: ``stated``: ordering agrees to it; ``required``: has to be ticked; ``optional``: may be ticked.
    mode: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(String(500))
    #: Where all of it can be read, or empty.
    href: Mapped[str] = mapped_column(String(300), default="")
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(80))
    ended_at: Mapped[datetime | None]


class Consent(Base):
    """What somebody agreed to with an order: the words as they stood there, when, and from which address."""

    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_email", "email", "code"),)

    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int]
    mode: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(String(500))
    href: Mapped[str] = mapped_column(String(300))
    email: Mapped[str] = mapped_column(String(254))
    given_at: Mapped[datetime]
    ip: Mapped[str] = mapped_column(String(45))


class ConsentWithdrawal(Base):
    """Somebody took back what an account had agreed to: which words, when, who and from where."""

    __tablename__ = "consent_withdrawal"
    __table_args__ = (
        Index("ix_consent_withdrawal_account_id", "account_id", "code", "withdrawn_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    code: Mapped[str] = mapped_column(String(40))
    #: The version that had been agreed to.
    version: Mapped[int]
    withdrawn_at: Mapped[datetime]
    withdrawn_by: Mapped[str] = mapped_column(String(80))
    ip: Mapped[str] = mapped_column(String(45))


guards.append_only(Consent.__table__)
guards.append_only(ConsentWithdrawal.__table__)
kept_rules.watch(ConsentAsk.__table__)
