"""Sending a version: frozen with its amounts and its document, stock held while it is valid, the one before
superseded. And taking a quote back.

Called by ``flows.send_quote``, which holds the quote's lock and has built the document.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.orm import Session

from cart import address as addresses
from cart import checkout
from cart.checkout import Requirement
from cart.quotes import drafting, numbers, sent
from cart.quotes.models import Quote, QuoteLine, QuoteLineTax, QuoteVersion
from cart.quotes.pricing import Priced, PricedLine
from cart.quotes.refusals import NeedsApproval, QuoteBeingPaid, QuoteIncomplete
from core.catalog.models import GIFT_CARD
from core.events import QuoteClosed, QuoteSent
from core.kernel import audit, crash, jobs
from core.kernel.clock import local_date
from core.kernel.db import changed, insert_rows
from core.kernel.errors import StaleState
from core.parties.models import Channel
from core.stock import holds
from core.stock.holds import Demand, Owner

#: Why the house takes a quote back.
WITHDRAWN_BECAUSE = ("mistake", "no_stock", "price_changed", "customer_asked", "other")


def ends(day: date, zone: str) -> datetime:
    """When a quote that is valid through ``day`` ends: as the next day begins, where the channel is."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))


def requirements(
    quote: Quote, priced: Priced, channel: Channel, now: datetime
) -> list[Requirement]:
    """Everything that stands between this version and sending it; empty when nothing does."""
    offer, unmet = priced.offer, []
    if problem := checkout.email_problem(quote.email):
        unmet.append(Requirement("email", "email", problem))
    if not offer.lines:
        unmet.append(Requirement("no_lines", "lines", "Write at least one line."))
    if not offer.sites:
        unmet.append(Requirement("no_place", "sites", "Say where it goes: the taxes hang on it."))
    unmet += [
        Requirement("address", f"sites-{at}", f"Place {at + 1}: {text}")
        for at, site in enumerate(offer.sites)
        for text in addresses.problems(dict(site)).values()
    ]
    if any(line.kind == GIFT_CARD for line in offer.lines):
        unmet.append(Requirement("gift_card", "lines", "Gift cards are bought, not quoted."))
    if priced.discount_too_large:
        text = "The discount is more than what is charged once."
        unmet.append(Requirement("discount", "discount", text))
    if (offer.discount.ppm or offer.discount.minor) and not offer.discount.reason:
        unmet.append(Requirement("reason", "discount_reason", "Say why there is a discount."))
    unmet += _delivery(priced)
    if offer.valid_through is None:
        unmet.append(Requirement("validity", "valid_through", "Say until when it is valid."))
    elif offer.valid_through < local_date(now, channel.time_zone):
        unmet.append(Requirement("validity", "valid_through", "That day is over."))
    return unmet


_HOW = "We do not deliver all of it that way"


def _delivery(priced: Priced) -> list[Requirement]:
    reached = {one.line.site for one in priced.deliveries}
    return [
        Requirement("no_delivery", "delivery_method", f"{_HOW} to place {at + 1}.")
        for at in priced.ships_to
        if at not in reached or at in priced.unreached
    ]


@dataclass(frozen=True)
class Sending:
    """What is sent: ``document`` is made of the frozen amounts, ``reasons`` are limits it is over."""

    version: QuoteVersion
    priced: Priced
    revision: int
    reasons: list[str]
    document: Callable[[], dict[str, Any]]
    actor: str


def send(session: Session, quote: Quote, channel: Channel, what: Sending, now: datetime) -> None:
    """Freeze the version and put it on its way; what was sent before is superseded.

    Raises QuoteIncomplete, NeedsApproval, StaleState, QuoteBeingPaid, OutOfStock, NoSuchNumber.
    """
    version, offer = what.version, what.priced.offer
    unmet = requirements(quote, what.priced, channel, now)
    if unmet:
        raise QuoteIncomplete(unmet)
    if what.reasons and version.state != "approved":
        raise NeedsApproval
    before = sent.current(session, quote)
    if before is not None and sent.pending_order(session, before) is not None:
        raise QuoteBeingPaid
    assert offer.valid_through is not None
    expires_at = ends(offer.valid_through, channel.time_zone)
    demands = _freeze_lines(session, version, what.priced)
    if before is not None:
        _supersede(session, before)
    crash.point("quote.lines_frozen")
    _freeze(session, version, what, expires_at, now)
    giver = Owner("quote", before.id if before is not None else version.id)
    holds.pass_on(session, giver, Owner("quote", version.id), demands, expires_at, now)
    if any(line.numbers for line in offer.lines):
        numbers.hold(session, version, now)
    quote.state, quote.expires_at, quote.changed_at = "sent", expires_at, now
    quote.last_side, quote.last_at = "staff", now
    quote.answered_at = quote.answered_at or now
    drafting.note_value(quote, what.priced)
    audit.write(
        session,
        now,
        what.actor,
        "quote.sent",
        ("quote", quote.public_id),
        version=version.number,
    )
    jobs.record(session, QuoteSent(str(version.id)), now, key=f"quote-sent:{version.id}")
    session.flush()


