"""Trials in the words of a page: how one stands, and what will happen. For shop, portal and desk."""

import uuid
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any

from core.subscriptions import trials
from core.subscriptions.trial_models import CARD, FREE_TIER, NO_CARD, TrialFollowUp
from core.subscriptions.trial_reading import Listed, Offered
from core.subscriptions.trial_words import Step
from web.documents import State
from web.filters import date_full, date_words

KINDS = {NO_CARD: "No card", CARD: "With a card", FREE_TIER: "Free up to an amount"}
_STATES = {
    "awaiting_card": State("wait", "Waits for its card"),
    "running": State("go", "Running"),
    "converted": State("go", "Goes on, paid"),
    "cancelled": State("", "Cancelled"),
    "lapsed": State("", "Over"),
    "abandoned": State("", "Never began"),
}


_TITLES = {
    NO_CARD: "{} days, no card",
    CARD: "{} days, then it goes on",
    FREE_TIER: "Free up to {}",
}
_LEDES = {
    NO_CARD: "Begins at once and ends by itself. We ask for no card.",
    CARD: "We store your card and charge nothing before {} days are over. Cancel until then.",
    FREE_TIER: "No card and no end. Only what you store above {} is billed, month by month.",
}
_VERBS = {
    NO_CARD: "Try it without a card",
    CARD: "Try it, and go on afterwards",
    FREE_TIER: "Begin with the free part",
}


def offer(found: Offered, room: str) -> dict[str, Any]:
    """An offer as a product's page and its own show it. ``room`` is what is free of a free tier."""
    size = found.offer.days or room or "an amount"
    return {
        "plan": found.variant.name,
        "title": _TITLES[found.offer.kind].format(size),
        "lede": _LEDES[found.offer.kind].format(size),
        "verb": _VERBS[found.offer.kind],
        "kind": found.offer.kind,
        "href": f"/trials/{found.offer.code}",
        "picture": found.product.picture,
        "product_href": f"/p/{found.product.slug}",
        "product": found.product.name,
    }


def steps(told: Sequence[Step], today: date) -> list[dict[str, str]]:
    """What happens when, as a time line."""
    return [
        {"title": step.when, "text": step.text, "state": "now" if step.on == today else ""}
        for step in told
    ]


def state(one: Listed) -> State:
    """How it stands, as a tag."""
    if one.trial.state == "running" and _is_leaving(one):
        return State("wait", "Cancelled, ends soon")
    return _STATES[one.trial.state]


def _is_leaving(one: Listed) -> bool:
    return one.subscription is not None and trials.is_cancelled(one.subscription)


def last_day(one: Listed) -> date | None:
    """The last day on which it can be used without paying; None for one without an end."""
    service = one.subscription
    if _is_leaving(one) and service is not None and service.ended_on is not None:
        return service.ended_on - timedelta(days=1)
    return one.trial.ends_on - timedelta(days=1) if one.trial.ends_on is not None else None


def next_words(one: Listed, going_on: Collection[uuid.UUID]) -> str:
    """What happens next, in one or two sentences."""
    trial, last = one.trial, last_day(one)
    if trial.state == "awaiting_card":
        return "It begins when your card is stored. Nothing is charged by that."
    if trial.state == "abandoned":
        used = trial.close_reason == "card_used"
        why = "This card has had a trial before" if used else "The card was not stored"
        return f"{why}, so it did not begin. Nothing was charged. The plan itself can begin today."
    if trial.state == "converted":
        return "You have the plan now. Its bills are under Bills."
    if trial.state != "running":
        return "It is over, and nothing was charged." if trial.kind != FREE_TIER else "It is over."
    if _is_leaving(one) and last is not None:
        after = "" if trial.kind == FREE_TIER else " Nothing is charged."
        return f"It can be used until {date_words(last)}, and ends then.{after}"
    if last is None or trial.ends_on is None:
        return "It goes on for as long as you like, and is billed only above the free amount."
    if trial.kind == CARD:
        return (
            f"Free until {date_words(last)}. From {date_full(trial.ends_on)} your card is charged."
        )
    if trial.id in going_on:
        return f"Free until {date_words(last)}. From {date_full(trial.ends_on)} you pay for it."
    return f"It ends by itself after {date_words(last)}, and nothing is charged."


def days_left(one: Listed, today: date) -> int | None:
    """The free days that are left, today included; None where there is no end or it is over."""
    last = last_day(one)
    if one.trial.state != "running" or last is None:
        return None
    return max((last - today).days + 1, 0)


def row(one: Listed, going_on: Collection[uuid.UUID], today: date) -> dict[str, Any]:
    """A trial as a list shows it."""
    left = days_left(one, today)
    return {
        "plan": one.variant.name,
        "kind": KINDS[one.trial.kind],
        "state": state(one),
        "starts_on": one.trial.starts_on,
        "last_day": last_day(one),
        "left": "" if left is None else f"{left} day{'s' if left != 1 else ''} left",
        "next": next_words(one, going_on),
    }


def acts(one: Listed, going_on: Collection[uuid.UUID]) -> dict[str, bool]:
    """What can be done with it: cancel it, keep it after all, go on, or pay from today."""
    trial, runs = one.trial, one.trial.state == "running"
    leaving = _is_leaving(one)
    has_end = trial.ends_on is not None
    decided = trial.kind == CARD or trial.id in going_on
    return {
        "may_cancel": runs and not leaving,
        "may_keep": runs and leaving,
        "may_go_on": runs and has_end and (leaving or not decided),
        "may_pay_now": runs and has_end,
    }


def trial_end(one: Listed) -> date | None:
    """The first day after the free ones; None for one without an end."""
    return one.trial.ends_on


def day_before(day: date) -> date:
    """The last of the days before it."""
    return day - timedelta(days=1)


def agreed(one: Listed) -> list[dict[str, str]]:
    """The words that were agreed to, as a time line."""
    told = [str(sentence).partition(": ") for sentence in one.trial.words]
    return [{"title": when, "text": text, "state": ""} for when, _, text in told]


#: How a call went.
OUTCOMES = {
    "reached": "Reached, all is well",
    "no_answer": "No answer",
    "going_on": "Will go on",
    "not_wanted": "Does not want it",
}


def call(row: TrialFollowUp) -> dict[str, Any]:
    """A person's call as a list shows it."""
    return {
        "due_on": row.due_on,
        "done_at": row.done_at,
        "outcome": OUTCOMES.get(row.outcome, ""),
        "note": row.note,
    }


def offer_row(found: Offered) -> dict[str, Any]:
    """An offer as the desk's list shows it."""
    row = found.offer
    return offer(found, "") | {
        "code": row.code,
        "desk_href": f"/desk/trials/offers/{row.code}",
        "kind_word": KINDS[row.kind],
        "days": row.days or "no end",
        "notice_days": row.notice_days if row.kind != FREE_TIER else "",
        "calls": ", ".join(str(day) for day in row.follow_up_days),
        "state": State("go", "Offered") if row.is_active else State("", "Switched off"),
    }
