"""Reading what a caller sends: bracketed form fields into a tree, the tree against a shape.

``line_items[0][price_data][currency]=usd`` becomes nested dictionaries. A shape names every field
that is understood; anything else is refused, as Stripe refuses it, so that a misspelt parameter is
never silently ignored.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

from payments.sandbox.errors import ApiError

Reader = Callable[[Any, str], Any]


@dataclass(frozen=True)
class Field:
    """How one parameter is read, and whether it must be there."""

    read: Reader
    required: bool = False


Shape = Mapping[str, Field]


def tree(encoded: str) -> dict[str, Any]:
    """Decode ``application/x-www-form-urlencoded`` with brackets. Lists stay keyed by position."""
    result: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True, strict_parsing=False):
        head, *rest = name.replace("]", "").split("[")
        here: dict[str, Any] = result
        path = [head, *rest]
        for position, part in enumerate(path[:-1]):
            key = part or str(len(here))
            below = here.setdefault(key, {})
            if not isinstance(below, dict):
                raise ApiError(f"Invalid {'.'.join(path[: position + 1])}: both value and object")
            here = below
        here[path[-1] or str(len(here))] = value
    return result


@dataclass(frozen=True)
class Upload:
    """A file that was sent along with a form."""

    name: str
    data: bytes


def parts(body: bytes, content_type: str) -> dict[str, Any]:
    """Decode ``multipart/form-data``: texts, and files as ``Upload``."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    result: dict[str, Any] = {}
    for part in message.iter_parts():
        data = part.get_payload(decode=True)
        name, file_name = part.get_param("name", header="content-disposition"), part.get_filename()
        if not isinstance(name, str) or not isinstance(data, bytes):
            raise ApiError("Invalid multipart body.")
        result[name] = (
            data.decode("utf-8", "replace") if file_name is None else Upload(file_name, data)
        )
    return result


def read(shape: Shape, given: Any, path: str = "") -> dict[str, Any]:
    """Check ``given`` against ``shape``; absent fields are left out of the answer."""
    if not isinstance(given, dict):
        raise ApiError(f"Invalid object: {path}", param=path)
    for name in given:
        if name not in shape:
            full = _join(path, name)
            raise ApiError(
                f"Received unknown parameter: {full}", code="parameter_unknown", param=full
            )
    result = {}
    for name, field in shape.items():
        full = _join(path, name)
        if name in given:
            result[name] = field.read(given[name], full)
        elif field.required:
            raise ApiError(f"Missing required param: {full}.", code="parameter_missing", param=full)
    return result


def text(longest: int = 5000) -> Reader:
    def reader(value: Any, path: str) -> str:
        if not isinstance(value, str):
            raise ApiError(f"Invalid string: {path}", param=path)
        if not value:
            raise ApiError(
                f"You passed an empty string for '{path}'.",
                code="parameter_invalid_empty",
                param=path,
            )
        if len(value) > longest:
            raise ApiError(
                f"Invalid string: {path} must be at most {longest} characters", param=path
            )
        return value

    return reader


def integer(low: int | None = None, high: int | None = None) -> Reader:
    def reader(value: Any, path: str) -> int:
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise ApiError(
                f"Invalid integer: {value}", code="parameter_invalid_integer", param=path
            ) from None
        if low is not None and number < low:
            raise ApiError(
                f"Invalid {path}: must be at least {low}",
                code="parameter_invalid_integer",
                param=path,
            )
        if high is not None and number > high:
            raise ApiError(
                f"Invalid {path}: must be at most {high}",
                code="parameter_invalid_integer",
                param=path,
            )
        return number

    return reader


def choice(*allowed: str) -> Reader:
    def reader(value: Any, path: str) -> str:
        if value not in allowed:
            raise ApiError(f"Invalid {path}: must be one of {', '.join(allowed)}", param=path)
        return str(value)

    return reader


def web_address(value: Any, path: str) -> str:
    address = str(text()(value, path))
    if not address.startswith(("http://", "https://")):
        raise ApiError(
            "Not a valid URL: an explicit scheme (such as https) must be provided.",
            code="url_invalid",
            param=path,
        )
    return address


def email(value: Any, path: str) -> str:
    address = str(text(800)(value, path))
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", address):
        raise ApiError(f"Invalid email address: {address}", code="email_invalid", param=path)
    return address


def metadata(value: Any, path: str) -> dict[str, str]:
    if not isinstance(value, dict) or any(not isinstance(item, str) for item in value.values()):
        raise ApiError(f"Invalid object: {path}", param=path)
    if len(value) > 50:
        raise ApiError("Metadata can have up to 50 keys.", param=path)
    for key, item in value.items():
        if len(key) > 40 or len(item) > 500:
            raise ApiError(
                "Metadata keys have up to 40 characters, values up to 500.",
                param=f"{path}[{key}]",
            )
    return {key: item for key, item in value.items() if item}


def nested(shape: Shape) -> Reader:
    return lambda value, path: read(shape, value, path)


def items(each: Reader, most: int = 100) -> Reader:
    def reader(value: Any, path: str) -> list[Any]:
        if not isinstance(value, dict) or not all(key.isdigit() for key in value):
            raise ApiError(f"Invalid array: {path}", param=path)
        if len(value) > most:
            raise ApiError(f"{path}: at most {most} items", param=path)
        ordered = sorted(value.items(), key=lambda pair: int(pair[0]))
        return [each(item, f"{path}[{key}]") for key, item in ordered]

    return reader


def interval(value: Any, path: str) -> dict[str, int]:
    """``created=5`` or ``created[gte]=5&created[lt]=9``."""
    if not isinstance(value, dict):
        exactly = integer()(value, path)
        return {"gte": exactly, "lte": exactly}
    each = Field(integer())
    return read({"gt": each, "gte": each, "lt": each, "lte": each}, value, path)


def _join(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


EXPAND = Field(items(text(200), most=20))
PAGING: Shape = {
    "limit": Field(integer(1, 100)),
    "starting_after": Field(text(255)),
    "ending_before": Field(text(255)),
    "created": Field(interval),
    "expand": EXPAND,
}
