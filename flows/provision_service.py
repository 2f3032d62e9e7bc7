"""An ordered service is begun by a system outside: asked for, tried again, or handed to a person.

The wish is written with the order, in its commit. A job asks the system under the wish's own key, outside of
any transaction, and writes down what it answers; a crash between the two asks once more under the same key.
With the answer the service is activated: from that day on it is billed, may be used, and is told of.
"""

import uuid
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from core.events import ProvisionWanted
from core.kernel import audit, crash, jobs
from core.orders import naming, provisioning
from core.orders.models import Order, OrderLine
from core.orders.provisioning import NotProvisioned, Provisioned, Provisioning, Wanted
from core.parties import accounts
from core.prices import plans
from core.subscriptions import reading, states
from core.subscriptions.models import Subscription
from flows import activate_service, ship_order
from flows.house import House

#: How a plan says that a system outside begins it.
BY_SYSTEM = "by_system"


def want(session: Session, order: Order, lines: Sequence[OrderLine], now: datetime) -> None:
    """Ask for each plan of an order that a system begins. In the transaction that makes the order certain."""
    found = [line for line in lines if line.subscription_id and line.variant_id]
    known = plans.of_variants(session, [line.variant_id for line in found if line.variant_id])
    for line in found:
        plan = known.get(line.variant_id) if line.variant_id else None
        if plan is not None and plan.activation == BY_SYSTEM:
            _call_for(session, provisioning.ask(session, order, line, now), now)


def _call_for(session: Session, row: Provisioning, now: datetime) -> None:
    event = ProvisionWanted(str(row.id), row.round, row.tries)
    key = f"provision:{row.id}:{row.round}:{row.tries}"
    jobs.record(session, event, now, key=key, priority=2)


def run(house: House) -> int:
    """By the clock: what is to be tried again is called for; says how many."""

    def work(session: Session) -> int:
        now = house.clock.now()
        rows = provisioning.due(session, now)
        for row in rows:
            _call_for(session, row, now)
        return len(rows)

    return house.db.run_tx(work)


def provision(house: House, provisioning_id: uuid.UUID, round_: int, tries: int) -> str:
    """One try; answers the state that it is in now. What was tried or closed meanwhile is left alone."""
    with house.db.reading() as session:
        row = session.get_one(Provisioning, provisioning_id)
        if row.state != "waiting" or (row.round, row.tries) != (round_, tries):
            return row.state
        wanted = _wanted(session, row)
        is_ordered = session.get_one(Subscription, row.subscription_id).state == "ordered"
    if not is_ordered:
        return house.db.run_tx(lambda session: _follow(session, house, provisioning_id))
    crash.point("provision.before_call")
    try:
        answer = house.provisioner.provision(wanted)
    except NotProvisioned as error:
        why = error
        return house.db.run_tx(
            lambda session: _refused(session, house, provisioning_id, (round_, tries), why)
        )
    crash.point("provision.called")
    return house.db.run_tx(lambda session: _began(session, house, provisioning_id, answer))


def _wanted(session: Session, row: Provisioning) -> Wanted:
    listed = provisioning.one(session, row.public_id)
    return Wanted(
        key=row.public_id,
        sku=listed.line.sku,
        name=listed.line.name,
        quantity=listed.line.quantity,
        order=listed.order.number or "",
        account=listed.account.number,
        location=listed.line.service_location or {},
        numbers=tuple(naming.named(session, listed.order, [listed.line]).get(listed.line.id, ())),
    )


def _hold(session: Session, provisioning_id: uuid.UUID) -> tuple[Provisioning, Subscription]:
    """Payer, service and row, locked in this order, as whatever moves a service locks them."""
    key = session.get_one(Provisioning, provisioning_id).subscription_id
    accounts.lock(session, session.get_one(Subscription, key).payer_account_id)
    service = reading.lock(session, key)
    return provisioning.lock(session, provisioning_id), service


def _refused(
    session: Session,
    house: House,
    provisioning_id: uuid.UUID,
    of: tuple[int, int],
    error: NotProvisioned,
) -> str:
    row, now = provisioning.lock(session, provisioning_id), house.clock.now()
    if row.state == "waiting" and (row.round, row.tries) == of:
        provisioning.failed(session, row, error, now)
        if row.state == "failed":
            subject = ("provisioning", row.public_id)
            audit.write(session, now, "system", "provisioning.failed", subject)
    return row.state


def _began(session: Session, house: House, provisioning_id: uuid.UUID, answer: Provisioned) -> str:
    row, service = _hold(session, provisioning_id)
    now = house.clock.now()
    if service.state != "ordered" or row.state not in ("waiting", "failed"):
        return follow(session, service.id, "system", now) or row.state
    on = answer.on or states.today(session, service, now)
    row.reference = answer.reference[:120]
    session.flush()
    _activate(session, service, on, "system", now)
    crash.point("provision.before_commit")
    session.refresh(row)
    return row.state


def _activate(session: Session, service: Subscription, on: date, actor: str, now: datetime) -> None:
    activate_service.activate_within(session, service, on, actor, now)
    ship_order.activated(session, service.id, actor, now)
    follow(session, service.id, actor, now)


def _follow(session: Session, house: House, provisioning_id: uuid.UUID) -> str:
    row, service = _hold(session, provisioning_id)
    return follow(session, service.id, "system", house.clock.now()) or row.state


def follow(session: Session, subscription_id: uuid.UUID, actor: str, now: datetime) -> str | None:
    """Bring what was asked for a service to what the service is: it began, or never will. Answers the state;
    None where nothing was asked. The service is locked."""
    row = provisioning.of_subscription(session, subscription_id)
    if row is None or row.closed_at is not None:
        return row.state if row is not None else None
    service = session.get_one(Subscription, subscription_id)
    if service.activated_on is not None:
        values = {"began_on": service.activated_on, "closed_by": actor}
        provisioning.move(session, row, "done", now, **values)
    elif service.state == "ended":
        provisioning.move(session, row, "dropped", now, closed_by=actor)
    return row.state


# --- by a person ----------------------------------------------------------------------------------


def try_again(house: House, public_id: str, actor: str) -> None:
    """Let one that failed go once more. Raises NotFound and StaleState."""

    def work(session: Session) -> None:
        now = house.clock.now()
        row = provisioning.lock(session, provisioning.one(session, public_id).row.id)
        provisioning.again(session, row, now)
        _call_for(session, row, now)
        audit.write(session, now, actor, "provisioning.tried_again", ("provisioning", public_id))

    house.db.run_tx(work)


def by_hand(house: House, public_id: str, on: date, note: str, actor: str) -> None:
    """Somebody has begun it by hand, on a day. Raises NotFound, StaleState, WrongDay and AlreadyThere."""

    def work(session: Session) -> None:
        now = house.clock.now()
        row, service = _hold(session, provisioning.one(session, public_id).row.id)
        row.note = note.strip()[:300]
        session.flush()
        _activate(session, service, on, actor, now)
        subject = ("provisioning", public_id)
        audit.write(session, now, actor, "provisioning.done_by_hand", subject, on=on.isoformat())
        crash.point("provision.before_commit")

    house.db.run_tx(work)
