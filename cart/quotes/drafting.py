"""Asking for a quote and writing its versions. A version in the making is written as a whole, guarded by its
revision, so that two editors do not write over each other.

Called by ``flows.ask_quote`` and ``flows.draft_quote``.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from cart.quotes import messages
from cart.quotes.models import (
    IN_THE_MAKING,
    MOST_PIECES,
    Quote,
    QuoteApproval,
    QuoteLine,
    QuoteSite,
    QuoteVersion,
)
from cart.quotes.offer import PPM, Discount, Offer, OfferLine
from cart.quotes.pricing import Priced
from cart.quotes.refusals import QuoteAccepted
from core.events import QuoteRequested
from core.kernel import audit, jobs, numbering
from core.kernel.db import changed, insert_rows
from core.kernel.errors import Invalid, NotFound, StaleState
from core.kernel.ids import new_id, new_public_id
from core.parties.models import Channel

SERIES = "quote"
MOST_LINES = 100
MOST_SITES = 40


@dataclass(frozen=True)
class NewQuote:
    """Who asks, and for what. ``actor`` is who writes it down: ``guest``, or ``user:ID``."""

    source: str
    name: str
    email: str
    offer: Offer
    company: str = ""
    phone: str = ""
    message: str = ""
    vat_id: str | None = None
    account_id: uuid.UUID | None = None
    user_id: uuid.UUID | None = None
    owner_id: uuid.UUID | None = None
    actor: str = field(default="guest", kw_only=True)


def request(session: Session, channel: Channel, new: NewQuote, now: datetime) -> Quote:
    """Write a quote down with its first version, to be worked on; the house is told of a customer's."""
    by_staff = new.source == "staff"
    position = numbering.take(session, channel.legal_entity_id, SERIES)
    quote = Quote(
        id=new_id(),
        public_id=new_public_id(),
        number=f"Q-{1000 + position}",
        legal_entity_id=channel.legal_entity_id,
        channel_id=channel.id,
        currency=channel.currency,
        source=new.source,
        account_id=new.account_id,
        user_id=new.user_id,
        name=new.name,
        email=new.email,
        company=new.company,
        phone=new.phone,
        vat_id=new.vat_id,
        state="drafting" if by_staff else "requested",
        owner_id=new.owner_id,
        value_minor=0,
        last_side="staff" if by_staff else "customer",
        last_at=now,
        requested_at=now,
        changed_at=now,
    )
    session.add(quote)
    session.flush()
    version = QuoteVersion(
        id=new_id(),
        quote_id=quote.id,
        number=1,
        drafted_by=new.actor,
        created_at=now,
        changed_at=now,
    )
    session.add(version)
    session.flush()
    _put(session, version, new.offer)
    if new.message:
        side = "staff" if by_staff else "customer"
        messages.note(session, quote, side, new.name, new.message, new.user_id, now)
    audit.write(session, now, new.actor, "quote.requested", ("quote", quote.public_id))
    if not by_staff:
        jobs.record(session, QuoteRequested(str(quote.id)), now, key=f"quote-asked:{quote.id}")
    return quote


def lock(session: Session, quote_id: uuid.UUID) -> Quote:
    """The quote, locked and read again: whoever changes, sends or answers it does so one after the other."""
    return session.get_one(Quote, quote_id, with_for_update=True, populate_existing=True)


def by_public_id(session: Session, public_id: str) -> Quote:
    """The quote that a link or the desk names. NotFound when there is none."""
    found = session.scalar(select(Quote).where(Quote.public_id == public_id))
    if found is None:
        raise NotFound("quote")
    return found


def open_version(session: Session, quote_id: uuid.UUID) -> QuoteVersion | None:
    """The version that is being made, if there is one."""
    return session.scalar(
        select(QuoteVersion).where(
            QuoteVersion.quote_id == quote_id, QuoteVersion.state.in_(IN_THE_MAKING)
        )
    )


def latest(session: Session, quote_id: uuid.UUID) -> QuoteVersion:
    """The version with the highest number."""
    return session.scalars(
        select(QuoteVersion)
        .where(QuoteVersion.quote_id == quote_id)
        .order_by(QuoteVersion.number.desc())
        .limit(1)
    ).one()


