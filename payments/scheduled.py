"""Payments that wait for their day or for another try: written, moved from state to state, and read.

The charge itself is an operation (``payments.method_operations``); what it is for is read by the flows.
"""

import functools
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import Select, bindparam, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from core.kernel.db import changed
from core.kernel.errors import NotFound, ShopError, StaleState
from core.kernel.ids import new_public_id
from core.kernel.money import Money
from core.kernel.sorting import Place, Sorts
from core.parties.listing import called
from core.parties.models import Account
from payments.automatic_models import OPEN, STUCK, TRANSITIONS, TRIED, ScheduledPayment
from payments.models import PaymentMethod, PaymentOperation
from payments.reading import Cursor


class BeingCharged(ShopError):
    """The processor has been asked already: it is too late to change or stop this one."""

    code: ClassVar[str] = "being_charged"
    text: ClassVar[str] = (
        "This payment is being made right now, so it can’t be changed any more. Look again in a few minutes."
    )


@dataclass(frozen=True)
class Wanted:
    """What is to be paid: all that is owed on the day, an amount, or certain bills."""

    kind: str
    amount: Money | None = None
    invoice_ids: Sequence[uuid.UUID] = field(default=())


def subject(payment_id: uuid.UUID) -> str:
    """How an authorisation names a payment."""
    return f"payment:{payment_id}"


def plan(
    session: Session,
    payment_id: uuid.UUID,
    method: PaymentMethod,
    wanted: Wanted,
    currency: str,
    on_date: date,
    next_at: datetime,
    authorisation_id: uuid.UUID,
    actor: str,
    now: datetime,
    rule_id: uuid.UUID | None = None,
) -> ScheduledPayment:
    """Write a payment that is to be made on a day."""
    row = ScheduledPayment(
        id=payment_id,
        public_id=new_public_id(),
        account_id=method.account_id,
        payment_method_id=method.id,
        authorisation_id=authorisation_id,
        origin="customer" if rule_id is None else "autopay",
        rule_id=rule_id,
        wants=wanted.kind,
        amount_minor=wanted.amount.minor if wanted.amount else None,
        currency=currency,
        invoice_ids=[str(key) for key in wanted.invoice_ids],
        on_date=on_date,
        state="planned",
        tries=0,
        next_at=next_at,
        revision=1,
        created_at=now,
        created_by=actor,
    )
    session.add(row)
    session.flush()
    return row


def lock(session: Session, payment_id: uuid.UUID) -> ScheduledPayment:
    """The payment, locked and read again. Its account is locked before it."""
    return session.get_one(
        ScheduledPayment, payment_id, with_for_update=True, populate_existing=True
    )


def move(session: Session, row: ScheduledPayment, state: str, now: datetime, **values: Any) -> None:
    """Move a locked payment on. Raises StaleState for a way that there is none."""
    if state not in TRANSITIONS[row.state]:
        raise StaleState("payment", state)
    times: dict[str, Any] = {"next_at": None, "closed_at": None if state in OPEN else now}
    done = session.execute(
        update(ScheduledPayment)
        .where(ScheduledPayment.id == row.id, ScheduledPayment.state == row.state)
        .values(**times | values, state=state)
    )
    if changed(done) != 1:
        raise StaleState("payment", state)
    session.refresh(row)


# --- read -----------------------------------------------------------------------------------------


def one(
    session: Session, public_id: str, account_ids: Collection[uuid.UUID] | None = None
) -> ScheduledPayment:
    """A payment by its public id. NotFound when there is none, or it is none of the accounts'."""
    query = select(ScheduledPayment).where(ScheduledPayment.public_id == public_id)
    if account_ids is not None:
        query = query.where(ScheduledPayment.account_id.in_(account_ids))
    found = session.scalar(query)
    if found is None:
        raise NotFound("scheduled payment")
    return found


