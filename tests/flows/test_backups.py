"""A whole shop goes into one file and comes back, into either database: all of it, proved, or nothing."""

import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import inspect, select, text, update
from sqlalchemy.exc import DBAPIError

from app import migrations
from app.backups import archive, restoring, rows, taking
from app.backups.archive import BadBackup
from app.backups.restoring import NotEmpty, Unproved, Wish
from app.commands import backup, restore
from app.settings import load
from app.tables import metadata
from core.catalog.models import Category
from core.kernel import audit, counters, jobs
from core.kernel.blobs import FolderBlobs
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.ledger.models import JournalLine
from core.orders.models import Order
from core.parties.models import UserSession
from flows.house import House
from flows.place_order import place
from flows.verify import verify
from payments.gateway import Gateway
from tests.basin import create_database, drop_database
from tests.databases import _bare
from tests.flows.test_commands import environment
from tests.paying import drain, fill_cart, wish
from tests.shop import SECRET, make_house
from tests.world import NOW, build, user

#: What a careless writer of rows would lose or turn into something else.
STRANGE = (
    "tab\there, line\nthere, \\N is no null, \\t no tab, back\\slash\r\n«é漢😀», \x0b\x08\x0c end\\"
)

Bare = Callable[[str], str]


@pytest.fixture
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Bare:
    """Makes an empty database of a kind and answers its address."""
    made: list[str] = []

    def make(kind: str) -> str:
        made.append(kind)
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / f'backup-{len(made)}.db'}"
        server = request.getfixturevalue("postgres_server")
        return str(server.url(_bare(server, f"backup_{len(made)}")))

    return make


@dataclass
class Place:
    """A shop in a place: its database, its documents, and what can be done with them there."""

    house: House
    folder: Path

    @property
    def db(self) -> Database:
        return self.house.db

    def sell(self) -> None:
        """An order on terms with a plan; its bill is written and stored."""
        placed = place(
            self.house, wish(fill_cart(self.house, "FW-RT-6", "FW-RIVER-100"), "invoice")
        )
        assert placed.redirect_url is None
        drain(self.house)

    def take(self, path: Path, progress: Any = lambda *_: None) -> taking.Taken:
        return taking.take(path, self.db, self.house.blobs, self.house.clock, SECRET, progress)

    def orders(self) -> list[str | None]:
        with self.db.reading() as session:
            return list(session.scalars(select(Order.number).order_by(Order.number)))

    def assert_whole(self) -> None:
        found = verify(self.db, self.house.clock, blobs=self.house.blobs)
        assert [line for line in found if not line.holds] == []


def _place(url: str, folder: Path) -> Place:
    house = make_house(Database(url), ManualClock(NOW), folder, cast(Gateway, None))
    return Place(house, folder)


