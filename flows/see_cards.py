"""Cards on file, AutoPay and planned payments as the portal, the desk and programs see them. Reads only."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.clock import local_date
from core.kernel.money import Money
from core.parties.models import Account
from flows import charge_terms
from flows.card_uses import Use, uses
from flows.house import House
from payments import autopay, methods, scheduled
from payments.automatic_models import AutoPayRule, ScheduledPayment
from payments.models import Authorisation, PaymentMethod, PaymentOperation


@dataclass(frozen=True)
class Planned:
    """A payment with its card, the bills it is for now, and how much it takes, or took; None: nothing."""

    row: ScheduledPayment
    method: PaymentMethod
    bills: tuple[str, ...]
    amount: Money | None


@dataclass(frozen=True)
class Wallet:
    """The cards of an account, what needs each, the rule that runs with what was agreed, and the payments
    that are still to be made or need somebody."""

    account: Account
    today: date
    cards: Sequence[PaymentMethod]
    default: PaymentMethod | None
    uses: Mapping[uuid.UUID, Sequence[Use]]
    rule: AutoPayRule | None
    agreed: Authorisation | None
    waiting: Sequence[Planned]

    @property
    def usable(self) -> Sequence[PaymentMethod]:
        """The cards that can be charged today, the first one first."""
        fit = [card for card in self.cards if not methods.is_lapsed(card, self.today)]
        return sorted(fit, key=lambda card: card is not self.default)


def wallet(session: Session, house: House, account: Account) -> Wallet:
    """Everything about an account's cards; always the same number of statements. Needs a snapshot."""
    cards = methods.of_account(session, account.id)
    rule = autopay.active(session, account.id)
    return Wallet(
        account,
        local_date(house.clock.now(), account.time_zone),
        cards,
        methods.default(session, account.id),
        uses(session, cards),
        rule,
        session.get_one(Authorisation, rule.authorisation_id) if rule is not None else None,
        planned(session, house, account, scheduled.open_of(session, [account.id])),
    )


def planned(
    session: Session, house: House, account: Account, rows: Sequence[ScheduledPayment]
) -> list[Planned]:
    """Some payments of one account, as they are now."""
    if not rows:
        return []
    owed = charge_terms.of_account(session, house, account.id, account.currency)
    taken = scheduled.taken(session, rows)
    cards = _cards(session, rows)
    found = []
    for row in rows:
        parts = charge_terms.chosen(row, owed) if row.closed_at is None else []
        amount = charge_terms.total_of(parts, row.currency) if parts else taken.get(row.id)
        numbers = tuple(item.number for item, _ in parts)
        found.append(Planned(row, cards[row.payment_method_id], numbers, amount))
    return found


def _cards(session: Session, rows: Sequence[ScheduledPayment]) -> dict[uuid.UUID, PaymentMethod]:
    keys = {row.payment_method_id for row in rows}
    found = session.scalars(select(PaymentMethod).where(PaymentMethod.id.in_(keys)))
    return {card.id: card for card in found}


@dataclass(frozen=True)
class Told:
    """One payment with what was agreed for it and every try that was made."""

    planned: Planned
    agreed: Authorisation | None
    tries: Sequence[PaymentOperation]


def told(session: Session, house: House, account: Account, row: ScheduledPayment) -> Told:
    """Everything about one payment."""
    (seen,) = planned(session, house, account, [row])
    given = session.get(Authorisation, row.authorisation_id) if row.authorisation_id else None
    return Told(seen, given, scheduled.charges_of(session, row))


#: So many stand on the first page.
_ALERTS = 5


def alerts(
    session: Session, account_ids: Collection[uuid.UUID]
) -> list[tuple[ScheduledPayment, PaymentMethod]]:
    """What the first page tells of payments: those that were declined, and the next that are made."""
    return scheduled.first_open(session, account_ids, _ALERTS)
