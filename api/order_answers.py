"""What the desk's side of the API answers of orders, stock and customers, as in ``order_shapes``."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from api.answers import Json, moment, money, order_state
from cart import address
from cart.models import Consent
from core.kernel.money import Money
from core.orders import changing
from core.orders.models import Order, OrderLine
from core.orders.screening import Rules
from core.parties.models import Account
from core.stock.listing import Row
from flows import keep_customer
from flows.follow_order import Followed
from invoices.earned.reading import Earned


def row(order: Order, account: Account) -> Json:
    """An order in a list."""
    return {
        **order_state(order),
        "email": order.email,
        "account_number": account.number,
        "created_at": moment(order.created_at),
        "placed_at": moment(order.placed_at),
    }


def order(
    followed: Followed, account: Account, earned: Earned, agreed: Sequence[Consent] = ()
) -> Json:
    """One with everything that is done with it."""
    found = followed.order
    numbers = {line.id: line.line_number for line in followed.lines}
    names = {one.row.id: one.row.public_id for one in followed.changes}
    return {
        **row(found, account),
        **order_state(found, followed.tenders),
        "check": {
            "reasons": list(found.reasons),
            "held_at": moment(found.held_at),
            "decided_at": moment(found.decided_at),
        }
        if found.held_at is not None
        else None,
        "revenue": {
            "earned": money(earned.earned),
            "not_earned": money(earned.left),
            "not_billed": money(earned.unbilled),
        },
        "taken_by": found.taken_by,
        "purchase_order": found.purchase_order,
        "cost_centre": found.cost_centre,
        "consents": [
            {
                "code": one.code,
                "version": one.version,
                "mode": one.mode,
                "text": one.text,
                "given_at": moment(one.given_at),
                "ip": one.ip,
            }
            for one in agreed
        ],
        "lines": [_line(line, numbers, found.currency, names) for line in followed.lines],
        "fulfilments": [
            {
                "id": one.row.public_id,
                "kind": one.row.kind,
                "at": moment(one.row.at),
                "carrier": one.row.carrier,
                "tracking_number": one.row.tracking_number,
                "tracking_link": one.row.tracking_link,
                "delivered_at": moment(one.row.delivered_at),
                "lines": _pieces(one.pieces, numbers),
            }
            for one in followed.sent
        ],
        "pick_ups": [
            {
                "id": one.row.public_id,
                "status": one.row.state,
                "location": one.place.code,
                "ready_at": moment(one.row.ready_at),
                "ended_at": moment(one.row.ended_at),
                "lines": _pieces(one.pieces, numbers),
            }
            for one in followed.pick_ups
        ],
        "changes": [
            {
                "id": one.row.public_id,
                "kind": one.row.kind,
                "number": changing.return_number(found.number or "", one.row.number),
                "status": one.row.state,
                "reason": one.row.reason,
                "note": one.row.note,
                "answer": one.row.answer,
                "refund_to": one.row.refund_to,
                "asked_at": moment(one.row.asked_at),
                "done_at": moment(one.row.done_at),
                "lines": _pieces(one.pieces, numbers),
                "exchange": _exchange(followed, one.row.id, numbers),
            }
            for one in followed.changes
        ],
    }


def check_rules(rules: Rules, currency: str) -> Json:
    """Which orders are held."""

    def amount(minor: int | None) -> Json | None:
        return money(Money(minor, currency)) if minor is not None else None

    return {
        "amount_from": amount(rules.amount_from),
        "first_from": amount(rules.first_from),
        "other_country": rules.other_country,
        "most_a_day": rules.most_a_day,
    }


def asked(followed: Followed, change_id: uuid.UUID) -> Json:
    """A return that a customer asked for, as they are told of it."""
    (mine,) = [one for one in followed.changes if one.row.id == change_id]
    numbers = {line.id: line.line_number for line in followed.lines}
    return {
        "id": mine.row.public_id,
        "number": changing.return_number(followed.order.number or "", mine.row.number),
        "status": mine.row.state,
        "reason": mine.row.reason,
        "note": mine.row.note,
        "asked_at": moment(mine.row.asked_at),
        "lines": _pieces(mine.pieces, numbers),
        "exchange": _exchange(followed, change_id, numbers),
    }


def _exchange(
    followed: Followed, change_id: uuid.UUID, numbers: Mapping[uuid.UUID, int]
) -> Json | None:
    """What goes out instead of a return."""
    found = followed.exchanges.get(change_id)
    if found is None:
        return None
    lines = sorted((numbers[key], line.sku) for key, line in found.lines.items())
    return {
        "status": found.row.state,
        "send": found.row.sends,
        "lines": [{"line": number, "sku": sku} for number, sku in lines],
    }


def _line(
    line: OrderLine,
    numbers: Mapping[uuid.UUID, int],
    currency: str,
    changes: Mapping[uuid.UUID, str],
) -> Json:
    return {
        "line": line.line_number,
        "parent": numbers[line.parent_id] if line.parent_id is not None else None,
        "sku": line.sku,
        "name": line.name,
        "kind": line.kind,
        "quantity": line.quantity,
        "fulfilled": line.fulfilled,
        "cancelled": line.cancelled,
        "returned": line.returned,
        "total": money(Money(line.priced_minor, currency)),
        "change": changes[line.change_id] if line.change_id is not None else None,
        "place": _place(line),
    }


def _place(line: OrderLine) -> Json | None:
    place = line.service_location
    return {name: str(place.get(name) or "") for name in address.FIELDS} if place else None


def _pieces(
    pieces: Mapping[uuid.UUID, int], numbers: Mapping[uuid.UUID, int]
) -> Sequence[dict[str, Any]]:
    found = sorted((numbers[key], count) for key, count in pieces.items())
    return [{"line": number, "quantity": count} for number, count in found]


def level(found: Row, location: str) -> Json:
    """A thing at a place."""
    return {
        "sku": found.sku,
        "name": found.name,
        "location": location,
        "on_hand": found.level.on_hand,
        "allocated": found.level.allocated,
        "held": found.held,
        "backorder_limit": found.level.backorder_limit,
        "preorder_limit": found.level.preorder_limit,
        "safety_stock": found.level.safety_stock,
        "expected_on": found.level.expected_on.isoformat() if found.level.expected_on else None,
        "low_at": found.level.low_at,
        "available": found.available,
    }


def customer(account: Account, owes: Money | None) -> Json:
    """An account."""
    return {
        "number": account.number,
        "name": account.name,
        "kind": account.kind,
        "email": account.email,
        "currency": account.currency,
        "address": list(address.lines(account.billing_address)),
        "needs_purchase_order": account.needs_purchase_order,
        "created_on": account.created_at.date().isoformat(),
        "revision": keep_customer.mark(account)[:32],
        "owes": money(owes or Money.zero(account.currency)),
    }
