"""Bills of services that are charged to a card by themselves: one is written down as a payment from the first
time that its card was declined, or that some of it was disputed. It then moves as any other does
(``payments.scheduled``).
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.db import insert_once
from core.kernel.ids import new_id, new_public_id
from payments.automatic_models import ScheduledPayment
from payments.models import PaymentMethod, PaymentOperation
from payments.scheduled import lock


def of_bill(session: Session, invoice_id: uuid.UUID) -> ScheduledPayment | None:
    """The payment of a bill of a service, once it was written down."""
    return session.scalar(select(ScheduledPayment).where(ScheduledPayment.invoice_id == invoice_id))


def of_charge(
    session: Session, operation: PaymentOperation, today: date, now: datetime
) -> ScheduledPayment:
    """The locked payment that a charge was a try at; for a bill of a service it is written with the first."""
    if operation.scheduled_payment_id is not None:
        return lock(session, operation.scheduled_payment_id)
    assert operation.invoice_id is not None
    _write_of_bill(session, operation.invoice_id, operation, today, now, state="failed", revision=1)
    found = of_bill(session, operation.invoice_id)
    assert found is not None
    return lock(session, found.id)


def plan_of_bill(
    session: Session,
    invoice_id: uuid.UUID,
    method: PaymentMethod,
    currency: str,
    on_date: date,
    next_at: datetime,
    now: datetime,
) -> None:
    """A bill of a service that could not be charged yet, or not all of it, is looked at again; where that is
    written down already it is no change. The account is locked."""
    about = _Charging(method.account_id, method.id, currency)
    more = {"state": "planned", "revision": 2, "next_at": next_at}
    _write_of_bill(session, invoice_id, about, on_date, now, **more)


@dataclass(frozen=True)
class _Charging:
    account_id: uuid.UUID
    payment_method_id: uuid.UUID
    currency: str


def _write_of_bill(
    session: Session,
    invoice_id: uuid.UUID,
    charge: PaymentOperation | _Charging,
    on_date: date,
    now: datetime,
    **more: Any,
) -> None:
    insert_once(
        session,
        ScheduledPayment,
        id=new_id(),
        public_id=new_public_id(),
        account_id=charge.account_id,
        payment_method_id=charge.payment_method_id,
        origin="bill",
        invoice_id=invoice_id,
        wants="bills",
        currency=charge.currency,
        invoice_ids=[str(invoice_id)],
        on_date=on_date,
        tries=0,
        created_at=now,
        created_by="system",
        **more,
    )
