"""The mails about cards on file, as Fernway would write them to Riley."""

from datetime import date

from core.kernel.money import Money
from core.notices.card_letters import CardLetter, PlannedLetter
from core.notices.letters import Letter, Letterhead, Row

LINK = "http://localhost:8000/account/autopay"
AGREED = "Fernway may charge Visa ending 4242 whenever bills are due, until I stop it."


def of(head: Letterhead) -> dict[str, Letter]:
    """One of each step."""
    on, amount = date(2026, 12, 17), Money(6250, "USD")

    def card(step: str, **more: object) -> CardLetter:
        return CardLetter(head, "Riley", LINK, step, "204187751", "Visa ending 4242", **more)  # type: ignore[arg-type]

    def planned(step: str, agreed: str = "") -> PlannedLetter:
        rows = (
            Row("Bill 118204", Money(4500, "USD")),
            Row("Bill 118250", Money(1750, "USD")),
            Row("Together", amount, kind="total"),
        )
        return PlannedLetter(
            head, "Riley", LINK, step, "204187751", "Visa ending 4242", amount, on, rows, agreed
        )

    return {
        "autopay-started": card("autopay_started", agreed=AGREED),
        "autopay-stopped": card("autopay_stopped"),
        "payment-cancelled": card("cancelled", on=on),
        "payment-nothing-due": card("nothing_due", on=on),
        "card-expires": card("expires", on=date(2026, 12, 31), used_for=("AutoPay", "River 100")),
        "unused-card-expires": card("expires", on=date(2026, 12, 31)),
        "autopay-ahead": planned("autopay"),
        "balance-ahead": planned("balance"),
        "payment-planned": planned("planned", AGREED),
        "payment-changed": planned("changed", AGREED),
    }
