"""What somebody is told before a trial begins, in plain words: what happens when, how much, and how to leave.

The same sentences are shown, agreed to and kept with the trial; ``VERSION`` changes when they do.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.kernel.money import Money, extend
from core.notices.figures import Figures
from core.subscriptions.trial_dates import Dates
from core.subscriptions.trial_models import CARD

VERSION = "2026-11"
_EVERY = {"month": "each month", "year": "each year"}


@dataclass(frozen=True)
class Step:
    """A day and what happens on it. ``when`` is in words, ``on`` the date, where it is one."""

    when: str
    text: str
    on: date | None = None


@dataclass(frozen=True)
class Cost:
    """What the plan costs each period. ``total`` is with tax; None while nobody knows the address."""

    net: Money
    total: Money | None
    interval: str
    interval_count: int = 1
    #: Does ``net`` contain the tax already?
    included: bool = False

    @property
    def every(self) -> str:
        """``each month``, ``every 3 months``."""
        if self.interval_count == 1:
            return _EVERY[self.interval]
        return f"every {self.interval_count} {self.interval}s"

    @property
    def period(self) -> str:
        """What the first bill is for: ``month``, ``3 months``."""
        if self.interval_count == 1:
            return self.interval
        return f"{self.interval_count} {self.interval}s"


@dataclass(frozen=True)
class Range:
    """Units above ``above`` and up to ``up_to`` (None: all that follow), and what they cost."""

    above: Decimal
    up_to: Decimal | None
    unit_price_micros: int
    flat_micros: int


@dataclass(frozen=True)
class Usage:
    """What a free tier counts: ``5`` ``GB`` are free, and what those above cost in a period."""

    free: Decimal
    unit: str
    currency: str
    ranges: tuple[Range, ...]


def ranges(free: Decimal, tiers: Sequence[Sequence[object]]) -> tuple[Range, ...]:
    """The tiers of a price as people read them: counted from the first unit, the free ones included."""
    found, above = [], free
    for up_to, unit, flat in tiers:
        end = None if up_to is None else free + Decimal(str(up_to))
        found.append(Range(above, end, int(str(unit)), int(str(flat))))
        above = end or above
    return tuple(found)


def amount(cost: Cost, say: Figures) -> str:
    """``$9.59 with tax``; before an address is known ``about $9.00, plus the sales tax of your address``."""
    if cost.total is None:
        return f"about {say.money(cost.net)}, plus the tax of your address"
    if cost.total == cost.net and not cost.included:
        return f"{say.money(cost.net)} with no tax"
    return f"{say.money(cost.total)} with tax"


def of_days(kind: str, plan: str, dates: Dates, cost: Cost, say: Figures) -> tuple[Step, ...]:
    """A trial that ends on a day."""
    last, first = say.week_day(dates.last_day), say.day(dates.ends_on)
    free = f"{plan} is yours to use, all of it, and costs nothing."
    days = (dates.ends_on - dates.starts_on).days
    steps = [Step(f"For {days} days, until {last}", free, dates.last_day)]
    notice = "We write to you: how much it will be, when, and a link that cancels."
    if kind == CARD:
        today = "Your card is stored with our payment partner. Nothing is charged."
        steps.insert(0, Step(f"Today, {say.day(dates.starts_on)}", today, dates.starts_on))
        steps.append(Step(say.week_day(dates.notice_on), notice, dates.notice_on))
        charged = (
            f"Your card is charged for the first {cost.period}: {amount(cost, say)}. "
            f"The same again {cost.every}, until you cancel."
        )
        steps.append(Step(f"From {first}", charged, dates.ends_on))
        cancel = (
            f"One click in any of our mails, or in your account. Until {last} that costs nothing, "
            "and you keep the days that are left."
        )
        return (*steps, Step("To cancel", cancel))
    today = "It begins at once. We ask for no card."
    steps.insert(0, Step(f"Today, {say.day(dates.starts_on)}", today, dates.starts_on))
    steps.append(
        Step(
            say.week_day(dates.notice_on),
            "We write to you that it ends, and how to go on if you like it.",
            dates.notice_on,
        )
    )
    over = (
        "It ends by itself, and nothing is charged. If you tell us to go on, it costs "
        f"{amount(cost, say)}, {cost.every}, from this day."
    )
    steps.append(Step(first, over, dates.ends_on))
    if dates.follow_ups:
        asked = "A person may write or call to hear how it goes. Say so once and we stop."
        steps.append(Step("In between", asked))
    cancel = "One click in any of our mails, or in your account, on any day. It costs nothing."
    return (*steps, Step("To cancel", cancel))


def of_going_on(plan: str, on: date, cost: Cost, say: Figures) -> str:
    """What is agreed by whoever puts a card on file to go on."""
    return (
        f"From {say.day(on)} my card is charged for {plan}: {amount(cost, say)}, and the same again "
        f"{cost.every}, until I cancel. Cancelling is one click in my account or in any mail about it."
    )


def of_free_tier(
    plan: str, starts_on: date, usage: Usage, tax: str, say: Figures
) -> tuple[Step, ...]:
    """One that is free as long as little is used. ``tax`` says what is added, or nothing."""
    room = f"{number(usage.free)} {usage.unit}"
    steps = [
        Step(
            f"Today, {say.day(starts_on)}",
            "It begins at once. We ask for no card, and it has no end.",
            starts_on,
        ),
        Step(
            f"Up to {room}",
            f"{plan} costs nothing, for as long as you like. What counts is the most that you store "
            "at any time in a month.",
        ),
    ]
    steps += [Step(_above(one, usage.unit), _costs(one, usage, say)) for one in usage.ranges]
    steps += [
        Step(
            "Before that", f"We write to you when you come near {room}, and when you go above it."
        ),
        Step(
            "The bill",
            "Comes by mail when a month is over, and only when it is above zero."
            + (f" {tax}" if tax else ""),
        ),
        Step(
            "To cancel",
            "One click in any of our mails, or in your account. It ends with the month that runs; "
            "fetch your files before.",
        ),
    ]
    return tuple(steps)


def _above(one: Range, unit: str) -> str:
    begins = f"Above {number(one.above)} {unit}"
    return begins if one.up_to is None else f"{begins}, up to {number(one.up_to)} {unit}"


def _costs(one: Range, usage: Usage, say: Figures) -> str:
    flat, each = one.flat_micros, one.unit_price_micros
    parts = []
    if flat:
        parts.append(f"{say.money(extend(flat, 1, usage.currency))} for the month")
    if each:
        parts.append(_each(each, usage, say))
    words = " and ".join(parts) or "nothing more"
    if one.above > usage.free:
        return f"On top of that {words}."
    return f"{words[0].upper()}{words[1:]}."


def _each(micros: int, usage: Usage, say: Figures) -> str:
    """A price for one; for a hundred where it has more decimals than the currency."""
    one = extend(micros, 1, usage.currency)
    if one.decimal() == Decimal(micros).scaleb(-6):
        return f"{say.money(one)} for each {usage.unit} of these"
    return f"{say.money(extend(micros, 100, usage.currency))} for each 100 {usage.unit} of these"


def number(value: Decimal) -> str:
    """``5``, ``2.5``: without the zeros behind it."""
    return format(value.normalize(), "f")


def sentences(steps: Sequence[Step]) -> list[str]:
    """As they are kept with the trial."""
    return [f"{step.when}: {step.text}" for step in steps]


def fingerprint(steps: Sequence[Step]) -> str:
    """What a form carries to prove which words it was sent under."""
    told = json.dumps([VERSION, sentences(steps)], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()[:32]
