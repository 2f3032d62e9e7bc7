"""Cards on file and what their owners agreed to: stored when the processor has them, ended, and read.

A card may be charged while it is on file and something that its owner agreed to stands.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from core.events import MethodDetached
from core.kernel import jobs
from core.kernel.clock import local_date
from core.kernel.db import changed, insert_once
from core.kernel.errors import NotFound
from core.kernel.ids import new_id, new_public_id
from payments.models import Authorisation, PaymentCustomer, PaymentMethod, PaymentOperation
from payments.saved import CustomerRequest, SavedMethod

#: A card that its owner keeps here, to be charged when they say so and not before.
ON_FILE = "on_file"


@dataclass(frozen=True)
class Consent:
    """What somebody agreed to: the exact ``text`` that was shown, in which version, for which one thing.

    ``subject`` names it with its kind, such as ``trial:<id>``; ``address`` is the network address.
    """

    user_id: uuid.UUID | None
    purpose: str
    subject: str
    text: str
    text_version: str
    address: str


# --- the account at the processor -----------------------------------------------------------------


def customer(
    session: Session, account_id: uuid.UUID, name: str, email: str | None, now: datetime
) -> PaymentCustomer:
    """The account's row at the processor; written when there is none, before anybody is asked.

    While the processor has not taken it, it says what the account says now: another request, another key.
    """
    key = f"customer-{new_public_id()}"
    insert_once(
        session,
        PaymentCustomer,
        account_id=account_id,
        op_key=key,
        name=name,
        email=email,
        created_at=now,
    )
    row = session.get_one(PaymentCustomer, account_id, with_for_update=True)
    if row.gateway_id is None and (row.name, row.email) != (name, email):
        row.op_key, row.name, row.email = key, name, email
        session.flush()
    return row


def customer_request(row: PaymentCustomer) -> CustomerRequest:
    """What the processor is asked, however often."""
    return CustomerRequest(row.op_key, row.account_id.hex, row.name, row.email)


def note_customer(session: Session, account_id: uuid.UUID, gateway_id: str) -> str:
    """Keep the processor's id of an account; answers the one that was there first."""
    session.execute(
        update(PaymentCustomer)
        .where(PaymentCustomer.account_id == account_id, PaymentCustomer.gateway_id.is_(None))
        .values(gateway_id=gateway_id)
    )
    row = session.get_one(PaymentCustomer, account_id, populate_existing=True)
    assert row.gateway_id is not None  # it was there, or is now
    return row.gateway_id


# --- cards ----------------------------------------------------------------------------------------


def store(
    session: Session, operation: PaymentOperation, saved: SavedMethod, customer_id: str
) -> PaymentMethod:
    """The row of a card that is on file now; the processor's id makes it the only one."""
    insert_once(
        session,
        PaymentMethod,
        id=new_id(),
        public_id=new_public_id(),
        account_id=operation.account_id,
        gateway_customer_id=customer_id,
        gateway_id=saved.id,
        brand=saved.brand[:20],
        last4=saved.last4,
        exp_month=saved.exp_month,
        exp_year=saved.exp_year,
        fingerprint_digest=digest(saved.fingerprint) if saved.fingerprint else None,
        state="active",
        created_at=saved.created,
    )
    return session.scalars(select(PaymentMethod).where(PaymentMethod.gateway_id == saved.id)).one()


def digest(fingerprint: str) -> str:
    """What is kept of a fingerprint: enough to know the same card again."""
    return hashlib.sha256(fingerprint.encode()).hexdigest()


def detach(session: Session, method_id: uuid.UUID, now: datetime) -> bool:
    """It may not be charged any more, and all that was agreed for it ends. False when it was off file.

    The processor is told by the job of ``MethodDetached``.
    """
    done = session.execute(
        update(PaymentMethod)
        .where(PaymentMethod.id == method_id, PaymentMethod.state == "active")
        .values(state="detached", detached_at=now)
    )
    session.execute(
        update(Authorisation)
        .where(Authorisation.payment_method_id == method_id, Authorisation.ended_at.is_(None))
        .values(ended_at=now)
    )
    if changed(done) != 1:
        return False
    jobs.record(session, MethodDetached(str(method_id)), now, key=f"method-detached:{method_id}")
    return True


def of_account(session: Session, account_id: uuid.UUID) -> Sequence[PaymentMethod]:
    """The cards on file of an account, the newest first."""
    return session.scalars(
        select(PaymentMethod)
        .where(PaymentMethod.account_id == account_id, PaymentMethod.state == "active")
        .order_by(PaymentMethod.created_at.desc(), PaymentMethod.id.desc())
    ).all()


def ever_of(session: Session, account_id: uuid.UUID) -> Sequence[PaymentMethod]:
    """Every card that an account ever had on file."""
    return session.scalars(
        select(PaymentMethod).where(PaymentMethod.account_id == account_id)
    ).all()


def one(session: Session, public_id: str, account_ids: Sequence[uuid.UUID]) -> PaymentMethod:
    """A card by its public id. NotFound when there is none, or it is none of the accounts'."""
    found = session.scalar(
        select(PaymentMethod).where(
            PaymentMethod.public_id == public_id, PaymentMethod.account_id.in_(account_ids)
        )
    )
    if found is None:
        raise NotFound("card on file")
    return found


