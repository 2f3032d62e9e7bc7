"""The file: a plain tar whose last member seals all before it.

``counterfoil.json`` tells what is inside, ``tables/NAME/0000.copy.gz`` are rows, ``documents/SHA256`` are
bytes, ``seal.json`` has one SHA-256 over all of them and its HMAC under a key that comes from SECRET_KEY.
Nothing is ever unpacked to a path that the file names.
"""

import hashlib
import hmac
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from core.kernel.errors import ShopError

FORMAT, VERSION = "counterfoil-backup", 1
_HEAD, _SEAL = "counterfoil.json", "seal.json"
#: Whoever sends a file of another kind need not fill our memory with its first member.
_LARGEST_HEAD = 8_000_000


@dataclass(eq=False)
class BadBackup(ShopError):
    """The file cannot be trusted, or is none of ours: nothing of it is used."""

    code: ClassVar[str] = "bad_backup"
    text: ClassVar[str] = "{path} {why}"
    path: str
    why: str


@dataclass(frozen=True)
class TableHead:
    """One table in the file: its columns with their kinds, how many rows, the next number it gives."""

    columns: list[tuple[str, str]]
    rows: int
    next_number: int | None = None


@dataclass(frozen=True)
class Head:
    """What a backup says of itself."""

    revision: str
    made_at: str
    dialect: str
    #: Tells whether another SECRET_KEY sealed it; the key itself does not follow from it.
    key_check: str
    tables: dict[str, TableHead]
    documents: int
    document_bytes: int
    #: Documents that the database knows and whose bytes were not there.
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Member:
    """One piece of the file, read and counted."""

    kind: str
    name: str
    data: bytes


def sealing_key(secret_key: str) -> bytes:
    """The key of the seal; no other secret of the shop follows from it."""
    return hmac.digest(secret_key.encode(), b"counterfoil backup seal", "sha256")


def key_check(key: bytes) -> str:
    """Tells two keys apart and says nothing of either."""
    return hmac.digest(key, b"which key", "sha256").hex()[:16]


class _Sum:
    """One hash over every member's name, size and bytes, in their order."""

    def __init__(self) -> None:
        self._hash, self.members = hashlib.sha256(), 0

    def add(self, name: str, data: bytes) -> None:
        self._hash.update(f"{name}\0{len(data)}\0".encode() + hashlib.sha256(data).digest())
        self.members += 1

    def digest(self) -> bytes:
        return self._hash.digest()


class Writer:
    """Puts members into a new file; ``sealed`` opens it."""

    def __init__(self, tar: tarfile.TarFile, stamp: int) -> None:
        self._tar, self._stamp, self._sum = tar, stamp, _Sum()

    def head(self, head: Head) -> None:
        told = {"format": FORMAT, "version": VERSION, **asdict(head)}
        self._add(_HEAD, json.dumps(told, indent=1).encode())

    def rows(self, table: str, part: int, packed: bytes) -> None:
        self._add(f"tables/{table}/{part:04}.copy.gz", packed)

    def document(self, sha256: str, data: bytes) -> None:
        self._add(f"documents/{sha256}", data)

    def seal(self, key: bytes) -> None:
        told = {
            "members": self._sum.members,
            "sha256": self._sum.digest().hex(),
            "hmac": hmac.digest(key, self._sum.digest(), "sha256").hex(),
        }
        self._add(_SEAL, json.dumps(told, indent=1).encode())

    def _add(self, name: str, data: bytes) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mtime, entry.mode = len(data), self._stamp, 0o600
        self._tar.addfile(entry, io.BytesIO(data))
        self._sum.add(name, data)


@contextmanager
def sealed(path: Path, key: bytes, stamp: int) -> Iterator[Writer]:
    """A new file at ``path``, there only when it is whole and on the disk; nobody else may read it."""
    part = path.with_name(path.name + ".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                writer = Writer(tar, stamp)
                yield writer
                writer.seal(key)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)  # unlike a rename it never takes the place of a file that is there
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_head(path: Path) -> Head:
    """What the file says of itself, before anything is checked. BadBackup when it is none of ours."""
    for member in _members(path):
        if member.kind != _HEAD:
            break
        return _head(path, member.data)
    raise BadBackup(str(path), "is no backup of a shop.")


