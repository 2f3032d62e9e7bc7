"""Books that were written once; each test gets a copy of its own, on both databases."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.kernel.clock import ManualClock
from tests import books as written
from tests.basin import create_database, drop_database
from tests.books import START, Books
from tests.databases import open_database
from tests.postgres import Server
from tests.world import build


class Original:
    """Books that were written once; each test gets a copy that it may spoil."""

    def __init__(self, server: Server | None, place: str, folder: Path) -> None:
        self.server, self.place = server, place
        database = open_database(self._url(place))
        clock = ManualClock(START)
        with database.transaction() as session:
            world = build(session, clock.now())
        self.books = written.write(database, clock, world, folder)
        database.close()

    def _url(self, place: str) -> str:
        return self.server.url(place) if self.server else f"sqlite:///{place}"

    def copy(self, folder: Path) -> Books:
        shutil.copytree(self.books.folder, folder)
        if self.server:
            place = f"spoilt_{os.getpid()}"
            create_database(self.server, place, self.place)
        else:
            place = str(folder / "spoilt.db")
            shutil.copyfile(self.place, place)
        clock = ManualClock(self.books.clock.now())
        return replace(self.books, db=open_database(self._url(place)), clock=clock, folder=folder)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def original(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Original]:
    folder = tmp_path_factory.mktemp("books")
    if request.param == "sqlite":
        place = tmp_path_factory.mktemp("original") / "shop.db"
        shutil.copyfile(request.getfixturevalue("sqlite_file"), place)
        yield Original(None, str(place), folder)
        return
    server: Server = request.getfixturevalue("postgres_server")
    name = f"original_{os.getpid()}"
    create_database(server, name)
    yield Original(server, name, folder)
    drop_database(server, name)


@pytest.fixture
def books(original: Original, tmp_path: Path) -> Iterator[Books]:
    copy = original.copy(tmp_path / "books")
    yield copy
    copy.db.close()
    if original.server:
        drop_database(original.server, f"spoilt_{os.getpid()}")
