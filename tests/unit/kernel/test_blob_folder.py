"""Bytes in a folder: stored once under their hash, whole or not at all."""

import hashlib
import os
from pathlib import Path

import pytest

from core.kernel.blobs import FolderBlobs, is_whole


def test_bytes_come_back_under_their_hash(tmp_path: Path):
    blobs = FolderBlobs(tmp_path / "not" / "yet")
    sha256 = blobs.put(b"a bill")
    assert sha256 == hashlib.sha256(b"a bill").hexdigest()
    assert blobs.get(sha256) == b"a bill"
    assert is_whole(blobs, sha256)


def test_storing_the_same_bytes_again_touches_nothing(tmp_path: Path):
    blobs = FolderBlobs(tmp_path)
    sha256 = blobs.put(b"a bill")
    before = blobs.path(sha256).stat()
    assert blobs.put(b"a bill") == sha256
    after = blobs.path(sha256).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_changed_byte_is_found(tmp_path: Path):
    blobs = FolderBlobs(tmp_path)
    sha256 = blobs.put(b"a bill of 90.37")
    blobs.path(sha256).write_bytes(b"a bill of 00.37")
    assert not is_whole(blobs, sha256)


def test_missing_bytes_are_found(tmp_path: Path):
    blobs = FolderBlobs(tmp_path)
    missing = hashlib.sha256(b"never stored").hexdigest()
    assert not is_whole(blobs, missing)
    with pytest.raises(FileNotFoundError):
        blobs.get(missing)


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch):
    blobs = FolderBlobs(tmp_path)

    def full(handle: int) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            blobs.put(b"a bill")
    assert not [found for found in tmp_path.rglob("*") if found.is_file()]
