"""Services in words, for the portal's pages and the desk's: states, history, previews."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from core.entitlements.models import Entitlement
from core.kernel.money import Money, extend, total
from core.prices.models import Meter
from core.subscriptions.timeline import Phase, Timeline
from core.subscriptions.usage import Used
from flows.change_service import Foreseen
from flows.hold_service import PAUSED
from flows.see_services import InUse, Seen, Told
from flows.service_letter import every, named, place_of
from invoices.billing.previewing import Line
from invoices.figures import figures
from invoices.reasons import reasons
from invoices.why import Formula
from web.context import channel
from web.documents import State
from web.filters import date_full, date_short

DAY = timedelta(days=1)
#: Why a service ends, in the order of the form.
END_REASONS = {
    "moving": "Moving away",
    "too_expensive": "It costs too much",
    "not_needed": "Not needed any more",
    "unhappy": "Not happy with it",
    "other": "Something else",
}
PAUSE_REASONS = {
    "away": "Away for a while",
    "moving": "Moving house",
    "too_expensive": "Saving money",
    "works": "Building works",
    "other": "Something else",
}
LOCKS = {
    "desk": "Locked by us",
    "past_due": "Locked: a bill is late",
    "paused": "Locked while it rests",
}
#: So many names of a day's records are shown.
_KEYS_SHOWN = 3
#: Names of what is counted by day: the sum, the most, the last reading.
_COUNTED = {"sum": "sum_micros", "max": "max_micros", "last": "last_micros"}


def state_of(seen: Seen) -> State:
    """Where it stands, in a few words."""
    return state_in(seen.timeline, seen.phase)


def state_in(timeline: Timeline, phase: Phase) -> State:
    """The same of a timeline and the phase that runs. What is free up to an amount runs as long as it
    is wanted, and is no trial with an end."""
    state = timeline.state
    if state == "ordered":
        return State("wait", "Starts when it works")
    if state == "ended":
        ended = f" {date_full(timeline.ended_on)}" if timeline.ended_on else ""
        return State("", f"Ended{ended}")
    if timeline.ended_on is not None:
        return State("wait", f"Runs until {date_full(timeline.ended_on - DAY)}")
    if state == "paused":
        rest = timeline.pauses[-1]
        until = f" until {date_full(rest.end - DAY)}" if rest.end != date.max else ""
        return State("wait", f"Rests{until}")
    if _has_trial_end(timeline, phase):
        return State("go", "On trial")
    return State("go", "Running")


def _has_trial_end(timeline: Timeline, phase: Phase) -> bool:
    open_ended = timeline.ended_on is None and phase is timeline.phases[-1]
    return phase.kind == "trial" and not open_ended


def price_of(phase: Phase, currency: str) -> Money:
    """What a whole period costs, before tax."""
    return extend(phase.unit_price_micros, phase.quantity, currency)


def row(seen: Seen, base: str) -> dict[str, Any]:
    """A row of a list."""
    return {
        "href": f"{base}/{seen.row.public_id}",
        "name": named(seen.phase),
        "place": place_of(seen.timeline),
        "state": state_of(seen),
        "price": price_of(seen.phase, seen.timeline.currency),
        "every": every(seen.phase),
        "next_on": seen.next_on,
        "next_amount": seen.next_amount,
        "in_use": [_in_use(one) for one in seen.in_use],
        "customer": seen.service_account.name,
        "account_number": seen.service_account.number,
        "payer": seen.payer.name if seen.payer.id != seen.service_account.id else "",
        "ordered": seen.row.ordered_at,
    }


def _in_use(one: InUse) -> dict[str, Any]:
    return {
        "meter": one.meter,
        "said": f"{_plain(one.units)} {one.unit}",
        "cost": one.cost,
        "until": one.days.last,
    }


def page_of(told: Told, base: str) -> dict[str, Any]:
    """Everything about one."""
    seen = told.seen
    timeline = seen.timeline
    location = timeline.service_location or {}
    return {
        **row(seen, base),
        "id": seen.row.public_id,
        "revision": seen.row.revision,
        "family": bool(told.plan and told.plan.family),
        "since": timeline.activated_on,
        "bill_day": timeline.bill_day if timeline.activated_on else None,
        "address": [str(location[key]) for key in ("line1", "line2", "city") if location.get(key)],
        "payer_number": seen.payer.number,
        "numbers": told.numbers,
        "ahead": _ahead(seen),
        "ends_on": timeline.ended_on,
        "last_day": timeline.ended_on - DAY if timeline.ended_on else None,
        "history": _history(told),
        "days": [_day(told, meter, used) for meter, used in told.days],
        "features": [_feature(one) for one in told.entitlements],
        "may": _may(seen),
        "on_trial": _has_trial_end(timeline, seen.phase),
    }


def _ahead(seen: Seen) -> dict[str, Any] | None:
    """The change that was agreed for a later day."""
    if seen.ahead is None or seen.ahead.starts_on is None:
        return None
    return {
        "name": named(seen.ahead),
        "on": seen.ahead.starts_on,
        "price": price_of(seen.ahead, seen.timeline.currency),
        "every": every(seen.ahead),
    }


def _may(seen: Seen) -> dict[str, bool]:
    """What can be done with it now; who may do it is another question."""
    timeline, on_trial = seen.timeline, seen.phase.kind == "trial"
    runs = timeline.state == "active"
    ends = timeline.ended_on is not None
    return {
        "activate": timeline.state == "ordered",
        "change": runs and not ends,
        "pause": runs and not on_trial,
        "resume": timeline.state == "paused",
        "end": timeline.state != "ended" and not ends,
        "keep": timeline.state in ("active", "paused")
        and not (on_trial and ends)
        and (ends or seen.ahead is not None),
    }


def _history(told: Told) -> list[dict[str, Any]]:
    """What was agreed and when it holds, the newest first: a table."""
    currency = told.seen.timeline.currency
    rows: list[dict[str, Any]] = []
    for phase in told.phases:
        _, name = told.names[phase.variant_id]
        amount = extend(phase.unit_price_micros, phase.quantity, currency)
        counted = f"{name} × {phase.quantity}" if phase.quantity > 1 else name
        rows.append(
            {
                "on": phase.starts_on,
                "until": None,
                "what": f"{counted}, on trial" if phase.kind == "trial" else counted,
                "price": amount,
                "note": "Taken back" if phase.withdrawn_at else "",
                "agreed": phase.agreed_at,
            }
        )
    rows += [
        {
            "on": rest.starts_on,
            "until": rest.ends_on - DAY if rest.ends_on and rest.ends_on > rest.starts_on else None,
            "what": "Rest",
            "price": None,
            "note": PAUSE_REASONS.get(rest.reason, ""),
            "agreed": rest.asked_at,
        }
        for rest in told.pauses
    ]
    ended_on = told.seen.timeline.ended_on
    if ended_on is not None:
        reason = END_REASONS.get(told.seen.row.end_reason or "", "")
        rows.append(
            {
                "on": ended_on,
                "until": None,
                "what": "End",
                "price": None,
                "note": reason,
                "agreed": None,
            }
        )
    rows.sort(key=lambda one: one["on"] or date.max, reverse=True)
    return rows


def _day(told: Told, meter: Meter, used: Used) -> dict[str, Any]:
    micros = Decimal(getattr(used, _COUNTED[meter.counts])) / 1_000_000
    keys = told.keys.get((meter.id, used.day), ())
    return {
        "on": used.day,
        "meter": meter.name,
        "said": f"{_plain(micros)} {meter.unit}",
        "records": ", ".join(keys[:_KEYS_SHOWN]) + (", …" if len(keys) > _KEYS_SHOWN else ""),
    }


def _plain(units: Decimal) -> str:
    """Without zeros that say nothing."""
    return f"{units.normalize():,f}" if units else "0"


def _feature(row_: Entitlement) -> dict[str, Any]:
    states = {
        "granted": State("go", "Ready to use"),
        "locked": State(
            "wait" if row_.lock_reason == PAUSED else "bad", LOCKS.get(row_.lock_reason, "Locked")
        ),
        "revoked": State("", "Not any more"),
    }
    return {
        "name": row_.feature.replace("_", " ").replace("-", " ").capitalize(),
        "code": row_.feature,
        "state": states[row_.state],
        "is_locked": row_.state == "locked",
        "by_desk": row_.lock_reason == "desk",
        "may_lock": row_.state != "revoked",
        "changed": row_.changed_at,
    }


# --- previews --------------------------------------------------------------------------------------


def preview(foreseen: Foreseen) -> dict[str, Any]:
    """What an act would bring to bill, line by line, for ``macros/service.html``."""
    bill, mine = foreseen.bill, foreseen.row.public_id
    new = foreseen.after.phase_on(foreseen.on)
    after = None
    if new is not None:
        after = (price_of(new, foreseen.after.currency), every(new))
    return {
        "on": foreseen.on,
        "last_day": foreseen.on - DAY,
        "is_today": foreseen.on <= foreseen.today,
        "lines": [_line(line, mine) for line in bill.lines],
        "taxes": [(f"{tax.name}, {_percent(tax.rate_ppm)}", tax.amount) for tax in bill.taxes],
        "total": bill.total,
        "expected": str(bill.total.minor),
        "gives": -bill.total if bill.total.minor < 0 else None,
        "due": bill.total if bill.total.minor > 0 else None,
        "back": -total((line.net + line.tax for line in bill.repairs), bill.currency),
        "mine": total(
            (line.net + line.tax for line in bill.lines if line.public_id == mine), bill.currency
        ),
        "credit_used": bill.credit_used,
        "credit_left": bill.credit_left,
        "to_pay": bill.to_pay,
        "parked": bill.parked,
        "new": named(new) if new is not None else "",
        "after": after,
    }


def _line(line: Line, mine: str) -> dict[str, Any]:
    say = figures(line.amount.currency, channel()[0].locale)
    days = ""
    if line.starts is not None and line.last is not None:
        days = f"{date_short(line.starts)} to {date_short(line.last)}"
    counted = line.why.quantity != 1 and line.why.formula is not Formula.TIERS
    name = f"{line.name} × {_plain(line.why.quantity)}" if counted else line.name
    return {
        "name": f"{name}, given back" if line.is_repair else name,
        "note": line.description if line.public_id != mine else "",
        "days": days,
        "net": line.net,
        "why": reasons(line.why, say),
    }


def _percent(ppm: int) -> str:
    return f"{(Decimal(ppm) / 10_000).normalize():f} %"
