"""Reading subscriptions: as rows for lists, and as timelines for whoever reckons with them."""

import functools
import uuid
from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from core.catalog.models import Variant
from core.kernel.calendar import Cycle, Period
from core.kernel.errors import NotFound
from core.kernel.sorting import By, Place, Sorts
from core.orders.provisioning import Provisioning
from core.parties.models import Account
from core.subscriptions.models import Subscription, SubscriptionPause, SubscriptionPhase
from core.subscriptions.timeline import NEVER, Phase, Timeline


def by_public_id(session: Session, public_id: str) -> Subscription:
    """The subscription that an address names. NotFound when there is none."""
    found = session.scalar(select(Subscription).where(Subscription.public_id == public_id))
    if found is None:
        raise NotFound("service")
    return found


def after_months(day: date, months: int) -> date:
    """The same day so many months later, or the last one of a month that has it not."""
    return Cycle.anchored(day).bill_day(months)


def agreed_with(
    session: Session, subscription_id: uuid.UUID, revision: int
) -> SubscriptionPhase | None:
    """The phase that a change with this revision agreed to."""
    return session.scalar(
        select(SubscriptionPhase).where(
            SubscriptionPhase.subscription_id == subscription_id,
            SubscriptionPhase.revision == revision,
            SubscriptionPhase.number > 0,
        )
    )


def lock(session: Session, subscription_id: uuid.UUID) -> Subscription:
    """The subscription, locked and read again. Lock its payer's account first."""
    return session.get_one(
        Subscription, subscription_id, with_for_update=True, populate_existing=True
    )


def charged_to(
    session: Session, method_ids: Collection[uuid.UUID]
) -> list[tuple[uuid.UUID, str, str]]:
    """The services that are charged to cards and are not over: card, public id, and name of the plan."""
    rows = session.execute(
        select(
            Subscription.payment_method_id,
            Subscription.public_id,
            Variant.name,
            SubscriptionPhase.number,
        )
        .join(SubscriptionPhase, SubscriptionPhase.subscription_id == Subscription.id)
        .join(Variant, Variant.id == SubscriptionPhase.variant_id)
        .where(
            Subscription.payment_method_id.in_(method_ids),
            Subscription.state != "ended",
            SubscriptionPhase.withdrawn_at.is_(None),
        )
        .order_by(Subscription.public_id, SubscriptionPhase.number)
    )
    last = {
        public_id: (method_id, name)
        for method_id, public_id, name, _ in rows
        if method_id is not None
    }
    return [(method_id, public_id, name) for public_id, (method_id, name) in last.items()]


def charge_to(session: Session, old_id: uuid.UUID, new_id: uuid.UUID) -> None:
    """What is charged to one card is charged to another from now on, what is over included: its last bill."""
    session.execute(
        update(Subscription)
        .where(Subscription.payment_method_id == old_id)
        .values(payment_method_id=new_id)
    )


def timeline(session: Session, subscription_id: uuid.UUID) -> Timeline:
    """One subscription over time."""
    (found,) = timelines(session, Subscription.id == subscription_id)
    return found


def of_payer(session: Session, account_id: uuid.UUID) -> list[Timeline]:
    """Every subscription that an account pays for, ended ones too, the oldest first."""
    return timelines(session, Subscription.payer_account_id == account_id)


def of_accounts(session: Session, account_ids: Sequence[uuid.UUID]) -> list[Timeline]:
    """What some accounts have or pay for, ended ones too, the oldest first."""
    theirs = (
        Subscription.service_account_id.in_(account_ids),
        Subscription.payer_account_id.in_(account_ids),
    )
    return timelines(session, or_(*theirs))


def running_of(session: Session, account_ids: Sequence[uuid.UUID]) -> list[Timeline]:
    """What some accounts have or pay for and that is not over, the oldest first."""
    rows = session.scalars(_running(), {"accounts": list(account_ids)}).all()
    return _timelines(session, rows)


@functools.cache
def _running() -> Select[Subscription]:
    accounts: BindParameter[uuid.UUID] = bindparam("accounts", expanding=True)
    theirs = (
        Subscription.service_account_id.in_(accounts),
        Subscription.payer_account_id.in_(accounts),
    )
    return (
        select(Subscription)
        .where(or_(*theirs), Subscription.state != "ended")
        .order_by(Subscription.ordered_at, Subscription.id)
    )


def of_members(
    session: Session,
    account_ids: Sequence[uuid.UUID],
    *,
    before: tuple[datetime, uuid.UUID] | None = None,
    limit: int,
) -> Sequence[Subscription]:
    """What some accounts have or pay for, the last ordered first, from behind a place."""
    query = select(Subscription).where(
        or_(
            Subscription.service_account_id.in_(account_ids),
            Subscription.payer_account_id.in_(account_ids),
        )
    )
    return session.scalars(SORTS.apply(query, Place("-ordered", before), limit)).all()


#: What the desk's list may be sorted by.
SORTS = Sorts(
    Subscription.id,
    {"ordered": Subscription.ordered_at, "ends": By(Subscription.ended_on, empty=date.max)},
)
NEWEST = Place("-ordered")


