"""How addresses are written in each country: a table in ``formats.toml``, for pages, the API and papers."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("formats.toml")


@dataclass(frozen=True)
class Format:
    """What the fields of a country's addresses are called, which it needs, and how its codes look.

    An empty label: there is no such field.
    """

    street: str
    more: str
    city: str
    region: str
    postal: str
    needs: frozenset[str]
    regions: tuple[str, ...]
    region_example: str
    code: str
    example: str
    numeric: bool
    printed: tuple[str, ...]
    parts: tuple[int, str] | None

    def is_code(self, text: str) -> bool:
        """Does a postal code look as they do there? Where nothing is known of them, any does."""
        return not self.code or re.fullmatch(self.code, text, re.ASCII) is not None

    def tidy(self, text: str) -> str:
        """A postal code as it is written there, where only capitals, spaces or a hyphen were left out."""
        if not self.code or self.is_code(text):
            return text
        plain = "".join(text.upper().split()).replace("-", "")
        if self.parts is not None:
            place, between = self.parts
            plain = f"{plain[:place]}{between}{plain[place:]}"
        return plain if self.is_code(plain) else text


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


@cache
def of(country: str) -> Format:
    """The format of a country, by its two letters; of one that is not listed what is true nearly anywhere."""
    table = _table()
    raw = table["default"] | (table.get(country, {}) if len(country) == 2 else {})
    parts = raw.get("parts")
    return Format(
        street=raw["street"],
        more=raw["more"],
        city=raw["city"],
        region=raw.get("region", ""),
        postal=raw["postal"],
        needs=frozenset(raw["needs"]),
        regions=tuple(table["regions"][raw["regions"]].split()) if "regions" in raw else (),
        region_example=raw.get("region_example", ""),
        code=raw.get("code", ""),
        example=raw.get("example", ""),
        numeric=raw.get("numeric", False),
        printed=tuple(raw["printed"]),
        parts=(parts[0], parts[1]) if parts else None,
    )


def listed() -> tuple[str, ...]:
    """The countries that the table knows."""
    return tuple(key for key in _table() if len(key) == 2 and key.isupper())


@cache
def _states() -> dict[str, str]:
    found = {}
    for state, ranges in _table()["zips"].items():
        for part in ranges.split():
            first, _, last = part.partition("-")
            for number in range(int(first), int(last or first) + 1):
                found[f"{number:03}"] = state
    return found


def region_of(country: str, postal_code: str) -> str:
    """The state that a ZIP code of the US is in; empty where codes do not tell."""
    if country != "US" or not of("US").is_code(postal_code):
        return ""
    return _states().get(postal_code[:3], "")
