"""The customer's answer: a version becomes one order at exactly its frozen prices, or is declined.

Only the version that is sent and has not expired can be accepted. Paid by terms it is an order at once; by
card it stays open to be accepted until the money is there, while its pending order holds the stock.
Whoever calls holds the quote's lock.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import checkout
from cart.delivery import PARCEL
from cart.quotes import carrying, drafting, numbers, sent
from cart.quotes.carrying import Carried
from cart.quotes.models import (
    Quote,
    QuoteAcceptance,
    QuoteLine,
    QuoteLineTax,
    QuoteSite,
    QuoteVersion,
)
from cart.quotes.refusals import (
    NotAcceptable,
    NumberGone,
    PaymentNotOffered,
    QuoteAccepted,
    QuoteDeclined,
    QuoteExpired,
    QuoteNotSent,
    QuoteSuperseded,
    QuoteWithdrawn,
)
from core.catalog.models import Variant
from core.events import QuoteClosed
from core.kernel import audit, jobs
from core.kernel.errors import StaleState
from core.kernel.ids import new_id
from core.orders import placing
from core.orders.drafting import NewLine, NewOrder
from core.orders.models import Order
from core.stock import holds
from core.stock.holds import OutOfStock, Owner
from core.stock.numbers import NumberTaken
from core.stock.picks import NoSuchNumber
from core.stock.sourcing import NOT_KNOWN
from core.tax.arithmetic import REVERSE_CHARGE, Tax, Taxed, TaxedLine

#: Why customers say no.
DECLINED_BECAUSE = ("price", "scope", "competitor", "timing", "no_longer", "other")


@dataclass(frozen=True)
class Signature:
    """Who accepts, as what, and which words they agreed to."""

    name: str
    role: str
    consent_version: str
    consent_text: str
    ip: str
    user_id: uuid.UUID | None = None

    @property
    def actor(self) -> str:
        """As in the audit log."""
        return f"user:{self.user_id}" if self.user_id is not None else "guest"


def acceptable(session: Session, quote: Quote, number: int, now: datetime) -> QuoteVersion:
    """The version with this number, when it can be accepted now; a NotAcceptable says why not."""
    version = sent.version_of(session, quote, number)
    if version is None or version.frozen_at is None:
        raise QuoteNotSent
    refuse(session, quote, version, now)
    return version


def refuse(session: Session, quote: Quote, version: QuoteVersion, now: datetime) -> None:
    """Raise what stands against accepting a version that was sent; nothing when it can be accepted."""
    if quote.state == "accepted":
        order = sent.order_of(session, quote)
        raise QuoteAccepted(order.number or "" if order is not None else "")
    newest = session.scalars(
        select(QuoteVersion.number)
        .where(QuoteVersion.quote_id == quote.id, QuoteVersion.frozen_at.is_not(None))
        .order_by(QuoteVersion.number.desc())
        .limit(1)
    ).one()
    refuse_version(version, newest, now)


def refuse_version(version: QuoteVersion, newest: int, now: datetime) -> None:
    """The same for a quote that was not accepted, whose newest sent version has the number ``newest``."""
    if version.state == "superseded":
        raise QuoteSuperseded(version.number, newest)
    if version.state == "withdrawn":
        raise QuoteWithdrawn
    if version.state == "declined":
        raise QuoteDeclined
    if version.state != "sent" or version.expires_at is None or version.valid_through is None:
        raise NotAcceptable
    if version.expires_at <= now:
        day = version.valid_through
        raise QuoteExpired(f"{day:%B} {day.day}, {day.year}")


def accept(
    session: Session,
    quote: Quote,
    version: QuoteVersion,
    signature: Signature,
    payment: str,
    account_id: uuid.UUID,
    purchase_order: str,
    hold_until: datetime,
    now: datetime,
) -> Order:
    """Write the pending order at exactly the frozen prices; the version's holds are the order's.

    ``payment`` is ``terms`` or ``card``. Raises PaymentNotOffered, OutOfStock when a hold had lapsed and
    its pieces are gone, NumberGone when a number that was chosen is.
    """
    if payment not in ("terms", "card") or version.payment not in ("either", payment):
        raise PaymentNotOffered
    new = _new_order(session, quote, version, payment, account_id, purchase_order)
    order = placing.write(session, new, now)
    session.add(
        QuoteAcceptance(
            id=new_id(),
            version_id=version.id,
            order_id=order.id,
            payment=payment,
            name=signature.name,
            role=signature.role,
            consent_version=signature.consent_version,
            consent_text=signature.consent_text,
            user_id=signature.user_id,
            ip=signature.ip,
            accepted_at=now,
        )
    )
    try:
        _pass_on(session, version, order, hold_until, now)
    except (NumberTaken, NoSuchNumber) as error:
        raise NumberGone(error.value) from None
    audit.write(
        session,
        now,
        signature.actor,
        "quote.signed",
        ("quote", quote.public_id),
        version=version.number,
        order=order.public_id,
        payment=payment,
    )
    session.flush()
    return order


def _pass_on(
    session: Session, version: QuoteVersion, order: Order, hold_until: datetime, now: datetime
) -> None:
    """What is held for a version is held for its order, each number for the line that it was chosen for."""
    giver, taker = Owner("quote", version.id), Owner("order", order.id)
    lines = placing.lines_of(session, order.id)
    demands = checkout.order_demands(lines)
    if any(one.numbered for one in demands):
        numbers.hand_over(session, version, taker, lines, now)
    if any(one.place is not None for one in demands):
        holds.move_near(session, giver, NOT_KNOWN, now, demands)
    holds.pass_on(session, giver, taker, demands, hold_until, now)


def _new_order(
    session: Session,
    quote: Quote,
    version: QuoteVersion,
    payment: str,
    account_id: uuid.UUID,
    purchase_order: str,
) -> NewOrder:
    sites = {
        row.id: row
        for row in session.scalars(
            select(QuoteSite).where(QuoteSite.version_id == version.id).order_by(QuoteSite.position)
        )
    }
    rows = sent.lines(session, version)
    goods = [row.site_id for row in rows if row.kind == "physical"]
    first = next((sites[key] for key in goods if key is not None), None)
    first = first or next(iter(sites.values()), None)
    ways = [row.price_trace for row in rows if row.kind == "delivery"]
    usual = ways[0].get("goes_by", PARCEL) if ways else PARCEL
    also = {way["goes_by"]: way["delivery"] for way in ways if way.get("goes_by", usual) != usual}
    carried = carrying.of(session, [row.variant_id for row in rows if row.kind == "physical"])
    taxes = sent.taxes(session, version)
    numbered = _numbered(session, rows)
    relieved = [one for found in taxes.values() for one in found if one.relief == REVERSE_CHARGE]
    return NewOrder(
        legal_entity_id=quote.legal_entity_id,
        channel_id=quote.channel_id,
        currency=quote.currency,
        payer_account_id=account_id,
        service_account_id=account_id,
        cart_id=None,
        quote_version_id=version.id,
        payment_method="invoice" if payment == "terms" else "card",
        email=quote.email,
        shipping_address=first.address if first is not None else None,
        shipping_method=ways[0].get("delivery") if ways else None,
        ways=also,
        lines=[
            _new_line(
                row,
                taxes.get(row.id, []),
                sites,
                carried,
                several=len(sites) > 1,
                numbered=row.variant_id in numbered,
            )
            for row in rows
        ],
        vat_id=relieved[0].reference if relieved else quote.vat_id,
        purchase_order=purchase_order or None,
    )


def _numbered(session: Session, rows: Sequence[QuoteLine]) -> set[uuid.UUID]:
    """Of which things each is a number or a key of its own: one is given when the quote is accepted."""
    ids = [row.variant_id for row in rows if row.variant_id and row.kind != "physical"]
    if not ids:
        return set()
    return set(session.scalars(select(Variant.id).where(Variant.id.in_(ids), Variant.numbered)))


def _new_line(
    row: QuoteLine,
    taxes: list[QuoteLineTax],
    sites: dict[uuid.UUID, QuoteSite],
    carried: Mapping[uuid.UUID, Carried],
    *,
    several: bool,
    numbered: bool,
) -> NewLine:
    assert row.final_price_micros is not None
    assert row.net_minor is not None
    at = sites[row.site_id].address if row.site_id is not None else None
    return NewLine(
        variant_id=row.variant_id,
        sku=row.sku,
        name=row.name,
        kind=row.kind,
        tax_category=row.tax_category,
        charge_kind=row.charge_kind,
        quantity=row.quantity,
        unit_price_micros=row.final_price_micros,
        price_trace=row.price_trace,
        taxed=TaxedLine(row.net_minor, tuple(_taxed(tax) for tax in taxes)),
        # One parcel needs no place of its own; several do, so that each is sent to the right one.
        service_location=at if several or row.kind not in ("physical", "delivery") else None,
        term_months=row.term_months,
        numbered=numbered,
        goes_by=_goes_by(row, carried),
        pickup_id=uuid.UUID(fetched) if (fetched := row.price_trace.get("pickup")) else None,
    )


def _goes_by(row: QuoteLine, carried: Mapping[uuid.UUID, Carried]) -> str | None:
    """Of goods and of deliveries: by which way."""
    if row.kind == "delivery":
        return str(row.price_trace.get("goes_by", PARCEL))
    if row.kind != "physical":
        return None
    one = carried.get(row.variant_id) if row.variant_id is not None else None
    return one.goes_by if one is not None else PARCEL


def _taxed(row: QuoteLineTax) -> Taxed:
    tax = Tax(
        row.jurisdiction,
        row.name,
        row.rate_ppm,
        row.inclusive,
        row.compound,
        row.relief,
        row.reference,
    )
    return Taxed(tax, row.base_minor, row.amount_minor)


def settle(session: Session, order: Order, now: datetime) -> None:
    """The order of a version is certain: its quote is accepted. Nothing for an order without one."""
    if order.quote_version_id is None:
        return
    version = session.get_one(QuoteVersion, order.quote_version_id)
    quote = drafting.lock(session, version.quote_id)
    sent.move(session, version, "sent", "accepted")
    drafting.drop_open(session, quote.id, now)
    quote.state, quote.closed_at, quote.changed_at = "accepted", now, now
    quote.last_side, quote.last_at = "customer", now
    audit.write(
        session,
        now,
        "system",
        "quote.accepted",
        ("quote", quote.public_id),
        version=version.number,
        order=order.public_id,
    )
    told = QuoteClosed(str(quote.id), "accepted")
    jobs.record(session, told, now, key=f"quote-accepted:{quote.id}")
    session.flush()


def give_back(session: Session, order: Order, version_id: uuid.UUID, now: datetime) -> None:
    """An order that was not paid is given up: its version can be accepted again, and holds the stock as
    long as it is valid. Pieces that are gone meanwhile are not held; accepting asks for them anew."""
    version = session.get_one(QuoteVersion, version_id)
    quote = drafting.lock(session, version.quote_id)
    giver = Owner("order", order.id)
    assert version.expires_at is not None
    if quote.state != "sent" or version.state != "sent" or version.expires_at <= now:
        holds.release(session, giver, telling=now)
        return
    taker, wanted = Owner("quote", version.id), sent.demands(session, version)
    try:
        with session.begin_nested():
            holds.pass_on(session, giver, taker, wanted, version.expires_at, now)
    except OutOfStock:
        holds.release(session, giver, telling=now)
    try:
        with session.begin_nested():
            numbers.hold(session, version, now)
    except (OutOfStock, NoSuchNumber):
        # Somebody else has one by now, or nobody ever will: whoever accepts is told.
        return


def decline(
    session: Session,
    quote: Quote,
    version: QuoteVersion,
    reason: str,
    note: str,
    signature: tuple[str, str],
    now: datetime,
) -> None:
    """The customer says no; its stock is free. ``signature`` is who, and the actor.

    StaleState when it is over already, or being paid for.
    """
    name, actor = signature
    if sent.pending_order(session, version) is not None:
        raise StaleState("quote", "sent")
    sent.move(session, version, "sent", "declined")
    holds.release(session, Owner("quote", version.id), telling=now)
    drafting.drop_open(session, quote.id, now)
    quote.state, quote.closed_at, quote.changed_at = "declined", now, now
    quote.close_reason, quote.close_note = reason, note or None
    quote.last_side, quote.last_at = "customer", now
    audit.write(
        session,
        now,
        actor,
        "quote.declined",
        ("quote", quote.public_id),
        personal={"name": name},
        version=version.number,
        reason=reason,
    )
    jobs.record(
        session,
        QuoteClosed(str(quote.id), "declined"),
        now,
        key=f"quote-declined:{version.id}",
    )
    session.flush()
