"""Pay codes: what stands beside the account number on a bill, so that whoever has it may pay. Pure.

Ten signs of fifty bits, derived from the shop's secret, the account's public id and how often its code was
made anew: stored nowhere, the same on each bill until there is a new one. Letters that are taken for one
another are not among them.
"""

import hashlib
import hmac

_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 10
_MEANT = str.maketrans("OIL", "011", " -\t\n\r ")


def subject(public_id: str, series: int) -> str:
    """What a code or a link is derived from: another one in each series."""
    return f"{public_id}:{series}" if series else public_id


def code_of(secret: str, public_id: str, series: int = 0) -> str:
    """The code of an account, in two groups of five."""
    told = f"pay-code:{subject(public_id, series)}"
    mac = hmac.new(secret.encode(), told.encode(), hashlib.sha256).digest()
    bits = int.from_bytes(mac[:8])
    signs = "".join(_SIGNS[(bits >> (5 * at)) & 31] for at in range(_LENGTH))
    return f"{signs[:5]}-{signs[5:]}"


def normal(code: str) -> str:
    """A code as it was typed, without blanks and dashes and with the signs that were meant."""
    return code.strip().upper().translate(_MEANT)
