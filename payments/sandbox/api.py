"""The API: which addresses there are, which parameters each understands, and what it answers."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from payments.sandbox import (
    charges,
    checkouts,
    customers,
    disputes,
    events,
    files,
    intents,
    methods,
    off_session,
    refunds,
    setups,
    upkeep,
    view,
)
from payments.sandbox.errors import ApiError
from payments.sandbox.forms import EXPAND, PAGING, Field, Shape, read, text
from payments.sandbox.store import Body, Tx

ONE: Shape = {"expand": EXPAND}


@dataclass(frozen=True)
class Call:
    """One request to a route: the id in its address, its parameters, and our own address."""

    tx: Tx
    id: str
    given: Body
    base: str

    def one(self, body: Body) -> Body:
        return view.expanded(self.tx, body, self.given.get("expand", []))


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    shape: Shape
    run: Callable[[Call], Body]


def _start_checkout(call: Call) -> Body:
    return call.one(checkouts.create(call.tx, call.given, call.base))


def _expire_checkout(call: Call) -> Body:
    return call.one(upkeep.expire_session(call.tx, call.id))


def _list_checkouts(call: Call) -> Body:
    return view.listing(
        call.tx, checkouts.KIND, "/v1/checkout/sessions", call.given,
        ref=call.given.get("payment_intent"),
    )  # fmt: skip


def _line_items(call: Call) -> Body:
    session = call.tx.get(checkouts.KIND, call.id)
    data = [
        {
            "id": f"li_{call.id[-16:]}{at}",
            "object": "item",
            "adjustable_quantity": None,
            "amount_discount": 0,
            "amount_subtotal": line["amount"],
            "amount_tax": 0,
            "amount_total": line["amount"],
            "currency": session["currency"],
            "description": line["name"],
            "metadata": {},
            "price": None,
            "quantity": line["quantity"],
        }
        for at, line in enumerate(session["_lines"])
    ]
    url = f"/v1/checkout/sessions/{call.id}/line_items"
    return {"object": "list", "data": data, "has_more": False, "url": url}


def _create_customer(call: Call) -> Body:
    return call.one(customers.create(call.tx, call.given))


def _list_methods(call: Call) -> Body:
    ref = call.given["customer"]
    return view.listing(call.tx, methods.KIND, "/v1/payment_methods", call.given, ref=ref)


def _detach(call: Call) -> Body:
    return call.one(methods.detach(call.tx, call.id))


def _charge(call: Call) -> Body:
    return call.one(off_session.charge(call.tx, call.given))


def _list_intents(call: Call) -> Body:
    ref = call.given.get("customer")
    return view.listing(call.tx, intents.KIND, "/v1/payment_intents", call.given, ref=ref)


def _capture(call: Call) -> Body:
    intent = intents.capture(call.tx, call.id, call.given)
    checkouts.mark_captured(call.tx, intent)
    return call.one(intent)


def _cancel(call: Call) -> Body:
    return call.one(intents.cancel(call.tx, call.id, call.given.get("cancellation_reason")))


def _refund(call: Call) -> Body:
    return call.one(refunds.create(call.tx, call.given))


def _list_refunds(call: Call) -> Body:
    ref = call.given.get("payment_intent")
    return view.listing(call.tx, refunds.KIND, "/v1/refunds", call.given, ref=ref)


def _upload(call: Call) -> Body:
    return call.one(files.create(call.tx, call.given))


def _answer_dispute(call: Call) -> Body:
    return call.one(disputes.answer(call.tx, call.id, call.given))


def _list_balance(call: Call) -> Body:
    return view.listing(
        call.tx, "balance_transaction", "/v1/balance_transactions", call.given,
        ref=call.given.get("source"), tell=lambda body: charges.told_balance(call.tx, body),
    )  # fmt: skip


def _balance(call: Call) -> Body:
    return call.one(charges.told_balance(call.tx, call.tx.get("balance_transaction", call.id)))


def _list_events(call: Call) -> Body:
    return view.listing(
        call.tx, "event", "/v1/events", call.given,
        ref=call.given.get("type"), tell=lambda body: events.with_pending(call.tx, body),
    )  # fmt: skip


def _event(call: Call) -> Body:
    return call.one(events.with_pending(call.tx, call.tx.get("event", call.id)))


def _get(kind: str) -> Callable[[Call], Body]:
    return lambda call: call.one(call.tx.get(kind, call.id))


SESSIONS = "/v1/checkout/sessions"
ROUTES = (
    Route("POST", SESSIONS, checkouts.CREATE, _start_checkout),
    Route("GET", SESSIONS, checkouts.LIST, _list_checkouts),
    Route("GET", SESSIONS + "/{id}", ONE, _get(checkouts.KIND)),
    Route("GET", SESSIONS + "/{id}/line_items", ONE, _line_items),
    Route("POST", SESSIONS + "/{id}/expire", ONE, _expire_checkout),
    Route("POST", "/v1/customers", customers.CREATE, _create_customer),
    Route("GET", "/v1/customers/{id}", ONE, _get(customers.KIND)),
    Route("GET", "/v1/setup_intents/{id}", ONE, _get(setups.KIND)),
    Route("GET", "/v1/payment_methods", methods.LIST, _list_methods),
    Route("GET", "/v1/payment_methods/{id}", ONE, _get(methods.KIND)),
    Route("POST", "/v1/payment_methods/{id}/detach", ONE, _detach),
    Route("POST", "/v1/payment_intents", off_session.CREATE, _charge),
    Route("GET", "/v1/payment_intents", off_session.LIST, _list_intents),
    Route("GET", "/v1/payment_intents/{id}", ONE, _get(intents.KIND)),
    Route("POST", "/v1/payment_intents/{id}/capture", intents.CAPTURE, _capture),
    Route("POST", "/v1/payment_intents/{id}/cancel", intents.CANCEL, _cancel),
    Route("GET", "/v1/charges/{id}", ONE, _get("charge")),
    Route("POST", "/v1/refunds", refunds.CREATE, _refund),
    Route("GET", "/v1/refunds", refunds.LIST, _list_refunds),
    Route("GET", "/v1/refunds/{id}", ONE, _get(refunds.KIND)),
    Route("GET", "/v1/disputes/{id}", ONE, _get(disputes.KIND)),
    Route("POST", "/v1/disputes/{id}", disputes.UPDATE, _answer_dispute),
    Route("POST", "/v1/files", files.CREATE, _upload),
    Route("GET", "/v1/balance_transactions", {**PAGING, "source": Field(text(255))}, _list_balance),
    Route("GET", "/v1/balance_transactions/{id}", ONE, _balance),
    Route("GET", "/v1/events", {**PAGING, "type": Field(text(200))}, _list_events),
    Route("GET", "/v1/events/{id}", ONE, _event),
)
_PATTERNS = [
    (route, re.compile(re.escape(route.path).replace(r"\{id\}", r"([A-Za-z0-9_]{1,255})")))
    for route in ROUTES
]


def find(method: str, path: str) -> tuple[Route, str]:
    """The route of an address and the id in it; ApiError when there is none."""
    for route, pattern in _PATTERNS:
        match = pattern.fullmatch(path)
        if match and route.method == method:
            return route, match[1] if match.groups() else ""
    raise ApiError(f"Unrecognized request URL ({method}: {path}).", status=404, code="url_invalid")


def run(tx: Tx, method: str, path: str, given: Body, base: str) -> Body:
    """Carry out one request inside the transaction."""
    route, object_id = find(method, path)
    return route.run(Call(tx, object_id, read(route.shape, given), base))