def offer_of(session: Session, version: QuoteVersion) -> Offer:
    """What a version offers, as its rows have it; deliveries are not of it."""
    sites = session.scalars(
        select(QuoteSite).where(QuoteSite.version_id == version.id).order_by(QuoteSite.position)
    ).all()
    lines = session.scalars(
        select(QuoteLine)
        .where(QuoteLine.version_id == version.id, QuoteLine.kind != "delivery")
        .order_by(QuoteLine.line_number)
    )
    places = {site.id: at for at, site in enumerate(sites)}
    return Offer(
        lines=tuple(_line(row, places) for row in lines),
        sites=tuple(site.address for site in sites),
        discount=Discount(version.discount_ppm, version.discount_minor, version.discount_reason),
        valid_through=version.valid_through,
        delivery_method=version.delivery_method,
        delivery_minor=version.delivery_minor,
        payment=version.payment,
        note=version.note,
    )


def _line(row: QuoteLine, places: dict[uuid.UUID, int]) -> OfferLine:
    return OfferLine(
        name=row.name,
        quantity=row.quantity,
        unit_price_micros=row.unit_price_micros,
        sku=row.sku,
        variant_id=row.variant_id,
        kind=row.kind,
        tax_category=row.tax_category,
        charge_kind=row.charge_kind,
        term_months=row.term_months,
        list_price_micros=row.list_price_micros,
        cost_micros=row.cost_micros,
        site=places.get(row.site_id, 0) if row.site_id is not None else 0,
        price_trace=row.price_trace,
    )


def change(
    session: Session, quote: Quote, offer: Offer, revision: int, actor: str, now: datetime
) -> QuoteVersion:
    """Write the version in the making anew; what was approved or asked of it is void.

    StaleState when somebody else changed or sent it first; Invalid for what no version can hold.
    """
    version = open_version(session, quote.id)
    if version is None:
        raise StaleState("quote", "draft")
    _check(offer)
    move = (
        update(QuoteVersion)
        .where(
            QuoteVersion.id == version.id,
            QuoteVersion.state.in_(IN_THE_MAKING),
            QuoteVersion.revision == revision,
        )
        .values(
            state="draft",
            revision=revision + 1,
            needs_approval=False,
            approved_by=None,
            drafted_by=actor,
            changed_at=now,
            **_decided(offer),
        )
        .execution_options(synchronize_session=False)
    )
    if not changed(session.execute(move)):
        raise StaleState("quote", "draft")
    session.refresh(version)
    void_approvals(session, version.id)
    _put(session, version, offer)
    if quote.state == "requested":
        quote.state = "drafting"
    quote.changed_at = now
    audit.write(
        session,
        now,
        actor,
        "quote.changed",
        ("quote", quote.public_id),
        version=version.number,
        revision=version.revision,
    )
    session.flush()
    return version


def another(session: Session, quote: Quote, actor: str, now: datetime) -> QuoteVersion:
    """The version in the making; a new one that begins as the last one was, when there is none.

    QuoteAccepted when it is an order. What was declined or taken back is worked on again.
    """
    found = open_version(session, quote.id)
    if found is not None:
        return found
    if quote.state == "accepted":
        raise QuoteAccepted("")
    last = latest(session, quote.id)
    offer = replace(offer_of(session, last), valid_through=None)
    version = QuoteVersion(
        id=new_id(),
        quote_id=quote.id,
        number=last.number + 1,
        drafted_by=actor,
        created_at=now,
        changed_at=now,
        **_decided(offer),
    )
    session.add(version)
    session.flush()
    _put(session, version, offer)
    if quote.state in ("declined", "withdrawn"):
        quote.state, quote.closed_at = "drafting", None
        quote.close_reason = quote.close_note = None
    quote.changed_at = now
    audit.write(
        session,
        now,
        actor,
        "quote.version_begun",
        ("quote", quote.public_id),
        version=version.number,
    )
    session.flush()
    return version


def drop_open(session: Session, quote_id: uuid.UUID, now: datetime) -> None:
    """Give up the version in the making, because the quote is over."""
    version = open_version(session, quote_id)
    if version is not None:
        version.state, version.changed_at = "dropped", now
        void_approvals(session, version.id)


