"""Cards, AutoPay and planned payments in words, for the portal's pages and the desk's."""

from datetime import date
from typing import Any

from core.kernel.money import Money
from flows.card_uses import Use
from flows.see_cards import Planned, Wallet
from payments import methods
from payments.automatic_models import ScheduledPayment
from payments.models import PaymentMethod, PaymentOperation
from web.documents import State
from web.filters import date_full, local, sign

#: Where each kind of use is looked at, below the portal.
_PLACES = {
    "autopay": "/account/autopay",
    "payment": "/account/scheduled/{}",
    "retry": "/account/scheduled/{}",
    "service": "/account/services/{}",
}
#: Why a card was not charged: the same sentences as in the mail (``_declines.txt``).
_WHY = {
    "authentication_required": "Your bank wants you to confirm this payment yourself.",
    "insufficient_funds": "Your bank says that there is too little money on the card.",
    "expired_card": "The card has expired.",
    "method_expired": "The card has expired.",
    "method_detached": "The card is not on file with us any more.",
    "not_authorised": "The card is not on file with us any more.",
    "no_answer": "Our payment partner could not reach your bank. That is not your fault.",
    "processing_error": "Our payment partner could not reach your bank. That is not your fault.",
    "try_again_later": "Our payment partner could not reach your bank. That is not your fault.",
}
_NOT_ALLOWED = "Your bank does not let this card be charged. It can tell you why."
_DECLINED = "Your bank declined the charge. It does not tell us why; it may tell you."
_TITLES = {"autopay": "AutoPay", "customer": "Planned payment", "bill": "Bill of a service"}


def why(code: str | None) -> str:
    """A decline in a sentence; empty for none."""
    if not code:
        return ""
    if code in ("lost_card", "stolen_card", "pickup_card"):
        return _NOT_ALLOWED
    return _WHY.get(code, _DECLINED)


def card(method: PaymentMethod, wallet: Wallet) -> dict[str, Any]:
    """A row of the list of cards."""
    first = wallet.default is not None and wallet.default.id == method.id
    return {
        "id": method.public_id,
        "name": methods.label(method),
        "expires": f"{method.exp_month:02}/{method.exp_year}",
        "state": _card_state(method, wallet.today, is_first=first),
        "is_first": first,
        "uses": [use(each) for each in wallet.uses[method.id]],
        "href": f"/account/cards/{method.public_id}",
    }


def _card_state(method: PaymentMethod, today: date, *, is_first: bool) -> State:
    if methods.is_lapsed(method, today):
        return State("bad", "Has expired")
    if (method.exp_year, method.exp_month) == (today.year, today.month):
        return State("wait", "Expires this month")
    return State("go", "First choice") if is_first else State("", "On file")


def use(each: Use) -> dict[str, Any]:
    """Something that needs a card, and where it is looked at."""
    words = each.words if each.on is None else f"{each.words} for {date_full(each.on)}"
    return {"words": words[:1].upper() + words[1:], "href": _PLACES[each.kind].format(each.key)}


def payment(seen: Planned, base: str = "/account/scheduled") -> dict[str, Any]:
    """A row of a list of payments."""
    row = seen.row
    return {
        "id": row.public_id,
        "title": _TITLES[row.origin],
        "href": f"{base}/{row.public_id}",
        "on": row.on_date,
        "card": methods.label(seen.method),
        "card_href": f"/account/cards/{seen.method.public_id}",
        "what": _what(seen),
        "amount": seen.amount,
        "state": state_of(seen),
        "why": why(row.failure) if row.closed_at is None else "",
        "code": row.failure or "",
        "tries": row.tries,
        "is_stuck": row.state in ("retrying", "waiting", "failed"),
        "may_change": row.origin == "customer" and row.state == "planned",
        "may_cancel": row.origin == "customer" and row.closed_at is None,
    }


def state_of(seen: Planned) -> State:
    """Where a payment stands, in a few words."""
    row = seen.row
    if row.state == "retrying" and row.next_at is not None:
        return State("wait", f"Declined; tried again on {date_full(local(row.next_at).date())}")
    if row.state == "planned" and row.origin == "bill":
        return State("wait", "Waits for the answer to a dispute")
    return {
        "planned": State("wait", "Planned"),
        "waiting": State("bad", "Declined; needs you"),
        "failed": State("bad", "Declined; not tried again"),
        "paid": State("go", "Paid"),
        "nothing_due": State("", "Nothing was due"),
        "cancelled": State("", "Cancelled"),
    }[row.state]


def _what(seen: Planned) -> str:
    if seen.bills:
        some = ", ".join(seen.bills[:3])
        more = f" and {len(seen.bills) - 3} more" if len(seen.bills) > 3 else ""
        return f"{'Bill' if len(seen.bills) == 1 else 'Bills'} {some}{more}"
    return {"balance": "All that is due", "amount": "An amount", "bills": "Chosen bills"}[
        seen.row.wants
    ]


def attempt(operation: PaymentOperation) -> dict[str, Any]:
    """One try at a charge."""
    said = {
        "succeeded": State("go", "Charged"),
        "failed": State("bad", "Declined"),
        "expired": State("", "Not needed"),
    }.get(operation.state, State("wait", "Under way"))
    return {
        "at": operation.created_at,
        "minor": operation.amount_minor,
        "currency": operation.currency,
        "state": said,
        "code": operation.failure or "",
        "why": why(operation.failure),
    }


def alert(row: ScheduledPayment, method: PaymentMethod) -> tuple[str, str, str, str, str] | None:
    """A notice of the account's first page: title, text, kind, address, and what the link says."""
    name = methods.label(method)
    if row.state in ("retrying", "waiting", "failed"):
        href = f"/account/cards/{method.public_id}/instead"
        return f"A payment was declined: {name}", why(row.failure), "bad", href, "Put it right"
    minor = row.noticed_minor if row.origin == "autopay" else row.amount_minor
    if row.origin == "bill" or (row.origin == "autopay" and minor is None):
        return None  # the bill tells of its dispute; AutoPay is told of when its day is near
    much = f"{sign(Money(minor, row.currency))} from {name}." if minor else f"From {name}."
    title = "AutoPay" if row.origin == "autopay" else "A payment is planned"
    href = f"/account/scheduled/{row.public_id}"
    return f"{title}: {date_full(row.on_date)}", much, "plain", href, "See it"
