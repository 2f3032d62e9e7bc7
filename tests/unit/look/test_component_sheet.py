"""The component sheet shows each macro that pages are made of."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MACROS = sorted((ROOT / "app" / "templates" / "macros").glob("*.html"))
SHEET = (ROOT / "desk" / "templates" / "desk" / "styleguide.html").read_text(encoding="utf-8")
#: Whole papers, forms made of fields and buttons, a phone's foot, and what counts down.
NOT_SHOWN = {
    "bill.html": {"sheet"},
    "statement.html": {"paper"},
    "service.html": {"change_form", "pause_form", "resume_form", "end_form"},
    "forms.html": {"post_button"},
    "stub.html": {"paybar"},
    "marks.html": {"held", "mark"},
}


def _public(path: Path) -> set[str]:
    """The names of a file's macros; one with a line below is its own."""
    text = path.read_text(encoding="utf-8")
    return {name for name in re.findall(r"{% macro (\w+)\(", text) if not name.startswith("_")}


def _within(path: Path) -> set[str]:
    """Which of them another macro takes."""
    text = path.read_text(encoding="utf-8")
    called = set(re.findall(r"(?<!macro )\b(\w+)\(", text))
    others = [other.read_text(encoding="utf-8") for other in MACROS if other != path]
    lists = re.findall(rf'{{% from "macros/{path.name}" import (.+?) %}}', "\n".join(others))
    return called | {one.split(" as ")[0] for names in lists for one in names.split(", ")}


def _imported(path: Path) -> dict[str, str]:
    """Those that the sheet imports, with what it calls them."""
    found = re.search(rf'{{% from "macros/{path.name}" import (.+?) %}}', SHEET)
    if found is None:
        return {}
    words = [one.split(" as ") for one in found.group(1).split(", ")]
    return {word[0]: word[-1] for word in words}


@pytest.mark.parametrize("path", MACROS, ids=lambda path: path.stem)
def test_each_macro_is_in_use_on_the_sheet(path: Path) -> None:
    names = _imported(path)
    in_use = {name for name, called in names.items() if re.search(rf"\b{called}\(", SHEET)}
    expected = _public(path) - NOT_SHOWN.get(path.name, set())
    assert in_use | (_within(path) & expected) == expected


def test_what_is_not_shown_is_there() -> None:
    for name, macros in NOT_SHOWN.items():
        assert macros <= _public(ROOT / "app" / "templates" / "macros" / name)
