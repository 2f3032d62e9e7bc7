"""Files that a shop lays ready. What they are is kept, their bytes are not: nobody here looks at them."""

from typing import Any

from payments.sandbox.errors import ApiError
from payments.sandbox.forms import EXPAND, Field, Shape, Upload, choice
from payments.sandbox.store import Body, Tx, new_id

KIND = "file"
EVIDENCE = "dispute_evidence"
#: The most that one file may have, and how its kind is told by how it begins.
LARGEST = 5_000_000
_KINDS = {b"\xff\xd8\xff": "jpg", b"\x89PNG": "png", b"%PDF": "pdf"}


def _upload(value: Any, path: str) -> Upload:
    if not isinstance(value, Upload):
        raise ApiError(f"Invalid file: {path}", param=path)
    return value


CREATE: Shape = {
    "file": Field(_upload, required=True),
    "purpose": Field(choice(EVIDENCE), required=True),
    "expand": EXPAND,
}


def create(tx: Tx, given: Body) -> Body:
    """Keep a file. ApiError for a kind that no bank reads, and for one that is too large."""
    upload: Upload = given["file"]
    kind = next((name for head, name in _KINDS.items() if upload.data.startswith(head)), None)
    if kind is None:
        raise ApiError("Evidence is a JPEG, PNG or PDF.", param="file")
    if len(upload.data) > LARGEST:
        raise ApiError("This file is too large.", code="file_too_large", param="file")
    return tx.add(
        {
            "id": new_id(KIND),
            "object": KIND,
            "created": tx.now,
            "expires_at": None,
            "filename": upload.name,
            "links": None,
            "purpose": given["purpose"],
            "size": len(upload.data),
            "title": None,
            "type": kind,
            "url": None,
        }
    )


def check(tx: Tx, file_id: str, param: str) -> None:
    """ApiError unless it is a file of ours that was laid ready as evidence."""
    found = tx.find(KIND, file_id)
    if found is None or found["purpose"] != EVIDENCE:
        raise ApiError(f"No such file: '{file_id}'", code="resource_missing", param=param)
