"""What becomes of a number, an address or a licence key: its states, and what may be done in which. Pure.

Free → reserved (by a hold) → assigned (to a line of an order) → quarantined (by a hold for nobody) → free.
"""

from core.kernel.errors import StaleState

KINDS = ("number", "address", "licence_key")
#: What such a thing is called, and several.
WORDS = {
    "number": ("number", "numbers"),
    "address": ("address", "addresses"),
    "licence_key": ("licence key", "licence keys"),
}
STATES = ("free", "reserved", "assigned", "quarantined", "withdrawn")
#: By act: from which state to which. ``let_go``: the hold that kept it is over.
TRANSITIONS = {
    "reserve": {"free": "reserved"},
    "let_go": {"reserved": "free", "quarantined": "free"},
    "assign": {"reserved": "assigned"},
    "quarantine": {"assigned": "quarantined"},
    "release": {"quarantined": "free"},
    "withdraw": {"free": "withdrawn", "assigned": "withdrawn"},
    "restore": {"withdrawn": "free"},
}


def after(state: str, act: str) -> str:
    """The state that an act leads to. Raises StaleState where it may not be done."""
    to = TRANSITIONS[act].get(state)
    if to is None:
        raise StaleState("number", act)
    return to


def plain(kind: str, value: str) -> str:
    """By what it is found and known again: of a number its letters and digits, of an address without regard
    to capitals, of a key as it is; all without spaces."""
    packed = "".join(value.split())
    if kind == "licence_key":
        return packed
    if kind == "address":
        return packed.casefold()
    return "".join(one for one in packed.casefold() if one.isalnum() or one == "+")


def is_secret(kind: str) -> bool:
    """Is it shown only to whoever has it, and only once it is given?"""
    return kind == "licence_key"


def shown(kind: str, value: str) -> str:
    """As staff and programs see it: of a licence key its last four characters."""
    return f"…{value[-4:]}" if is_secret(kind) else value
