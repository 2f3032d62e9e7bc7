"""Writes a backup: one snapshot of the database, then the documents that it names.

A running shop goes on meanwhile. Documents are stored before their rows and never changed, so whatever
the snapshot names is there.
"""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from app.backups import archive, rows
from app.backups.archive import Head, TableHead
from app.backups.halves import half
from core.kernel.blobs import Blobs
from core.kernel.clock import Clock
from core.kernel.db import Database

Progress = Callable[[str, int, int], None]
#: Alembic's own; the head says the revision.
REVISION_TABLE = "alembic_version"


@dataclass(frozen=True)
class Taken:
    """What was written."""

    head: Head
    rows: int
    size: int


def take(
    path: Path, db: Database, blobs: Blobs, clock: Clock, secret_key: str, progress: Progress
) -> Taken:
    """Write a backup to ``path``, where nothing may be yet, and read it back whole.

    A document whose bytes are gone is named in ``head.missing``; the rest is in the file.
    """
    if path.exists():
        raise FileExistsError(path)
    key = archive.sealing_key(secret_key)
    with db.snapshot(large=True) as session:
        connection = session.connection()
        documents = _documents(connection)
        gone = [sha256 for sha256, _ in documents if not _is_there(blobs, sha256)]
        head = _head(connection, clock, key, documents, gone)
        with archive.sealed(path, key, int(clock.now().timestamp())) as file:
            file.head(head)
            _write_rows(connection, head, file, progress)
            _write_documents(documents, set(gone), blobs, file, head, progress)
    archive.check(
        path,
        key,
        other_key=False,
        progress=lambda done, whole: progress("proving", done, whole),
    )
    return Taken(head, sum(table.rows for table in head.tables.values()), path.stat().st_size)


def columns_of(connection: Connection) -> dict[str, list[tuple[str, str]]]:
    """Each table of the database with its columns and their kinds; alembic's own is left out."""
    return {
        name: [(column["name"], rows.kind(column["type"])) for column in found]
        for (_, name), found in sorted(inspect(connection).get_multi_columns().items())
        if name != REVISION_TABLE
    }


def _head(
    connection: Connection,
    clock: Clock,
    key: bytes,
    documents: list[tuple[str, int]],
    gone: list[str],
) -> Head:
    tables = {}
    for name, columns in columns_of(connection).items():
        count = 0
        if name not in rows.EPHEMERAL:
            count = int(connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one())
        tables[name] = TableHead(columns, count, half(connection).next_number(connection, name))
    return Head(
        revision=str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar()),
        made_at=clock.now().isoformat(timespec="seconds"),
        dialect=connection.dialect.name,
        key_check=archive.key_check(key),
        tables=tables,
        documents=len(documents),
        document_bytes=sum(size for _, size in documents),
        missing=gone,
    )


def _documents(connection: Connection) -> list[tuple[str, int]]:
    found = connection.execute(text("SELECT sha256, size FROM blob ORDER BY sha256"))
    return [(str(sha256), int(size)) for sha256, size in found]


def _is_there(blobs: Blobs, sha256: str) -> bool:
    try:
        return hashlib.sha256(blobs.get(sha256)).hexdigest() == sha256
    except FileNotFoundError:
        return False


def _write_rows(
    connection: Connection, head: Head, file: archive.Writer, progress: Progress
) -> None:
    whole, done = sum(table.rows for table in head.tables.values()), 0
    for name, table in head.tables.items():
        if not table.rows:
            continue
        for part, lines in enumerate(half(connection).lines(connection, name, table.columns)):
            file.rows(name, part, gzip.compress(lines, 6, mtime=0))
            done += lines.count(b"\n")
            progress("rows", done, whole)


def _write_documents(
    documents: list[tuple[str, int]],
    gone: set[str],
    blobs: Blobs,
    file: archive.Writer,
    head: Head,
    progress: Progress,
) -> None:
    done = 0
    for sha256, size in documents:
        if sha256 not in gone:
            file.document(sha256, blobs.get(sha256))
        done += size
        progress("documents", done, head.document_bytes)
