"""A till beside an empty database of each kind."""

from pathlib import Path

import pytest

from core.kernel.clock import ManualClock
from core.kernel.db import Database
from invoices import history_spool
from tests.till import Till


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every document is a page, and so a transaction, of its own."""
    monkeypatch.setattr(history_spool, "PAGE_DOCUMENTS", 1)


@pytest.fixture
def till(db: Database, clock: ManualClock, tmp_path: Path) -> Till:
    return Till(db, clock, tmp_path)
