"""Cursors: where a page begins, in a form that tells nothing and that only we can write.

The place is masked with a stream of its own authenticating code (a synthetic initialisation vector),
so that the key of a product never leaves the house.
"""

import hashlib
import hmac
import struct
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, date, datetime, timedelta

from api.problems import InvalidRequest, field_error

#: A shelf's position and a product's key.
Place = tuple[int, uuid.UUID]
_LAYOUT = struct.Struct(">q16s")
_CODE_BYTES = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


def write(secret: str, place: Place) -> str:
    """The cursor of a place."""
    plain = _LAYOUT.pack(place[0], place[1].bytes)
    code = _mac(secret, b"code", plain)[:_CODE_BYTES]
    return urlsafe_b64encode(code + _masked(secret, code, plain)).decode()


def read(secret: str, cursor: str) -> Place:
    """The place that ``write`` wrote. Raises InvalidRequest for anything else."""
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii"))
    except ValueError:
        raise _bad() from None
    code, masked = raw[:_CODE_BYTES], raw[_CODE_BYTES:]
    if len(masked) != _LAYOUT.size:
        raise _bad()
    plain = _masked(secret, code, masked)
    if not hmac.compare_digest(code, _mac(secret, b"code", plain)[:_CODE_BYTES]):
        raise _bad()
    position, key = _LAYOUT.unpack(plain)
    return position, uuid.UUID(bytes=key)


def write_moment(secret: str, at: datetime, key: uuid.UUID) -> str:
    """The cursor of a place in a list by time, exact to the microsecond."""
    return write(secret, ((at - _EPOCH) // _MICRO, key))


def read_moment(secret: str, cursor: str | None) -> tuple[datetime, uuid.UUID] | None:
    """What ``write_moment`` wrote; None without one. Raises InvalidRequest for anything else."""
    if cursor is None:
        return None
    position, key = read(secret, cursor)
    return _EPOCH + position * _MICRO, key


def write_day(secret: str, day: date, key: uuid.UUID) -> str:
    """The cursor of a place in a list by date."""
    return write(secret, (day.toordinal(), key))


def read_day(secret: str, cursor: str | None) -> tuple[date, uuid.UUID] | None:
    """What ``write_day`` wrote; None without one. Raises InvalidRequest for anything else."""
    if cursor is None:
        return None
    position, key = read(secret, cursor)
    if not 1 <= position <= date.max.toordinal():
        raise _bad()
    return date.fromordinal(position), key


def _mac(secret: str, purpose: bytes, data: bytes) -> bytes:
    return hmac.new(secret.encode(), b"cursor:" + purpose + b":" + data, hashlib.sha256).digest()


def _masked(secret: str, code: bytes, data: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(data, _mac(secret, b"mask", code), strict=False))


def _bad() -> InvalidRequest:
    told = field_error("cursor", "bad_cursor", "This is not a cursor that we gave.")
    return InvalidRequest([told])
