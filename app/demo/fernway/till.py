"""Two stand-ins for days gone by: a till that takes nearly every card, and a post that fills the mail box.

The till answers a few of the payment gateway's questions from our own operation log, so that a seed that was
interrupted goes on with a till of its own. Nobody asks it anything afterwards: the pretend processor takes
over the cards on file.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr, parsedate_to_datetime
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.demo.fernway.people import ABEL, MARA, Person
from app.demo.mail_store import MailStore
from core.kernel.clock import Clock
from core.kernel.db import Database
from core.kernel.money import Money
from core.parties.models import Account
from payments import evidence, operations
from payments.chargebacks import ChargebackRow
from payments.gateway import (
    CheckoutRequest,
    CheckoutSession,
    Declined,
    Payment,
    Refund,
    RefundRequest,
)
from payments.methods import ON_FILE
from payments.models import Payment as PaymentRow
from payments.models import PaymentCustomer, PaymentMethod, PaymentOperation
from payments.models import Refund as RefundRow
from payments.network import EvidenceRequest, NetworkChargeback
from payments.saved import (
    ChargeRequest,
    Customer,
    CustomerRequest,
    SavedMethod,
    Setup,
    SetupRequest,
)

#: Every card here is this one,
_NUMBER = "4242424242424242"
#: but one that expires, and one that is saved and has too little money on it whenever it is charged.
_SECOND_NUMBER, _EMPTY_NUMBER = "5555555555554444", "4000008260003178"
_NUMBERS = (_NUMBER, _SECOND_NUMBER, _EMPTY_NUMBER)
_VISIT, _PAYMENT, _SETUP, _METHOD = "cs_till_", "pi_till_", "seti_till_", "pm_till_"
#: What the network takes for a chargeback, and how long it thinks about an answer.
_CHARGEBACK, _FEE_MINOR, _ANSWER_WITHIN = "dp_till_", 1500, timedelta(days=7)
_DECIDES_AFTER = timedelta(days=10)


@dataclass(frozen=True)
class Till:
    """Everybody who is sent here pays at once, with a Visa card; Abel's has too little money on it, and the
    one that Mara puts on file from her account expires in the month in which the demo opens."""

    db: Database
    clock: Clock

    def start_checkout(self, request: CheckoutRequest) -> CheckoutSession:
        return self._visit(self._operation(request.operation_id))

    def get_checkout(self, checkout_id: str) -> CheckoutSession:
        return self._visit(self._operation(checkout_id.removeprefix(_VISIT)))

    def find_checkout_by_operation(
        self, operation_id: str, created_gte: datetime
    ) -> CheckoutSession | None:
        return self._visit(self._operation(operation_id))

    def create_customer(self, request: CustomerRequest) -> Customer:
        return Customer(f"cus_till_{request.reference}", request.name, request.email)

    def start_setup(self, request: SetupRequest) -> CheckoutSession:
        return self._visit(self._operation(request.operation_id))

    def get_setup(self, setup_id: str) -> Setup:
        operation = self._operation(setup_id.removeprefix(_SETUP))
        customer_id = str(operation.request["customer"])
        made = operation.created_at
        number = _EMPTY_NUMBER if self._is_of(operation, ABEL) else _NUMBER
        expires = (made.year + 4, 12)
        if self._is_of(operation, MARA) and operation.request["consent"]["purpose"] == ON_FILE:
            opens, number = made + timedelta(days=3), _SECOND_NUMBER
            expires = (opens.year, opens.month)
        method = SavedMethod(
            id=f"{_METHOD}{operation.public_id}",
            customer_id=customer_id,
            brand="mastercard" if number == _SECOND_NUMBER else "visa",
            last4=number[-4:],
            exp_month=expires[1],
            exp_year=expires[0],
            fingerprint=f"till {operation.account_id}",
            created=made,
        )
        return Setup(setup_id, "succeeded", operation.public_id, customer_id, method, None, made)

    def _is_of(self, operation: PaymentOperation, who: Person) -> bool:
        with self.db.reading() as session:
            account = session.get_one(Account, operation.account_id)
        return account.number == who.account_number

    def charge_saved(self, request: ChargeRequest) -> Payment:
        if self._is_of(self._operation(request.operation_id), ABEL):
            raise Declined("card_declined", "insufficient_funds")
        return self.get_payment(f"{_PAYMENT}{request.operation_id}")

    def find_payment_by_operation(
        self, operation_id: str, customer_id: str, created_gte: datetime
    ) -> Payment | None:
        return self.get_payment(f"{_PAYMENT}{operation_id}")

    def get_payment(self, payment_id: str) -> Payment:
        operation = self._operation(payment_id.removeprefix(_PAYMENT))
        amount = Money(operation.amount_minor, operation.currency)
        nothing = Money.zero(operation.currency)
        return Payment(
            id=payment_id,
            status="succeeded",
            amount=amount,
            amount_capturable=nothing,
            amount_received=amount,
            amount_refunded=nothing,
            operation_id=operation.public_id,
            metadata={},
            created=self.clock.now(),
            last_decline=None,
            card_brand="visa",
            card_last4="4242",
            balance_transaction_id=None,
            fee=None,
        )

    def refund(self, request: RefundRequest) -> Refund:
        return Refund(
            id=f"re_till_{request.operation_id}",
            status="succeeded",
            amount=request.amount,
            payment_id=request.payment_id,
            operation_id=request.operation_id,
            metadata={},
            created=self.clock.now(),
            failure=None,
            balance_transaction_id=None,
        )

    def get_chargeback(self, chargeback_id: str) -> NetworkChargeback:
        """Taken back a moment ago when nobody has heard of it; what was answered is won in the end."""
        payment_id = f"{_PAYMENT}{chargeback_id.removeprefix(_CHARGEBACK)}"
        with self.db.reading() as session:
            paid = session.scalars(
                select(PaymentRow).where(PaymentRow.gateway_id == payment_id)
            ).one()
            known = session.scalar(
                select(ChargebackRow).where(ChargebackRow.gateway_id == chargeback_id)
            )
            ours = evidence.of(session, known.id) if known is not None else None
        created = known.opened_at if known is not None else self.clock.now()
        sent_at = ours.sent_at if ours is not None else None
        is_won = sent_at is not None and sent_at + _DECIDES_AFTER <= self.clock.now()
        fee = Money(_FEE_MINOR, paid.currency)
        return NetworkChargeback(
            id=chargeback_id,
            payment_id=payment_id,
            status="won" if is_won else "under_review" if sent_at else "needs_response",
            amount=Money(paid.amount_minor, paid.currency),
            taken=True,
            fee=fee,
            fee_back=Money.zero(paid.currency),
            reason="fraudulent",
            created=created,
            evidence_due=None if is_won else created + _ANSWER_WITHIN,
            answered=sent_at is not None,
        )

    def submit_evidence(self, request: EvidenceRequest) -> NetworkChargeback:
        return self.get_chargeback(request.chargeback_id)

    def _operation(self, public_id: str) -> PaymentOperation:
        with self.db.reading() as session:
            return operations.by_public_id(session, public_id)

    def _visit(self, operation: PaymentOperation) -> CheckoutSession:
        assert operation.expires_at is not None  # every visit ends some time
        saves = operation.kind == "setup"
        return CheckoutSession(
            id=f"{_VISIT}{operation.public_id}",
            mode="setup" if saves else "payment",
            status="complete",
            payment_status="no_payment_required" if saves else "paid",
            amount=None if saves else Money(operation.amount_minor, operation.currency),
            url="https://till.example.com/",
            payment_id=None if saves else f"{_PAYMENT}{operation.public_id}",
            setup_id=f"{_SETUP}{operation.public_id}" if saves else None,
            operation_id=operation.public_id,
            metadata={},
            created=operation.created_at,
            expires_at=operation.expires_at,
        )


def chargeback_of(payment: PaymentRow) -> str:
    """The network's id of the chargeback of one of these payments."""
    return _CHARGEBACK + payment.gateway_id.removeprefix(_PAYMENT)


