"""Drafts the next migration from the tables: ``python -m app.migrations.draft "what it does"``.

It compares the tables with what the history builds (on an empty SQLite database) and writes what is
missing as frozen text, fences included. A draft is read and corrected by a person: changed CHECKs and
renamed columns are not seen, and rows that are there already need their values.
``--first`` writes the first migration anew; only before the first release.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from app import migrations
from app.tables import metadata
from core.kernel import guards
from core.kernel.db import UtcDateTime

VERSIONS = Path(__file__).resolve().parent / "versions"
_TEMPLATE = '''"""{message}."""
# ruff: noqa: E501  (frozen text)

import sqlalchemy as sa
from alembic import op

from app.migrations.ops import guarded_batch, run

revision = "{revision}"
down_revision = {down_revision}

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: What the database itself refuses, and whatever else the tables do not tell, by dialect.
GUARDS = {{
    "sqlite": (
        {sqlite}
    ),
    "postgresql": (
        {postgresql}
    ),
}}


def upgrade() -> None:
    {body}
    run(GUARDS)
'''
#: Alembic writes for the database at hand; our history holds on both.
_IN_OUR_WORDS = (
    (r"op\.batch_alter_table\(", "guarded_batch("),
    (r"(?:batch_)?op\.f\(('[^']*')\)", r"\1"),
    (r"sa\.BigInteger\(\)\.with_variant\(sa\.Integer\(\), 'sqlite'\)", "INT"),
)


def draft(message: str, *, first: bool = False) -> Path | None:
    """Write the next migration; None when the history builds the tables already."""
    if first:
        for old in VERSIONS.glob("0001_*.py"):
            old.unlink()
    body = pending()
    fences = {dialect: new_fences(dialect) for dialect in ("sqlite", "postgresql")}
    if body == "pass" and not any(fences.values()):
        return None
    head = ScriptDirectory.from_config(migrations.config()).get_current_head()
    revision = f"{int(head or 0) + 1:04d}"
    text = _TEMPLATE.format(
        message=message[0].upper() + message[1:].rstrip("."),
        revision=revision,
        down_revision=repr(head),
        body=body,
        **{dialect: "\n        ".join(map(_literal, found)) for dialect, found in fences.items()},
    )
    name = re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")[:40]
    path = VERSIONS / f"{revision}_{name}.py"
    path.write_text(text)
    for order in (["check", "--fix-only", "--select=I,F401"], ["format"]):
        subprocess.run([sys.executable, "-m", "ruff", *order, "-q", str(path)], check=True)
    return path


def pending() -> str:
    """Alembic's operations from what the history builds to the tables; ``pass`` when none is missing."""
    with _built() as connection:
        return _body(connection)


def new_fences(dialect: str) -> list[str]:
    """The statements of ``core.kernel.guards`` that no migration carries yet."""
    known: set[str] = set()
    for script in ScriptDirectory.from_config(migrations.config()).walk_revisions():
        known.update(getattr(script.module, "GUARDS", {}).get(dialect, ()))
    return [statement for statement in guards.installed(dialect) if statement not in known]


@contextmanager
def _built() -> Iterator[Connection]:
    """An empty SQLite database as the history builds it."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/scratch.db"
        if any(VERSIONS.glob("*.py")):
            builder = migrations.engine(url)
            with builder.begin() as connection:
                # Not ``migrations.upgrade``, which makes a new database straight from the tables.
                command.upgrade(migrations.config(connection), "head")
            builder.dispose()
        engine = create_engine(url)
        with engine.connect() as connection:
            yield connection
        engine.dispose()


def _body(connection: Connection) -> str:

    def ours(name: str | None, kind: str, parents: Any) -> bool:
        return kind != "table" or name in metadata.tables

    context = MigrationContext.configure(
        connection, opts={"include_name": ours, "compare_type": True, "target_metadata": metadata}
    )
    operations = produce_migrations(context, metadata).upgrade_ops
    if operations is None or operations.is_empty():
        return "pass"
    rendered = render_python_code(
        operations,
        render_as_batch=context.get_current_revision() is not None,
        render_item=_render,
        migration_context=context,
    )
    text = "\n".join(line for line in rendered.splitlines() if not line.strip().startswith("#"))
    for found, instead in _IN_OUR_WORDS:
        text = re.sub(found, instead, text)
    return text.strip()


def _render(kind: str, item: object, context: AutogenContext) -> str | Literal[False]:
    """Our own type as what it is in the database."""
    return "sa.DateTime(timezone=True)" if isinstance(item, UtcDateTime) else False


def _literal(statement: str) -> str:
    """A tuple's element: the statement as a Python literal that reads like SQL."""
    if "\n" in statement:
        plain = statement.replace("\\", "\\\\")
        return f'"""{plain}""",'
    return f"{statement!r},"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Draft the next migration from the tables.")
    parser.add_argument("message", help="what it does, in a few words")
    parser.add_argument("--first", action="store_true", help="write the first one anew")
    given = parser.parse_args()
    path = draft(given.message, first=given.first)
    print(f"{path}: read it before you keep it." if path else "Nothing to do.")


if __name__ == "__main__":
    main()
