"""Contrast of the theme's colours, measured from the tokens themselves.

The component sheet prints these figures and a test holds each to 4.5 (3 for the edge of a field).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

TOKENS = Path(__file__).resolve().parents[1] / "static" / "css" / "tokens.css"

# ink on ground: every pair in which words are set somewhere
TEXT_PAIRS: tuple[tuple[str, str], ...] = (
    ("ink", "paper"),
    ("ink", "sheet"),
    ("ink", "shade"),
    ("ink", "fir-tint"),
    ("ink", "apricot-tint"),
    ("ink", "red-tint"),
    ("ink-2", "paper"),
    ("ink-2", "sheet"),
    ("ink-2", "shade"),
    ("ink-2", "fir-tint"),
    ("ink-2", "apricot-tint"),
    ("fir", "paper"),
    ("fir", "sheet"),
    ("fir", "shade"),
    ("fir", "fir-tint"),
    ("on-fir", "fir"),
    ("on-fir", "fir-press"),
    ("apricot-ink", "paper"),
    ("apricot-ink", "sheet"),
    ("apricot-ink", "fir-tint"),
    ("apricot-ink", "apricot-tint"),
    ("red", "paper"),
    ("red", "sheet"),
    ("red", "fir-tint"),
    ("red", "red-tint"),
    ("sheet", "red"),
)
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


def contrast(first: str, second: str) -> float:
    """Contrast of two #rrggbb colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    bright, dim = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


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
