"""Brings a backup into a database of either kind: all of it, proved, or nothing.

One transaction builds the tables as they were, loads the rows with the fences off, puts the fences back,
migrates to this release and proves the books. Documents go into their store first; what this put there
goes again when it fails.
"""

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text
from sqlalchemy.orm import Session

from app import migrations
from app.backups import archive, rows
from app.backups.archive import BadBackup, Head
from app.backups.halves import half
from app.backups.taking import REVISION_TABLE, Progress, columns_of
from core.kernel.blobs import FolderBlobs
from core.kernel.clock import Clock
from core.kernel.errors import ShopError
from flows.verify import Finding, verify


@dataclass(eq=False)
class NotEmpty(ShopError):
    """There is a shop in the database already."""

    code: ClassVar[str] = "not_empty"
    text: ClassVar[str] = (
        "There is a shop in this database already ({rows:,} rows). Nothing was changed. "
        "With --replace it is removed, and the backup takes its place."
    )
    rows: int


@dataclass(eq=False)
class Unproved(ShopError):
    """The books in the backup do not prove themselves."""

    code: ClassVar[str] = "unproved"
    text: ClassVar[str] = (
        "{failed} of 12 lines do not hold in what was restored: nothing was kept. "
        "With --even-if-unproved it is kept as it is."
    )
    failed: int


@dataclass(frozen=True)
class Wish:
    """How to restore."""

    replace: bool = False
    even_if_unproved: bool = False
    other_key: bool = False


@dataclass(frozen=True)
class Restored:
    """What came."""

    head: Head
    rows: int
    failed: int
    #: Jobs that a worker will take up, by name: mails, charges.
    waiting: dict[str, int]


def restore(
    path: Path,
    url: str,
    blobs: FolderBlobs,
    clock: Clock,
    secret_key: str,
    wish: Wish,
    progress: Progress,
    tell: Callable[[Finding], None],
) -> Restored:
    """Check the file, then bring it into the database at ``url``. BadBackup, NotEmpty, Unproved."""
    head = archive.check(
        path,
        archive.sealing_key(secret_key),
        other_key=wish.other_key,
        progress=lambda done, whole: progress("checking", done, whole),
    )
    refuse_unknown(path, head)
    engine = migrations.engine(url)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": migrations.LOCK}
                )
            _clear(connection, wish)
            with _documents_of(path, head, blobs, progress):
                count = _rebuild(path, connection, head, progress)
                failed = _prove(connection, clock, blobs, wish, tell)
            return Restored(head, count, failed, _waiting(connection))
    finally:
        engine.dispose()


def _rebuild(path: Path, connection: Connection, head: Head, progress: Progress) -> int:
    migrations.bring(connection, head.revision)
    _refuse_other_columns(path, connection, head)
    with half(connection).unfenced(connection):
        count = _load(path, connection, head, progress)
    for name, table in head.tables.items():
        half(connection).give_from(connection, name, table.next_number)
    migrations.refuse_loose_ends(connection)
    migrations.bring(connection)
    migrations.refuse_loose_ends(connection)
    half(connection).settle(connection)
    return count


def refuse_unknown(path: Path, head: Head) -> None:
    """BadBackup for a revision that this release has never heard of."""
    try:
        ScriptDirectory.from_config(migrations.config()).get_revision(head.revision)
    except CommandError:
        raise BadBackup(
            str(path), f"was made by a newer release than this one (schema {head.revision})."
        ) from None


def _clear(connection: Connection, wish: Wish) -> None:
    """Take away an empty schema, or a shop that was told to go."""
    tables = inspect(connection).get_table_names()
    if REVISION_TABLE not in tables:
        if tables:
            raise NotEmpty(_count(connection, tables))
        return
    count = _count(connection, [one for one in tables if one != REVISION_TABLE])
    if count and not wish.replace:
        raise NotEmpty(count)
    half(connection).drop(connection, tables)


def _count(connection: Connection, tables: list[str]) -> int:
    return sum(
        int(connection.execute(text(f'SELECT count(*) FROM "{one}"')).scalar_one())
        for one in tables
    )


def _refuse_other_columns(path: Path, connection: Connection, head: Head) -> None:
    here = {name: sorted(columns) for name, columns in columns_of(connection).items()}
    told = {name: sorted(table.columns) for name, table in head.tables.items()}
    if here != told:
        odd = sorted(name for name in here.keys() | told.keys() if here.get(name) != told.get(name))
        raise BadBackup(
            str(path),
            f"has other tables than schema {head.revision} of this release: {', '.join(odd)}.",
        )


def _load(path: Path, connection: Connection, head: Head, progress: Progress) -> int:
    whole, done = sum(table.rows for table in head.tables.values()), 0
    came = dict.fromkeys(head.tables, 0)
    for name in head.tables:  # what a migration puts into new tables stands in the backup too
        connection.exec_driver_sql(f'DELETE FROM "{name}"')
    for member in archive.members(path):
        if member.kind != "tables":
            break
        name = member.name.split("/")[1]
        if name not in came or name in rows.EPHEMERAL:
            raise BadBackup(str(path), f"has rows of a table that it does not name: {name}.")
        lines = gzip.decompress(member.data)
        half(connection).put(connection, name, head.tables[name].columns, lines)
        came[name] += lines.count(b"\n")
        done += lines.count(b"\n")
        progress("rows", done, whole)
    if came != {name: table.rows for name, table in head.tables.items()}:
        raise BadBackup(str(path), "does not hold the rows that it names.")
    return done


@contextmanager
def _documents_of(path: Path, head: Head, blobs: FolderBlobs, progress: Progress) -> Iterator[None]:
    """Put the documents where they belong; those that were new go again when what follows fails."""
    put: list[str] = []
    done = 0
    try:
        for member in archive.members(path):
            if member.kind == "documents":
                sha256 = member.name.split("/")[1]
                if not blobs.path(sha256).exists():
                    put.append(sha256)
                blobs.put(member.data)
                done += len(member.data)
                progress("documents", done, head.document_bytes)
        yield
    except BaseException:
        for sha256 in put:
            blobs.path(sha256).unlink(missing_ok=True)
        raise


class _Inside:
    """What ``verify`` asks of a database, within a transaction that is not over."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def snapshot(self, *, large: bool = False) -> Iterator[Session]:
        with Session(
            self._connection, autoflush=False, join_transaction_mode="rollback_only"
        ) as session:
            yield session


def _prove(
    connection: Connection,
    clock: Clock,
    blobs: FolderBlobs,
    wish: Wish,
    tell: Callable[[Finding], None],
) -> int:
    failed = 0
    for finding in verify(_Inside(connection), clock, blobs=blobs):
        failed += not finding.holds
        tell(finding)
    if failed and not wish.even_if_unproved:
        raise Unproved(failed)
    return failed


def _waiting(connection: Connection) -> dict[str, int]:
    found = connection.execute(
        text(
            "SELECT name, count(*) FROM job WHERE state IN ('ready', 'running')"
            " GROUP BY name ORDER BY 2 DESC, 1"
        )
    )
    return {str(name): int(count) for name, count in found}