def check(path: Path, key: bytes, *, other_key: bool, progress: Callable[[int, int], None]) -> Head:
    """Read the whole file and prove it. BadBackup when a byte is another, or when something is missing.

    ``other_key``: it was sealed under another SECRET_KEY, so that only damage is found, not forgery.
    """
    head, sums, seal = read_head(path), _Sum(), None
    if head.key_check != key_check(key) and not other_key:
        raise BadBackup(
            str(path),
            "was made under another SECRET_KEY. Put that one into the environment. With"
            " --other-secret-key it is taken all the same: then links that were mailed, and secrets"
            " that are kept encrypted, no longer open.",
        )
    whole = path.stat().st_size
    documents, done = 0, 0
    for member in _members(path):
        if seal is not None:
            raise BadBackup(str(path), "has something behind its seal: it was tampered with.")
        done += len(member.data)
        progress(done, whole)
        if member.kind == _SEAL:
            seal = member
            continue
        sums.add(member.name, member.data)
        if member.kind == "documents":
            documents += 1
            if hashlib.sha256(member.data).hexdigest() != member.name.split("/")[1]:
                raise BadBackup(str(path), f"is damaged: {member.name} has other bytes.")
    progress(whole, whole)
    if seal is None:
        raise BadBackup(str(path), "is cut off or damaged: its end is missing.")
    _check_seal(path, seal, sums, None if other_key else key)
    if documents + len(head.missing) != head.documents:
        raise BadBackup(str(path), "does not hold the documents that it names.")
    return head


def _check_seal(path: Path, seal: Member, sums: _Sum, key: bytes | None) -> None:
    told = _json(path, seal.data)
    digest = sums.digest()
    if told.get("members") != sums.members or told.get("sha256") != digest.hex():
        raise BadBackup(
            str(path), "is damaged or was changed: its bytes are not those it was sealed with."
        )
    if key is not None and not hmac.compare_digest(
        str(told.get("hmac")), hmac.digest(key, digest, "sha256").hex()
    ):
        raise BadBackup(str(path), "was changed after it was made: its seal is not ours.")


def members(path: Path) -> Iterator[Member]:
    """Rows and documents in the file's order; of a file that ``check`` has proved."""
    return (one for one in _members(path) if one.kind in ("tables", "documents"))


def _members(path: Path) -> Iterator[Member]:
    try:
        with tarfile.open(path, "r:") as tar:
            for entry in tar:
                tar.members = []  # type: ignore[attr-defined]  # it would remember each of them
                file = tar.extractfile(entry) if entry.isreg() else None
                if file is None:
                    raise BadBackup(str(path), f"has a strange piece in it: {entry.name!r}.")
                kind = entry.name.split("/")[0]
                if kind in (_HEAD, _SEAL) and entry.size > _LARGEST_HEAD:
                    raise BadBackup(str(path), "is no backup of a shop.")
                data = file.read()
                if len(data) != entry.size:
                    raise BadBackup(str(path), "is cut off: it ends in the middle of a piece.")
                if not _is_ours(entry.name):
                    raise BadBackup(str(path), f"has a strange piece in it: {entry.name!r}.")
                yield Member(kind, entry.name, data)
    except (tarfile.TarError, EOFError) as error:
        raise BadBackup(str(path), "is no backup, or is cut off or damaged.") from error


def _is_ours(name: str) -> bool:
    parts = name.split("/")
    lengths = {_HEAD: 1, _SEAL: 1, "tables": 3, "documents": 2}
    return lengths.get(parts[0]) == len(parts)


def _head(path: Path, data: bytes) -> Head:
    told = _json(path, data)
    if told.pop("format", None) != FORMAT:
        raise BadBackup(str(path), "is no backup of a shop.")
    if told.pop("version", None) != VERSION:
        raise BadBackup(str(path), "was made by a newer release than this one.")
    try:
        tables = {
            name: TableHead(
                [(c, kind) for c, kind in one["columns"]], one["rows"], one["next_number"]
            )
            for name, one in told.pop("tables").items()
        }
        return Head(tables=tables, **told)
    except (TypeError, KeyError, ValueError) as error:
        raise BadBackup(str(path), "is damaged: its first page cannot be read.") from error


def _json(path: Path, data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data)
    except ValueError as error:
        raise BadBackup(str(path), "is damaged: what it says of itself cannot be read.") from error
    if not isinstance(told, dict):
        raise BadBackup(str(path), "is no backup of a shop.")
    return told
