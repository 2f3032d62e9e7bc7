"""Reading trials: offers, a person's own, the desk's lists, who is to be called, and what came of them."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, or_, select, tuple_
from sqlalchemy.orm import Session

from core.catalog.models import Product, Variant
from core.kernel.errors import NotFound
from core.kernel.looking import found_in
from core.kernel.sorting import By, Place, Sorts
from core.parties.listing import called
from core.parties.models import Account, User
from core.subscriptions.models import Subscription, SubscriptionPhase
from core.subscriptions.trial_models import OVER, Trial, TrialFollowUp, TrialOffer

#: What a list is narrowed to, besides the states: cancelled, but not over yet.
LEAVING = "leaving"
STATES = ("running", LEAVING, "converted", "cancelled", "lapsed", "awaiting_card", "abandoned")
#: What the desk's lists may be sorted by: trials, and who is to be called.
SORTS = Sorts(Trial.id, {"asked": Trial.asked_at, "ends": By(Trial.ends_on, empty=date.max)})
NEWEST = Place("-asked")
CALL_SORTS = Sorts(TrialFollowUp.id, {"due": TrialFollowUp.due_on})
LONGEST_WAITING = Place("due")


@dataclass(frozen=True)
class Offered:
    """An offer with what it is of."""

    offer: TrialOffer
    variant: Variant
    product: Product


@dataclass(frozen=True)
class Listed:
    """A trial as lists show it."""

    trial: Trial
    account: Account
    variant: Variant
    subscription: Subscription | None


@dataclass(frozen=True)
class Due:
    """Somebody to be called, and about which trial."""

    follow_up: TrialFollowUp
    listed: Listed
    user: User


# --- offers ---------------------------------------------------------------------------------------


def _offers(*where: ColumnElement[bool]) -> Select[TrialOffer, Variant, Product]:
    return (
        select(TrialOffer, Variant, Product)
        .join(Variant, Variant.id == TrialOffer.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(*where)
        .order_by(TrialOffer.position, TrialOffer.code)
    )


def offers(
    session: Session, *, product_slug: str | None = None, active: bool = False
) -> list[Offered]:
    """The offers: of one product's page, and only those that can be had now, when so asked."""
    where: list[ColumnElement[bool]] = []
    if product_slug is not None:
        where.append(Product.slug == product_slug)
    if active:
        where.append(TrialOffer.is_active.is_(True))
    return [Offered(*row) for row in session.execute(_offers(*where))]


def offer(session: Session, code: str) -> Offered:
    """One offer. NotFound when there is none."""
    row = session.execute(_offers(TrialOffer.code == code)).first()
    if row is None:
        raise NotFound("trial")
    return Offered(*row)


# --- trials ---------------------------------------------------------------------------------------


def _trials(*where: ColumnElement[bool]) -> Select[Trial, Account, Variant, Subscription]:
    return (
        select(Trial, Account, Variant, Subscription)
        .join(Account, Account.id == Trial.account_id)
        .join(Variant, Variant.id == Trial.variant_id)
        .outerjoin(Subscription, Subscription.id == Trial.subscription_id)
        .where(*where)
    )


def leaving() -> ColumnElement[bool]:
    """It runs, but was asked to end: ``trials.is_cancelled`` for a query that joins the subscription."""
    asked = and_(Subscription.ended_on.is_not(None), Subscription.end_reason != OVER)
    return and_(Trial.state == "running", asked)


def one(
    session: Session, public_id: str, account_ids: Collection[uuid.UUID] | None = None
) -> Listed:
    """One trial. NotFound when it is none of the accounts' (None: staff, or whoever has its link)."""
    where = [Trial.public_id == public_id]
    if account_ids is not None:
        where.append(Trial.account_id.in_(account_ids))
    row = session.execute(_trials(*where)).first()
    if row is None:
        raise NotFound("trial")
    return Listed(*row)


def of_accounts(
    session: Session,
    account_ids: Collection[uuid.UUID],
    *,
    before: tuple[datetime, uuid.UUID] | None = None,
    limit: int = 50,
) -> list[Listed]:
    """The trials of some accounts, the newest first; those that never began are left out."""
    where: list[ColumnElement[bool]] = [
        Trial.account_id.in_(account_ids),
        Trial.state != "abandoned",
    ]
    if before is not None:
        where.append(tuple_(Trial.asked_at, Trial.id) < tuple_(*before))
    query = _trials(*where).order_by(Trial.asked_at.desc(), Trial.id.desc()).limit(limit)
    return [Listed(*row) for row in session.execute(query)]


def going_on(session: Session, listed: Collection[Listed]) -> frozenset[uuid.UUID]:
    """The trials of these that somebody has agreed to pay for afterwards; one statement, however many."""
    keys = [one.trial.subscription_id for one in listed if one.trial.subscription_id is not None]
    return frozenset(
        session.scalars(
            select(Trial.id)
            .join(SubscriptionPhase, SubscriptionPhase.subscription_id == Trial.subscription_id)
            .where(
                Trial.subscription_id.in_(keys),
                SubscriptionPhase.number > 0,
                SubscriptionPhase.kind == "paid",
                SubscriptionPhase.withdrawn_at.is_(None),
            )
        )
    )


