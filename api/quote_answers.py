"""Quotes as the API tells them, in the forms of ``api.quote_shapes``."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from api.answers import Json, moment, money
from cart.quotes import reading
from cart.quotes.models import Quote, QuoteLine, QuoteMessage, QuoteSite, QuoteVersion
from core.kernel.money import MICROS, Money

Lines = Mapping[uuid.UUID, Sequence[tuple[QuoteLine, QuoteSite | None]]]


def summary(quote: Quote, now: datetime) -> Json:
    """A quote in a list."""
    return {
        "id": quote.public_id,
        "number": quote.number,
        "state": reading.state_of(quote, now),
        "name": quote.name,
        "company": quote.company,
        "value": money(Money(quote.value_minor, quote.currency)),
        "requested_at": moment(quote.requested_at),
        "expires_at": moment(quote.expires_at),
    }


def quote(
    found: reading.Told,
    lines: Lines,
    now: datetime,
    making: QuoteVersion | None = None,
    *,
    is_desk: bool = False,
) -> Json:
    """A quote with its versions; ``making`` is the one that only staff see, as ours are our limits."""
    one = found.quote
    versions = [_version(version, lines, one.currency, is_desk) for version in found.versions]
    return {
        **summary(one, now),
        "email": one.email,
        "versions": versions,
        "making": _version(making, lines, one.currency, is_desk) if making is not None else None,
        "messages": [_message(row) for row in found.messages],
        "order_id": found.order.public_id if found.order is not None else None,
    }


def _version(version: QuoteVersion, lines: Lines, currency: str, is_desk: bool) -> Json:
    return {
        "number": version.number,
        "state": version.state,
        "revision": version.revision if is_desk else None,
        "valid_through": version.valid_through.isoformat() if version.valid_through else None,
        "expires_at": moment(version.expires_at),
        "payment": version.payment,
        "needs_approval": version.needs_approval if is_desk else None,
        "net": _money(version.net_minor, currency),
        "tax": _money(version.tax_minor, currency),
        "lines": [_line(line, site, currency) for line, site in lines.get(version.id, ())],
    }


def _line(line: QuoteLine, site: QuoteSite | None, currency: str) -> Json:
    agreed = line.final_price_micros
    return {
        "sku": line.sku,
        "name": line.name,
        "kind": line.kind,
        "charge_kind": line.charge_kind,
        "term_months": line.term_months,
        "quantity": line.quantity,
        "list_price": _price(line.list_price_micros),
        "unit_price": _price(line.unit_price_micros if agreed is None else agreed),
        "net": _money(line.net_minor, currency),
        "tax": _money(line.tax_minor, currency),
        "numbers": list(line.numbers),
        "site": _place(site),
    }


def _place(site: QuoteSite | None) -> str:
    if site is None:
        return ""
    parts = (site.address.get(name, "") for name in ("name", "line1", "city"))
    return ", ".join(str(part) for part in parts if part)


def _message(row: QuoteMessage) -> Json:
    return {"side": row.side, "author": row.author, "text": row.text, "at": moment(row.at)}


def _money(minor: int | None, currency: str) -> Json | None:
    return None if minor is None else money(Money(minor, currency))


def _price(micros: int | None) -> str | None:
    return None if micros is None else f"{(Decimal(micros) / MICROS).normalize():f}"
