"""What the API answers, as plain dicts in the forms of ``api.shapes``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Response
from pydantic_core import to_json

from cart.delivery import Choice
from cart.lines import Entry
from cart.models import Cart
from cart.priced import GoneLine, PricedCart, PricedLine, Recurring
from cart.saved import Saved
from cart.slots import Slot
from cms_content.media import Picture
from cms_content.videos import Film
from core.entitlements.asking import Answer
from core.kernel.money import Money, extend
from core.ledger.items import Open
from core.ledger.paid_by import CARD, TERMS, PaidBy
from core.orders import grouping
from core.orders.grouping import Standing
from core.orders.models import Order, OrderLine
from core.orders.naming import Named
from core.prices.bundles import Bundle, KindPrice, Share
from flows.browse import Offer, Shown
from flows.follow_order import Followed
from invoices.models import Invoice
from web.filters import static_address

Json = dict[str, Any]


def respond(content: Json, status: int = 200, location: str | None = None) -> Response:
    """JSON without white space."""
    response = Response(to_json(content), status, mimetype="application/json")
    if location is not None:
        response.headers["Location"] = location
    return response


def money(value: Money) -> Json:
    """``{"amount": 12900, "currency": "USD"}``."""
    return {"amount": value.minor, "currency": value.currency}


def moment(value: datetime | None) -> str | None:
    """A time in UTC: ``2026-11-17T19:11:00Z``."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")


# --- products --------------------------------------------------------------------------------


def product(shown: Shown, base_url: str) -> Json:
    """A product in a list."""
    listed = shown.product
    return {
        "slug": listed.slug,
        "name": listed.name,
        "summary": listed.summary,
        "category": listed.category_slug,
        "picture": picture_address(listed.picture, base_url),
        "variants": [_offer(offer) for offer in shown.offers],
    }


def picture_address(path: str, base_url: str) -> str:
    """Where a product's picture is: a drawing under ``static``, or an upload."""
    return f"{base_url}{path}" if path.startswith("/media/") else f"{base_url}/static/{path}"


def picture(one: Picture, base_url: str) -> Json:
    """A picture of the library at its widths."""
    sources: list[tuple[str, int]] = [*one.sources]
    if one.drawn:
        sources = [(static_address(one.drawn), one.width)]
    return {
        "alt": one.alt,
        "width": one.width,
        "height": one.height,
        "sources": [{"href": f"{base_url}{href}", "width": width} for href, width in sources],
    }


def _offer(offer: Offer) -> Json:
    variant, price = offer.variant, offer.price
    answer: Json = {
        "sku": variant.sku,
        "name": variant.name,
        "kind": variant.kind,
        "price": money(price.unit_price),
        "available": offer.available,
        "limits": vars(variant.limits),
    }
    if offer.pieces is not None:
        answer["quantity"] = offer.pieces
    if offer.outlook is not None:
        answer["in_stock"] = offer.outlook.there
        answer["expected_on"] = offer.outlook.expected_on
    if price.interval is not None:
        answer["recurring"] = {
            "interval": price.interval,
            "interval_count": price.interval_count,
        }
    if offer.bundle is not None:
        answer["bundle"] = _bundle(offer.bundle, 1)
    return answer


def _bundle(bundle: Bundle, quantity: int) -> Json:
    """What so many of a bundle cost for each charge kind, and their pieces."""
    return {
        "prices": [_kind_price(charge) for charge in bundle.charges(quantity)],
        "pieces": [_piece(share) for share in bundle.shares(quantity)],
    }


def _kind_price(charge: KindPrice) -> Json:
    return {
        "charge_kind": charge.charge_kind,
        "together": money(charge.together),
        "apart": money(charge.apart),
    }


def _piece(share: Share) -> Json:
    component = share.piece.component
    return {
        "sku": component.sku,
        "name": component.name,
        "kind": component.kind,
        "charge_kind": share.piece.charge_kind,
        "quantity": share.quantity,
        "total": money(share.amount),
    }


