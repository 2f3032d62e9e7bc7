"""Operations on cards on file: a set-up that takes nothing, and a charge of a bill. Rows and what they ask.

As in ``payments.operations``: the request is frozen in the row, and every attempt is rebuilt from there.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.kernel.ids import new_id, new_public_id
from core.kernel.money import Money
from payments.methods import Consent
from payments.models import OPEN_STATES, PaymentMethod, PaymentOperation
from payments.saved import ChargeRequest, SetupRequest


@dataclass(frozen=True)
class NewSetup:
    """A visit to the processor's page that puts a card on file.

    ``return_url`` and ``cancel_url`` may hold ``{operation}``; ``done_path`` and ``back_path`` are pages of
    ours that follow.
    """

    account_id: uuid.UUID
    customer_id: str
    currency: str
    consent: Consent
    return_url: str
    cancel_url: str
    done_path: str
    back_path: str
    expires_at: datetime


def prepare_setup(session: Session, new: NewSetup, now: datetime) -> PaymentOperation:
    """Write a set-up's row. Nothing is asked of the processor until this is committed."""
    public_id, consent = new_public_id(), new.consent
    operation = PaymentOperation(
        id=new_id(),
        public_id=public_id,
        op_key=f"setup-{public_id}",
        kind="setup",
        account_id=new.account_id,
        amount_minor=0,
        currency=new.currency,
        request={
            "customer": new.customer_id,
            "return_url": new.return_url.replace("{operation}", public_id),
            "cancel_url": new.cancel_url.replace("{operation}", public_id),
            "done_path": new.done_path,
            "back_path": new.back_path,
            "expires_at": new.expires_at.isoformat(),
            "consent": _written(consent),
            "metadata": {"subject": consent.subject},
        },
        state="pending",
        attempts=0,
        next_at=now + timedelta(minutes=1),
        created_at=now,
        expires_at=new.expires_at,
    )
    session.add(operation)
    session.flush()
    return operation


def setup_request(operation: PaymentOperation) -> SetupRequest:
    """The frozen request of a set-up, as it is sent each time."""
    frozen: dict[str, Any] = operation.request
    return SetupRequest(
        op_key=operation.op_key,
        operation_id=operation.public_id,
        customer_id=frozen["customer"],
        success_url=frozen["return_url"],
        cancel_url=frozen["cancel_url"],
        expires_at=datetime.fromisoformat(frozen["expires_at"]),
        metadata=frozen["metadata"],
    )


def consent_of(operation: PaymentOperation) -> Consent:
    """What was agreed before the visit began."""
    kept: dict[str, Any] = operation.request["consent"]
    user_id = uuid.UUID(kept["user_id"]) if kept["user_id"] else None
    return Consent(**(kept | {"user_id": user_id}))


def _written(consent: Consent) -> dict[str, Any]:
    return {
        "user_id": str(consent.user_id) if consent.user_id else None,
        "purpose": consent.purpose,
        "subject": consent.subject,
        "text": consent.text,
        "text_version": consent.text_version,
        "address": consent.address,
    }


def setup_underway(session: Session, new: NewSetup, since: datetime) -> PaymentOperation | None:
    """A visit of the account for exactly this that can be gone on with: it ends after ``since``."""
    rows = session.scalars(
        select(PaymentOperation)
        .where(
            PaymentOperation.account_id == new.account_id,
            PaymentOperation.kind == "setup",
            PaymentOperation.state.in_(OPEN_STATES),
            PaymentOperation.expires_at > since,
        )
        .order_by(PaymentOperation.created_at.desc())
    )
    wanted = (new.customer_id, _written(new.consent), new.done_path, new.back_path)
    for row in rows:
        frozen = row.request
        asks = tuple(frozen[name] for name in ("customer", "consent", "done_path", "back_path"))
        if asks == wanted:
            return row
    return None


# --- charges --------------------------------------------------------------------------------------


