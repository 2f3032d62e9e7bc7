"""Caught mails as files: one .eml each, named by when it came, and what can be read in it.

Written by ``app.demo.mail_catcher`` as mails come in and read by its pages. The files are plain mails with
two headers on top, ``Return-Path`` and ``Delivered-To``, which hold the envelope.
"""

import html.parser
import os
import pathlib
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesParser

PAGE_SIZE = 25
_ID = re.compile(r"\d{8}T\d{12}-[0-9a-f]{8}")
_ADDRESS = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


class NoSuchMail(LookupError):
    """No mail, or no part of a mail, goes by that name."""


@dataclass(frozen=True, slots=True)
class Part:
    """An attachment; ``number`` is its place among the mail's attachments, from 0."""

    number: int
    name: str
    type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it was received; times are UTC."""

    id: str
    at: datetime
    sender: str
    to: tuple[str, ...]
    subject: str
    message: EmailMessage

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self.message.items()]

    @property
    def text(self) -> str:
        return _content(self.message.get_body(("plain",)))

    @property
    def html(self) -> str:
        """The formatted body with its own pictures put in, or nothing."""
        body = _content(self.message.get_body(("html",)))
        for part in self.message.walk():
            name = str(part.get("Content-ID", "")).strip("<> ")
            if name and part.get_content_maintype() == "image":
                encoded = str(part.get_payload()).replace("\n", "").replace("\r", "")
                body = body.replace(
                    f"cid:{name}", f"data:{part.get_content_type()};base64,{encoded}"
                )
        return body

    @property
    def links(self) -> list[str]:
        """Every address in the mail, each once, in the order in which a reader meets them."""
        finder = _Links()
        finder.feed(self.html)
        return list(dict.fromkeys([*_ADDRESS.findall(self.text), *finder.found]))

    @property
    def attachments(self) -> list[Part]:
        return [
            Part(
                number,
                part.get_filename() or f"part-{number + 1}",
                part.get_content_type(),
                _payload(part),
            )
            for number, part in enumerate(self.message.iter_attachments())
        ]

    def attachment(self, number: int) -> Part:
        parts = self.attachments
        if not 0 <= number < len(parts):
            raise NoSuchMail(f"{self.id} has no attachment {number}")
        return parts[number]


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the mails, newest first; ``number`` counts from 1."""

    mails: list[Mail]
    number: int
    last: int
    total: int


class MailStore:
    """A folder of caught mails."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, sender: str, to: Sequence[str], content: bytes) -> str:
        """Keeps a mail and answers its id; it is there whole or not at all."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"
        envelope = f"Return-Path: <{sender}>\r\nDelivered-To: {', '.join(to)}\r\n"
        path = self._folder / f"{name}.eml"
        half = path.with_suffix(".part")
        half.write_bytes(envelope.encode("utf-8", "replace") + content)
        os.replace(half, path)
        return name

    def get(self, name: str) -> Mail:
        return _read(name, self.raw(name), headers_only=False)

    def raw(self, name: str) -> bytes:
        if not _ID.fullmatch(name):
            raise NoSuchMail(name)
        try:
            return (self._folder / f"{name}.eml").read_bytes()
        except FileNotFoundError:
            raise NoSuchMail(name) from None

    def page(self, number: int = 1, to: str = "") -> Page:
        """A page of the list without the bodies; ``to`` keeps the mails to an address that contains it."""
        names = sorted((path.stem for path in self._folder.glob("*.eml")), reverse=True)
        if to:
            names = [name for name in names if self._goes_to(name, to)]
        last = max(1, -(-len(names) // PAGE_SIZE))
        number = min(max(1, number), last)
        shown = names[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
        return Page([self._head(name) for name in shown], number, last, len(names))

    def _head(self, name: str) -> Mail:
        return _read(name, self.raw(name), headers_only=True)

    def _goes_to(self, name: str, to: str) -> bool:
        return any(to.lower() in address.lower() for address in self._head(name).to)


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href") if tag == "a" else None
        if address and address.startswith(("http://", "https://")):
            self.found.append(address)


def addresses_in(text: str) -> Iterator[tuple[str, bool]]:
    """Cuts text at its web addresses: each piece with whether it is one."""
    end = 0
    for match in _ADDRESS.finditer(text):
        yield text[end : match.start()], False
        yield match[0], True
        end = match.end()
    yield text[end:], False


def _read(name: str, content: bytes, *, headers_only: bool) -> Mail:
    if headers_only:
        message = BytesParser(EmailMessage, policy=policy.default).parsebytes(
            content, headersonly=True
        )
    else:
        message = message_from_bytes(content, EmailMessage, policy=policy.default)
    return Mail(
        id=name,
        at=datetime.strptime(name.split("-")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC),
        sender=str(message.get("From", message.get("Return-Path", ""))),
        to=tuple(to.strip() for to in str(message.get("Delivered-To", "")).split(",")),
        # A long one may be folded behind its name, and then begins with the fold's space.
        subject=str(message.get("Subject", "")).strip() or "(no subject)",
        message=message,
    )


def _content(part: object) -> str:
    if not isinstance(part, EmailMessage):
        return ""
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError):  # a character set that nobody knows
        return _payload(part).decode("utf-8", "replace")


def _payload(part: object) -> bytes:
    if not isinstance(part, EmailMessage):
        return b""
    if part.is_multipart():  # an attached mail
        return b"".join(bytes(inner) for inner in part.iter_parts())
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""
