"""Every command of ``./shop`` is explained in docs/commands.md."""

import pathlib
import re

from app.cli import COMMANDS

DOCS = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "commands.md").read_text()


def test_every_command_is_explained_and_no_other():
    told = re.findall(r"^\| `([a-z][a-z-]+)", DOCS, re.MULTILINE)
    assert sorted(told) == sorted(COMMANDS)
