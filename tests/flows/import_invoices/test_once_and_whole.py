"""Run again, killed in the middle, or given what cannot be taken: history comes in once and whole."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.tables import metadata
from core.kernel import crash
from core.kernel.audit import AuditEntry
from core.kernel.db import Database
from core.parties.accounts import NewAccount, open_account
from core.parties.models import Account, LegalEntity
from flows import import_invoices
from invoices import history_mapping
from invoices.history_documents import OtherContent
from invoices.history_spool import Spool
from invoices.models import Invoice
from tests import retail
from tests.retail import line
from tests.till import Till

ROOT = Path(__file__).parents[3]

# --- again, and killed in the middle --------------------------------------------------------------


def test_run_again_it_adds_nothing(till):
    till.bring_in("--settled-on", "issue")
    before = till.counts()

    code, said = till.bring_in("--settled-on", "issue")

    assert code == 0
    assert "0 documents added" in said
    assert "5 documents here already, unchanged." in said
    assert till.counts() == before


def test_a_longer_file_adds_only_what_is_new(till):
    till.bring_in()
    retail.write(till.file, [*retail.HISTORY, line("536370")])

    _, said = till.bring_in()

    assert "1 document added: 1 invoices" in said
    assert len(till.rows(Invoice.id)) == 6
    assert till.disproved() == []


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("pages", [1, 3, 5])
def test_killed_after_some_pages_and_run_again_it_ends_the_same(till, pages):
    passed: list[str] = []

    def die(name: str) -> None:
        passed.append(name)
        if len(passed) == pages:
            raise crash.SimulatedCrash(name)

    with pytest.raises(crash.SimulatedCrash), crash.armed(die):
        till.bring_in("--settled-on", "issue")
    assert len(till.rows(Invoice.id)) == pages

    till.bring_in("--settled-on", "issue")

    assert till.story() == _unbroken(till)
    assert till.disproved() == []


def _unbroken(till: Till) -> list[tuple[Any, ...]]:
    """The story of the same file, brought into an empty database without a break."""
    database = Database(f"sqlite:///{till.folder / 'unbroken.db'}")
    metadata.create_all(database.engine)
    other = Till(database, till.clock, till.folder)
    other.bring_in("--settled-on", "issue")
    story = other.story()
    database.close()
    return story


_KILLED = """
import os, signal, sys
from io import StringIO
from pathlib import Path
from app.commands import import_invoices as command
from core.kernel import crash
from core.kernel.clock import SystemClock
from core.kernel.db import Database
from invoices import history_spool
from tests import retail
history_spool.PAGE_DOCUMENTS = 1
file, url = sys.argv[1:]
with crash.armed(lambda name: os.kill(os.getpid(), signal.SIGKILL)):
    argv = [file, "--columns", str(retail.SHIPPED), "--settled-on", "issue"]
    command.run(argv, retail.settings(Path(file).parent), Database(url), SystemClock(), StringIO())
"""


def test_after_a_real_kill_the_next_run_ends_the_same(till):
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(till.file), till.db.url],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert len(till.rows(Invoice.id)) == 1

    till.bring_in("--settled-on", "issue")

    assert till.story() == _unbroken(till)
    assert till.disproved() == []


def test_two_who_checked_the_same_file_add_it_once(till):
    mapping = history_mapping.load(till.map)

    def check(spool: Spool) -> None:
        import_invoices.check(till.db, spool, till.file, mapping, till.clock.now(), lambda *_: None)

    def write(spool: Spool) -> None:
        import_invoices.write(
            till.db, spool, "h.csv", mapping, lambda day: None, till.clock, lambda *_: None
        )

    with Spool(mapping) as one, Spool(mapping) as other:
        check(one)
        check(other)
        write(one)
        write(other)
    assert len(till.rows(Invoice.id)) == 5
    assert till.disproved() == []


def test_other_content_that_came_in_while_we_wrote_stops_the_writing(till):
    mapping = history_mapping.load(till.map)
    with Spool(mapping) as spool:
        import_invoices.check(till.db, spool, till.file, mapping, till.clock.now(), lambda *_: None)
        retail.write(till.file, [line("536365", "99")])
        till.bring_in()

        with pytest.raises(OtherContent, match="Document 536365 is here already"):
            import_invoices.write(
                till.db, spool, "h.csv", mapping, lambda day: None, till.clock, lambda *_: None
            )
    assert till.rows(Invoice.number) == [("536365",)]


# --- what is not taken ----------------------------------------------------------------------------


def test_a_bad_row_stops_the_run_and_nothing_is_written(till):
    retail.write(till.file, [*retail.HISTORY, line("536370"), line("536370", "six")])

    code, said = till.bring_in()

    assert code == 1
    assert said == (
        f"{till.file}: row 9, Quantity: is not a number: 'six'\n"
        "1 row cannot be taken: nothing was written. With --skip-bad the 1 document "
        "they belong to is left out.\n"
    )
    assert till.rows(LegalEntity.id) == till.rows(Invoice.id) == till.rows(AuditEntry.id) == []


def test_skip_bad_leaves_out_the_whole_documents_of_bad_rows(till):
    retail.write(till.file, [*retail.HISTORY, line("536370"), line("536370", "six")])

    code, said = till.bring_in("--skip-bad")

    assert code == 0
    assert f"{till.file}: row 9, Quantity: is not a number: 'six'" in said
    assert "1 document left out for 1 bad rows." in said
    assert "536370" not in dict(till.rows(Invoice.number, Invoice.id))
    assert len(till.rows(Invoice.id)) == 5


def test_a_number_that_comes_again_with_other_content_is_an_error(till):
    till.bring_in()
    before = till.story()
    retail.write(till.file, [line("536365", "7", "2.55"), line("536371")])

    code, said = till.bring_in()

    assert code == 1
    assert said.startswith(f"{till.file}: row 2, InvoiceNo: is here already with other content\n")
    assert till.story() == before


def test_a_broken_file_is_not_taken_even_with_skip_bad(till):
    retail.write(till.file, [line("536365"), line("536366")])
    till.file.write_text(till.file.read_text().replace("536366,22139,", '536366,22139,"'))

    code, said = till.bring_in("--skip-bad")

    assert code == 1
    assert "rows cannot be told apart: nothing was written" in said
    assert till.rows(Invoice.id) == []


def test_a_legal_entity_of_that_code_with_another_currency_is_not_written_to(till, tmp_path):
    till.bring_in()
    till.map = retail.mapping(
        tmp_path / "map.toml",
        {'name = "online-retail"': 'name = "other"', 'currency = "GBP"': 'currency = "EUR"'},
    )

    code, said = till.bring_in()

    assert (code, said) == (1, "Legal entity online-retail has currency GBP here, not EUR.\n")
    assert len(till.rows(Invoice.id)) == 5


def test_a_shop_keeps_its_own_accounts_apart_from_imported_ones(till, world, tmp_path):
    with till.db.transaction() as session:
        entity = session.get_one(LegalEntity, world.legal_entity_id)
        new = NewAccount("Riley Moreno", "riley@example.com")
        open_account(session, entity, None, new, till.clock.now())

    till.bring_in()

    assert len(till.rows(Account.id)) == 4
    assert till.disproved() == []
