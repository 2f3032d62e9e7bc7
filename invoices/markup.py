"""A document as XHTML with its style sheets, and the versions of what makes it: asked by
``invoices.pdf`` alone.

The markup is well-formed XML without white space between tags, so that the renderer reads it with
the standard library's parser and lays out no empty text.
"""

import hashlib
import io
import re
from functools import lru_cache
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

import jinja2
import segno

from invoices.arrangement import Arrangement
from invoices.document import InvoiceDocument
from invoices.theme import Theme

TEMPLATES = Path(__file__).parent / "templates"
QR_MASK = 2
SHEETS = ("base.css", "document.css")
# What XML forbids and no printer knows.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class _JoinedLines(jinja2.BaseLoader):
    """Reads a template and joins its lines without the white space between them."""

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, None]:
        path = TEMPLATES / template
        lines = path.read_text("utf-8").splitlines()
        return "".join(line.strip() for line in lines), str(path), None


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=_JoinedLines(),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("document.html")


def xhtml(document: InvoiceDocument, theme: Theme, qr: str) -> str:
    """The document's markup; ``qr`` is the address of the code's picture, empty for none."""
    plan = Arrangement(document, theme.paper_for(document.locale))
    text = _template().render(
        document=document,
        plan=plan,
        say=plan.say,
        theme=theme,
        qr=qr,
        pay_address=bare_address(document.pay_url or ""),
    )
    return UNPRINTABLE.sub(" ", text)


def bare_address(url: str) -> str:
    """An address as people type it: ``pay.example.com/b/7Q2`` for ``https://pay.example.com/b/7Q2``."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return url
    return url.removeprefix("https://").removesuffix("/")


def style(theme: Theme, locale: str) -> str:
    """The style sheets with the theme's values."""
    values = {
        "paper": theme.paper_for(locale),
        "ink": theme.ink,
        "ink_2": theme.ink_2,
        "rule": theme.rule,
        "rule_2": theme.rule_2,
        "accent": theme.accent,
        "tint": theme.tint,
        "mark": "asset:mark.svg" if theme.mark else "",
    }
    text = "".join((TEMPLATES / sheet).read_text("utf-8") for sheet in SHEETS)
    return Template(text).substitute(values)


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


@lru_cache(maxsize=1)
def template_version() -> str:
    """Changes with the template, its style or the code that words and arranges it."""
    here = Path(__file__).parent
    code = [
        here / name for name in ("arrangement.py", "figures.py", "markup.py", "room.py", "theme.py")
    ]
    return _hash([TEMPLATES / "document.html", *(TEMPLATES / sheet for sheet in SHEETS), *code])


@lru_cache(maxsize=1)
def fonts_version() -> str:
    """Changes with any shipped font."""
    return _hash(_fonts())
