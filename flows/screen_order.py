"""The rules by which orders are held: kept by staff, and asked when an order becomes certain."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.kernel import audit
from core.kernel.errors import Invalid
from core.orders import held, screening
from core.orders.models import Order
from core.orders.screening import Facts, Rules
from core.parties.models import Account, Channel
from flows.house import House

_DAY = timedelta(days=1)
_LARGEST, _MOST = 10**12, 1_000


def reasons(session: Session, order: Order, now: datetime) -> tuple[str, ...]:
    """Why an order that becomes certain is held. What staff took or offered themselves never is."""
    rules = Rules.of(session.get_one(Channel, order.channel_id).screening)
    if rules.is_off or order.taken_by is not None or order.quote_version_id is not None:
        return ()
    return screening.reasons(rules, _facts(session, order, rules, now))


def _facts(session: Session, order: Order, rules: Rules, now: datetime) -> Facts:
    """Asks only for what a rule looks at."""
    account = session.get_one(Account, order.payer_account_id)
    return Facts(
        amount_minor=order.due_now_minor,
        is_first=rules.first_from is not None
        and not held.has_placed(session, order.payer_account_id),
        bill_country=str((account.billing_address or {}).get("country") or ""),
        ship_country=str((order.shipping_address or {}).get("country") or ""),
        orders_a_day=1 + held.placed_by(session, order.email, now - _DAY)
        if rules.most_a_day is not None
        else 1,
    )


def set_rules(house: House, channel_id: uuid.UUID, rules: Rules, actor: str) -> None:
    """For the channel's orders from now on; what is held stays held. Raises Invalid by field."""
    wrong: dict[str, str] = {}
    for name in ("amount_from", "first_from"):
        value = getattr(rules, name)
        if value is not None and not 1 <= value <= _LARGEST:
            wrong[name] = "More than nothing, or empty."
    if rules.most_a_day is not None and not 1 <= rules.most_a_day <= _MOST:
        wrong["most_a_day"] = f"From 1 to {_MOST:,}, or empty."
    if wrong:
        raise Invalid(wrong)

    def write(session: Session) -> None:
        channel = session.get_one(Channel, channel_id, with_for_update=True)
        before, after = Rules.of(channel.screening), rules.to_dict()
        if before == rules:
            return
        channel.screening = None if rules.is_off else after
        told = {"before": before.to_dict(), "after": after}
        now, subject = house.clock.now(), ("channel", channel.code)
        audit.write(session, now, actor, "order_checks.set", subject, **told)

    house.db.run_tx(write)
