"""What a brand sets on its printed documents: mark, colours and paper.

The names are those of the web's tokens; the values are the light ones, on white paper.
"""

from dataclasses import dataclass

LETTER_TERRITORIES = frozenset({"US", "CA", "MX", "CL", "CO", "CR", "DO", "GT", "PA", "PH", "PR"})


@dataclass(frozen=True)
class Theme:
    """One brand's stationery. Colours are hex; ``mark`` is the text of a small SVG, ``wordmark`` the
    name beside it (the seller's own when empty), ``paper`` Letter or A4 (after the locale when
    empty)."""

    wordmark: str = ""
    mark: str = ""
    paper: str = ""
    ink: str = "#1d1c18"
    ink_2: str = "#5a554a"
    rule: str = "#d6cdb9"
    rule_2: str = "#80786a"
    accent: str = "#1f4d3a"
    tint: str = "#dfe8dc"

    def paper_for(self, locale: str) -> str:
        """Letter where the locale's land uses it, else A4."""
        territory = locale.replace("_", "-").rpartition("-")[2].upper()
        return self.paper or ("Letter" if territory in LETTER_TERRITORIES else "A4")


PLAIN = Theme()

FERNWAY = Theme(
    wordmark="Fernway",
    mark=(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 28" width="24" height="28">'
        '<path fill="#1f4d3a" d="M11 28C8 16 10 6 21 0c2 12-1 22-10 28z"/>'
        '<path fill="#e9a767" d="M10 28C11 19 8 12 1 9c0 9 3 15 9 19z"/></svg>'
    ),
)
