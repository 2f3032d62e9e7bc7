"""THE table: which handlers hear which event, and what runs by the clock.

A handler either takes the job's own session (its effect and the job's end are one commit), or owns its
commits because it speaks to the network or renders. Each is idempotent.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from app import providing, stocking, telling
from cart import sharing
from cms_content import publishing
from core import events
from core.hooks import deliveries as hooks
from core.kernel import audit, counters, idempotency, jobs
from core.notices import sending
from core.parties.models import UserSession
from core.stock import waiting
from flows import (
    answer_chargeback,
    charge_late_fee,
    charge_on_file,
    chase,
    deliver_hook,
    detach_card,
    early_payment,
    hear_event,
    issue_invoice,
    make_statements,
    manage_cards,
    reconcile,
    refund,
    refund_memo,
    run_autopay,
    run_billing,
    run_card_payments,
    run_trials,
    send_quote,
    store_trial_card,
    tell_due,
    tell_programs,
    tell_quote,
    trial_letters,
)
from flows.house import House
from payments import rounds

_log = structlog.get_logger("worker")
#: Finished jobs are kept this long.
DONE_KEPT = timedelta(days=14)
#: Who waited for something is known this long after it is over, or when they never confirmed it.
WAITS_KEPT = timedelta(days=60)


@dataclass(frozen=True)
class Within:
    """Runs in the transaction that also ends the job."""

    run: Callable[[Session, House, Any], None]


@dataclass(frozen=True)
class Owning:
    """Owns its commits; the job ends afterwards."""

    run: Callable[[House, Any], None]


def _issue(session: Session, house: House, event: events.OrderPlaced) -> None:
    issue_invoice.for_order(session, house, uuid.UUID(event.order_id))


def _store(house: House, event: events.InvoiceIssued) -> None:
    issue_invoice.store(house, uuid.UUID(event.invoice_id))


def _store_statement(house: House, event: events.StatementMade) -> None:
    make_statements.store(house, uuid.UUID(event.statement_id))


def _store_quote(house: House, event: events.QuoteSent) -> None:
    send_quote.store(house, uuid.UUID(event.version_id))


def _remind_quotes(house: House, _: object) -> None:
    tell_quote.remind(house)


def _send(house: House, event: events.NoticeQueued) -> None:
    sending.send(house.db, house.sender, house.blobs, uuid.UUID(event.notice_id), house.clock)


def _apply_inbound(house: House, event: events.InboundReceived) -> None:
    hear_event.hear(house, event.event_id)


def _refund(house: House, event: events.RefundWanted) -> None:
    refund.refund(house, uuid.UUID(event.payment_id), event.amount_minor, event.reason)


def _refund_credit(house: House, event: events.CreditToRefund) -> None:
    refund_memo.send_back(house, uuid.UUID(event.invoice_id))


def _send_evidence(house: House, event: events.EvidenceToSend) -> None:
    answer_chargeback.hand_over(house, uuid.UUID(event.chargeback_id), event.tries)


def _charge(house: House, event: events.ChargeWanted) -> None:
    invoice_id, method_id = uuid.UUID(event.invoice_id), uuid.UUID(event.payment_method_id)
    charge_on_file.charge(house, invoice_id, method_id, event.attempt)


def _detach_method(house: House, event: events.MethodDetached) -> None:
    detach_card.detach(house, uuid.UUID(event.payment_method_id))


def _charge_payment(house: House, event: events.ScheduledPaymentDue) -> None:
    charge_on_file.charge_payment(house, uuid.UUID(event.scheduled_payment_id), event.tries)


def _use_instead(house: House, event: events.MethodStored) -> None:
    manage_cards.stored(house, uuid.UUID(event.operation_id))


def _follow_autopay(session: Session, house: House, event: events.OpenItemsChanged) -> None:
    run_autopay.follow(session, house, uuid.UUID(event.account_id))


def _card_payments(house: House, _: object) -> None:
    """What could not be told or called for stands in the log; the next round tries again."""
    run_card_payments.run(house)


def _take_discounts(session: Session, house: House, event: events.OpenItemsChanged) -> None:
    early_payment.take(session, house, uuid.UUID(event.account_id))


def _chase(session: Session, house: House, event: events.OpenItemsChanged) -> None:
    chase.chase(session, house, uuid.UUID(event.account_id))


def _charge_late_fee(session: Session, house: House, event: events.LateFeeDue) -> None:
    due_on = date.fromisoformat(event.due_on)
    charge_late_fee.charge(session, house, uuid.UUID(event.account_id), due_on)


def _lock_as_payer(
    session: Session,
    house: House,
    event: events.SubscriptionActivated | events.SubscriptionChanged,
) -> None:
    """A service that begins, or that somebody else pays for, is locked as its payer's others are."""
    chase.settle_service(session, house, uuid.UUID(event.subscription_id))


