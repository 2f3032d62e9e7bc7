"""That bytes are stored is noted once, after they are there."""

from pathlib import Path

from sqlalchemy import select

from core.kernel import blobs
from core.kernel.blobs import Blob, FolderBlobs
from core.kernel.clock import ManualClock
from core.kernel.db import Database


def test_stored_bytes_are_noted_once(db: Database, clock: ManualClock, tmp_path: Path):
    store = FolderBlobs(tmp_path / "blobs")
    sha256 = store.put(b"%PDF a bill")
    for media_type in ("application/pdf", "text/plain"):
        with db.transaction() as session:
            blobs.note(session, sha256, 11, media_type, clock.now())
    with db.reading() as session:
        (noted,) = session.scalars(select(Blob))
    assert (noted.sha256, noted.size, noted.media_type) == (sha256, 11, "application/pdf")
    assert noted.stored_at == clock.now()
    assert blobs.is_whole(store, noted.sha256)
