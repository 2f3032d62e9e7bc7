"""Holds requests and answers against the types that the pinned SDK was generated with.

Stripe's own specification is behind them, so they are the judge of what the sandbox says and of
what we send. The SDK opens every enumeration with ``| str`` for the future; that door is closed
here, so a value that Stripe does not know is found.
"""

import json
import re
import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin
from urllib.parse import parse_qsl, urlsplit

import stripe
from stripe import params
from stripe._stripe_object import UntypedStripeObject
from stripe.checkout import Session
from stripe.params import checkout as checkout_params
from typing_extensions import is_typeddict

OBJECTS: dict[str, type[Any]] = {
    "checkout.session": Session,
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "dispute": stripe.Dispute,
    "file": stripe.File,
    "balance_transaction": stripe.BalanceTransaction,
    "event": stripe.Event,
    "customer": stripe.Customer,
    "setup_intent": stripe.SetupIntent,
    "payment_method": stripe.PaymentMethod,
    "item": stripe.LineItem,
}
_EXPANDED = {
    "PaymentIntent": stripe.PaymentIntent,
    "Charge": stripe.Charge,
    "Refund": stripe.Refund,
    "BalanceTransaction": stripe.BalanceTransaction,
    "LineItem": stripe.LineItem,
    "Customer": stripe.Customer,
    "SetupIntent": stripe.SetupIntent,
    "PaymentMethod": stripe.PaymentMethod,
}
_ONE = r"[A-Za-z0-9_]+"
REQUESTS: list[tuple[str, str, Any]] = [
    ("post", "/v1/checkout/sessions", checkout_params.SessionCreateParams),
    ("get", "/v1/checkout/sessions", checkout_params.SessionListParams),
    ("get", f"/v1/checkout/sessions/{_ONE}", checkout_params.SessionRetrieveParams),
    ("get", f"/v1/checkout/sessions/{_ONE}/line_items", checkout_params.SessionLineItemListParams),
    ("post", f"/v1/checkout/sessions/{_ONE}/expire", checkout_params.SessionExpireParams),
    ("post", "/v1/customers", params.CustomerCreateParams),
    ("get", f"/v1/customers/{_ONE}", params.CustomerRetrieveParams),
    ("get", f"/v1/setup_intents/{_ONE}", params.SetupIntentRetrieveParams),
    ("get", "/v1/payment_methods", params.PaymentMethodListParams),
    ("get", f"/v1/payment_methods/{_ONE}", params.PaymentMethodRetrieveParams),
    ("post", f"/v1/payment_methods/{_ONE}/detach", params.PaymentMethodDetachParams),
    ("post", "/v1/payment_intents", params.PaymentIntentCreateParams),
    ("get", "/v1/payment_intents", params.PaymentIntentListParams),
    ("get", f"/v1/payment_intents/{_ONE}", params.PaymentIntentRetrieveParams),
    ("post", f"/v1/payment_intents/{_ONE}/capture", params.PaymentIntentCaptureParams),
    ("post", f"/v1/payment_intents/{_ONE}/cancel", params.PaymentIntentCancelParams),
    ("get", f"/v1/charges/{_ONE}", params.ChargeRetrieveParams),
    ("post", "/v1/refunds", params.RefundCreateParams),
    ("get", "/v1/refunds", params.RefundListParams),
    ("get", f"/v1/refunds/{_ONE}", params.RefundRetrieveParams),
    ("get", f"/v1/disputes/{_ONE}", params.DisputeRetrieveParams),
    ("post", f"/v1/disputes/{_ONE}", params.DisputeUpdateParams),
    ("post", "/v1/files", params.FileCreateParams),
    ("get", "/v1/balance_transactions", params.BalanceTransactionListParams),
    ("get", f"/v1/balance_transactions/{_ONE}", params.BalanceTransactionRetrieveParams),
    ("get", "/v1/events", params.EventListParams),
    ("get", f"/v1/events/{_ONE}", params.EventRetrieveParams),
]
_OPTIONS = set(stripe.RequestOptions.__annotations__)


