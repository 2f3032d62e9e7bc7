"""Books that were written once; each test gets a copy of its own, on both databases."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from tests import books as written
from tests.basin import Basin
from tests.books import START, Books
from tests.databases import basin_of, open_database
from tests.world import build


class Original:
    """Books that were written once; each test gets a copy that it may spoil."""

    def __init__(self, basin: Basin | None, file: Path, folder: Path) -> None:
        self.basin, self.file, self.folder = basin, file, folder
        if basin is None:
            database = Database(f"sqlite:///{file}")
            self.books = self._write(database)
            database.close()

    def _write(self, database: Database) -> Books:
        clock = ManualClock(START)
        with database.transaction() as session:
            world = build(session, clock.now())
        return written.write(database, clock, world, self.folder)

    @contextmanager
    def copied(self, folder: Path) -> Iterator[Books]:
        """A copy in a folder of its own, for as long as the block lasts."""
        if self.basin:
            books = self.basin.fill("books", self._write)
            url = self.basin.url
        else:
            books = self.books
            url = f"sqlite:///{shutil.copyfile(self.file, folder.with_suffix('.db'))}"
        shutil.copytree(books.folder, folder)
        db = open_database(url)
        yield replace(books, db=db, clock=ManualClock(books.clock.now()), folder=folder)
        db.close()
        if self.basin:
            self.basin.empty()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def original(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sqlite_file: Path
) -> Original:
    folder = tmp_path_factory.mktemp("books")
    file = Path(shutil.copyfile(sqlite_file, tmp_path_factory.mktemp("original") / "shop.db"))
    if request.param == "sqlite":
        return Original(None, file, folder)
    return Original(basin_of(request.getfixturevalue("postgres_server")), file, folder)


@pytest.fixture
def books(original: Original, tmp_path: Path) -> Iterator[Books]:
    with original.copied(tmp_path / "books") as books:
        yield books
