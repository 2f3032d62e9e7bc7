"""What changed since the last bill, in words: another plan, another quantity, a service that is new. Pure.

Worked out from the services themselves: what held on the day before a period begins, beside what holds in it.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from core.subscriptions.timeline import Phase
from invoices.billing.comparing import Charge
from invoices.figures import Figures, figures
from invoices.wording import unit_price


def notes(charges: Sequence[Charge], currency: str, locale: str) -> tuple[str, ...]:
    """A sentence for each service whose plan, quantity or price is another than before, or that is new."""
    say = figures(currency, locale)
    found = (_note(charge, say, currency) for charge in charges if charge.metered is None)
    return tuple(dict.fromkeys(note for note in found if note))


def _note(charge: Charge, say: Figures, currency: str) -> str:
    phase, since = charge.phase, charge.served.start
    if phase.kind == "trial" or not charge.change.amount:
        return ""
    before = charge.timeline.phase_on(since - timedelta(days=1))
    if before is None:
        is_first = phase.number == 0 and charge.index == 0
        return (
            say.words.new_service.format(service=phase.name, day=say.day(since)) if is_first else ""
        )
    if before.kind == "trial" or before.id == phase.id:
        return ""
    if before.variant_id == phase.variant_id and before.quantity != phase.quantity:
        return say.words.changed_quantity.format(
            service=phase.name,
            day=say.day(since),
            now=say.quantity(Decimal(phase.quantity)),
            before=say.quantity(Decimal(before.quantity)),
        )
    return say.words.changed_plan.format(
        day=say.day(since),
        now=phase.name,
        before=before.name,
        price=_price(phase, say, currency),
        old_price=_price(before, say, currency),
    )


def _price(phase: Phase, say: Figures, currency: str) -> str:
    """Of all its pieces, for one period."""
    return str(say.alone(unit_price(phase.unit_price_micros * phase.quantity, currency)))
