"""One mail of each kind about a chargeback."""

from dataclasses import replace
from datetime import date

from core.kernel.money import Money
from core.notices.chargeback_letters import ChargebackLetter
from core.notices.letters import Letter, Letterhead

LINK = "http://localhost:8000/desk/chargebacks/4ff20c2d8f2b4c3f9a0d5b1c7e6a9d31"


def of(head: Letterhead) -> dict[str, Letter]:
    """All of them, under one letterhead."""
    opened = ChargebackLetter(
        head,
        "",
        LINK,
        how="opened",
        payment="P-10004",
        bills=("100017", "100021"),
        who="Riley Moreno",
        account="204417806",
        amount=Money(6390, "USD"),
        fee=Money(1500, "USD"),
        reason="they say that they did not make this payment",
        answer_by=date(2026, 11, 24),
        trouble="",
    )
    over = replace(opened, answer_by=None, bills=opened.bills[:1])
    zero = Money.zero("USD")
    return {
        "chargeback-opened": opened,
        "chargeback-warned": replace(opened, how="warned", bills=(), fee=zero),
        "chargeback-won": replace(over, how="won"),
        "chargeback-appealed": replace(over, how="appealed"),
        "chargeback-lost": replace(over, how="lost", fee=zero),
        "chargeback-ended": replace(over, how="ended", fee=zero),
        "chargeback-not-in-the-books": replace(
            opened,
            trouble="121.00 USD is charged back of a payment of which only 120.00 USD stands.",
        ),
    }
