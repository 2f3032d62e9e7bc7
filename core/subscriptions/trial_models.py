"""Tables of the trials: what is offered, who tries what, one for each, and who is to be called."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id

#: Who may follow whom.
STATES = {
    "awaiting_card": ("running", "abandoned"),
    "running": ("converted", "cancelled", "lapsed"),
    "converted": (),
    "cancelled": (),
    "lapsed": (),
    "abandoned": (),
}
NO_CARD, CARD, FREE_TIER = "no_card", "card", "free_tier"
KINDS = (NO_CARD, CARD, FREE_TIER)
#: Why a subscription ends with its trial when nobody said anything, and when somebody cancelled it.
OVER, CANCELLED = "trial_over", "trial_cancelled"
#: A card that is to be charged is told of so many days before, or more.
SHORTEST_NOTICE = 7
_KIND_IS_ONE = "kind IN ('no_card', 'card', 'free_tier')"


class TrialOffer(Base):
    """A way to try a plan.

    ``days`` is None for a free tier alone, which has no end. ``follow_up_days`` are days after the start on
    which somebody who left no card is written to and called.
    """

    __tablename__ = "trial_offer"
    __table_args__ = (
        CheckConstraint(_KIND_IS_ONE, name="kind"),
        CheckConstraint("(kind = 'free_tier') = (days IS NULL)", name="has_an_end"),
        CheckConstraint(f"notice_days >= {SHORTEST_NOTICE}", name="notice"),
        CheckConstraint("days > notice_days AND days <= 366", name="days"),
        Index("ix_trial_offer_variant_id", "variant_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    #: As its address has it: ``burrow-30-days``.
    code: Mapped[str] = mapped_column(String(40), unique=True)
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variant.id"))
    kind: Mapped[str] = mapped_column(String(10))
    days: Mapped[int | None]
    notice_days: Mapped[int] = mapped_column(default=SHORTEST_NOTICE)
    follow_up_days: Mapped[list[Any]] = mapped_column(default=list)
    is_active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]


class Trial(Base):
    """Somebody tries a plan, as it was told to them before it began.

    ``subscription_id`` is None until it begins: a trial with a card waits until the card is stored. Whether
    it goes on afterwards stands in the subscription's phases, ``cancelled_at`` only says that it was asked
    to end.
    """

    __tablename__ = "trial"
    __table_args__ = (
        CheckConstraint(
            "state IN ('awaiting_card', 'running', 'converted', 'cancelled', 'lapsed', 'abandoned')",
            name="state",
        ),
        CheckConstraint(_KIND_IS_ONE, name="kind"),
        CheckConstraint("state <> 'awaiting_card' OR kind = 'card'", name="waits_for_a_card"),
        CheckConstraint(
            "(state IN ('awaiting_card', 'abandoned')) = (subscription_id IS NULL)", name="begun"
        ),
        CheckConstraint("(subscription_id IS NULL) = (starts_on IS NULL)", name="starts"),
        CheckConstraint(
            "kind = 'free_tier' OR (starts_on IS NULL) = (ends_on IS NULL)", name="ends"
        ),
        CheckConstraint("ends_on >= starts_on", name="order"),
        CheckConstraint(
            "(state IN ('awaiting_card', 'running')) = (closed_at IS NULL)", name="closed"
        ),
        CheckConstraint("price_micros >= 0", name="price"),
        CheckConstraint(
            "(first_invoice_id IS NULL) = (first_net_minor IS NULL) "
            "AND (first_invoice_id IS NULL OR state = 'converted')",
            name="first_bill",
        ),
        Index("ix_trial_account_id", "account_id"),
        Index("ix_trial_asked_at", "asked_at", "id"),
        Index("ix_trial_due", "state", "next_on"),
        Index("ix_trial_offer_id", "offer_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    offer_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("trial_offer.id"))
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(15))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"))
    email: Mapped[str] = mapped_column(String(254))
    subscription_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("subscription.id"), unique=True
    )
    #: The plan, and what it costs from the first day after the trial, as was agreed.
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variant.id"))
    price_micros: Mapped[int]
    price_trace: Mapped[dict[str, Any]]
    currency: Mapped[str] = mapped_column(String(3))
    interval: Mapped[str] = mapped_column(String(10))
    interval_count: Mapped[int]
    days: Mapped[int | None]
    notice_days: Mapped[int]
    #: The first day after it; None for a free tier.
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    #: The words that were shown and agreed to, sentence by sentence, their version, when and from where.
    words: Mapped[list[Any]]
    words_version: Mapped[str] = mapped_column(String(20))
    agreed_from: Mapped[str] = mapped_column(String(45), default="")
    asked_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    #: Why it was cancelled or never began: ``by_mail``, ``by_portal``, ``card_used``, ``not_finished``.
    close_reason: Mapped[str] = mapped_column(String(30), default="")
    #: The first bill above zero, and what it was before tax.
    first_invoice_id: Mapped[uuid.UUID | None]
    first_net_minor: Mapped[int | None]
    #: What was told to the person already: ``["welcome", "halfway"]``.
    told: Mapped[list[Any]] = mapped_column(default=list)
    #: When the notice before the first charge went out, on whose day the charge depends.
    noticed_on: Mapped[date | None]
    #: The next local day on which something is to be done; None when nothing is.
    next_on: Mapped[date | None]


class TrialClaim(Base):
    """One trial of a family of plans for each account, card, address and e-mail.

    ``digest`` proves that two are the same without telling what they are.
    """

    __tablename__ = "trial_claim"
    __table_args__ = (
        CheckConstraint("kind IN ('account', 'card', 'address', 'email')", name="kind"),
        UniqueConstraint("family", "kind", "digest"),
        Index("ix_trial_claim_trial_id", "trial_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    trial_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("trial.id"))
    family: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class TrialFollowUp(Base):
    """A person at the desk is to talk to somebody who tries a plan without a card."""

    __tablename__ = "trial_follow_up"
    __table_args__ = (
        CheckConstraint(
            "outcome IN ('', 'reached', 'no_answer', 'going_on', 'not_wanted')", name="outcome"
        ),
        CheckConstraint("(done_at IS NULL) = (outcome = '')", name="done"),
        CheckConstraint("(done_at IS NULL) = (done_by = '')", name="done_by"),
        UniqueConstraint("trial_id", "due_on"),
        Index("ix_trial_follow_up_due_on", "due_on", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    trial_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("trial.id"))
    due_on: Mapped[date]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str] = mapped_column(String(80), default="")
    outcome: Mapped[str] = mapped_column(String(15), default="")
    note: Mapped[str] = mapped_column(String(500), default="")
