"""What is owed and what is past due, in the words of the account's first page."""

from datetime import date
from typing import Any

from core.kernel.money import total
from flows.account import Overview
from payments.dunning.cases import may_promise
from payments.dunning.models import DunningCase
from web.context import house
from web.filters import date_full, date_words, sign
from web.login import payable_accounts

_PLEASE = "Please pay it in the next days."
_OPENS = "They are on again, by themselves, as soon as all that is past due is paid."


#: The other ways to pay.
_MORE = [
    ("Choose what to pay, or another amount", "/account/pay"),
    ("Pay on a date", "/account/scheduled/new"),
    ("AutoPay", "/account/autopay"),
]


def owed(seen: Overview, currency: str, today: date) -> dict[str, Any]:
    """The stub of the first page."""
    sum_, count = total((one.open for one in seen.owes), currency), sum(x.count for x in seen.owes)
    single = seen.owed[0] if count == 1 and seen.owed else None
    payable = [one.account_id in payable_accounts() for one in seen.owes]
    href = "/account/bills"
    if single is not None and single.source_id in seen.documents:
        href = f"/account/bills/{seen.documents[single.source_id].public_id}"
    first = min((one.first_due for one in seen.owes), default=None)
    past = past_due(seen, currency)
    return {
        "total": sum_,
        "count": count,
        "what": f"Your bill of {date_full(single.effective_date)}"
        if single is not None
        else f"{count} bills are open",
        "number": f"No. {single.number}" if single is not None else "",
        "when": days_words(first, today, count) if first is not None else "",
        "late": past is not None,
        "late_note": past["note"] if past is not None else "",
        "past_due": past,
        "href": href,
        "pdf_href": "",
        "pay_action": "/account/pay" if payable and all(payable) and count <= 50 else "",
        "pay_href": "/account/pay" if any(payable) else "",
        "more": _MORE if any(payable) else [],
        "next_words": "",
    }


def days_words(due: date, today: date, count: int = 1) -> str:
    """``Due Monday, November 30, in 13 days``; of several bills it is the first that is due."""
    away = (due - today).days
    if away < 0:
        return f"{'It' if count == 1 else 'The first'} was due on {date_words(due)}"
    if away == 0:
        return f"Due today, {date_words(due)}"
    return f"Due {date_words(due)}, in {away} day{'s' if away != 1 else ''}"


def past_due(seen: Overview, currency: str) -> dict[str, Any] | None:
    """What is past its date, and what comes of it; None when nothing uncontested is."""
    late = total((one.late - one.contested for one in seen.owes), currency)
    if late.minor <= 0:
        return None
    whole = total((one.open for one in seen.owes), currency)
    case = seen.cases[0] if seen.cases else None
    may = case is not None and case.account_id in payable_accounts()
    promised = may and case is not None and may_promise(case, house().rules.dunning)
    return {
        "amount": late,
        "note": f"{sign(late)} of it is past its date." if late < whole else "",
        "words": words(case, has_services=bool(seen.services)),
        "promise_href": f"/account/past-due/{case.public_id}" if case and promised else "",
        "is_locked": case is not None and case.locked_at is not None and bool(seen.services),
    }


def words(case: DunningCase | None, *, has_services: bool) -> str:
    """What happens next, in a sentence or two."""
    if case is None:
        return _PLEASE
    if case.locked_at is not None and has_services:
        return f"Your services are locked. {_OPENS}"
    if case.next_step == "payment" and case.next_on is not None:
        return f"Your card is charged on {date_words(case.next_on)}. Until then nothing happens."
    if case.promise_until is not None:
        return f"You will pay by {date_words(case.promise_until)}. Until then nothing happens."
    if case.hold_until is not None:
        return f"We wait until {date_words(case.hold_until)}. Until then nothing happens."
    if case.lock_on is not None and has_services:
        return f"If it is still open on {date_words(case.lock_on)}, your services are locked."
    return _PLEASE
