"""What the desk does is in the API, or docs/api.md says that it isn't."""

import re
from pathlib import Path

from api.openapi import OPERATIONS
from tests.rooms.web.routes import ROUTES
from web.access import Who

DOCS = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text()
#: Pages about oneself and the pages themselves; and content, which is ``pages`` in the API.
NO_WORK = {"", "login", "logout", "me", "styleguide", "content"}


def _first(path: str) -> str:
    return path.removeprefix("/desk").strip("/").partition("/")[0].partition(".")[0]


def test_each_area_of_the_desk_is_in_the_api_or_named_as_missing():
    areas = {_first(route.rule) for route in ROUTES if route.who == Who.STAFF} - NO_WORK
    asked = {_first(one.path) for one in OPERATIONS if one.token == "staffKey"}
    asked = {area.removesuffix("-accounts") for area in asked}
    section = DOCS.partition("## What there is not")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    missing = {name for row in rows for name in re.findall(r"`([a-z-]+)`", row)}
    assert areas - asked - missing == set()
