"""A document as XHTML with its style sheets, and the versions of what makes it: asked by
``invoices.pdf`` alone.

The markup is well-formed XML without white space between tags, so that the renderer reads it with
the standard library's parser and lays out no empty text.
"""

import hashlib
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Any, Protocol
from urllib.parse import urlsplit

import jinja2
import segno

from invoices.arrangement import Arrangement
from invoices.theme import Theme

TEMPLATES = Path(__file__).parent / "templates"
QR_MASK = 2
# What XML forbids and no printer knows.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class _JoinedLines(jinja2.BaseLoader):
    """Reads a template and joins its lines without the white space between them."""

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, None]:
        path = TEMPLATES / template
        lines = path.read_text("utf-8").splitlines()
        return "".join(line.strip() for line in lines), str(path), None


class Printable(Protocol):
    """What the press asks of any document itself; all else is its template's."""

    @property
    def locale(self) -> str: ...
    @property
    def pay_url(self) -> str | None: ...
    @property
    def asks_for_money(self) -> bool: ...


@dataclass(frozen=True)
class Typesetting:
    """How one kind of document is set: its template, its style sheets one upon the other, what
    arranges it for a paper, and the files below ``invoices`` that word and arrange it."""

    template: str
    sheets: tuple[str, ...]
    arrange: Callable[[Any, str], Any]
    code: tuple[str, ...]

    def xhtml(self, document: Printable, theme: Theme, qr: str) -> str:
        """The document's markup; ``qr`` is the address of the code's picture, empty for none."""
        plan = self.arrange(document, theme.paper_for(document.locale))
        text = _template(self.template).render(
            document=document,
            plan=plan,
            say=plan.say,
            theme=theme,
            qr=qr,
            pay_address=bare_address(document.pay_url or ""),
        )
        return UNPRINTABLE.sub(" ", text)

    def style(self, theme: Theme, locale: str) -> str:
        """The style sheets with the theme's values."""
        values = {
            "paper": theme.paper_for(locale),
            "ink": theme.ink,
            "ink_2": theme.ink_2,
            "rule": theme.rule,
            "rule_2": theme.rule_2,
            "accent": theme.accent,
            "tint": theme.tint,
            "heads": theme.heads,
            "mark": "asset:mark.svg" if theme.mark else "",
        }
        text = "".join((TEMPLATES / sheet).read_text("utf-8") for sheet in self.sheets)
        return Template(text).substitute(values)

    def version(self) -> str:
        """Changes with the template, its style or the code that words and arranges it."""
        return _version(self)


INVOICES = Typesetting(
    "document.html",
    ("base.css", "document.css"),
    Arrangement,
    ("arrangement.py", "figures.py", "markup.py", "room.py", "theme.py", "words.py"),
)


@lru_cache(maxsize=8)
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=_JoinedLines(),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name)


def bare_address(url: str) -> str:
    """An address as people type it: ``pay.example.com/b/7Q2`` for ``https://pay.example.com/b/7Q2``."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return url
    return url.removeprefix("https://").removesuffix("/")


def qr_picture(url: str) -> bytes:
    """The code for an address as a grey PNG, one pixel a module. The mask is
    fixed: readers take any, and to try all eight costs more than the rest of the code."""
    picture = io.BytesIO()
    segno.make(url, error="m", micro=False, mask=QR_MASK).save(
        picture, kind="png", border=0, scale=1
    )
    return picture.getvalue()


def asset(name: str) -> bytes:
    """A packaged font by its name, ``fonts/bill-serif.ttf``; LookupError for anything else."""
    return {f"fonts/{path.name}": path for path in _fonts()}[name].read_bytes()


def _fonts() -> list[Path]:
    return [path for path in (TEMPLATES / "fonts").iterdir() if path.suffix in (".ttf", ".otf")]


def _hash(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@lru_cache(maxsize=8)
def _version(typesetting: Typesetting) -> str:
    here = Path(__file__).parent
    code = [here / name for name in typesetting.code]
    shape = (typesetting.template, *typesetting.sheets)
    return _hash([*(TEMPLATES / name for name in shape), *code])


@lru_cache(maxsize=1)
def fonts_version() -> str:
    """Changes with any shipped font."""
    return _hash(_fonts())
