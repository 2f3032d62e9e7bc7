"""Tables of the orders. Lifecycle, payment and fulfilment are three states with one writer each."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id

#: Who may follow whom, by state machine.
LIFECYCLE = {
    "pending": ("confirmed", "cancelled"),
    "confirmed": ("cancelled", "completed"),
    "cancelled": (),
    "completed": (),
}
FULFILMENT = {
    "unfulfilled": ("partial", "fulfilled"),
    "partial": ("fulfilled",),
    "fulfilled": (),
}
#: What was complete waits again once an exchange adds pieces: ``fulfilling.add`` alone goes this way.
REOPENED = {"lifecycle": ("completed", "confirmed"), "fulfilment": ("fulfilled", "partial")}
PAYMENT = {
    "awaiting": ("paid", "on_terms", "released"),
    "on_terms": ("paid",),
    "paid": ("refunded",),
    "released": ("refund_due",),
    "refund_due": ("refunded",),
    "refunded": ("refund_due",),
}


class Order(Base):
    """One sale. ``payer`` is billed; ``service account`` gets what was bought."""

    __tablename__ = "order"
    __table_args__ = (
        CheckConstraint(
            "lifecycle IN ('pending', 'confirmed', 'cancelled', 'completed')", name="lifecycle"
        ),
        CheckConstraint(
            "payment IN ('awaiting', 'on_terms', 'paid', 'released', 'refund_due', 'refunded')",
            name="payment",
        ),
        CheckConstraint("fulfilment IN ('unfulfilled', 'partial', 'fulfilled')", name="fulfilment"),
        CheckConstraint("(held_at IS NULL) = (held_reasons IS NULL)", name="held"),
        CheckConstraint(
            "(decided_at IS NULL) = (decided_by IS NULL) "
            "AND (decided_at IS NULL OR held_at IS NOT NULL)",
            name="decided",
        ),
        UniqueConstraint("legal_entity_id", "number"),
        Index(
            "ix_order_held_at",
            "held_at",
            "id",
            sqlite_where=text("held_at IS NOT NULL"),
            postgresql_where=text("held_at IS NOT NULL"),
        ),
        Index("ix_order_payer_account_id", "payer_account_id", "placed_at"),
        Index("ix_order_placed_at", "placed_at"),
        Index("ix_order_created_at", "created_at", "id"),
        Index("ix_order_worth_minor", "worth_minor", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    #: Given at confirmation, so that abandoned checkouts leave no gap.
    number: Mapped[str | None] = mapped_column(String(40))
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channel.id"))
    currency: Mapped[str] = mapped_column(String(3))
    payer_account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    service_account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    #: One cart becomes one order; a cancelled attempt frees its cart again.
    cart_id: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    #: The cart that a cancelled attempt came from.
    from_cart_id: Mapped[uuid.UUID | None]
    quote_version_id: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    lifecycle: Mapped[str] = mapped_column(String(10), default="pending")
    payment: Mapped[str] = mapped_column(String(10), default="awaiting")
    fulfilment: Mapped[str] = mapped_column(String(12), default="unfulfilled")
    payment_method: Mapped[str] = mapped_column(String(10))
    #: Of the gift cards and credit that the payer stated, to know the same wish again.
    paying_digest: Mapped[str | None] = mapped_column(String(64))
    email: Mapped[str] = mapped_column(String(254))
    #: The buyer's VAT id that was used.
    vat_id: Mapped[str | None] = mapped_column(String(20))
    #: A business's own number of the order, and which of its cost centres pays.
    purchase_order: Mapped[str | None] = mapped_column(String(60))
    cost_centre: Mapped[str | None] = mapped_column(String(60))
    shipping_address: Mapped[dict[str, Any] | None]
    shipping_method: Mapped[str | None] = mapped_column(String(40))
    #: How further deliveries go, by what goes that way.
    ways: Mapped[dict[str, Any] | None]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    due_now_minor: Mapped[int]
    created_at: Mapped[datetime]
    placed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None] = mapped_column(String(60))
    #: Of an order on the phone: which of the staff took it, as the audit log names them.
    taken_by: Mapped[str | None] = mapped_column(String(80))
    #: Since when, and why (codes of ``core.orders.screening``, by commas), nothing of it is sent or begun.
    held_at: Mapped[datetime | None]
    held_reasons: Mapped[str | None] = mapped_column(String(120))
    #: When, and by whom, that was decided: approved, or cancelled.
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(80))
    #: What it comes to now: as placed, with what its later documents added and gave back.
    worth_minor: Mapped[int]

    @property
    def is_held(self) -> bool:
        """It waits for somebody to check it."""
        return self.held_at is not None and self.decided_at is None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it was held, by code."""
        return tuple((self.held_reasons or "").split(",")) if self.held_reasons else ()


