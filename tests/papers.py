"""Papers of tests: a line of words instead of a PDF, unless a test says that it looks at what is printed.

To set a page takes half a second; what becomes of a paper afterwards (kept once, under its hash, sent, read
again) is the same. The conftests of tests/rooms and tests/flows make it so; a test or a module that is marked
``typeset`` gets real ones.
"""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol
from unittest.mock import patch

import pytest

from invoices.pdf import RenderedDocument


class Numbered(Protocol):
    """A document, as far as it matters here."""

    @property
    def number(self) -> str: ...


def short_paper(document: Numbered, **_: Any) -> RenderedDocument:
    """In place of a PDF; the same document gives the same bytes."""
    data = f"%PDF-1.7 paper {document.number}".encode()
    return RenderedDocument(
        bytes=data,
        sha256=hashlib.sha256(data).hexdigest(),
        media_type="application/pdf",
        template_version="short",
        renderer_version="short",
        fonts_version="short",
    )


def shortened() -> AbstractContextManager[Any]:
    """Within this, all papers are short."""
    return patch("invoices.pdf.render", short_paper)


@pytest.fixture(autouse=True)
def papers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Short ones, unless the test is marked ``typeset``."""
    if request.node.get_closest_marker("typeset"):
        yield
        return
    with shortened():
        yield