# --- requests --------------------------------------------------------------------------------


def params_of(method: str, path: str) -> Any:
    """The SDK's type of the parameters of one address."""
    found = [
        shape
        for verb, pattern, shape in REQUESTS
        if verb == method.lower() and re.fullmatch(pattern, path)
    ]
    assert len(found) == 1, f"no type is known for {method} {path}"
    return found[0]


def request_problems(method: str, url: str, body: str | bytes | None) -> list[str]:
    """What the SDK's types say against a request as it went over the wire."""
    address = urlsplit(url)
    shape = params_of(method, address.path)
    if isinstance(body, bytes):
        return _sent(_parts(body), shape, address.path)
    encoded = address.query if method.lower() == "get" else (body or "")
    return _sent(_tree(encoded), shape, address.path)


def _parts(body: bytes) -> dict[str, str]:
    """The fields of a form with files; of a file its first signs stand for it."""
    boundary = body.split(b"\r\n", 1)[0]
    fields = {}
    for part in body.split(boundary)[1:-1]:
        head, _, value = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        assert name is not None
        fields[name[1].decode()] = value[:80].decode("latin-1").rstrip()
    return fields


def _tree(encoded: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        parts = re.findall(r"[^\[\]]+", name)
        here = result
        for part in parts[:-1]:
            here = here.setdefault(part, {})
        here[parts[-1]] = value
    return result


def _sent(value: Any, wanted: Any, where: str) -> list[str]:
    origin = get_origin(wanted)
    if origin in (NotRequired, Required):
        return _sent(value, get_args(wanted)[0], where)
    if is_typeddict(wanted):
        return _sent_fields(value, wanted, where)
    if origin in (Union, types.UnionType):
        arms = _closed(get_args(wanted))
        tried = [_sent(value, arm, where) for arm in arms]
        return [] if [] in tried else min(tried, key=len)
    if origin is Literal:
        ok = value in get_args(wanted)
    elif origin is list:
        if not isinstance(value, dict) or [*value] != [str(at) for at in range(len(value))]:
            return [f"{where}: {value!r} is no list"]
        each = get_args(wanted)[0]
        return [p for key, item in value.items() for p in _sent(item, each, f"{where}[{key}]")]
    elif origin in (dict, UntypedStripeObject) or wanted is dict:
        ok = isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    elif wanted is int:
        ok = isinstance(value, str) and re.fullmatch(r"-?\d+", value) is not None
    elif wanted is bool:
        ok = value in ("true", "false")
    elif wanted in (str, Decimal, Any):
        ok = isinstance(value, str)
    else:
        return [f"{where}: the type {wanted} is not understood"]
    return [] if ok else [f"{where}: {value!r} is not {wanted}"]


def _sent_fields(value: Any, wanted: Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no object"]
    hints = parameters_of(wanted)
    found = []
    for name, item in value.items():
        if name not in hints:
            found.append(f"{where}: there is no parameter {name}")
        else:
            found += _sent(item, hints[name], f"{where}.{name}")
    return found + [
        f"{where}: {name} is missing" for name in wanted.__required_keys__ if name not in value
    ]


@cache
def parameters_of(wanted: Any) -> dict[str, Any]:
    """The type of each parameter; the SDK's own request options are none."""
    names = {"Mapping": Mapping, "StripeContext": object}
    hints = typing.get_type_hints(wanted, localns=names, include_extras=True)
    return {name: hint for name, hint in hints.items() if name not in _OPTIONS}


# --- answers ---------------------------------------------------------------------------------


def answer_problems(body: Any) -> list[str]:
    """What the SDK's types say against an answer or an event."""
    if not isinstance(body, dict):
        return [f"{body!r} is no object"]
    if "error" in body:
        return _error(body["error"])
    if body.get("object") == "list":
        listed = _fields(body, stripe.ListObject, "list", {"object"})
        return listed + [p for item in body["data"] for p in answer_problems(item)]
    kind = body.get("object")
    if kind not in OBJECTS:
        return [f"the object {kind!r} is not known here"]
    found = _fields(body, OBJECTS[kind], kind, set())
    if kind == "event":
        found += answer_problems(body["data"]["object"])
    return found


def _error(body: Any) -> list[str]:
    last = stripe.PaymentIntent.LastPaymentError.__annotations__
    found = _fields(body, stripe.ErrorObject, "error", set())
    for name in ("type", "code"):
        if name in body:
            found += _told(body[name], last[name], f"error.{name}")
    return found


def _fields(body: Any, wanted: type[Any], where: str, also: set[str]) -> list[str]:
    if not isinstance(body, dict):
        return [f"{where}: {body!r} is no object"]
    hints = {
        name: hint for name, hint in wanted.__annotations__.items() if name != "OBJECT_NAME"
    } | dict.fromkeys(also, str)
    found = []
    for name, value in body.items():
        if name in hints:
            found += _told(value, hints[name], f"{where}.{name}")
        else:
            found.append(f"{where}: there is no field {name}")
    for name, hint in hints.items():
        if name not in body and not _may_be_absent(hint):
            found.append(f"{where}: {name} is missing")
    return found


def _may_be_absent(hint: Any) -> bool:
    """The SDK writes Optional both for what may be null and for what may be left out."""
    return get_origin(hint) is Union and type(None) in get_args(hint)


def _told(value: Any, wanted: Any, where: str) -> list[str]:
    origin = get_origin(wanted)
    if origin is Union:
        arms = _closed(get_args(wanted))
        if value is None and type(None) in arms:
            return []
        tried = [_told(value, arm, where) for arm in arms if arm is not type(None)]
        return [] if [] in tried else min(tried, key=len)
    if isinstance(wanted, typing.ForwardRef):
        known = _EXPANDED.get(wanted.__forward_arg__)
        if known is None or not isinstance(value, dict):
            return [f"{where}: {value!r} is no {wanted.__forward_arg__}"]
        return _fields(value, known, where, set())
    if origin is list:
        if not isinstance(value, list):
            return [f"{where}: {value!r} is no list"]
        each = get_args(wanted)[0]
        if isinstance(each, typing.TypeVar):
            return []
        return [p for at, item in enumerate(value) for p in _told(item, each, f"{where}[{at}]")]
    if isinstance(wanted, type) and issubclass(wanted, stripe.StripeObject):
        return _fields(value, wanted, where, set())
    ok = _plain(value, wanted)
    return [] if ok else [f"{where}: {value!r} is not {wanted}"]


def _plain(value: Any, wanted: Any) -> bool:
    if get_origin(wanted) is Literal:
        return value in get_args(wanted)
    if get_origin(wanted) is UntypedStripeObject:
        inner = get_args(wanted)[0]
        return isinstance(value, dict) and all(
            inner is Any or isinstance(item, inner) for item in value.values()
        )
    if wanted is bool:
        return isinstance(value, bool)
    if wanted in (int, float):
        return isinstance(value, int) and not isinstance(value, bool)
    assert wanted is str, f"the type {wanted} is not understood"
    return isinstance(value, str)


def _closed(arms: tuple[Any, ...]) -> list[Any]:
    """Without the ``str`` that the SDK adds to every enumeration."""
    if any(get_origin(arm) is Literal for arm in arms):
        return [arm for arm in arms if arm is not str]
    return list(arms)


# --- whole exchanges -------------------------------------------------------------------------


def exchange_problems(
    method: str, url: str, body: str | bytes | None, status: int, answer: bytes
) -> list[str]:
    """A request with its answer. An answer that is no JSON was bent by a fault on purpose."""
    try:
        told = json.loads(answer)
    except ValueError:
        told = None
    refused = status in (400, 404) and isinstance(told, dict)
    if refused and told["error"].get("code") == "parameter_unknown":
        return [told["error"]["message"]]
    return request_problems(method, url, body) + ([] if told is None else answer_problems(told))