# --- carts -----------------------------------------------------------------------------------


def entry(found: Entry) -> Json:
    """A line that was just changed."""
    line, currency, bundle = found.line, found.currency, found.bundle
    whole = extend(line.unit_price_micros, line.quantity, currency)
    return {
        "id": line.public_id,
        "sku": found.sku,
        "name": found.name,
        "kind": found.kind,
        "quantity": line.quantity,
        "unit_price": money(extend(line.unit_price_micros, 1, currency)),
        "total": money(bundle.due_now(line.quantity) if bundle else whole),
        "held_until": moment(found.held_until),
        **({"bundle": _bundle(bundle, line.quantity)} if bundle else {}),
    }


def cart(
    found: Cart, priced: PricedCart, aside: Sequence[Saved] = (), held: Slot | None = None
) -> Json:
    """A cart and what it costs."""
    return {
        "id": found.public_id,
        "state": found.state,
        "lines": [_line(line) for line in priced.lines],
        "no_longer_sold": list(priced.unpriced),
        "gone": [_gone(line) for line in priced.gone],
        "saved": [_saved(one) for one in aside],
        "held_until": moment(priced.held_until),
        "shipping_address": found.shipping_address,
        "shipping_method": priced.method.code if priced.method else None,
        "methods": [_method(choice) for choice in priced.methods],
        "also": [
            {
                "goes_by": one.goes_by,
                "names": list(one.names),
                "methods": [_method(choice) for choice in one.methods],
                "method": one.method.code if one.method else None,
            }
            for one in priced.also
        ],
        "wants_visit": priced.wants_visit,
        "slot": slot(held) if held else None,
        "goods": money(priced.goods),
        "delivery": money(priced.delivery),
        "tax": money(priced.tax) if priced.tax_known else None,
        "due_now": money(priced.due_now),
        "recurring": [recurring(item) for item in priced.recurring],
    }


def _line(line: PricedLine) -> Json:
    return {
        "id": line.public_id,
        "sku": line.sku,
        "name": line.name,
        "kind": line.kind,
        "quantity": line.quantity,
        "unit_price": money(line.price.unit_price),
        "total": money(line.net),
        "held_until": moment(line.held_until),
        **({"unit_price_was": money(line.price_was)} if line.price_was else {}),
        **({"bundle": _bundle(line.bundle, line.quantity)} if line.bundle else {}),
        **({"numbers": _numbers(line)} if line.numbers else {}),
    }


def _numbers(line: PricedLine) -> list[Json]:
    return [{"value": one.value, "held": one.kept} for one in line.numbers if not one.secret]


def slot(one: Slot) -> Json:
    """A time for a visit."""
    return {
        "id": one.public_id,
        "starts_at": moment(one.starts_at),
        "ends_at": moment(one.ends_at),
        "free": one.free,
    }


def _gone(line: GoneLine) -> Json:
    return {
        "id": line.public_id,
        "sku": line.sku,
        "name": line.name,
        "quantity": line.quantity,
        "code": line.code,
    }


def _saved(one: Saved) -> Json:
    return {
        "id": one.public_id,
        "sku": one.sku,
        "name": one.name,
        "kind": one.kind,
        "quantity": one.quantity,
        "unit_price": money(one.price) if one.price is not None else None,
        **({"unit_price_was": money(one.price_was)} if one.price_was else {}),
    }


def _method(choice: Choice) -> Json:
    return {
        "code": choice.code,
        "name": choice.name,
        "description": choice.description,
        "price": money(choice.price),
    }


def recurring(item: Recurring) -> Json:
    return {
        "amount": money(item.amount),
        "interval": item.interval,
        "interval_count": item.interval_count,
        "name": item.name,
    }


# --- orders ----------------------------------------------------------------------------------


