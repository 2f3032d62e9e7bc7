"""What needs a card on file: AutoPay, planned and retried payments, and services that are charged to it."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from core.subscriptions import reading as subscriptions
from payments import autopay, scheduled
from payments.models import PaymentMethod


@dataclass(frozen=True)
class Use:
    """Something that needs a card. ``kind``: autopay, payment, retry, service; ``key`` is its public id."""

    kind: str
    key: str
    words: str
    on: date | None = None


def uses(session: Session, cards: Sequence[PaymentMethod]) -> Mapping[uuid.UUID, Sequence[Use]]:
    """What needs each of some cards of one account; always the same number of statements."""
    found: dict[uuid.UUID, list[Use]] = {card.id: [] for card in cards}
    if not cards:
        return found
    for rule in autopay.active_of(session, {card.account_id for card in cards}).values():
        if rule.payment_method_id in found:
            found[rule.payment_method_id].append(Use("autopay", rule.public_id, "AutoPay"))
    for row in scheduled.with_cards(session, list(found)):
        if row.origin == "customer" and row.state == "planned":
            words = "a payment that is planned"
            found[row.payment_method_id].append(Use("payment", row.public_id, words, row.on_date))
        elif row.state == "retrying":
            words = "a payment that is tried again"
            found[row.payment_method_id].append(Use("retry", row.public_id, words))
    for method_id, public_id, name in subscriptions.charged_to(session, list(found)):
        found[method_id].append(Use("service", public_id, name))
    return found