def open_of(
    session: Session, account_ids: Collection[uuid.UUID], limit: int = 200
) -> Sequence[ScheduledPayment]:
    """What is still to be made or needs somebody, the earliest day first."""
    return session.scalars(
        select(ScheduledPayment)
        .where(ScheduledPayment.account_id.in_(account_ids), ScheduledPayment.state.in_(OPEN))
        .order_by(ScheduledPayment.on_date, ScheduledPayment.created_at, ScheduledPayment.id)
        .limit(limit)
    ).all()


def first_open(
    session: Session, account_ids: Collection[uuid.UUID], limit: int
) -> list[tuple[ScheduledPayment, PaymentMethod]]:
    """The first of ``open_of``, each with its card."""
    asked = {"accounts": list(account_ids), "limit": limit}
    return [(row, method) for row, method in session.execute(_first_open(), asked)]


@functools.cache
def _first_open() -> Select[ScheduledPayment, PaymentMethod]:
    return (
        select(ScheduledPayment, PaymentMethod)
        .join(PaymentMethod, PaymentMethod.id == ScheduledPayment.payment_method_id)
        .where(
            ScheduledPayment.account_id.in_(bindparam("accounts", expanding=True)),
            ScheduledPayment.state.in_(OPEN),
        )
        .order_by(ScheduledPayment.on_date, ScheduledPayment.created_at, ScheduledPayment.id)
        .limit(bindparam("limit"))
    )


def listing(
    session: Session,
    account_ids: Collection[uuid.UUID] | None = None,
    *,
    states: Sequence[str] = (),
    before: Cursor | None = None,
    limit: int = 25,
) -> Sequence[ScheduledPayment]:
    """Payments, the last written first, behind ``before``; of all accounts for staff."""
    query = select(ScheduledPayment)
    if account_ids is not None:
        query = query.where(ScheduledPayment.account_id.in_(account_ids))
    if states:
        query = query.where(ScheduledPayment.state.in_(states))
    if before is not None:
        query = query.where(
            tuple_(ScheduledPayment.created_at, ScheduledPayment.id) < tuple_(*before)
        )
    return session.scalars(
        query.order_by(ScheduledPayment.created_at.desc(), ScheduledPayment.id.desc()).limit(limit)
    ).all()


#: What the desk's list may be sorted by.
SORTS = Sorts(
    ScheduledPayment.id,
    {"written": ScheduledPayment.created_at, "day": ScheduledPayment.on_date},
)
NEWEST = Place("-written")


def with_accounts(
    session: Session,
    *,
    states: Sequence[str] = (),
    words: str = "",
    place: Place = NEWEST,
    limit: int = 50,
) -> list[tuple[ScheduledPayment, Account, PaymentMethod]]:
    """Everybody's payments with who pays and by which card, from a place on."""
    query = (
        select(ScheduledPayment, Account, PaymentMethod)
        .join(Account, Account.id == ScheduledPayment.account_id)
        .join(PaymentMethod, PaymentMethod.id == ScheduledPayment.payment_method_id)
    )
    if states:
        query = query.where(ScheduledPayment.state.in_(states))
    if words:
        query = query.where(called(words))
    rows = session.execute(SORTS.apply(query, place, limit))
    return [(row, account, method) for row, account, method in rows]


def counts(session: Session) -> dict[str, int]:
    """How many payments there are in each state."""
    rows = session.execute(
        select(ScheduledPayment.state, func.count()).group_by(ScheduledPayment.state)
    )
    return {state: int(count) for state, count in rows}


def with_card(session: Session, method_id: uuid.UUID) -> Sequence[ScheduledPayment]:
    """Payments that are to be made with a card, or that it was declined for and that are still owed."""
    return with_cards(session, [method_id])


def with_cards(session: Session, method_ids: Collection[uuid.UUID]) -> Sequence[ScheduledPayment]:
    """The same of several cards, the earliest day first."""
    return session.scalars(
        select(ScheduledPayment)
        .where(
            ScheduledPayment.payment_method_id.in_(method_ids),
            ScheduledPayment.state.in_(OPEN),
        )
        .order_by(ScheduledPayment.on_date, ScheduledPayment.id)
    ).all()


