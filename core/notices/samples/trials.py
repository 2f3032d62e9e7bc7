"""One letter about a trial of each kind, as Fernway would write it to Riley."""

from dataclasses import replace
from datetime import date
from typing import Any

from core.notices.samples.everyday import HEAD, usd
from core.notices.trial_letters import (
    TrialCancelled,
    TrialEnding,
    TrialFollowUpLetter,
    TrialHalfway,
    TrialLetter,
    TrialOverLetter,
    TrialUsage,
    TrialWelcome,
)

LINK = (
    "http://localhost:8000/trial/4ff20c2d8f2b4c3f9a0d5b1c7e6a9d31/7c1b0a9e8d7f6c5b4a39281706f5e4d3"
)
GO_ON = "http://localhost:8000/account/trials/4ff20c2d8f2b4c3f9a0d5b1c7e6a9d31/go-on"
SHOP = "http://localhost:8000/p/burrow-backup"
CARD: dict[str, Any] = {
    "head": HEAD,
    "name": "Riley",
    "link": LINK,
    "plan": "Burrow backup",
    "kind": "card",
    "goes_on": False,
    "last_day": date(2026, 12, 28),
    "paid_from": date(2026, 12, 29),
    "days_left": 7,
    "price": "$9.59 with tax",
    "every": "each month",
    "go_on_link": "",
}
NO_CARD = CARD | {"kind": "no_card", "go_on_link": GO_ON}
GOING_ON = CARD | {"kind": "no_card", "goes_on": True}
FREE_TIER = CARD | {
    "kind": "free_tier",
    "plan": "Burrow small",
    "last_day": None,
    "paid_from": None,
    "days_left": 0,
    "price": "free up to the same amount",
}
WORDS = (
    "Today, November 29, 2026: Your card is stored with our payment partner. Nothing is charged.",
    "From December 29, 2026: Your card is charged for the first month: $9.59 with tax.",
)
USAGE = TrialUsage(
    **FREE_TIER,
    is_above=True,
    used="40 GB",
    free="5 GB",
    cost=usd(200),
    billed_on=date(2026, 12, 29),
)
ALL: dict[str, TrialLetter] = {
    "welcome": TrialWelcome(**CARD, words=WORDS),
    "welcome-free-tier": TrialWelcome(**FREE_TIER, words=WORDS[:1]),
    "halfway": TrialHalfway(**CARD),
    "halfway-no-card": TrialHalfway(**NO_CARD),
    "ending": TrialEnding(**CARD),
    "ending-no-card": TrialEnding(**NO_CARD),
    "ending-going-on": TrialEnding(**GOING_ON),
    "follow-up": TrialFollowUpLetter(**NO_CARD),
    "cancelled": TrialCancelled(**CARD, until=date(2026, 12, 28)),
    "cancelled-free-tier": TrialCancelled(**FREE_TIER, until=date(2026, 12, 28)),
    "over": TrialOverLetter(**NO_CARD, was_cancelled=False, shop_link=SHOP),
    "over-cancelled": TrialOverLetter(**CARD, was_cancelled=True, shop_link=SHOP),
    "usage": USAGE,
    "usage-near": replace(USAGE, is_above=False, used="4.2 GB"),
}