def order_state(found: Order, tenders: Sequence[PaidBy] = ()) -> Json:
    """An order's three states. Without ``tenders`` all of it goes by the one way that was asked for."""
    return {
        "id": found.public_id,
        "number": found.number,
        "status": found.lifecycle,
        "payment_status": found.payment,
        "fulfilment_status": found.fulfilment,
        "held": found.is_held,
        "due_now": money(Money(found.due_now_minor, found.currency)),
        "worth": money(Money(found.worth_minor, found.currency)),
        "tenders": [_tender(row) for row in tenders or _one_way(found)],
    }


def _one_way(found: Order) -> list[PaidBy]:
    due = Money(found.due_now_minor, found.currency)
    if not due:
        return []
    if found.payment_method == "invoice":
        return [PaidBy("terms", TERMS, due)]
    return [PaidBy("card", CARD, due)]


def _tender(row: PaidBy) -> Json:
    return {"kind": row.kind, "label": row.label, "amount": money(row.amount)}


def order(followed: Followed) -> Json:
    """An order with its lines and bills."""
    found = followed.order
    return {
        **order_state(found, followed.tenders),
        "placed_at": moment(found.placed_at),
        "visit": slot(followed.visit) if followed.visit else None,
        "ready": [
            {"place": one.place.name, "address": one.place.address, "hours": one.place.hours}
            for one in followed.pick_ups
            if one.row.state == "ready"
        ],
        "purchase_order": found.purchase_order,
        "cost_centre": found.cost_centre,
        "lines": [
            _order_line(one, found.currency, followed.named)
            for one in grouping.standing(followed.placed)
        ],
        "added": [
            _order_line(one, found.currency, followed.named)
            for one in grouping.standing(grouping.added(followed.lines))
        ],
        "tax": money(Money(found.tax_minor, found.currency)),
        "bills": [_bill(row, followed.open_items.get(row.id)) for row in followed.bills],
    }


def _order_line(standing: Standing, currency: str, named: Named) -> Json:
    line = standing.line
    answer: Json = {
        "sku": line.sku,
        "name": line.name,
        "kind": line.kind,
        "quantity": line.quantity,
        "unit_price": money(extend(line.unit_price_micros, 1, currency)),
        "total": money(Money(standing.priced_minor, currency)),
        "tax": money(Money(standing.tax_minor, currency)),
    }
    if standing.pieces:
        answer["pieces"] = [_order_piece(piece, currency, named) for piece in standing.pieces]
    if line.id in named:
        answer["numbers"] = list(named[line.id])
    return answer


def _order_piece(line: OrderLine, currency: str, named: Named) -> Json:
    return {
        **({"numbers": list(named[line.id])} if line.id in named else {}),
        "sku": line.sku,
        "name": line.name,
        "kind": line.kind,
        "charge_kind": line.charge_kind,
        "quantity": line.quantity,
        "total": money(Money(line.priced_minor, currency)),
        "tax": money(Money(line.tax_minor, currency)),
    }


def _bill(row: Invoice, item: Open | None) -> Json:
    return {
        "number": row.number,
        "kind": row.kind,
        "issue_date": row.issue_date.isoformat(),
        "due_date": row.due_date.isoformat() if row.due_date else None,
        "total": money(Money(row.total_minor, row.currency)),
        "open": money(item.open if item else Money.zero(row.currency)),
    }


# --- what an account may use -----------------------------------------------------------------


def entitlement(feature: str, found: Answer) -> Json:
    """May it, and why not."""
    return {
        "feature": feature,
        "allowed": found.allowed,
        "reason": found.reason,
        "until": found.until.isoformat() if found.until else None,
        "service_id": found.service,
    }


def film(one: Film, base: str) -> Json:
    """A video of the library."""
    return {
        "href": f"{base}{one.href}",
        "media_type": one.media_type,
        "width": one.width,
        "height": one.height,
        "captions": [
            {"href": f"{base}{said.href}", "language": said.language} for said in one.captions
        ],
    }