def _supersede(session: Session, version: QuoteVersion) -> None:
    sent.move(session, version, "sent", "superseded")


def _freeze(
    session: Session, version: QuoteVersion, what: Sending, expires_at: datetime, now: datetime
) -> None:
    move = (
        update(QuoteVersion)
        .where(
            QuoteVersion.id == version.id,
            QuoteVersion.state.in_(("draft", "approved")),
            QuoteVersion.revision == what.revision,
        )
        .values(
            state="sent",
            needs_approval=bool(what.reasons),
            frozen_at=now,
            changed_at=now,
            expires_at=expires_at,
            net_minor=what.priced.net.minor,
            tax_minor=what.priced.tax.minor,
            document=what.document(),
        )
        .execution_options(synchronize_session=False)
    )
    if not changed(session.execute(move)):
        raise StaleState("quote", "draft")
    session.refresh(version)


def _freeze_lines(session: Session, version: QuoteVersion, priced: Priced) -> list[Demand]:
    """Write lines and deliveries with their amounts and taxes; answers what has to be held."""
    drafting.clear(session, version.id)
    sites = drafting.put_sites(session, version.id, priced.offer)
    rows, taxes, demands = [], [], []
    for number, one in enumerate(priced.all_lines, 1):
        row = drafting.row_of(version.id, number, one.line, sites)
        rows.append(row | _amounts(one))
        taxes += _tax_rows(row["id"], one)
        if one.line.ships and one.line.variant_id is not None:
            demands.append(Demand(row["id"], one.line.variant_id, one.line.quantity))
    insert_rows(session, QuoteLine, rows)
    insert_rows(session, QuoteLineTax, taxes)
    return demands


def _amounts(one: PricedLine) -> dict[str, Any]:
    return {
        "final_price_micros": one.final_micros,
        "net_minor": one.taxed.net_minor,
        "tax_minor": one.taxed.tax_minor,
        "contained_minor": one.taxed.contained_minor,
    }


def _tax_rows(line_id: Any, one: PricedLine) -> list[dict[str, Any]]:
    return [
        {
            "quote_line_id": line_id,
            "position": position,
            "jurisdiction": taxed.tax.jurisdiction,
            "name": taxed.tax.name,
            "rate_ppm": taxed.tax.rate_ppm,
            "base_minor": taxed.base_minor,
            "amount_minor": taxed.amount_minor,
            "inclusive": taxed.tax.inclusive,
            "compound": taxed.tax.compound,
            "relief": taxed.tax.relief,
            "reference": taxed.tax.reference,
        }
        for position, taxed in enumerate(one.taxed.taxes)
    ]


def withdraw(
    session: Session, quote: Quote, reason: str, note: str, actor: str, now: datetime
) -> None:
    """Take a quote back: nobody can accept it any more, and its stock is free.

    Raises QuoteBeingPaid while the customer pays for it, StaleState when it is over already.
    """
    if quote.state not in ("requested", "drafting", "sent"):
        raise StaleState("quote", "sent")
    version = sent.current(session, quote)
    if version is not None:
        if sent.pending_order(session, version) is not None:
            raise QuoteBeingPaid
        sent.move(session, version, "sent", "withdrawn")
        holds.release(session, Owner("quote", version.id), telling=now)
    drafting.drop_open(session, quote.id, now)
    quote.state, quote.closed_at, quote.changed_at = "withdrawn", now, now
    quote.close_reason, quote.close_note = reason, note or None
    audit.write(session, now, actor, "quote.withdrawn", ("quote", quote.public_id), reason=reason)
    jobs.record(
        session,
        QuoteClosed(str(quote.id), "withdrawn"),
        now,
        key=f"quote-withdrawn:{quote.id}:{now.isoformat()}",
    )
    session.flush()