def _open(url: str, folder: Path) -> Place:
    migrations.upgrade(url)
    there = _place(url, folder)
    with there.db.transaction() as session:
        build(session, NOW)
        session.add(Category(slug="strange", name=STRANGE, intro="", position=9))
        counters.count(session, "guess:riley", NOW, NOW + timedelta(days=9))
        jobs.enqueue(session, "tidy", {"note": STRANGE}, NOW + timedelta(days=9))
    there.sell()
    with there.db.transaction() as session:
        audit.seal(session, NOW)
    return there


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the small shop of each kind is kept once it was made: to sell something takes a while."""
    return tmp_path_factory.mktemp("templates")


def _copy(kind: str, templates: Path, request: pytest.FixtureRequest, folder: Path) -> Place:
    """The small shop in a database and a folder of its own."""
    kept = templates / kind
    if kind == "sqlite":
        if not kept.exists():
            _open(f"sqlite:///{templates / 'shop.db'}", kept).db.close()
        shutil.copyfile(templates / "shop.db", folder / "here.db")
        url = f"sqlite:///{folder / 'here.db'}"
    else:
        server = request.getfixturevalue("postgres_server")
        names = f"backup_kept_{os.getpid()}", f"backup_here_{os.getpid()}"
        if not kept.exists():
            _open(server.url(_bare(server, names[0])), kept).db.close()
        drop_database(server, names[1])
        create_database(server, names[1], names[0])
        url = server.url(names[1])
    shutil.copytree(kept, folder / "here")
    return _place(url, folder / "here")


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, templates: Path, tmp_path: Path) -> Iterator[Place]:
    """A small shop that has sold something."""
    there = _copy(request.param, templates, request, tmp_path)
    yield there
    there.db.close()


@pytest.fixture
def small(request: pytest.FixtureRequest, templates: Path, tmp_path: Path) -> Iterator[Place]:
    """The same where one kind of database is enough."""
    there = _copy("sqlite", templates, request, tmp_path)
    yield there
    there.db.close()


def _restore(path: Path, url: str, folder: Path, progress: Any = lambda *_: None, **wish: bool):

    return restoring.restore(
        path,
        url,
        FolderBlobs(folder / "blobs"),
        ManualClock(NOW),
        SECRET,
        Wish(**wish),
        progress,
        lambda _: None,
    )


def _rows(db: Database) -> dict[str, list[str]]:
    """Every row by its values, as the models read them."""
    with db.reading() as session:
        return {
            name: sorted(repr(tuple(row)) for row in session.execute(select(table)))
            for name, table in metadata.tables.items()
            if name not in rows.EPHEMERAL
        }


def _tables(url: str) -> list[str]:
    with closing(Database(url)) as db, db.engine.connect() as connection:
        return inspect(connection).get_table_names()


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_shop_comes_back_whole_in_the_other_database_and_goes_on(
    shop: Place, bare: Bare, tmp_path: Path
):
    """The way to grow; into the same kind it comes back in the tests below."""
    kind = "postgresql" if shop.db.is_sqlite else "sqlite"
    path, url, folder = tmp_path / "shop.backup", bare(kind), tmp_path / "there"
    taken = shop.take(path)
    assert (taken.head.missing, path.stat().st_mode & 0o777) == ([], 0o600)
    restored = _restore(path, url, folder)
    assert (restored.failed, restored.rows) == (0, taken.rows)
    assert restored.waiting == {"tidy": 1}

    there = _place(url, folder)
    assert _rows(there.db) == _rows(shop.db)
    with there.db.reading() as session:
        assert (
            session.scalars(select(Category.name).where(Category.slug == "strange")).one()
            == STRANGE
        )
        last = session.scalars(select(jobs.Job.id).order_by(jobs.Job.id.desc()).limit(1)).one()
        for gone in rows.EPHEMERAL:
            assert session.execute(text(f'SELECT count(*) FROM "{gone}"')).scalar() == 0
    for refused, told in (
        (update(JournalLine).values(amount_minor=1), "append-only"),
        (text("DELETE FROM location"), "(?i)foreign key"),
        (text("DELETE FROM audit_entry"), "append-only"),
    ):
        with pytest.raises(DBAPIError, match=told), there.db.transaction() as session:
            session.execute(refused)
    with there.db.transaction() as session:
        jobs.enqueue(session, "tidy", {}, NOW + timedelta(days=9))
        assert session.scalars(select(jobs.Job.id).order_by(jobs.Job.id.desc())).first() > last
    there.sell()
    assert there.orders() == ["O-10001", "O-10002"]
    there.assert_whole()
    there.db.close()


def test_a_running_shop_is_backed_up_as_of_one_moment(shop: Place, bare: Bare, tmp_path: Path):
    path, url = tmp_path / "shop.backup", bare("sqlite")
    sold: list[str] = []

    def meanwhile(stage: str, done: int, whole: int) -> None:
        if not sold:
            sold.append(stage)
            shop.sell()

    shop.take(path, meanwhile)
    assert sold == ["rows"]
    assert len(shop.orders()) == 2
    _restore(path, url, tmp_path / "there")
    there = _place(url, tmp_path / "there")
    assert there.orders() == ["O-10001"]
    there.db.close()


def test_a_file_that_is_cut_off_or_damaged_is_refused_or_has_the_same_in_it(
    small: Place, tmp_path: Path
):
    path, key = tmp_path / "shop.backup", archive.sealing_key(SECRET)
    small.take(path)
    whole = path.read_bytes()
    right = [(one.name, one.data) for one in archive.members(path)]
    spoilt = tmp_path / "spoilt.backup"

    def refused(data: bytes) -> bool:
        spoilt.write_bytes(data)
        try:
            archive.check(spoilt, key, other_key=False, progress=lambda *_: None)
        except BadBackup:
            return True
        return False

    end = whole.rindex(b"seal.json") + 1024  # behind it a tar has only empty blocks
    assert all(refused(whole[:length]) for length in range(0, end, len(whole) // 37))
    changed = 0
    for at in range(0, end, len(whole) // 53):
        data = bytearray(whole)
        data[at] ^= 0x41
        changed += refused(bytes(data))
        if not refused(bytes(data)):  # a tar fills up its blocks, which nobody reads
            assert [(one.name, one.data) for one in archive.members(spoilt)] == right
    assert changed > 40
    assert refused(b"")
    assert refused(b"%PDF-1.7 something else altogether")
    assert not refused(whole)


def test_a_file_that_was_changed_with_care_is_refused_all_the_same(small: Place, tmp_path: Path):
    """Whoever can write the file can work out every sum in it, but not the seal."""
    path, forged = tmp_path / "shop.backup", tmp_path / "forged.backup"
    small.take(path)
    head = archive.read_head(path)
    with archive.sealed(forged, b"a guess", 0) as file:
        file.head(head)
        for one in archive.members(path):
            _, *rest = one.name.split("/")
            if one.kind == "tables":
                file.rows(rest[0], int(rest[1][:4]), one.data)
            else:
                file.document(rest[0], one.data)
    with pytest.raises(BadBackup, match="its seal is not ours"):
        _restore(forged, f"sqlite:///{tmp_path / 'x.db'}", tmp_path / "there")
    with tarfile.open(path, "a") as tar:
        tar.add(__file__, "tables/job/9999.copy.gz")
    with pytest.raises(BadBackup, match="behind its seal"):
        _restore(path, f"sqlite:///{tmp_path / 'x.db'}", tmp_path / "there")
    assert not (tmp_path / "x.db").exists()


def test_a_shop_that_is_there_stays_until_it_is_told_to_go_and_another_has_come_whole(
    shop: Place, tmp_path: Path
):
    path = tmp_path / "shop.backup"
    shop.take(path)
    taken = _rows(shop.db)
    shop.sell()
    before, documents = _rows(shop.db), _files(shop.folder)
    shop.db.close()
    with pytest.raises(NotEmpty, match="--replace"):
        _restore(path, shop.db.url, shop.folder)

    def breaks(stage: str, done: int, whole: int) -> None:
        if stage == "rows":
            raise KeyboardInterrupt

    (lost,) = [document for document in documents if document.name in str(_named(path))]
    kept = lost.read_bytes()
    lost.unlink()  # the backup has it, so it would come back
    with pytest.raises(KeyboardInterrupt):
        _restore(path, shop.db.url, shop.folder, breaks, replace=True)
    assert _rows(shop.db) == before
    assert sorted(_files(shop.folder)) == sorted(set(documents) - {lost})
    lost.write_bytes(kept)
    shop.assert_whole()

    shop.db.close()
    _restore(path, shop.db.url, shop.folder, replace=True)
    assert _rows(shop.db) == taken
    shop.assert_whole()


def _named(path: Path) -> list[str]:
    return [one.name for one in archive.members(path) if one.kind == "documents"]


def test_books_that_do_not_prove_themselves_are_not_kept_unless_asked(
    small: Place, bare: Bare, tmp_path: Path
):
    with small.db.transaction() as session:
        session.execute(
            text('UPDATE "order" SET due_now_minor = due_now_minor + 1, net_minor = net_minor + 1')
        )
    path, url = tmp_path / "shop.backup", bare("sqlite")
    small.take(path)
    with pytest.raises(Unproved, match="--even-if-unproved"):
        _restore(path, url, tmp_path / "there")
    assert _tables(url) == []
    assert _files(tmp_path / "there") == []
    assert _restore(path, url, tmp_path / "there", even_if_unproved=True).failed
    assert "journal_line" in _tables(url)


def test_another_key_a_newer_release_and_strange_tables_are_told(small: Place, tmp_path: Path):
    path, url = tmp_path / "shop.backup", f"sqlite:///{tmp_path / 'x.db'}"
    small.take(path)
    key = archive.sealing_key("another secret of forty characters, too")
    with pytest.raises(BadBackup, match="another SECRET_KEY"):
        archive.check(path, key, other_key=False, progress=lambda *_: None)
    archive.check(path, key, other_key=True, progress=lambda *_: None)

    def told_otherwise(change: Callable[[dict[str, Any]], None]) -> Path:
        changed = tmp_path / "changed.backup"
        changed.unlink(missing_ok=True)
        own = archive.sealing_key(SECRET)
        with archive.sealed(changed, own, 0) as file:
            for one in archive._members(path):
                data = one.data
                if one.name == "seal.json":
                    continue
                if one.name == "counterfoil.json":
                    told = json.loads(data)
                    change(told)
                    data = json.dumps(told).encode()
                file._add(one.name, data)
        return changed

    for change, words in (
        (lambda told: told.update(revision="9999"), "newer release"),
        (lambda told: told.update(version=2), "newer release"),
        (lambda told: told["tables"].pop("job"), "other tables|not name"),
        (lambda told: told["tables"]["job"].update(rows=7), "does not hold the rows"),
        (
            lambda told: told["tables"]["job"]["columns"].reverse(),
            "damaged|not hold|proved|datatype|invalid",
        ),
        (lambda told: told.update(documents=9), "does not hold the documents"),
    ):
        with pytest.raises(Exception, match=words):
            _restore(told_otherwise(change), url, tmp_path / "there")
        assert not (tmp_path / "x.db").exists() or _tables(url) == []
        assert _files(tmp_path / "there") == []


def test_no_secret_of_the_settings_and_nobody_who_is_logged_in_is_inside(
    small: Place, tmp_path: Path
):
    path = tmp_path / "shop.backup"
    with small.db.transaction() as session:
        riley = user(session, NOW, email="riley@example.com")
        session.add(
            UserSession(
                token_hash="5" * 64, user_id=riley.id, data={}, created_at=NOW, expires_at=NOW
            )
        )
    small.take(path)
    head = archive.read_head(path)
    assert [head.tables[name].rows for name in sorted(rows.EPHEMERAL)] == [0, 0]
    assert SECRET.encode() not in path.read_bytes()
    assert SECRET.encode().hex() not in json.dumps(head.key_check)


def test_the_commands_say_what_they_did(small: Place, tmp_path: Path):
    path, settings = tmp_path / "shop.backup", load(environment(small.db.url, small.folder))
    there = load(environment(f"sqlite:///{tmp_path / 'x.db'}", tmp_path / "there"))

    def run(command: Any, settings: Any, *argv: str) -> tuple[int, str]:
        out = StringIO()
        return command.run(argv, settings, small.db, small.house.clock, out), out.getvalue()

    code, said = run(backup, settings, str(path))
    assert code == 0
    assert "1 documents" in said
    assert "read back whole" in said
    code, said = run(backup, settings, str(path))
    assert (code, "is there already" in said) == (1, True)
    assert run(backup, settings, str(tmp_path / "no" / "where"))[0] == 1
    code, said = run(restore, there, "--check", str(path))
    assert code == 0
    assert "is whole: a shop as of 2026-11-17" in said
    assert not (tmp_path / "x.db").exists()
    code, said = run(restore, there, str(path))
    assert code == 0
    assert "12  ok" in said
    assert "1 jobs wait" in said
    assert run(restore, there, str(tmp_path / "none")) == (
        1,
        f"{tmp_path / 'none'}: No such file or directory. Nothing was changed.\n",
    )
    (document,) = _files(small.folder)
    document.unlink()
    code, said = run(backup, settings, str(tmp_path / "second.backup"))
    assert (code, "NOT THERE: the document" in said) == (1, True)
