"""What a brand sets on its printed documents: mark, colours and paper.

The names are those of the web's tokens; the values are the light ones, on white paper.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

LETTER_LANDS = frozenset({"US", "CA", "MX", "CL", "CO", "CR", "DO", "GT", "PA", "PH", "PR"})
PAPERS = ("", "A4", "Letter")
HEADS = ("Bill Serif", "Bill Sans")
COLOUR = re.compile("#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Theme:
    """One brand's stationery. Colours are ``#rrggbb``; ``mark`` is the text of a small SVG,
    ``wordmark`` the name beside it (the seller's own when empty), ``paper`` Letter or A4 (after the
    locale when empty). ValueError for a colour or paper that is none."""

    wordmark: str = ""
    mark: str = ""
    paper: str = ""
    ink: str = "#1d1c18"
    ink_2: str = "#5a554a"
    rule: str = "#d6cdb9"
    rule_2: str = "#80786a"
    accent: str = "#1f4d3a"
    tint: str = "#dfe8dc"
    #: The family of heads and amounts: one of the two that are packaged.
    heads: str = "Bill Serif"

    def __post_init__(self) -> None:
        if self.heads not in HEADS:
            raise ValueError(f"not a family that is packaged: {self.heads!r}")
        if self.paper not in PAPERS:
            raise ValueError(f"not a paper: {self.paper!r}")
        for name in ("ink", "ink_2", "rule", "rule_2", "accent", "tint"):
            if not COLOUR.fullmatch(getattr(self, name)):
                raise ValueError(f"{name} is not a colour such as #1f4d3a")

    def paper_for(self, locale: str) -> str:
        """Letter where the locale's land uses it, else A4."""
        land = locale.replace("_", "-").rpartition("-")[2].upper()
        return self.paper or ("Letter" if land in LETTER_LANDS else "A4")


PLAIN = Theme()


def of_brand(brand: Mapping[str, object]) -> Theme:
    """The theme under ``print`` in a channel's brand: ``{"print": {"wordmark": …, "mark": …}}``.
    Plain where there is none; what is no theme's name is left alone."""
    wanted = brand.get("print")
    known = {field.name for field in fields(Theme)}
    printed = wanted.items() if isinstance(wanted, Mapping) else ()
    values = {name: str(value) for name, value in printed if name in known} | _of_kit(brand)
    return Theme(**values) if values else PLAIN


def _of_kit(brand: Mapping[str, object]) -> dict[str, str]:
    """What a published brand kit sets: it goes before what ``print`` says."""
    kit = brand.get("kit")
    if not isinstance(kit, Mapping):
        return {}
    light = kit["light"]
    values = {"accent": str(light["fir"]), "tint": str(light["fir-tint"])}
    if kit.get("mark"):
        values["mark"] = str(kit["mark"])
    if kit.get("typeface") == "sans":
        values["heads"] = "Bill Sans"
    return values
