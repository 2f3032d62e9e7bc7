"""What a program did wrong in speaking to us, beside what flows and rooms refuse.

``app.errors`` gives each its status and writes it as problem+json.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from flask import Response, g, request

from core.kernel.errors import ShopError

#: When to ask again after the payment processor did not answer.
_SECONDS = 5


@dataclass(eq=False)
class MalformedJson(ShopError):
    """The body is no JSON."""

    code: ClassVar[str] = "malformed_json"
    text: ClassVar[str] = "The body is not JSON: {why}."
    why: str


@dataclass(eq=False)
class WrongContentType(ShopError):
    """The body is of another kind than the one that is read here."""

    code: ClassVar[str] = "wrong_content_type"
    text: ClassVar[str] = "Send the body as {expected}."
    expected: str = "application/json"


@dataclass(eq=False)
class InvalidRequest(ShopError):
    """Fields that cannot be taken: ``[{field, code, message}]``."""

    code: ClassVar[str] = "invalid_request"
    text: ClassVar[str] = "Some of what was sent cannot be taken; “errors” names each field."
    errors: list[dict[str, str]]

    def facts(self) -> dict[str, Any]:
        return {"errors": self.errors}


class Incomplete(InvalidRequest):
    """What checkout still needs, by field."""

    code: ClassVar[str] = "checkout_incomplete"
    text: ClassVar[str] = "Something is missing before this can be ordered; “errors” names it."


class ReturnUrlNotAllowed(InvalidRequest):
    """The payer would come back to a place that the shop does not know."""

    code: ClassVar[str] = "return_url_not_allowed"
    text: ClassVar[str] = "The shop does not let payers return to this address."


@dataclass(eq=False)
class KeyMissing(ShopError):
    """A checkout without an Idempotency-Key could be done twice."""

    code: ClassVar[str] = "idempotency_key_missing"
    text: ClassVar[str] = "Send a header Idempotency-Key of 1 to 255 visible characters."


@dataclass(eq=False)
class KeyTooShort(ShopError):
    """Where no token tells callers apart, two of them might choose the same short key."""

    code: ClassVar[str] = "idempotency_key_too_short"
    text: ClassVar[str] = (
        "Choose an Idempotency-Key of {shortest} characters or more: a UUID will do."
    )
    shortest: int


@dataclass(eq=False)
class CartChanged(ShopError):
    """It is not as the caller saw it."""

    code: ClassVar[str] = "cart_changed"
    text: ClassVar[str] = "This cart was changed since you read it. Read it again."
    version: int


@dataclass(eq=False)
class TokenMissing(ShopError):
    """No token, or not this order's."""

    code: ClassVar[str] = "token_required"
    text: ClassVar[str] = "Send the order's own token: Authorization: Bearer TOKEN."


@dataclass(eq=False)
class BadToken(ShopError):
    """No token, one that works no more, or one of the other side."""

    code: ClassVar[str] = "bad_token"
    text: ClassVar[str] = "Send a token that works here: Authorization: Bearer TOKEN."


@dataclass(eq=False)
class ScopeMissing(ShopError):
    """The token works and may not do this."""

    code: ClassVar[str] = "scope_missing"
    text: ClassVar[str] = "This token lacks the scope {scope}."
    scope: str


@dataclass(eq=False)
class TooManyRequests(ShopError):
    """The limit, and in how many seconds the next request may come."""

    code: ClassVar[str] = "too_many_requests"
    text: ClassVar[str] = "At most {limit} here. Try again in {retry_after_seconds} seconds."
    limit: str
    retry_after_seconds: int


def field_error(field: str, code: str, message: str) -> dict[str, str]:
    """One entry of ``errors``."""
    return {"field": field, "code": code, "message": message}


def add_headers(response: Response) -> Response:
    """What HTTP asks for beside some statuses; ``g.retry_after`` is in seconds."""
    if response.status_code == 401:
        realm = "order" if request.blueprint == "api_orders" else "shop"
        response.headers["WWW-Authenticate"] = f'Bearer realm="{realm}"'
    elif response.status_code == 503:
        response.headers["Retry-After"] = str(_SECONDS)
    elif "retry_after" in g:
        response.headers["Retry-After"] = str(g.retry_after)
    return response