def stuck_of(session: Session, account_ids: Collection[uuid.UUID]) -> Sequence[ScheduledPayment]:
    """Payments whose card was declined and that are not made yet: retried by themselves, or not any more."""
    return session.scalars(
        select(ScheduledPayment)
        .where(
            ScheduledPayment.account_id.in_(account_ids),
            ScheduledPayment.state.in_(("retrying", *STUCK)),
        )
        .order_by(ScheduledPayment.created_at, ScheduledPayment.id)
    ).all()


def given_up_since(session: Session, account_id: uuid.UUID, moment: datetime) -> int:
    """How many payments of an account were planned and cancelled again since a moment."""
    found = session.scalar(
        select(func.count()).where(
            ScheduledPayment.account_id == account_id,
            ScheduledPayment.state == "cancelled",
            ScheduledPayment.closed_at >= moment,
        )
    )
    return found or 0


def due(session: Session, now: datetime, limit: int = 200) -> Sequence[ScheduledPayment]:
    """Payments whose time has come, the earliest first."""
    return session.scalars(
        select(ScheduledPayment)
        .where(ScheduledPayment.state.in_(TRIED), ScheduledPayment.next_at <= now)
        .order_by(ScheduledPayment.next_at, ScheduledPayment.id)
        .limit(limit)
    ).all()


def to_notice(
    session: Session, until: date, after: uuid.UUID | None = None, limit: int = 200
) -> Sequence[uuid.UUID]:
    """Payments up to a day whose payers were not told of them ahead yet."""
    query = select(ScheduledPayment.id).where(
        ScheduledPayment.state == "planned",
        ScheduledPayment.on_date <= until,
        ScheduledPayment.noticed_at.is_(None),
        or_(ScheduledPayment.origin == "autopay", ScheduledPayment.wants == "balance"),
    )
    if after is not None:
        query = query.where(ScheduledPayment.id > after)
    return session.scalars(query.order_by(ScheduledPayment.id).limit(limit)).all()


def charges_of(
    session: Session, row: ScheduledPayment, limit: int = 20
) -> Sequence[PaymentOperation]:
    """Every try that was made at a payment, the newest first."""
    mine = PaymentOperation.scheduled_payment_id == row.id
    if row.invoice_id is not None:
        mine = PaymentOperation.invoice_id == row.invoice_id
    return session.scalars(
        select(PaymentOperation)
        .where(PaymentOperation.kind == "charge", mine)
        .order_by(PaymentOperation.created_at.desc(), PaymentOperation.id.desc())
        .limit(limit)
    ).all()


def taken(session: Session, rows: Sequence[ScheduledPayment]) -> dict[uuid.UUID, Money]:
    """What was taken for each of some payments that are made."""
    bills = {row.invoice_id: row.id for row in rows if row.invoice_id is not None}
    found = session.execute(
        select(
            PaymentOperation.scheduled_payment_id,
            PaymentOperation.invoice_id,
            PaymentOperation.amount_minor,
            PaymentOperation.currency,
        ).where(
            PaymentOperation.kind == "charge",
            PaymentOperation.state == "succeeded",
            or_(
                PaymentOperation.scheduled_payment_id.in_([row.id for row in rows]),
                PaymentOperation.invoice_id.in_(list(bills)),
            ),
        )
    )
    sums: dict[uuid.UUID, Money] = {}
    for key, invoice_id, minor, currency in found:
        if key is not None:
            sums[key] = Money(minor, currency)
        elif invoice_id is not None:
            sums[bills[invoice_id]] = Money(minor, currency)
    return sums


def under_way(session: Session, row: ScheduledPayment) -> PaymentOperation | None:
    """The try that is being made."""
    return next(
        (
            each
            for each in charges_of(session, row)
            if each.state in ("pending", "sent", "indeterminate")
        ),
        None,
    )
