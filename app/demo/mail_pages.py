"""The pages of the demo's mail box, as answers that ``app.demo.mail_catcher`` sends.

A mail's own HTML is shown at an address of its own, under a policy that runs no script and loads nothing from
anywhere, inside a frame without any right but to open its links in a new tab.
"""

import pathlib
import re
from dataclasses import dataclass
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.demo.mail_store import Mail, Page, addresses_in

_FOLDER = pathlib.Path(__file__).parent / "mail_templates"
_templates = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
_HEAD = re.compile(r"<head(\s[^>]*)?>|<html(\s[^>]*)?>|<!doctype[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a GET; with ``download`` it is saved under that name and not shown."""

    type: str
    body: bytes
    policy: str = "default-src 'none'; sandbox"
    download: str = ""

    def headers(self) -> list[tuple[str, str]]:
        found = [
            ("Content-Type", self.type),
            ("Content-Length", str(len(self.body))),
            ("Content-Security-Policy", self.policy),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-store"),
        ]
        if self.download:
            name = f"attachment; filename*=UTF-8''{quote(self.download, safe='')}"
            found.append(("Content-Disposition", name))
        return found


def listing(page: Page, to: str) -> Answer:
    return _page("list.html", page=page, to=to)


def reading(mail: Mail) -> Answer:
    return _page("mail.html", mail=mail, pieces=list(addresses_in(mail.text)))


def missing(words: str) -> Answer:
    return _page("missing.html", words=words)


def formatted(mail: Mail) -> Answer:
    """The mail's HTML as it was sent; its links open in a new tab."""
    body = mail.html
    heads = list(_HEAD.finditer(body[:2000]))
    after = heads[-1].end() if heads else 0
    body = f'{body[:after]}<base target="_blank">{body[after:]}'
    return Answer("text/html; charset=utf-8", body.encode("utf-8", "replace"), policy=_MAIL_POLICY)


def style() -> Answer:
    return Answer("text/css; charset=utf-8", (_FOLDER / "mail.css").read_bytes())


def _page(template: str, **values: object) -> Answer:
    body = _templates.get_template(template).render(values)
    return Answer("text/html; charset=utf-8", body.encode("utf-8", "replace"), policy=_PAGE_POLICY)
