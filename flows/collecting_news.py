"""What programs are told of collecting: chargebacks, accounts that are past due, AutoPay. See
``flows.tell_programs``, of which this is a part.
"""

import uuid
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from core import events
from core.hooks.deliveries import News
from core.ledger import chargebacks as ledger
from core.parties.models import Account
from flows.news import Table, money, number_of
from invoices.models import Invoice
from payments.automatic_models import AutoPayRule, ScheduledPayment
from payments.chargebacks import ChargebackRow
from payments.dunning.cases import TOLD as CASE_ACTS
from payments.dunning.models import DunningAct, DunningCase
from payments.models import Payment, PaymentOperation


def _charged_back(session: Session, event: events.ChargebackMoved, now: datetime) -> Iterator[News]:
    row = session.get_one(ChargebackRow, uuid.UUID(event.chargeback_id))
    payment = session.get_one(Payment, row.payment_id)
    account = session.get_one(Account, payment.account_id)
    data = {
        "chargeback": row.public_id,
        "account": account.number,
        "payment": payment.public_id,
        "number": payment.number,
        "bills": [bill.number for bill, _ in ledger.bills_of(session, row.id)],
        "status": row.state,
        "reason": row.reason,
        "amount": money(row.amount_minor, row.currency),
        "fee": money(row.fee_minor - row.fee_back_minor, row.currency),
        "answer_by": row.evidence_due.isoformat() if row.evidence_due else None,
        "answered": row.answered_at is not None,
    }
    kind = f"chargeback.{event.how}"
    yield News(kind, f"{kind}:{row.id}", account.channel_id, now, data)


def _past_due(session: Session, event: events.CaseMoved, now: datetime) -> Iterator[News]:
    act = session.get_one(DunningAct, uuid.UUID(event.act_id))
    case = session.get_one(DunningCase, act.case_id)
    account = session.get_one(Account, case.account_id)
    amount = None
    if act.amount_minor is not None and act.currency is not None:
        amount = money(act.amount_minor, act.currency)
    data = {
        "case": case.public_id,
        "account": account.number,
        "status": case.state,
        "due_on": case.due_on.isoformat(),
        "until": act.until.isoformat() if act.until else None,
        "past_due": amount,
        "locked": case.locked_at is not None,
    }
    kind = f"case.{act.kind}"
    yield News(kind, f"{kind}:{act.id}", account.channel_id, act.at, data)


def _autopay(session: Session, event: events.AutoPayMoved, now: datetime) -> Iterator[News]:
    rule = session.get_one(AutoPayRule, uuid.UUID(event.rule_id))
    account = session.get_one(Account, rule.account_id)
    data = {
        "autopay": rule.public_id,
        "account": account.number,
        "status": rule.state,
        "started_at": rule.started_at.isoformat(),
        "stopped_at": rule.stopped_at.isoformat() if rule.stopped_at else None,
    }
    kind = f"autopay.{event.how}"
    yield News(kind, f"{kind}:{rule.id}", account.channel_id, now, data)


def _failed(session: Session, event: events.ChargeFailed, now: datetime) -> Iterator[News]:
    row = session.get_one(PaymentOperation, uuid.UUID(event.operation_id))
    invoice = session.get(Invoice, row.invoice_id) if row.invoice_id else None
    data = {
        "account": number_of(session, row.account_id),
        "amount": money(row.amount_minor, row.currency),
        "invoice": invoice.public_id if invoice else None,
        "number": invoice.number if invoice else None,
        "failure": row.failure,
    }
    channel = invoice.channel_id if invoice else None
    at = row.settled_at or now
    yield News("payment.failed", f"payment.failed:{row.id}", channel, at, data)
    planned = row.scheduled_payment_id and session.get_one(
        ScheduledPayment, row.scheduled_payment_id
    )
    if planned and planned.origin == "autopay":
        more = {"next_try": planned.next_at.isoformat() if planned.next_at else None}
        kind = "autopay.failed"
        account = session.get_one(Account, planned.account_id)
        yield News(kind, f"{kind}:{row.id}", account.channel_id, at, data | more)


OF: Table = {
    "ChargebackMoved": (
        tuple(
            f"chargeback.{how}" for how in ("warned", "opened", "answered", "closed", "appealed")
        ),
        _charged_back,
    ),
    "CaseMoved": (tuple(f"case.{kind}" for kind in CASE_ACTS), _past_due),
    "AutoPayMoved": (("autopay.started", "autopay.stopped"), _autopay),
    "ChargeFailed": (("payment.failed", "autopay.failed"), _failed),
}
