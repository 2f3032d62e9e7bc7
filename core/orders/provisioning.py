"""Services that a system outside begins: one row for each order line of such a plan, and the port to it.

A row waits for its next try, is done once, needs a person, or is not wanted any more.
``flows.provision_service`` moves it; the desk reads it.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Protocol

from sqlalchemy import CheckConstraint, ForeignKey, Index, Select, String, Text, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.kernel.db import Base, changed
from core.kernel.errors import NotFound, ShopError, StaleState
from core.kernel.ids import new_id, new_public_id
from core.kernel.sorting import By, Place, Sorts
from core.orders.models import Order, OrderLine
from core.parties.listing import called
from core.parties.models import Account

#: Who may follow whom.
TRANSITIONS = {
    "waiting": ("failed", "done", "dropped"),
    "failed": ("waiting", "done", "dropped"),
    "done": (),
    "dropped": (),
}
#: How long after each try that had no answer the next one is made; then a person looks.
RETRY_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)


# --- the port -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """A service that is to begin. The same ``key`` is the same wish, however often it is asked for."""

    key: str
    sku: str
    name: str
    quantity: int
    order: str
    account: str
    location: Mapping[str, Any] = field(default_factory=dict)
    #: The numbers and addresses that it was sold with.
    numbers: Sequence[str] = ()


@dataclass(frozen=True)
class Provisioned:
    """It runs: since which day (None: today), and as what the system outside knows it."""

    reference: str = ""
    on: date | None = None


@dataclass(eq=False)
class NotProvisioned(ShopError):
    """The system outside has not begun it. ``again``: it may do so later, by itself."""

    code: ClassVar[str] = "not_provisioned"
    text: ClassVar[str] = "{words}"
    words: str
    again: bool = False


class Provisioner(Protocol):
    """What begins services. Asked twice under one key it begins one, and answers the same."""

    def provision(self, wanted: Wanted) -> Provisioned:
        """Begin it. Raises NotProvisioned."""
        ...


class ByHand:
    """No system is connected: a person begins what is wanted, and says so."""

    def provision(self, wanted: Wanted) -> Provisioned:
        raise NotProvisioned("No system is connected that begins services: do it by hand.")


# --- the table ------------------------------------------------------------------------------------


class Provisioning(Base):
    """A service of an order line that a system outside begins. ``trouble``: why the last try did not."""

    __tablename__ = "provisioning"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'failed', 'done', 'dropped')", name="state"),
        CheckConstraint("(state = 'waiting') = (next_at IS NOT NULL)", name="next"),
        CheckConstraint("(state IN ('done', 'dropped')) = (closed_at IS NOT NULL)", name="closed"),
        CheckConstraint("(state = 'done') = (began_on IS NOT NULL)", name="began"),
        Index("ix_provisioning_due", "state", "next_at"),
        Index("ix_provisioning_asked_at", "asked_at", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order.id"))
    order_line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_line.id"), unique=True)
    #: The line's subscription; orders know no more of it.
    subscription_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    #: Counts how often a person let it go again: each begins its tries anew.
    round: Mapped[int] = mapped_column(default=1)
    next_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(Text, default="")
    reference: Mapped[str] = mapped_column(String(120), default="")
    note: Mapped[str] = mapped_column(String(300), default="")
    began_on: Mapped[date | None]
    asked_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    #: Who began it: ``system``, or who of the staff said so.
    closed_by: Mapped[str] = mapped_column(String(80), default="")


def ask(session: Session, order: Order, line: OrderLine, now: datetime) -> Provisioning:
    """Write down that a line's service is to begin."""
    assert line.subscription_id is not None
    row = Provisioning(
        id=new_id(),
        public_id=new_public_id(),
        order_id=order.id,
        order_line_id=line.id,
        subscription_id=line.subscription_id,
        account_id=line.service_account_id or order.service_account_id,
        state="waiting",
        tries=0,
        round=1,
        next_at=now,
        asked_at=now,
    )
    session.add(row)
    session.flush()
    return row