def of_subscription(session: Session, subscription_id: uuid.UUID) -> Trial | None:
    """The trial that a service began with."""
    return session.scalar(select(Trial).where(Trial.subscription_id == subscription_id))


def waiting_of(session: Session, account_id: uuid.UUID) -> Sequence[Trial]:
    """The trials of an account that wait for their card."""
    return session.scalars(
        select(Trial).where(Trial.account_id == account_id, Trial.state == "awaiting_card")
    ).all()


def listing(
    session: Session,
    *,
    kind: str = "",
    state: str = "",
    words: str = "",
    place: Place = NEWEST,
    limit: int | None = None,
) -> list[Listed]:
    """Trials for the desk from a place on; ``words`` begin an account's name, number or e-mail."""
    where: list[ColumnElement[bool]] = []
    if kind:
        where.append(Trial.kind == kind)
    if state == LEAVING:
        where.append(leaving())
    elif state:
        where.append(Trial.state == state)
    if words:
        where.append(
            or_(
                Account.name.istartswith(words, autoescape=True),
                Account.number == words.replace(" ", ""),
                Trial.email.istartswith(words, autoescape=True),
            )
        )
    return [Listed(*row) for row in session.execute(SORTS.apply(_trials(*where), place, limit))]


def due(
    session: Session, latest: date, after: uuid.UUID | None = None, limit: int = 200
) -> list[uuid.UUID]:
    """Trials with something to be done by that day, in the order of their keys."""
    query = select(Trial.id).where(Trial.state == "running", Trial.next_on <= latest)
    if after is not None:
        query = query.where(Trial.id > after)
    return list(session.scalars(query.order_by(Trial.id).limit(limit)))


def waiting(session: Session, asked_before: datetime, limit: int = 200) -> list[uuid.UUID]:
    """Trials that have waited for their card since before a moment."""
    return list(
        session.scalars(
            select(Trial.id)
            .where(Trial.state == "awaiting_card", Trial.asked_at < asked_before)
            .order_by(Trial.id)
            .limit(limit)
        )
    )


# --- follow-ups -----------------------------------------------------------------------------------


def follow_ups_of(session: Session, trial_id: uuid.UUID) -> Sequence[TrialFollowUp]:
    """The follow-ups of one trial, the earliest first."""
    return session.scalars(
        select(TrialFollowUp)
        .where(TrialFollowUp.trial_id == trial_id)
        .order_by(TrialFollowUp.due_on)
    ).all()


def calls_due(latest: date) -> Select[uuid.UUID]:
    """The keys of the follow-ups that ``follow_ups_due`` lists."""
    return (
        select(TrialFollowUp.id)
        .join(Trial, Trial.id == TrialFollowUp.trial_id)
        .join(Subscription, Subscription.id == Trial.subscription_id)
        .where(*_to_call(latest))
    )


def _to_call(latest: date) -> list[ColumnElement[bool]]:
    undecided = and_(Trial.state == "running", Subscription.end_reason == OVER)
    return [
        TrialFollowUp.due_on <= latest,
        TrialFollowUp.done_at.is_(None),
        or_(Trial.state == "lapsed", undecided),
    ]


def follow_ups_due(
    session: Session,
    latest: date,
    *,
    words: str = "",
    only: str = "",
    place: Place = LONGEST_WAITING,
    limit: int,
) -> list[Due]:
    """Who is to be called by that day, from a place on; ``only`` is the one that goes by a public id.

    Whoever goes on anyway, or has cancelled, is left in peace.
    """
    where = _to_call(latest)
    if only:
        where.append(TrialFollowUp.public_id == only)
    if words:
        where.append(or_(called(words), found_in(words, User.name, Trial.email)))
    query = (
        select(TrialFollowUp, Trial, Account, Variant, Subscription, User)
        .join(Trial, Trial.id == TrialFollowUp.trial_id)
        .join(Account, Account.id == Trial.account_id)
        .join(Variant, Variant.id == Trial.variant_id)
        .join(Subscription, Subscription.id == Trial.subscription_id)
        .join(User, User.id == Trial.user_id)
        .where(*where)
    )
    rows = session.execute(CALL_SORTS.apply(query, place, limit))
    return [Due(row[0], Listed(row[1], row[2], row[3], row[4]), row[5]) for row in rows]


def follow_up(session: Session, public_id: str) -> TrialFollowUp:
    """One follow-up. NotFound when there is none."""
    found = session.scalar(select(TrialFollowUp).where(TrialFollowUp.public_id == public_id))
    if found is None:
        raise NotFound("follow-up")
    return found
