"""The API's description in OpenAPI 3.1, put together from the shapes and one table of operations."""

from typing import Any

from flask import Blueprint, Response, current_app
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from pydantic_core import to_json

from api import (
    billing_operations,
    card_operations,
    chargeback_operations,
    content_operations,
    delivery_operations,
    dispute_operations,
    hook_operations,
    media_operations,
    number_operations,
    order_operations,
    past_due_operations,
    product_operations,
    quote_operations,
    service_operations,
    shapes,
    stock_operations,
    trial_operations,
)
from api.operation import Operation
from api.pace import limit
from api.shop_operations import SHOP
from web.access import Guard, Who, allow
from web.context import web_settings

description = Blueprint("api_openapi", __name__, url_prefix="/api/v1")

_KEPT = "counterfoil.openapi"
_PROBLEMS = {
    400: "The request cannot be read.",
    401: "The token is missing, or it opens nothing here.",
    403: "The token lacks the scope, or whoever it speaks for may not do this.",
    404: "There is no such thing, or it is not yours.",
    412: "It is not as you saw it: read it again.",
    409: "It has changed, is being paid for, or cannot be had; the code says which.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "Some fields cannot be taken; `errors` names each.",
    429: "Too often: `limit` says how often is right, `retry_after_seconds` when to come back.",
    503: "The payment processor does not answer. Ask again with the same Idempotency-Key.",
}
_WAITS = {429, 503}
_TOKENS = {
    "orderToken": "The `token` that checkout answered with.",
    "userToken": "A customer's own token, made in their account; it sees what they see.",
    "staffKey": "A key that staff made at the desk, within its scopes.",
}


OPERATIONS = (
    *SHOP,
    *content_operations.READERS,
    *service_operations.CUSTOMERS,
    *trial_operations.CUSTOMERS,
    *quote_operations.CUSTOMERS,
    *card_operations.CUSTOMERS,
    *dispute_operations.CUSTOMERS,
    *service_operations.DESK,
    *service_operations.PROVISIONING,
    *quote_operations.DESK,
    *dispute_operations.DESK,
    *chargeback_operations.DESK,
    *billing_operations.DESK,
    *card_operations.DESK,
    *hook_operations.DESK,
    *content_operations.DESK,
    *media_operations.DESK,
    *trial_operations.DESK,
    *past_due_operations.CUSTOMERS,
    *past_due_operations.DESK,
    *order_operations.DESK,
    *stock_operations.SHOP,
    *number_operations.SHOP,
    *stock_operations.DESK,
    *number_operations.DESK,
    *product_operations.DESK,
    *delivery_operations.DESK,
)


@description.get("/openapi.json")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("api")
def show() -> Response:
    """The description; put together once a process."""
    kept = current_app.extensions.get(_KEPT)
    if kept is None:
        kept = to_json(document(web_settings().base_url))
        current_app.extensions[_KEPT] = kept
    return Response(kept, mimetype="application/json", headers={"Cache-Control": "max-age=300"})


def document(base_url: str) -> dict[str, Any]:
    """The whole description as a dict."""
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Counterfoil",
            "version": "1",
            "summary": "Products, carts, checkout and orders of one shop; services, quotes and billing.",
            "description": "Money is an integer of the currency's minor unit. Prices are without "
            "tax; a cart's `due_now` has it once the place is known. Times are UTC.",
        },
        "servers": [{"url": f"{base_url}/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                name: {"type": "http", "scheme": "bearer", "description": text}
                for name, text in _TOKENS.items()
            },
        },
    }


def _operation(asked: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": asked.name,
        "summary": asked.summary,
        "parameters": [*_path_parameters(asked.path), *_query_parameters(asked.query)],
        "responses": _responses(asked),
    }
    if asked.has_key:
        found["parameters"].append(_KEY)
    if asked.may_have_key:
        found["parameters"].append(_FREE_KEY)
    if 412 in asked.problems:
        found["parameters"].append(_IF_MATCH)
    if asked.takes is not None:
        found["requestBody"] = {
            "required": not asked.takes_nothing_too,
            "content": {"application/json": {"schema": _ref(asked.takes)}},
        }
    if asked.takes_form is not None:
        content = {"multipart/form-data": {"schema": _ref(asked.takes_form)}}
        found["requestBody"] = {"required": True, "content": content}
    if asked.token:
        found["security"] = [{asked.token: []}]
    if asked.scope:
        found["description"] = f"The token needs the scope `{asked.scope}`."
    return found


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Your name for this order: sent again with the same body it answers the same "
    "order. Kept for seven days once an order was placed.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
_FREE_KEY = {
    **_KEY,
    "required": False,
    "description": "Your name for this call: sent again with the same body it is done once and answers the "
    "same. Without one it is done each time. Kept for seven days.",
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of the cart as you saw it: 412 `cart_changed` when it was changed since.",
    "schema": {"type": "string", "examples": ['"v7"']},
}
_ID = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
#: Of what stands in an address and is no id.
_FORMS = {
    "slug": {"type": "string", "pattern": "^[A-Za-z0-9._~-]{1,120}$"},
    "place": {"type": "string", "enum": ["header", "footer"]},
    "account_number": {"type": "string", "pattern": "^[0-9]{9}$"},
    "sku": {"type": "string", "pattern": "^[A-Za-z0-9._~-]{1,120}$"},
    "code": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{1,39}$"},
    "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
    "feature": {"type": "string", "pattern": "^[a-z0-9_-]{1,40}$"},
}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _FORMS.get(name, _ID),
        }
        for name in names
    ]


def _query_parameters(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    found = []
    for name, schema in model.model_json_schema()["properties"].items():
        # A parameter is left out, not null.
        given = next((one for one in schema.get("anyOf", []) if one != {"type": "null"}), schema)
        rules = {key: value for key, value in given.items() if key not in ("title", "description")}
        found.append(
            {"name": name, "in": "query", "description": schema["description"], "schema": rules}
        )
    return found


def _responses(asked: Operation) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": asked.summary}
    if asked.answers is not None:
        answer["content"] = {"application/json": {"schema": _ref(asked.answers)}}
    told = [("Location", asked.gives_location), ("ETag", asked.has_version)]
    if headers := {name: {"schema": {"type": "string"}} for name, given in told if given}:
        answer["headers"] = headers
    responses = {str(asked.status): answer}
    responses |= {str(status): {"description": text} for status, text in asked.also.items()}
    return responses | {str(status): _problem(status) for status in sorted({400, *asked.problems})}


def _problem(status: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": _PROBLEMS[status],
        "content": {"application/problem+json": {"schema": _ref(shapes.Problem)}},
    }
    if status in _WAITS:
        found["headers"] = {"Retry-After": {"schema": {"type": "string"}}}
    return found


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _schemas() -> dict[str, Any]:
    taken = {one.takes for one in OPERATIONS if one.takes is not None}
    taken |= {one.takes_form for one in OPERATIONS if one.takes_form is not None}
    given = {one.answers for one in OPERATIONS if one.answers is not None} | {shapes.Problem}
    by_name = sorted(taken | given, key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "validation") for model in by_name],
        ref_template="#/components/schemas/{model}",
    )
    found: dict[str, Any] = schemas["$defs"]
    return found