def _tell_due(house: House, _: object) -> None:
    tell_due.run(house)


def _reconcile(house: House, _: object) -> None:
    """What went wrong stands with each operation; the next round looks again, so this one is over."""
    for problem in reconcile.run(house).problems:
        _log.error("reconcile.problem", problem=problem)


def _statements(house: House, _: object) -> None:
    """An account that got none stands in the log; the others are done, and the next day asks again."""
    make_statements.by_the_clock(house)


def _bill(house: House, _: object) -> None:
    """Plans what is due; the chunks are jobs of their own. Parked accounts wait at the desk."""
    run_billing.by_the_clock(house)


def _bill_chunk(house: House, event: events.BillChunkPlanned) -> None:
    run_billing.do(house, uuid.UUID(event.run_id), event.chunk)


def _begin_trial(session: Session, house: House, event: events.TrialStarted) -> None:
    run_trials.begin(session, house, uuid.UUID(event.trial_id))


def _tell_trial_over(session: Session, house: House, event: events.TrialEnded) -> None:
    trial_letters.tell_over(session, house, uuid.UUID(event.trial_id), event.how)


def _end_trial(session: Session, house: House, event: events.SubscriptionEnded) -> None:
    run_trials.note_end(session, house, uuid.UUID(event.subscription_id))
    store_trial_card.forget(session, house, uuid.UUID(event.subscription_id))


def _store_trial_card(house: House, event: events.MethodStored) -> None:
    store_trial_card.stored(house, uuid.UUID(event.operation_id))


def _trials(house: House, _: object) -> None:
    """A trial that could not be done stands in the log; the others are, and the next hour asks again."""
    for problem in run_trials.run(house).problems:
        _log.error("trials.problem", problem=problem)
    run_trials.forget_unfinished(house)


def _tell_programs(session: Session, house: House, event: object) -> None:
    tell_programs.tell(session, house, event)


def _deliver_hook(house: House, payload: dict[str, str]) -> None:
    deliver_hook.deliver(house, uuid.UUID(payload["delivery_id"]))


def _settle_content(session: Session, house: House, _: object) -> None:
    """What went live by its time is told so; people read it by the clock in any case."""
    publishing.settle_due(session, house.clock.now())


def _seal(session: Session, house: House, _: object) -> None:
    audit.seal(session, house.clock.now())


def _tidy(session: Session, house: House, _: object) -> None:
    now = house.clock.now()
    jobs.forget_done(session, now - DONE_KEPT)
    idempotency.expire(session, now)
    sharing.forget(session, now)
    counters.sweep(session, now)
    hooks.forget(session, now - hooks.KEPT)
    rounds.forget(session, now)
    waiting.forget(session, now - WAITS_KEPT)
    session.query(UserSession).filter(UserSession.expires_at <= now).delete()


HANDLERS: dict[str, Within | Owning] = {
    "issue_invoice": Within(_issue),
    "store_document": Owning(_store),
    "store_statement": Owning(_store_statement),
    "tell_order": Within(telling.order),
    "tell_parcel": Within(telling.parcel),
    "tell_approved": Within(telling.approved),
    "return_cards": Owning(providing.return_cards),
    "tell_delivered": Within(telling.delivered),
    "tell_pick_up": Within(telling.pick_up),
    "tell_back_order": Within(telling.back_order),
    "ask_after": Owning(providing.ask_after),
    "tell_change": Within(telling.change),
    "tell_document": Within(telling.document),
    "tell_statement": Within(telling.statement),
    "tell_payment": Within(telling.payment),
    "tell_refund": Within(telling.refund),
    "tell_link": Within(telling.link),
    "tell_service_started": Within(telling.service_started),
    "tell_service_changed": Within(telling.service_changed),
    "tell_service_ended": Within(telling.service_ended),
    "store_quote": Owning(_store_quote),
    "tell_quote_asked": Within(telling.quote_asked),
    "tell_quote": Within(telling.quote),
    "tell_quote_message": Within(telling.quote_message),
    "tell_quote_closed": Within(telling.quote_closed),
    "remind_quotes": Owning(_remind_quotes),
    "tell_dispute": Within(telling.dispute),
    "tell_dispute_message": Within(telling.dispute_message),
    "tell_dispute_closed": Within(telling.dispute_closed),
    "send_notice": Owning(_send),
    "apply_inbound": Owning(_apply_inbound),
    "refund": Owning(_refund),
    "refund_credit": Owning(_refund_credit),
    "tell_chargeback": Within(telling.chargeback),
    "send_evidence": Owning(_send_evidence),
    "tell_method": Within(telling.method),
    "charge_on_file": Owning(_charge),
    "detach_method": Owning(_detach_method),
    "tell_failed_charge": Within(telling.failed_charge),
    "charge_payment": Owning(_charge_payment),
    "use_instead": Owning(_use_instead),
    "follow_autopay": Within(_follow_autopay),
    "card_payments": Owning(_card_payments),
    "take_discounts": Within(_take_discounts),
    "chase": Within(_chase),
    "charge_late_fee": Within(_charge_late_fee),
    "lock_as_payer": Within(_lock_as_payer),
    "provision": Owning(providing.provision),
    "provisioning": Owning(providing.round_),
    "end_provisioning": Within(providing.follow),
    "tell_due": Owning(_tell_due),
    "reconcile": Owning(_reconcile),
    "statements": Owning(_statements),
    "services": Owning(providing.services),
    "earn": Owning(providing.earn_days),
    "bill": Owning(_bill),
    "bill_chunk": Owning(_bill_chunk),
    "begin_trial": Within(_begin_trial),
    "tell_trial_over": Within(_tell_trial_over),
    "end_trial": Within(_end_trial),
    "store_trial_card": Owning(_store_trial_card),
    "trials": Owning(_trials),
    "tell_programs": Within(_tell_programs),
    "deliver_hook": Owning(_deliver_hook),
    "settle_content": Within(_settle_content),
    "seal_audit": Within(_seal),
    "sweep_holds": Within(stocking.sweep_holds),
    "offer_stock": Within(stocking.freed),
    "look_at_stock": Owning(stocking.look),
    "tidy": Within(_tidy),
}

