"""Reading requests: bodies and queries into shapes, ids and keys; what is wrong is told by field."""

import re
from typing import TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from api.problems import (
    Incomplete,
    InvalidRequest,
    KeyMissing,
    KeyTooShort,
    MalformedJson,
    WrongContentType,
    field_error,
)
from cart.checkout import CheckoutIncomplete
from core.kernel.errors import Invalid, NotFound

Model = TypeVar("Model", bound=BaseModel)
_PUBLIC_ID = re.compile(r"[0-9a-f]{32}")
_SLUG = re.compile(r"[A-Za-z0-9._~-]{1,120}")
_FEATURE = re.compile(r"[a-z0-9_-]{1,40}")
_NUMBER = re.compile(r"[0-9]{9}")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
#: The library's codes in ours; all others are ``invalid``.
_CODES = {
    "extra_forbidden": ("unknown_field", "There is no such field here."),
    "missing": ("missing", "This field is missing."),
    "int_type": ("not_an_integer", "This is a whole number."),
    "int_parsing": ("not_an_integer", "This is a whole number."),
    "string_type": ("not_a_text", "This is a text."),
    "greater_than_equal": ("out_of_range", None),
    "less_than_equal": ("out_of_range", None),
    "string_too_short": ("too_short", None),
    "string_too_long": ("too_long", None),
    "string_pattern_mismatch": ("bad_characters", "There are characters here that cannot be used."),
    "literal_error": ("not_a_choice", None),
    "model_type": ("not_an_object", "This is an object with fields."),
}


def body(model: type[Model], *, optional: bool = False) -> Model:
    """The JSON body. ``optional``: none at all counts as an empty object.

    Raises MalformedJson, WrongContentType, or InvalidRequest with each field.
    """
    raw = request.get_data()
    if not raw and optional:
        raw = b"{}"
    elif not raw:
        raise MalformedJson("it is empty")
    elif not request.is_json:
        raise WrongContentType
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            raise MalformedJson(str(first["ctx"]["error"])) from None
        raise _invalid(error) from None


def form(model: type[Model]) -> Model:
    """The fields and files of a form. Raises WrongContentType, or InvalidRequest with each field."""
    if request.mimetype != "multipart/form-data":
        raise WrongContentType("multipart/form-data")
    names = [*request.form, *request.files]
    values: dict[str, str | bytes] = dict(request.form.items())
    values |= {name: sent.read() for name, sent in request.files.items()}
    twice = {name for name in names if len(request.form.getlist(name)) > 1}
    twice |= {name for name in names if len(request.files.getlist(name)) > 1}
    twice |= set(request.form) & set(request.files)
    if twice:
        told = [field_error(name, "given_twice", "Give it once.") for name in sorted(twice)]
        raise InvalidRequest(told)
    if "file" in values and "file" not in request.files:
        raise InvalidRequest([field_error("file", "not_a_file", "Send this field as a file.")])
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _invalid(error) from None


def query(model: type[Model]) -> Model:
    """The query of the address. Raises InvalidRequest with each field."""
    values = request.args.to_dict()
    twice = [name for name in values if len(request.args.getlist(name)) > 1]
    if twice:
        raise InvalidRequest([field_error(name, "given_twice", "Give it once.") for name in twice])
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _invalid(error) from None


def public_id(text: str, what: str) -> str:
    """An id from the address. NotFound for what cannot be one."""
    if not _PUBLIC_ID.fullmatch(text):
        raise NotFound(what)
    return text


def slug(text: str) -> str:
    """A product's slug from the address. NotFound for what cannot be one."""
    if not _SLUG.fullmatch(text):
        raise NotFound("product")
    return text


def feature(text: str) -> str:
    """A feature's code from the address. NotFound for what cannot be one."""
    if not _FEATURE.fullmatch(text):
        raise NotFound("feature")
    return text


def account_number(text: str) -> str:
    """An account's number from the address. NotFound for what cannot be one."""
    if not _NUMBER.fullmatch(text):
        raise NotFound("account")
    return text


def idempotency_key() -> str:
    """The key under which this request is done once. Raises KeyMissing."""
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        raise KeyMissing
    return key


def idempotency_key_if_sent(shortest: int = 1) -> str | None:
    """The same where a call may come without one. Raises KeyMissing, and KeyTooShort for one that others
    might think of too."""
    if "Idempotency-Key" not in request.headers:
        return None
    key = idempotency_key()
    if len(key) < shortest:
        raise KeyTooShort(shortest)
    return key


def if_match() -> tuple[str, ...] | None:
    """The strong ETags of ``If-Match``, as they were sent; None when anything will do."""
    text = request.headers.get("If-Match", "").strip()
    if not text or text == "*":
        return None
    # A weak tag matches nothing here: it promises too little.
    return tuple(one for one in (part.strip() for part in text.split(",")) if one[:1] == '"')


def bearer() -> str:
    """The token that came along; empty when none did."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def refused(error: Invalid) -> InvalidRequest:
    """What a flow said of its fields, as the API says it."""
    told = [field_error(name, "invalid", text) for name, text in error.fields_.items()]
    return InvalidRequest(told)


#: Where checkout's requirements stand in our body.
_FIELDS = {"payment_method": "payment.method"}


def incomplete(error: CheckoutIncomplete) -> Incomplete:
    """What checkout still needs, as the API says it."""
    return Incomplete(
        [
            field_error(_FIELDS.get(item.field, item.field), item.code, item.text)
            for item in error.requirements
        ]
    )


def _invalid(error: ValidationError) -> InvalidRequest:
    found = error.errors(include_url=False, include_input=False)
    return InvalidRequest([_told(item) for item in found])


def _told(item: ErrorDetails) -> dict[str, str]:
    code, words = _CODES.get(item["type"], ("invalid", None))
    return field_error(".".join(map(str, item["loc"])), code, words or f"{item['msg']}.")
