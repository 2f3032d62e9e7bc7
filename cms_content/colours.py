"""Colours as sums: contrast, mixing, and the palette that follows from two of a brand's. Pure.

The names are those of ``static/css/tokens.css``; what a brand does not set keeps the value from there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

READABLE = 4.5
#: ink on ground: every pair in which words are set somewhere
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
LIGHT = {
    "paper": "#f6f1e6",
    "sheet": "#fdfaf3",
    "shade": "#ece5d5",
    "ink": "#1d1c18",
    "ink-2": "#5a554a",
    "red": "#9c2318",
    "red-tint": "#f6dfd6",
}
DARK = {
    "paper": "#1f2427",
    "sheet": "#272d30",
    "shade": "#323a3d",
    "ink": "#efe9db",
    "ink-2": "#b9b4a6",
    "red": "#f6a294",
    "red-tint": "#452f2d",
}
_WHITE, _BLACK = "#ffffff", "#000000"
_PALE, _DEEP = "#fbf7ec", "#12181a"


def contrast(first: str, second: str) -> float:
    """Contrast of two #rrggbb colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    bright, dim = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    parts = [part / 255 for part in _parts(colour)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mix(first: str, second: str, share: float) -> str:
    """So much of the second in the first."""
    pairs = zip(_parts(first), _parts(second), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def until_readable(colour: str, towards: str, grounds: tuple[str, ...]) -> str:
    """The colour, moved towards another until words in it can be read on every ground."""
    for step in range(51):
        found = mix(colour, towards, step / 50)
        if all(contrast(found, ground) >= READABLE for ground in grounds):
            return found
    return towards


@dataclass(frozen=True)
class Palette:
    """Tokens by name, light and dark."""

    light: Mapping[str, str]
    dark: Mapping[str, str]

    def unreadable(self) -> list[tuple[str, str, float]]:
        """Pairs of ink and ground that cannot be read, with their contrast in the worse of the two."""
        found = []
        for ink, ground in TEXT_PAIRS:
            worse = min(contrast(side[ink], side[ground]) for side in (self.light, self.dark))
            if worse < READABLE:
                found.append((ink, ground, worse))
        return found


def palette(action: str, attention: str) -> Palette:
    """What follows from the colour of action, which is taken as it is on light paper, and of attention."""
    return Palette(_side(LIGHT, action, attention, _BLACK), _side(DARK, action, attention, _WHITE))


def _side(base: Mapping[str, str], action: str, attention: str, ink: str) -> dict[str, str]:
    papers = (base["paper"], base["sheet"], base["shade"])
    light = ink == _BLACK
    fir = action if light else until_readable(action, ink, (*papers, mix(papers[0], action, 0.25)))
    fir_tint = _tint(base, fir, 0.12 if light else 0.16)
    if not light:
        fir = until_readable(fir, ink, (*papers, fir_tint))
    press = mix(fir, ink, 0.28)
    on_fir = max((_PALE, _DEEP), key=lambda one: min(contrast(one, fir), contrast(one, press)))
    glow = attention if light else mix(attention, _WHITE, 0.05)
    glow_tint = _tint(base, glow, 0.3 if light else 0.2)
    return {
        **base,
        "fir": fir,
        "fir-press": press,
        "on-fir": on_fir,
        "fir-tint": fir_tint,
        "apricot": glow,
        "apricot-ink": until_readable(glow, ink, (*papers[:2], fir_tint, glow_tint)),
        "apricot-tint": glow_tint,
    }


def _tint(base: Mapping[str, str], colour: str, share: float) -> str:
    """So much of it on paper, or as much as still lets quiet words be read."""
    for step in range(10, -1, -1):
        found = mix(base["paper"], colour, share * step / 10)
        if contrast(base["ink-2"], found) >= READABLE:
            return found
    return base["paper"]


def nearest(action: str, attention: str) -> str:
    """The nearest darker colour of action that can be read everywhere."""
    for step in range(101):
        found = mix(action, _BLACK, step / 100)
        if not palette(found, attention).unreadable():
            return found
    return _BLACK
