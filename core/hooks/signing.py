"""Signatures as Standard Webhooks wants them: HMAC-SHA256 over id, time and body, ``v1,`` before it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
import secrets
from collections.abc import Sequence

MARK = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """A secret for somebody's program: 256 random bits in base64 behind ``whsec_``."""
    return MARK + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def sign(secret: str, message_id: str, timestamp: int, body: str) -> str:
    """One signature, ``v1,…``."""
    key = base64.b64decode(secret.removeprefix(MARK))
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def headers(keys: Sequence[str], message_id: str, timestamp: int, body: str) -> dict[str, str]:
    """The three headers; with two secrets, while one takes the other's place, there are two signatures."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(key, message_id, timestamp, body) for key in keys),
    }