def default(session: Session, account_id: uuid.UUID) -> PaymentMethod | None:
    """The card that its owner chose as the first, or the one that was put on file last."""
    cards = of_account(session, account_id)
    if not cards:
        return None
    chosen = session.scalar(
        select(PaymentCustomer.default_method_id).where(PaymentCustomer.account_id == account_id)
    )
    return next((card for card in cards if card.id == chosen), cards[0])


def make_default(session: Session, method: PaymentMethod) -> None:
    """From now on this card is the account's first."""
    session.execute(
        update(PaymentCustomer)
        .where(PaymentCustomer.account_id == method.account_id)
        .values(default_method_id=method.id)
    )


def expiring(session: Session, year: int, month: int, limit: int = 200) -> Sequence[PaymentMethod]:
    """Cards on file whose month this is and whose owners were not told yet."""
    return session.scalars(
        select(PaymentMethod)
        .where(
            PaymentMethod.exp_year == year,
            PaymentMethod.exp_month == month,
            PaymentMethod.state == "active",
            PaymentMethod.expiry_told_at.is_(None),
        )
        .order_by(PaymentMethod.id)
        .limit(limit)
    ).all()


def label(method: PaymentMethod) -> str:
    """How people know it: ``Visa ending 4242``."""
    return f"{method.brand.title()} ending {method.last4}"


def is_lapsed(method: PaymentMethod, today: date) -> bool:
    """Is it past the month that stands on it?"""
    return (method.exp_year, method.exp_month) < (today.year, today.month)


# --- what was agreed ------------------------------------------------------------------------------


def authorise(
    session: Session,
    operation: PaymentOperation,
    method: PaymentMethod,
    consent: Consent,
    agreed_at: datetime,
) -> None:
    """Keep what was agreed in a set-up, once for it."""
    insert_once(
        session,
        Authorisation,
        id=new_id(),
        public_id=new_public_id(),
        account_id=operation.account_id,
        user_id=consent.user_id,
        payment_method_id=method.id,
        operation_id=operation.id,
        purpose=consent.purpose,
        subject=consent.subject,
        text=consent.text,
        text_version=consent.text_version,
        address=consent.address[:45],
        agreed_at=agreed_at,
    )


def agree(
    session: Session, method: PaymentMethod, consent: Consent, now: datetime
) -> Authorisation:
    """Keep what was agreed about a card that is on file already."""
    given = Authorisation(
        id=new_id(),
        public_id=new_public_id(),
        account_id=method.account_id,
        user_id=consent.user_id,
        payment_method_id=method.id,
        operation_id=None,
        purpose=consent.purpose,
        subject=consent.subject,
        text=consent.text,
        text_version=consent.text_version,
        address=consent.address[:45],
        agreed_at=now,
    )
    session.add(given)
    session.flush()
    return given


def authorisation(session: Session, operation_id: uuid.UUID) -> Authorisation:
    """What was agreed in a set-up that succeeded."""
    return session.scalars(
        select(Authorisation).where(Authorisation.operation_id == operation_id)
    ).one()


def of_subject(session: Session, subject: str) -> Sequence[Authorisation]:
    """What was agreed for one thing, the newest first, what has ended included."""
    return session.scalars(
        select(Authorisation)
        .where(Authorisation.subject == subject)
        .order_by(Authorisation.agreed_at.desc(), Authorisation.id.desc())
    ).all()


def end(session: Session, subject: str, now: datetime) -> int:
    """End what was agreed for one thing; says how much of it stood."""
    done = session.execute(
        update(Authorisation)
        .where(Authorisation.subject == subject, Authorisation.ended_at.is_(None))
        .values(ended_at=now)
    )
    return changed(done)


def end_one(session: Session, authorisation_id: uuid.UUID, now: datetime) -> None:
    """End what was agreed in one set-up, and nothing else about the same thing."""
    session.execute(
        update(Authorisation)
        .where(Authorisation.id == authorisation_id, Authorisation.ended_at.is_(None))
        .values(ended_at=now)
    )


def is_authorised(session: Session, method_id: uuid.UUID) -> bool:
    """Does anything that was agreed for a card stand?"""
    stands = exists().where(
        Authorisation.payment_method_id == method_id, Authorisation.ended_at.is_(None)
    )
    return bool(session.scalar(select(stands)))


def covered(
    session: Session, method_id: uuid.UUID, issued_at: datetime, last_day: date | None, zone: str
) -> bool:
    """Did what was agreed for a card cover a bill: does it stand, or did it when the bill was issued or
    what the bill is for was over?

    ``last_day`` is the last that the bill is for: the last bill of a service, for what was used until its
    end, comes after that end.
    """
    ends = session.scalars(
        select(Authorisation.ended_at).where(
            Authorisation.payment_method_id == method_id, Authorisation.purpose != ON_FILE
        )
    )
    return any(
        ended_at is None
        or issued_at <= ended_at
        or (last_day is not None and last_day <= local_date(ended_at, zone))
        for ended_at in ends
    )
