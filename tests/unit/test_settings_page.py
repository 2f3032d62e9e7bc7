"""The page on settings tells all of them, and nothing else."""

from dataclasses import fields
from pathlib import Path

from app.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def _told() -> list[tuple[str, ...]]:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows]


def _row(item) -> tuple[str, str, str]:
    default = item.metadata["default"]
    words = "it must be set" if default is None else f"`{default}`" if default else "empty"
    return f"`{item.metadata['name']}`", item.metadata["may_be"], words


def test_every_setting_is_told_with_what_it_may_be():
    assert _told() == [_row(item) for item in fields(Settings)]