def listing(
    session: Session,
    *,
    state: str = "",
    sku: str = "",
    words: str = "",
    place: Place = NEWEST,
    limit: int,
) -> Sequence[Subscription]:
    """Services for the desk from a place on: in a state, with a plan, by words.

    ``words`` begin the name of the account that has it or of the one that pays, or the number of one of
    them, or what the service is called.
    """
    query = select(Subscription)
    if state:
        query = query.where(Subscription.state == state)
    if sku:
        query = query.where(
            exists().where(
                SubscriptionPhase.subscription_id == Subscription.id,
                SubscriptionPhase.withdrawn_at.is_(None),
                SubscriptionPhase.variant_id == Variant.id,
                Variant.sku == sku,
            )
        )
    if words:
        theirs = select(Account.id).where(
            or_(
                Account.name.istartswith(words, autoescape=True),
                Account.number == words.replace(" ", ""),
            )
        )
        query = query.where(
            or_(
                Subscription.service_account_id.in_(theirs),
                Subscription.payer_account_id.in_(theirs),
                Subscription.label.istartswith(words, autoescape=True),
            )
        )
    return session.scalars(SORTS.apply(query, place, limit)).all()


def counts(session: Session) -> dict[str, int]:
    """How many services are in each state."""
    rows = session.execute(select(Subscription.state, func.count()).group_by(Subscription.state))
    return {state: int(count) for state, count in rows}


def to_connect() -> Select[uuid.UUID]:
    """The keys of what was ordered and waits until somebody has connected it; not of what a system is
    asked for."""
    asked = select(Provisioning.subscription_id)
    return select(Subscription.id).where(
        Subscription.state == "ordered", Subscription.id.not_in(asked)
    )


def history(
    session: Session, subscription_id: uuid.UUID
) -> tuple[Sequence[SubscriptionPhase], Sequence[SubscriptionPause]]:
    """Everything that was ever agreed of a service, withdrawn or not, and its pauses, the first first."""
    phases = session.scalars(
        select(SubscriptionPhase)
        .where(SubscriptionPhase.subscription_id == subscription_id)
        .order_by(SubscriptionPhase.number)
    ).all()
    pauses = session.scalars(
        select(SubscriptionPause)
        .where(SubscriptionPause.subscription_id == subscription_id)
        .order_by(SubscriptionPause.starts_on, SubscriptionPause.id)
    ).all()
    return phases, pauses


def timelines(session: Session, *where: ColumnElement[bool]) -> list[Timeline]:
    """The subscriptions that ``where`` chooses, the oldest first; three statements, however many."""
    rows = session.scalars(
        select(Subscription).where(*where).order_by(Subscription.ordered_at, Subscription.id)
    ).all()
    return _timelines(session, rows)


def _timelines(session: Session, rows: Sequence[Subscription]) -> list[Timeline]:
    keys = [row.id for row in rows]
    if not keys:
        return []
    phases = _phases(session, keys)
    pauses = _pauses(session, keys)
    return [
        Timeline(
            id=row.id,
            public_id=row.public_id,
            currency=row.currency,
            state=row.state,
            payer_account_id=row.payer_account_id,
            service_account_id=row.service_account_id,
            activated_on=row.activated_on,
            bill_day=row.bill_day,
            ended_on=row.ended_on,
            phases=tuple(phases.get(row.id, ())),
            pauses=tuple(pauses.get(row.id, ())),
            label=row.label,
            payment_method_id=row.payment_method_id,
            channel_id=row.channel_id,
            service_location=row.service_location,
        )
        for row in rows
    ]


def _phases(session: Session, keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Phase]]:
    """Phases that were not withdrawn, by their beginning: those that wait for activation come last."""
    rows = session.execute(
        select(SubscriptionPhase, Variant.sku, Variant.name, Variant.tax_category, Variant.numbered)
        .join(Variant, Variant.id == SubscriptionPhase.variant_id)
        .where(
            SubscriptionPhase.subscription_id.in_(keys), SubscriptionPhase.withdrawn_at.is_(None)
        )
    ).all()
    found: dict[uuid.UUID, list[Phase]] = {}
    for row, sku, name, category, numbered in sorted(
        rows, key=lambda one: (one[0].starts_on or date.max, one[0].number)
    ):
        found.setdefault(row.subscription_id, []).append(
            Phase(
                id=row.id,
                number=row.number,
                kind=row.kind,
                variant_id=row.variant_id,
                sku=sku,
                name=name,
                tax_category=category,
                quantity=row.quantity,
                unit_price_micros=row.unit_price_micros,
                interval=row.interval,
                interval_count=row.interval_count,
                starts_on=row.starts_on,
                cycle_from=row.cycle_from,
                source=str(row.price_trace.get("list") or row.price_trace.get("quote") or ""),
                numbered=numbered,
            )
        )
    return found


def _pauses(session: Session, keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Period]]:
    found: dict[uuid.UUID, list[Period]] = {}
    for row in session.scalars(
        select(SubscriptionPause)
        .where(SubscriptionPause.subscription_id.in_(keys))
        .order_by(SubscriptionPause.starts_on, SubscriptionPause.id)
    ):
        found.setdefault(row.subscription_id, []).append(
            Period(row.starts_on, row.ends_on or NEVER)
        )
    return found
