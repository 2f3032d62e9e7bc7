"""Lists of the desk as files: written to disk first, so that memory stays as it is."""

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Sequence
from typing import IO

from flask import Response, send_file

from core.kernel import sheet
from core.kernel.sheet import Cell
from web.context import today


def csv(name: str, head: Sequence[str], rows: Callable[[], Iterable[tuple[Cell, ...]]]) -> Response:
    """``name-DAY.csv`` with these rows; nobody between us keeps a copy."""

    def write(file: IO[bytes]) -> None:
        for piece in sheet.pieces(head, rows()):
            file.write(piece)

    with contextlib.ExitStack() as at_fault:
        file = at_fault.enter_context(tempfile.TemporaryFile())
        write(file)
        file.seek(0)
        at_fault.pop_all()  # from here on Flask closes it, when the last byte went out
    answer = send_file(
        file,
        mimetype="text/csv",
        as_attachment=True,
        download_name=f"{name}-{today().isoformat()}.csv",
        etag=False,
    )
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
