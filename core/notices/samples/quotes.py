"""One mail of each kind about a quote."""

from dataclasses import replace
from datetime import date

from core.kernel.money import Money
from core.notices.letters import Letter, Letterhead, Row
from core.notices.quote_letters import (
    Again,
    QuoteAskedLetter,
    QuoteClosedLetter,
    QuoteDeskLetter,
    QuoteLetter,
    QuoteMessageLetter,
)

LINK = "http://localhost:8000/q/4ff20c2d8f2b4c3f9a0d5b1c7e6a9d31/7c1b0a9e8d7f6c5b4a39281706f5e4d3"
DESK_LINK = "http://localhost:8000/desk/quotes/4ff20c2d8f2b4c3f9a0d5b1c7e6a9d31"
THINGS = ("Wi-Fi 6 router × 3, The mill", "River 100, The depot")
WORDS = ("We have three places.", "", "By spring, please.")


def of(head: Letterhead) -> dict[str, Letter]:
    """All of them, under one letterhead."""
    whole = Money(91276, "USD")
    asked = QuoteAskedLetter(
        head, "Pat", LINK, number="Q-1001", asked_on=date(2026, 11, 17), things=THINGS, words=WORDS
    )
    sent = QuoteLetter(
        head,
        "Pat",
        LINK,
        number="Q-1001/2",
        valid_until=date(2026, 12, 17),
        total=whole,
        rows=(
            Row("Wi-Fi 6 router × 3", Money(36765, "USD")),
            Row("Sales tax, Ohio 6.5%", Money(2390, "USD"), kind="part"),
            Row("Due when you accept", whole, kind="total"),
        ),
        again=(Again(Money(4275, "USD"), "month"), Again(Money(12000, "USD"), "year")),
        words=("We come in March.",),
        replaces=True,
        reminds=False,
        is_attached=True,
    )
    message = QuoteMessageLetter(
        head, "Pat", LINK, number="Q-1001", author="Kim Lund", words=WORDS, for_desk=False
    )
    closed = QuoteClosedLetter(
        head,
        "Pat",
        LINK,
        number="Q-1001",
        how="accepted",
        order_number="O-10001",
        signed_by="Pat Rowan, Owner",
        total=whole,
        words=(),
    )
    desk = QuoteDeskLetter(
        head,
        "",
        DESK_LINK,
        number="Q-1001",
        how="asked",
        who="Pat Rowan, Rowan Mills",
        email="pat@rowan.example.com",
        phone="555-0142",
        amount=Money(140520, "USD"),
        things=THINGS,
        words=WORDS,
        order_number="",
        reason="",
    )
    return {
        "quote-asked": asked,
        "quote": sent,
        "quote-reminder": replace(sent, reminds=True, replaces=False, is_attached=False),
        "quote-message": message,
        "quote-message-for-the-desk": replace(message, link=DESK_LINK, for_desk=True),
        "quote-accepted": closed,
        "quote-declined": replace(closed, how="declined"),
        "quote-taken-back": replace(closed, how="withdrawn", words=("We are sorry.",)),
        "quote-for-the-desk": desk,
        "quote-accepted-for-the-desk": replace(desk, how="accepted", order_number="O-10001"),
        "quote-declined-for-the-desk": replace(desk, how="declined", reason="the price"),
    }
