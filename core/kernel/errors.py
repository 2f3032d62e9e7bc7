"""Typed errors: an expected failure has a stable code and carries its facts.

Raised by flows, rooms and core; the roof alone turns them into HTTP answers.
"""

from dataclasses import dataclass, fields
from typing import Any, ClassVar


class ShopError(Exception):
    """An expected failure. Subclasses are dataclasses whose fields are the facts.

    ``code`` is stable and public; ``text`` is a sentence for people, filled from the facts.
    """

    code: ClassVar[str] = "shop_error"
    text: ClassVar[str] = "Something about this request cannot be done."

    def facts(self) -> dict[str, Any]:
        """The facts by name, for problem+json and for logs."""
        if not hasattr(self, "__dataclass_fields__"):
            return {}
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]  # a dataclass, asked just above

    def __str__(self) -> str:
        return self.text.format(**self.facts())


@dataclass(eq=False)
class NotFound(ShopError):
    """The thing does not exist, or not for whoever asks: the two are never told apart."""

    code: ClassVar[str] = "not_found"
    text: ClassVar[str] = "There is no {what} here."
    what: str = "such page"


@dataclass(eq=False)
class Invalid(ShopError):
    """Input that cannot be taken, by field: ``{"quantity": "Choose at least 1."}``."""

    code: ClassVar[str] = "invalid"
    text: ClassVar[str] = "Some of what was sent cannot be taken."
    fields_: dict[str, str]

    def facts(self) -> dict[str, Any]:
        return {"fields": self.fields_}


@dataclass(eq=False)
class StaleState(ShopError):
    """Somebody else changed it first: a guarded UPDATE found another state."""

    code: ClassVar[str] = "stale_state"
    text: ClassVar[str] = "This {what} has changed in the meantime."
    what: str
    wanted: str


@dataclass(eq=False)
class Forbidden(ShopError):
    """Known, but not allowed to do this."""

    code: ClassVar[str] = "forbidden"
    text: ClassVar[str] = "You may not do this."