def void_approvals(session: Session, version_id: uuid.UUID) -> None:
    """A wish for approval that was not answered is void: what it spoke of has changed."""
    session.execute(
        update(QuoteApproval)
        .where(QuoteApproval.version_id == version_id, QuoteApproval.state == "asked")
        .values(state="void")
        .execution_options(synchronize_session=False)
    )


def take_over(
    session: Session, quote: Quote, owner_id: uuid.UUID | None, actor: str, now: datetime
) -> None:
    """Say which of the staff sees to it."""
    quote.owner_id, quote.changed_at = owner_id, now
    owner = str(owner_id) if owner_id is not None else ""
    audit.write(session, now, actor, "quote.owner", ("quote", quote.public_id), owner=owner)
    session.flush()


# --- rows -----------------------------------------------------------------------------------------


def _check(offer: Offer) -> None:
    wrong: dict[str, str] = {}
    if len(offer.lines) > MOST_LINES:
        wrong["lines"] = f"At most {MOST_LINES} lines."
    if len(offer.sites) > MOST_SITES:
        wrong["sites"] = f"At most {MOST_SITES} places."
    if any(not 1 <= line.quantity <= MOST_PIECES for line in offer.lines):
        wrong["quantity"] = f"From 1 to {MOST_PIECES}."
    if any(not 0 <= line.site < max(1, len(offer.sites)) for line in offer.lines):
        wrong["site"] = "Choose one of the places."
    if offer.discount.ppm and offer.discount.minor:
        wrong["amount"] = "Either a percentage or an amount."
    if not 0 <= offer.discount.ppm <= PPM:
        wrong["percent"] = "From 0 to 100."
    if any(line.recurs and line.variant_id is None for line in offer.lines):
        wrong["charge_kind"] = "Only a plan of the catalog can recur."
    if wrong:
        raise Invalid(wrong)


def _decided(offer: Offer) -> dict[str, Any]:
    return {
        "valid_through": offer.valid_through,
        "discount_ppm": offer.discount.ppm,
        "discount_minor": offer.discount.minor,
        "discount_reason": offer.discount.reason,
        "delivery_method": offer.delivery_method,
        "delivery_minor": offer.delivery_minor,
        "payment": offer.payment,
        "note": offer.note,
    }


def _put(session: Session, version: QuoteVersion, offer: Offer) -> None:
    """Write places and lines anew, without amounts: those are frozen when it is sent."""
    _check(offer)
    clear(session, version.id)
    sites = put_sites(session, version.id, offer)
    rows = [row_of(version.id, number, line, sites) for number, line in enumerate(offer.lines, 1)]
    insert_rows(session, QuoteLine, rows)


def clear(session: Session, version_id: uuid.UUID) -> None:
    """Take a version's lines and places away."""
    session.execute(delete(QuoteLine).where(QuoteLine.version_id == version_id))
    session.execute(delete(QuoteSite).where(QuoteSite.version_id == version_id))


def put_sites(session: Session, version_id: uuid.UUID, offer: Offer) -> list[uuid.UUID]:
    """Write the places; answers their keys in order."""
    keys = [new_id() for _ in offer.sites]
    rows = [
        {"id": key, "version_id": version_id, "position": at, "address": dict(address)}
        for at, (key, address) in enumerate(zip(keys, offer.sites, strict=True))
    ]
    insert_rows(session, QuoteSite, rows)
    return keys


def row_of(
    version_id: uuid.UUID, number: int, line: OfferLine, sites: Sequence[uuid.UUID]
) -> dict[str, Any]:
    """A line as its row begins, without amounts."""
    return {
        "id": new_id(),
        "version_id": version_id,
        "line_number": number,
        "site_id": sites[line.site] if sites else None,
        "variant_id": line.variant_id,
        "sku": line.sku,
        "name": line.name,
        "kind": line.kind,
        "tax_category": line.tax_category,
        "charge_kind": line.charge_kind,
        "term_months": line.term_months,
        "quantity": line.quantity,
        "list_price_micros": line.list_price_micros,
        "unit_price_micros": line.unit_price_micros,
        "cost_micros": line.cost_micros,
        "price_trace": dict(line.price_trace),
    }


def note_value(quote: Quote, priced: Priced) -> None:
    """Keep what the last version is worth, for lists."""
    quote.value_minor = priced.value.minor
