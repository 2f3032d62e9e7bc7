"""Content-addressed store for documents: bytes first, row after, never changed.

A folder by default; anything that answers ``Blobs`` may stand in its place.
"""

import hashlib
import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from sqlalchemy import String
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.kernel.db import Base, insert_once


class Blob(Base):
    """That bytes with this SHA-256 are stored."""

    __tablename__ = "blob"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int]
    media_type: Mapped[str] = mapped_column(String(100))
    stored_at: Mapped[datetime]


class Blobs(Protocol):
    """Where the bytes are."""

    def put(self, data: bytes) -> str:
        """Store ``data`` durably; answers its SHA-256. Storing the same twice is no change."""
        ...

    def get(self, sha256: str) -> bytes:
        """The bytes stored under ``sha256``; FileNotFoundError when there are none."""
        ...

    def open(self, sha256: str) -> BinaryIO:
        """The same to read from any place on, for what is large; the caller closes it."""
        ...


class FolderBlobs:
    """Blobs as files below one folder, two levels deep."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        """The file of one blob."""
        return self.root / sha256[:2] / sha256[2:4] / sha256

    def put(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        target = self.path(sha256)
        if target.exists():
            return sha256
        _make_durably(target.parent)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync(target.parent)
        return sha256

    def get(self, sha256: str) -> bytes:
        return self.path(sha256).read_bytes()

    def open(self, sha256: str) -> BinaryIO:
        return self.path(sha256).open("rb")


def _make_durably(folder: Path) -> None:
    """Make ``folder`` and those above it, so that a power cut takes none of them."""
    if not folder.exists():
        _make_durably(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def note(session: Session, sha256: str, size: int, media_type: str, now: datetime) -> None:
    """Record stored bytes; a second time is no change."""
    insert_once(session, Blob, sha256=sha256, size=size, media_type=media_type, stored_at=now)


def is_whole(blobs: Blobs, sha256: str) -> bool:
    """Do the stored bytes still have their hash?"""
    try:
        return hashlib.sha256(blobs.get(sha256)).hexdigest() == sha256
    except FileNotFoundError:
        return False
