"""What the desk's pages of quotes are given, in the words of a page."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from cart.quotes import reading
from cart.quotes.models import Quote, QuoteApproval, QuoteVersion
from cart.quotes.pricing import Priced, PricedLine
from core.kernel.money import Money, extend
from core.parties.models import User
from flows.quote_letters import REASONS
from flows.quote_paper import name_of
from invoices.wording import unit_price
from web.documents import State

STATES = {
    "requested": State("wait", "New"),
    "drafting": State("wait", "In the making"),
    "sent": State("wait", "With the customer"),
    "expired": State("", "Expired"),
    "accepted": State("go", "Accepted"),
    "declined": State("bad", "Declined"),
    "withdrawn": State("", "Taken back"),
}
TABS = {
    "waiting": "Waiting for us",
    "sent": "With customers",
    "expired": "Expired",
    "accepted": "Accepted",
    "declined": "Declined",
    "withdrawn": "Taken back",
}
VERSIONS = {
    "draft": State("wait", "In the making"),
    "waiting": State("bad", "Waits for approval"),
    "approved": State("go", "Approved"),
    "sent": State("wait", "Sent"),
    "accepted": State("go", "Accepted"),
    "declined": State("bad", "Declined"),
    "superseded": State("", "Replaced"),
    "withdrawn": State("", "Taken back"),
    "dropped": State("", "Dropped"),
}
LIMITS = {
    "discount": "The discount is above the limit.",
    "amount": "Its value is above the limit.",
    "margin": "The margin is below the limit.",
}


def percent(ppm: int | None) -> str:
    """``12.5 %``; nothing for none."""
    if ppm is None:
        return ""
    return f"{Decimal(ppm).scaleb(-4).quantize(Decimal('0.1'))} %"


def row(quote: Quote, owner: User | None, now: datetime) -> dict[str, Any]:
    """A row of the list."""
    state = reading.state_of(quote, now)
    return {
        "number": quote.number,
        "href": f"/desk/quotes/{quote.public_id}",
        "customer": quote.company or quote.name,
        "person": quote.name if quote.company else "",
        "email": quote.email,
        "state": STATES[state],
        "news": quote.last_side == "customer" and state in ("sent", "drafting", "expired"),
        "owner": owner.name if owner is not None else "",
        "value": Money(quote.value_minor, quote.currency),
        "asked_at": quote.requested_at,
        "age": age(now - quote.requested_at),
        "changed_at": quote.changed_at,
        "expires_at": quote.expires_at if state == "sent" else None,
    }


def age(span: timedelta) -> str:
    """``3 days``, ``5 hours``, ``just now``."""
    if span >= timedelta(days=1):
        return f"{span.days} day{'s' if span.days != 1 else ''}"
    hours = int(span.total_seconds() // 3600)
    if hours:
        return f"{hours} hour{'s' if hours != 1 else ''}"
    minutes = int(span.total_seconds() // 60)
    return f"{minutes} minute{'s' if minutes != 1 else ''}" if minutes > 0 else "just now"


def figures(priced: Priced) -> dict[str, Any]:
    """What a version is worth to us: for staff alone."""
    return {
        "value": priced.value,
        "saved": priced.saved,
        "saved_percent": percent(priced.saved_ppm),
        "margin": priced.margin,
        "margin_percent": percent(priced.margin_ppm),
        "due_now": priced.due_now,
        "tax": priced.tax,
        "later": [
            (part.total, "year" if part.charge_kind == "yearly" else "month")
            for part in priced.later
        ],
        "lines": [_line(one, priced) for one in priced.lines],
        "deliveries": [
            (one.line.name, _place(priced, one.line.site), Money(one.priced_minor, priced.currency))
            for one in priced.deliveries
        ],
    }


def _line(one: PricedLine, priced: Priced) -> dict[str, Any]:
    line, currency = one.line, priced.currency
    cost = None
    if line.cost_micros is not None:
        cost = extend(line.cost_micros, line.quantity, currency)
    net = Money(one.taxed.net_minor, currency)
    return {
        "sku": line.sku,
        "name": line.name,
        "place": _place(priced, line.site),
        "quantity": line.quantity,
        "list": unit_price(line.list_price_micros, currency)
        if line.list_price_micros is not None
        else None,
        "each": unit_price(one.final_micros, currency),
        "amount": Money(one.priced_minor, currency),
        "every": {"monthly": "a month", "yearly": "a year"}.get(line.charge_kind, ""),
        "term": f"{line.term_months} months" if line.term_months else "",
        "numbers": ", ".join(line.numbers),
        "margin": net - cost if cost is not None else None,
        "charges": line.charges if line.recurs else 1,
        "currency": currency,
    }


def _place(priced: Priced, site: int) -> str:
    sites = priced.offer.sites
    if len(sites) < 2:
        return ""
    return str(sites[site].get("name") or sites[site].get("line1") or site + 1)


def version(quote: Quote, one: QuoteVersion) -> dict[str, Any]:
    """A version in the list beside."""
    total = None
    if one.net_minor is not None and one.tax_minor is not None:
        total = Money(one.net_minor + one.tax_minor, quote.currency)
    return {
        "name": name_of(quote, one),
        "number": one.number,
        "state": VERSIONS[one.state],
        "sent_at": one.frozen_at,
        "total": total,
        "href": f"/desk/quotes/{quote.public_id}?version={one.number}",
    }


def approval(row_: QuoteApproval, names: dict[str, str]) -> dict[str, Any]:
    """A wish for approval, and what was said to it."""
    words = {
        "asked": State("wait", "Waits"),
        "approved": State("go", "Approved"),
        "declined": State("bad", "Given back"),
        "void": State("", "Void: it was changed"),
    }
    return {
        "asked_by": names.get(row_.asked_by, "somebody"),
        "asked_at": row_.asked_at,
        "note": row_.note,
        "reasons": [LIMITS[code] for code in row_.reasons if code in LIMITS],
        "state": words[row_.state],
        "decided_by": names.get(row_.decided_by or "", ""),
        "answer": row_.answer,
    }


def reason(code: str | None) -> str:
    """Why it was lost, in words."""
    return REASONS.get(code or "", "")
