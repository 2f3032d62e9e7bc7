"""One mail of each kind about a dispute."""

from dataclasses import replace
from datetime import date

from core.kernel.money import Money
from core.notices.dispute_letters import (
    DisputeClosedLetter,
    DisputeDeskLetter,
    DisputeMessageLetter,
    DisputeOpenedLetter,
)
from core.notices.letters import Letter, Letterhead

LINK = "http://localhost:8000/account/disputes/4ff20c2d8f2b4c3f9a0d5b1c7e6a9d31"
DESK_LINK = "http://localhost:8000/desk/disputes/4ff20c2d8f2b4c3f9a0d5b1c7e6a9d31"
WORDS = ("We were away in October.", "", "Nobody came.")
ABOUT = {"number": "DP100001", "bill": "100017", "line": "Installation visit"}


def of(head: Letterhead) -> dict[str, Letter]:
    """All of them, under one letterhead."""
    whole, zero = Money(6390, "USD"), Money.zero("USD")
    due = date(2026, 12, 1)
    opened = DisputeOpenedLetter(
        head,
        "Riley",
        LINK,
        **ABOUT,
        amount=whole,
        answer_by=date(2026, 11, 24),
        contested=whole,
        still_due=Money(4793, "USD"),
        due=due,
        words=WORDS,
    )
    message = DisputeMessageLetter(
        head,
        "Riley",
        LINK,
        number="DP100001",
        bill="100017",
        author="Kim Lund",
        words=("When were you away?",),
        pictures=0,
        for_desk=False,
    )
    closed = DisputeClosedLetter(
        head,
        "Riley",
        LINK,
        **ABOUT,
        how="part",
        amount=whole,
        credited=Money(3195, "USD"),
        memo="C100004",
        settles=Money(1000, "USD"),
        kept=Money(2195, "USD"),
        goes_back=False,
        words=("You are right about half of it.",),
        still_due=zero,
        due=due,
    )
    desk = DisputeDeskLetter(
        head,
        "",
        DESK_LINK,
        **ABOUT,
        how="opened",
        who="Riley Moreno",
        account="204417806",
        amount=whole,
        reason="they did not get it",
        answer_by=date(2026, 11, 24),
        words=WORDS,
        pictures=2,
    )
    return {
        "dispute-opened": opened,
        "dispute-opened-paid": replace(opened, contested=zero, still_due=zero, due=None),
        "dispute-message": message,
        "dispute-message-for-the-desk": replace(message, link=DESK_LINK, for_desk=True, pictures=1),
        "dispute-answered": closed,
        "dispute-goes-back": replace(closed, how="full", goes_back=True, credited=whole),
        "dispute-not-credited": replace(
            closed, how="none", credited=zero, settles=zero, kept=zero, still_due=whole
        ),
        "dispute-withdrawn": replace(
            closed, how="withdrawn", credited=zero, settles=zero, kept=zero, words=()
        ),
        "dispute-for-the-desk": desk,
        "dispute-withdrawn-for-the-desk": replace(desk, how="withdrawn"),
    }
