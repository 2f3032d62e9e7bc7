"""Keys and public ids.

Keys are UUIDv7 (ordered in time, good for indexes); they never leave the house, because neighbours
differ in a few digits only. What a stranger may hold is 128 random bits.
"""

import hashlib
import hmac
import secrets
import uuid

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """A key for a new row."""
    return uuid7()


def new_public_id() -> str:
    """128 random bits as 32 hexadecimal digits: an id that may be shown."""
    return secrets.token_hex(16)


def new_token() -> str:
    """256 random bits, safe in addresses: a secret whose hash is stored."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a random token. Plain SHA-256 is enough for 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def derived_token(secret: str, purpose: str, subject: str) -> str:
    """The token of ``subject`` for one purpose, derived from the shop's secret, so nothing is stored."""
    mac = hmac.new(secret.encode(), f"{purpose}:{subject}".encode(), hashlib.sha256)
    return mac.hexdigest()[:32]


def same_token(one: str, other: str) -> bool:
    """Compare two tokens in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