def charge_key(
    subject_id: uuid.UUID, method_id: uuid.UUID, attempt: int, revision: int | None = None
) -> str:
    """The key of one try at charging a bill, or a payment that was scheduled, to a card: there is one
    operation for it, ever."""
    last = str(attempt) if revision is None else f"{attempt}.{revision}"
    return f"charge-{subject_id.hex}-{method_id.hex}-{last}"


def charge_under(session: Session, op_key: str) -> PaymentOperation | None:
    """The charge that was written down under this key."""
    return session.scalar(select(PaymentOperation).where(PaymentOperation.op_key == op_key))


def charge_of_bill(session: Session, invoice_ids: Sequence[uuid.UUID]) -> PaymentOperation | None:
    """A charge of one of the bills that may still take money."""
    return session.scalar(
        select(PaymentOperation)
        .where(
            PaymentOperation.kind == "charge",
            PaymentOperation.invoice_id.in_(invoice_ids),
            PaymentOperation.state.in_(OPEN_STATES),
        )
        .limit(1)
    )


def charge_of_card(session: Session, method_id: uuid.UUID) -> PaymentOperation | None:
    """A charge of a card that may still take money."""
    return session.scalar(
        select(PaymentOperation)
        .where(
            PaymentOperation.kind == "charge",
            PaymentOperation.payment_method_id == method_id,
            PaymentOperation.state.in_(OPEN_STATES),
        )
        .limit(1)
    )


def any_charge(session: Session, operation_ids: Sequence[uuid.UUID]) -> bool:
    """Is one of these operations a charge of a card on file that may still take money?"""
    found = select(PaymentOperation.id).where(
        PaymentOperation.id.in_(operation_ids),
        PaymentOperation.kind == "charge",
        PaymentOperation.state.in_(OPEN_STATES),
    )
    return bool(operation_ids) and session.scalar(found.limit(1)) is not None


@dataclass(frozen=True)
class Charged:
    """What a charge is for: a bill, or a payment that was scheduled; and how papers name it."""

    label: str
    invoice_id: uuid.UUID | None = None
    scheduled_payment_id: uuid.UUID | None = None


def prepare_charge(
    session: Session,
    op_key: str,
    charged: Charged,
    payer_id: uuid.UUID,
    method: PaymentMethod,
    amount: Money,
    now: datetime,
) -> PaymentOperation:
    """Write a charge's row. Its amount is fixed before the first call."""
    operation = PaymentOperation(
        id=new_id(),
        public_id=new_public_id(),
        op_key=op_key,
        kind="charge",
        account_id=payer_id,
        invoice_id=charged.invoice_id,
        scheduled_payment_id=charged.scheduled_payment_id,
        payment_method_id=method.id,
        amount_minor=amount.minor,
        currency=amount.currency,
        request={
            "customer": method.gateway_customer_id,
            "method": method.gateway_id,
            "description": charged.label,
            "metadata": {"bill": charged.label.removeprefix("Bill ")},
        },
        state="pending",
        attempts=0,
        next_at=now + timedelta(minutes=1),
        created_at=now,
    )
    session.add(operation)
    session.flush()
    return operation


def charge_request(operation: PaymentOperation) -> ChargeRequest:
    """The frozen request of a charge, as it is sent each time."""
    frozen: dict[str, Any] = operation.request
    return ChargeRequest(
        op_key=operation.op_key,
        operation_id=operation.public_id,
        customer_id=frozen["customer"],
        method_id=frozen["method"],
        amount=Money(operation.amount_minor, operation.currency),
        description=frozen["description"],
        metadata=frozen["metadata"],
    )


def due_charges(session: Session, now: datetime, limit: int = 50) -> Sequence[uuid.UUID]:
    """Charges that nobody has heard the end of."""
    return session.scalars(
        select(PaymentOperation.id)
        .where(
            PaymentOperation.kind == "charge",
            PaymentOperation.state.in_(OPEN_STATES),
            or_(PaymentOperation.next_at.is_(None), PaymentOperation.next_at <= now),
        )
        .order_by(PaymentOperation.next_at)
        .limit(limit)
    ).all()
