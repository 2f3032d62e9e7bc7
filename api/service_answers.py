"""Services as the API tells them, in the forms of ``api.service_shapes``."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from api.answers import Json, money
from core.kernel.calendar import Period
from core.kernel.money import MICROS, Money
from core.prices.models import Meter
from core.subscriptions.models import Subscription
from core.subscriptions.timeline import NEVER, Phase, Timeline
from core.subscriptions.usage import Cell
from invoices.billing.previewing import Preview
from invoices.models import Invoice

#: Parts per million in a percent.
_PER_CENT = 10_000


def service(
    row: Subscription, timeline: Timeline, numbers: Mapping[uuid.UUID, str], today: date
) -> Json:
    """One service; ``numbers`` are the account numbers of those it names."""
    spans = dict(timeline.spans())
    now = timeline.phase_on(today)
    return {
        "id": row.public_id,
        "state": row.state,
        "label": row.label,
        "account": numbers[row.service_account_id],
        "payer": numbers[row.payer_account_id],
        "currency": row.currency,
        "activated_on": _day(timeline.activated_on),
        "ends_on": _day(timeline.ended_on),
        "next_bill_on": _day(_next_bill(timeline, now, today)),
        "bill_day": timeline.bill_day,
        "revision": row.revision,
        "now": _phase(now, spans.get(now)) if now is not None else None,
        "phases": [_phase(phase, spans.get(phase)) for phase in timeline.phases],
        "pauses": [
            {"starts_on": _day(rest.start), "ends_on": _day(rest.end)} for rest in timeline.pauses
        ],
    }


def _next_bill(timeline: Timeline, now: Phase | None, today: date) -> date | None:
    """The day on which the next period begins; None when none does."""
    if now is None or timeline.state not in ("active", "paused"):
        return None
    following = timeline.cycle(now).around(today).end
    return following if timeline.phase_on(following) is not None else None


def _phase(phase: Phase, span: Period | None) -> Json:
    return {
        "kind": phase.kind,
        "plan": phase.sku,
        "name": phase.name,
        "quantity": phase.quantity,
        "unit_price": _plain(Decimal(phase.unit_price_micros) / MICROS),
        "recurring": {"interval": phase.interval, "interval_count": phase.interval_count},
        "starts_on": _day(phase.starts_on),
        "ends_on": _day(span.end) if span is not None else None,
    }


def _day(day: date | None) -> str | None:
    return None if day is None or day == NEVER else day.isoformat()


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def bill(preview: Preview) -> Json:
    """What would be billed."""
    return {
        "lines": [
            {
                "service_id": line.public_id,
                "name": line.name,
                "starts_on": _day(line.starts),
                "last_on": _day(line.last),
                "net": money(line.net),
                "tax": money(line.tax),
            }
            for line in preview.lines
        ],
        "taxes": [
            {
                "name": tax.name,
                "rate": _plain(Decimal(tax.rate_ppm) / _PER_CENT),
                "amount": money(tax.amount),
            }
            for tax in preview.taxes
        ],
        **{
            name: money(getattr(preview, name))
            for name in ("net", "tax", "total", "credit_used", "to_pay", "credit_left")
        },
    }


def documents(found: Iterable[Invoice]) -> list[Json]:
    """What was written."""
    return [
        {
            "number": row.number,
            "kind": row.kind,
            "total": money(Money(row.total_minor, row.currency)),
        }
        for row in found
    ]


def usage(
    timeline: Timeline, cells: Mapping[Cell, Decimal], meters: Mapping[uuid.UUID, Meter]
) -> Json:
    """Usage by period, the newest first."""
    phases = {phase.id: (phase, span) for phase, span in timeline.spans()}
    rows: list[tuple[date, str, Json]] = []
    for cell, units in cells.items():
        phase, span = phases[cell.phase_id]
        cycle, meter = timeline.cycle(phase), meters[cell.meter_id]
        period = cycle.period(cycle.index_of(span.start) + cell.index).within(span)
        rows.append(
            (
                period.start,
                meter.code,
                {
                    "meter": meter.code,
                    "unit": meter.unit,
                    "plan": phase.sku,
                    "starts_on": _day(period.start),
                    "ends_on": _day(period.end),
                    "quantity": _plain(units),
                },
            )
        )
    rows.sort(key=lambda row: row[:2], reverse=True)
    return {"periods": [row for _, _, row in rows]}


def account_ids(rows: Sequence[Subscription]) -> set[uuid.UUID]:
    """The accounts that services name."""
    return {key for row in rows for key in (row.service_account_id, row.payer_account_id)}