def move(session: Session, row: Provisioning, state: str, now: datetime, **values: Any) -> None:
    """Move a locked row on. Raises StaleState for a way that there is none."""
    if state not in TRANSITIONS[row.state]:
        raise StaleState("provisioning", state)
    closed = {"closed_at": now if state in ("done", "dropped") else None}
    times = {"next_at": None} | closed
    done = session.execute(
        update(Provisioning)
        .where(Provisioning.id == row.id, Provisioning.state == row.state)
        .values(**times | values, state=state)
    )
    if changed(done) != 1:
        raise StaleState("provisioning", state)
    session.refresh(row)


def failed(session: Session, row: Provisioning, error: NotProvisioned, now: datetime) -> None:
    """A try was not answered with a service: another one follows, or a person looks."""
    tries = row.tries + 1
    if error.again and tries <= len(RETRY_AFTER):
        row.tries, row.trouble = tries, str(error)
        row.next_at = now + RETRY_AFTER[tries - 1]
        session.flush()
        return
    move(session, row, "failed", now, tries=tries, trouble=str(error))


def again(session: Session, row: Provisioning, now: datetime) -> None:
    """A person lets it go once more: its tries begin anew. Raises StaleState unless it has failed."""
    move(session, row, "waiting", now, tries=0, round=row.round + 1, next_at=now)


# --- read -----------------------------------------------------------------------------------------


def lock(session: Session, provisioning_id: uuid.UUID) -> Provisioning:
    """The row, locked and read again."""
    return session.get_one(
        Provisioning, provisioning_id, with_for_update=True, populate_existing=True
    )


def of_subscription(session: Session, subscription_id: uuid.UUID) -> Provisioning | None:
    """What was asked for a service."""
    return session.scalar(
        select(Provisioning)
        .where(Provisioning.subscription_id == subscription_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def due(session: Session, now: datetime, limit: int = 200) -> Sequence[Provisioning]:
    """What is to be tried now, the longest waiting first."""
    return session.scalars(
        select(Provisioning)
        .where(Provisioning.state == "waiting", Provisioning.next_at <= now)
        .order_by(Provisioning.next_at, Provisioning.id)
        .limit(limit)
    ).all()


@dataclass(frozen=True)
class Listed:
    """A row with its line, its order, and whose it is."""

    row: Provisioning
    line: OrderLine
    order: Order
    account: Account


def _listed() -> Select[Any, Any, Any, Any]:
    return (
        select(Provisioning, OrderLine, Order, Account)
        .join(OrderLine, OrderLine.id == Provisioning.order_line_id)
        .join(Order, Order.id == Provisioning.order_id)
        .join(Account, Account.id == Provisioning.account_id)
    )


def one(session: Session, public_id: str) -> Listed:
    """One by its public id. NotFound when there is none."""
    found = session.execute(_listed().where(Provisioning.public_id == public_id)).first()
    if found is None:
        raise NotFound("provisioning")
    return Listed(*found)


#: What the desk's list may be sorted by.
SORTS = Sorts(
    Provisioning.id,
    {
        "asked": Provisioning.asked_at,
        "began": By(Provisioning.began_on, empty=date.max),
    },
)
OLDEST = Place("asked")


def listing(
    session: Session, *, state: str = "", words: str = "", place: Place = OLDEST, limit: int = 50
) -> list[Listed]:
    """Rows of a state or of all, from a place on; ``words`` in order, SKU, name and account."""
    query = _listed()
    if state:
        query = query.where(Provisioning.state == state)
    if words:
        query = query.where(or_(Order.number == words, OrderLine.sku == words, called(words)))
    return [Listed(*row) for row in session.execute(SORTS.apply(query, place, limit))]


def to_see_to() -> Select[uuid.UUID]:
    """The keys of those that need a person."""
    return select(Provisioning.id).where(Provisioning.state == "failed")
