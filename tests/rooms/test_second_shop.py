"""The demo's shop as the release before left it comes to today's, out of a backup of that release.

``second_shop.backup`` is Fernway on schema 0002, made by the program of that time: services in every
state, trials, quotes, gift cards, memos, statements, an account that waits. Its documents' bytes were left
out, so that the file is small.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select, text

from app import migrations
from app.backups import archive, restoring
from app.backups.restoring import Wish
from core.kernel.blobs import FolderBlobs
from core.kernel.clock import ManualClock
from core.kernel.db import Base, Database
from flows.verify import Finding, verify
from tests.shop import SECRET

FILE = Path(__file__).resolve().with_name("second_shop.backup")
#: The day after it was taken.
NOW = datetime(2026, 11, 30, 15, tzinfo=UTC)
#: Tables whose rows a later migration moves elsewhere would be named here, with where they went.
MOVED: frozenset[str] = frozenset()


def test_every_row_comes_along_and_the_books_prove_themselves(
    new_url: Callable[[], str], tmp_path: Path
):
    url, clock = new_url(), ManualClock(NOW)
    head = archive.read_head(FILE)
    assert (head.revision, head.missing != []) == ("0002", True)
    found: list[Finding] = []
    restored = restoring.restore(
        FILE,
        url,
        FolderBlobs(tmp_path),
        clock,
        SECRET,
        Wish(even_if_unproved=True),
        lambda *_: None,
        found.append,
    )
    assert [line.number for line in found if not line.holds] == [12], "the documents, and no more"
    assert restored.rows == sum(table.rows for table in head.tables.values())
    assert migrations.current(url) == migrations.newest()
    with closing(Database(url)) as db:
        with db.reading() as session:
            for mapper in Base.registry.mappers:
                session.scalars(select(mapper.class_)).all()
            for name, table in head.tables.items():
                if name not in MOVED:
                    count = session.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()
                    assert count >= table.rows, name
        assert [line for line in verify(db, clock) if not line.holds] == []
