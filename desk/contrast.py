"""Contrast of the theme's colours, measured from the tokens themselves.

The component sheet prints these figures and a test holds each to 4.5 (3 for the edge of a field).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cms_content.colours import TEXT_PAIRS, contrast

__all__ = ["EDGE_PAIRS", "TEXT_PAIRS", "Figure", "contrast", "figures", "read_tokens"]

TOKENS = Path(__file__).resolve().parents[1] / "static" / "css" / "tokens.css"

# edges that must be seen, but are not read
EDGE_PAIRS: tuple[tuple[str, str], ...] = (("rule-2", "paper"), ("rule-2", "sheet"))

_COLOUR = re.compile(r"--([\w-]+):\s*(#[0-9a-f]{6})\b")


@dataclass(frozen=True)
class Figure:
    """One pair of colours and its contrast in both themes."""

    ink: str
    ground: str
    light: float
    dark: float


def read_tokens(css: str) -> tuple[dict[str, str], dict[str, str]]:
    """The colours by name, light and dark; dark falls back to light where it says nothing."""
    before, _, after = css.partition("@media (prefers-color-scheme: dark)")
    light = dict(_COLOUR.findall(before))
    dark = {**light, **dict(_COLOUR.findall(after.partition("@media")[0]))}
    return light, dark


@lru_cache(maxsize=1)
def figures(pairs: tuple[tuple[str, str], ...] = TEXT_PAIRS) -> tuple[Figure, ...]:
    """The contrast of each pair in the shipped theme."""
    light, dark = read_tokens(TOKENS.read_text(encoding="utf-8"))
    return tuple(
        Figure(
            ink,
            ground,
            contrast(light[ink], light[ground]),
            contrast(dark[ink], dark[ground]),
        )
        for ink, ground in pairs
    )
