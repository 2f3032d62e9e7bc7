"""Types, events, handlers and docs of the webhooks agree."""

import re
from pathlib import Path

from app.handlers import ROUTES
from core.events import EVENTS
from core.hooks.kinds import KINDS, TEST
from flows.tell_programs import OF

DOCS = (Path(__file__).resolve().parents[3] / "docs" / "webhooks.md").read_text()


def test_every_type_comes_from_an_event_and_none_is_unknown():
    made = {kind for kinds, _ in OF.values() for kind in kinds}
    assert made == set(KINDS)
    assert OF.keys() <= EVENTS.keys()


def test_each_event_that_makes_one_is_heard():
    assert {name for name, heard in ROUTES.items() if "tell_programs" in heard} == OF.keys()


def test_the_docs_tell_each_type_and_no_other():
    rows = [row.split("|")[1] for row in DOCS.splitlines() if row.startswith("| `")]
    told = [name for row in rows for name in re.findall(r"`([a-z]+\.[a-z]+)`", row)]
    assert sorted(told) == sorted([*KINDS, TEST])