def payments_taken(session: Session) -> list[dict[str, Any]]:
    """Every payment that was taken here, with what went back of it, as the pretend processor reads it: from
    then on, it is asked for the refunds."""
    back = dict(
        session.execute(
            select(RefundRow.payment_id, func.sum(RefundRow.amount_minor))
            .where(RefundRow.state != "failed")
            .group_by(RefundRow.payment_id)
        ).all()
    )
    disputes = {row.payment_id: row for row in session.scalars(select(ChargebackRow))}
    rows = session.execute(
        select(PaymentRow, PaymentOperation.public_id)
        .join(PaymentOperation, PaymentOperation.id == PaymentRow.operation_id)
        .where(PaymentRow.gateway_id.startswith(_PAYMENT))
        .order_by(PaymentRow.id)
    )
    return [
        {
            "payment": row.gateway_id,
            "operation": operation,
            "number": _NUMBER,
            "amount": row.amount_minor,
            "currency": row.currency.lower(),
            "created": int(row.captured_at.timestamp()),
            "refunded": int(back.get(row.id, 0)),
            "dispute": _as_known(disputes[row.id]) if row.id in disputes else None,
        }
        for row, operation in rows
    ]


def _as_known(row: ChargebackRow) -> dict[str, Any]:
    """A chargeback as the pretend processor reads it: decided, or still to be answered."""
    return {
        "id": row.gateway_id,
        "created": int(row.opened_at.timestamp()),
        "due": int(row.evidence_due.timestamp()) if row.evidence_due else None,
        "won": row.state == "won",
    }


def cards_on_file(session: Session) -> list[dict[str, Any]]:
    """Every card that was put on file here, as the pretend processor reads it: from then on, it is asked."""
    rows = session.execute(
        select(PaymentMethod, PaymentCustomer)
        .join(PaymentCustomer, PaymentCustomer.account_id == PaymentMethod.account_id)
        .where(PaymentMethod.state == "active")
        .order_by(PaymentMethod.id)
    )
    return [
        {
            "customer": method.gateway_customer_id,
            "name": customer.name,
            "email": customer.email,
            "method": method.gateway_id,
            "number": next(one for one in _NUMBERS if one.endswith(method.last4)),
            "exp_month": method.exp_month,
            "exp_year": method.exp_year,
        }
        for method, customer in rows
    ]


@dataclass(frozen=True)
class Post:
    """Mails of days gone by, laid straight into the demo's mail box."""

    folder: Path
    mail_from: str
    #: Mails of the same second stay in their order.
    _order: Iterator[int] = field(default_factory=lambda: count(1))

    def deliver(self, message: EmailMessage) -> None:
        to = [address for _, address in getaddresses([str(message["To"])])]
        content = message.as_bytes(policy=policy.SMTP)
        name = MailStore(self.folder).add(parseaddr(self.mail_from)[1], to, content)
        # A caught mail is named by when it came: this one came on a day gone by.
        came = parsedate_to_datetime(str(message["Date"])) + timedelta(
            microseconds=next(self._order)
        )
        stamp = f"{came.astimezone(UTC):%Y%m%dT%H%M%S%f}"
        caught = self.folder / f"{name}.eml"
        caught.rename(caught.with_name(f"{stamp}-{name.rpartition('-')[2]}.eml"))