#: event -> who hears it, the most urgent first
ROUTES: dict[str, tuple[str, ...]] = {
    "OrderPlaced": ("issue_invoice", "tell_order", "tell_programs"),
    "OrderApproved": ("tell_approved", "tell_programs"),
    "OrderShipped": ("tell_parcel", "tell_programs"),
    "OrderDelivered": ("tell_delivered", "tell_programs"),
    "PickUpMoved": ("tell_pick_up", "tell_programs"),
    "BackOrderReleased": ("tell_back_order", "tell_programs"),
    "OrderChanged": ("tell_change", "return_cards", "tell_programs"),
    "StockFreed": ("offer_stock",),
    "InvoiceIssued": ("store_document", "tell_programs"),
    "DocumentStored": ("tell_document",),
    "StatementMade": ("store_statement",),
    "StatementStored": ("tell_statement",),
    "PaymentApplied": ("tell_payment", "tell_programs"),
    "LateFeeDue": ("charge_late_fee",),
    "OpenItemsChanged": ("take_discounts", "follow_autopay", "chase", "tell_programs"),
    "InboundReceived": ("apply_inbound",),
    "RefundWanted": ("refund",),
    "CreditToRefund": ("refund_credit",),
    "RefundMade": ("tell_refund", "tell_programs"),
    "LinkAsked": ("tell_link",),
    "ProvisionWanted": ("provision",),
    "SubscriptionActivated": (
        "end_provisioning",
        "lock_as_payer",
        "tell_service_started",
        "tell_programs",
    ),
    "SubscriptionChanged": ("lock_as_payer", "tell_service_changed", "tell_programs"),
    "SubscriptionEnded": ("end_provisioning", "end_trial", "tell_service_ended", "tell_programs"),
    "TrialStarted": ("begin_trial", "tell_programs"),
    "TrialEnded": ("tell_trial_over", "tell_programs"),
    "MethodStored": ("store_trial_card", "use_instead", "tell_method"),
    "MethodDetached": ("detach_method",),
    "ChargeWanted": ("charge_on_file",),
    "ScheduledPaymentDue": ("charge_payment",),
    "ChargeFailed": ("tell_failed_charge", "tell_programs"),
    "BillChunkPlanned": ("bill_chunk",),
    "QuoteRequested": ("tell_quote_asked", "tell_programs"),
    "QuoteSent": ("store_quote", "tell_programs"),
    "QuoteStored": ("tell_quote",),
    "QuoteMessaged": ("tell_quote_message",),
    "QuoteClosed": ("tell_quote_closed", "tell_programs"),
    "DisputeOpened": ("tell_dispute", "tell_programs"),
    "DisputeMessaged": ("tell_dispute_message",),
    "DisputeClosed": ("tell_dispute_closed", "tell_programs"),
    "ChargebackMoved": ("tell_chargeback", "tell_programs"),
    "EvidenceToSend": ("send_evidence",),
    "CaseMoved": ("tell_programs",),
    "AutoPayMoved": ("tell_programs",),
    "NoticeQueued": ("send_notice",),
}

#: handler -> seconds between two runs
SCHEDULES: dict[str, int] = {
    "reconcile": 120,
    "provisioning": 60,
    "ask_after": 3600,
    "tell_due": 1800,
    "card_payments": 300,
    "statements": 21_600,
    "services": 900,
    "earn": 21_600,
    "bill": 3600,
    "trials": 3600,
    "remind_quotes": 10_800,
    "settle_content": 60,
    "seal_audit": 30,
    "sweep_holds": 60,
    "look_at_stock": 60,
    "tidy": 3600,
}