class OrderLine(Base):
    """One line at its frozen price. A bundle's pieces stand under their parent line, which shows what
    they come to now (without taxes, those are the pieces') and counts for nothing itself."""

    __tablename__ = "order_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("charge_kind IN ('one_off', 'monthly', 'yearly')", name="charge_kind"),
        UniqueConstraint("order_id", "line_number"),
        UniqueConstraint("subscription_id", "period_index"),
        CheckConstraint(
            "kind <> 'bundle' OR (parent_id IS NULL AND tax_minor = 0 AND contained_minor = 0 "
            "AND subscription_id IS NULL)",
            name="bundle",
        ),
        CheckConstraint("fulfilled >= 0 AND cancelled >= 0 AND returned >= 0", name="signs"),
        CheckConstraint("fulfilled + cancelled <= quantity", name="no_more_than_ordered"),
        CheckConstraint("returned <= fulfilled", name="returned_was_sent"),
        Index(
            "ix_order_line_parent_id",
            "parent_id",
            sqlite_where=text("parent_id IS NOT NULL"),
            postgresql_where=text("parent_id IS NOT NULL"),
        ),
        Index(
            "ix_order_line_change_id",
            "change_id",
            sqlite_where=text("change_id IS NOT NULL"),
            postgresql_where=text("change_id IS NOT NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order.id"))
    line_number: Mapped[int]
    parent_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("order_line.id"))
    variant_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("variant.id"))
    sku: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(200))
    #: A variant's kind, or ``delivery``; ``bundle`` for the line that its pieces stand under.
    kind: Mapped[str] = mapped_column(String(10))
    tax_category: Mapped[str] = mapped_column(String(40))
    charge_kind: Mapped[str] = mapped_column(String(10), default="one_off")
    quantity: Mapped[int]
    unit_price_micros: Mapped[int]
    price_trace: Mapped[dict[str, Any]]
    #: What it costs us, and what it sells for by itself: of a bundle's piece above all.
    cost_minor: Mapped[int | None]
    sale_price_minor: Mapped[int | None]
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    #: So much of the tax is contained in the price.
    contained_minor: Mapped[int] = mapped_column(default=0)
    service_account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    payer_account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    service_location: Mapped[dict[str, Any] | None]
    #: Of a plan: how many months it was agreed for.
    term_months: Mapped[int | None]
    subscription_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("subscription.id"))
    period_index: Mapped[int | None]
    #: How many pieces are sent or done, cancelled, and on their way back or there; a bundle's stand with its
    #: pieces. ``core.orders.fulfilling`` alone writes these.
    fulfilled: Mapped[int] = mapped_column(default=0)
    cancelled: Mapped[int] = mapped_column(default=0)
    returned: Mapped[int] = mapped_column(default=0)
    #: The change that added it after placing; such a line has a bill of its own.
    change_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("order_change.id"))
    #: Of goods and of deliveries: by which way (``Variant.goes_by``). See ``core.orders.deliveries``.
    goes_by: Mapped[str | None] = mapped_column(String(20))
    #: Of a delivery whose goods are fetched: at which place.
    pickup_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("location.id"))
    #: Each piece is a number, an address or a key of its own: ``core.stock.numbers``.
    numbered: Mapped[bool] = mapped_column(default=False)

    @property
    def needs_stock(self) -> bool:
        """Only what is counted is held and sold from stock: goods, and what is numbered."""
        return (self.kind == "physical" or self.numbered) and self.variant_id is not None

    @property
    def waiting(self) -> int:
        """Pieces that are still to be sent or done."""
        return self.quantity - self.fulfilled - self.cancelled

    @property
    def priced_minor(self) -> int:
        """What it costs as it was priced: with the tax that its price contains."""
        return self.net_minor + self.contained_minor


class OrderLineCharge(Base):
    """What a bundle's line costs for one charge kind, as priced: its pieces of that kind come to it."""

    __tablename__ = "order_line_charge"
    __table_args__ = (
        CheckConstraint("charge_kind IN ('one_off', 'monthly', 'yearly')", name="charge_kind"),
    )

    order_line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_line.id"), primary_key=True)
    charge_kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    unit_price_micros: Mapped[int]
    priced_minor: Mapped[int]


class OrderLineTax(Base):
    """One tax on one order line, frozen with it."""

    __tablename__ = "order_line_tax"
    __table_args__ = (
        CheckConstraint("relief IN ('', 'exempt', 'reverse_charge')", name="relief"),
        CheckConstraint("relief = '' OR amount_minor = 0", name="relieved"),
    )

    order_line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_line.id"), primary_key=True)
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
