"""Codes of gift cards: how they are made, read as typed, printed and kept. Pure."""

import hashlib
import hmac

#: Without letters that are taken for one another: 32 signs, so 16 of them are 80 bits.
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 16
_MEANT = str.maketrans("OIL", "011", " -\t\n\r ")


def code_of(secret: str, public_id: str) -> str:
    """A card's code: 80 bits drawn from its random public id under the shop's secret.

    So it stands in the database nowhere, and the page that prints the card can still be shown.
    """
    mac = hmac.new(secret.encode(), f"gift-card:{public_id}".encode(), hashlib.sha256).digest()
    bits = int.from_bytes(mac[:10])
    return "".join(SIGNS[(bits >> (5 * at)) & 31] for at in range(CODE_LENGTH))


def normal(code: str) -> str:
    """A code as it was typed, without blanks and dashes and with the signs that were meant."""
    return code.strip().upper().translate(_MEANT)


def spaced(code: str) -> str:
    """A code in groups of four, as it is printed."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def hash_of(code: str) -> str:
    """What is stored of a code: plain SHA-256 is enough for 80 random bits."""
    return hashlib.sha256(normal(code).encode()).hexdigest()
