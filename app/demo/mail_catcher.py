"""The demo's mail box: takes every mail by SMTP, sends none on, and shows them on a page.

Run as ``python -m app.demo.mail_catcher --page-port P --smtp-port S --data FOLDER``; it listens on
127.0.0.1 only. Programs read ``/api/mails`` and ``/api/mails/ID``.
"""

import argparse
import contextlib
import json
import pathlib
import signal
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.demo import mail_pages
from app.demo.mail_pages import Answer
from app.demo.mail_store import Mail, MailStore, NoSuchMail

HOST = "127.0.0.1"
_JSON = "application/json"


class _Intake:
    """What the SMTP server hands its mails to."""

    def __init__(self, store: MailStore) -> None:
        self._store = store

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        name = self._store.add(envelope.mail_from or "", envelope.rcpt_tos, content)
        return f"250 Kept as {name}"


def answer(store: MailStore, target: str) -> Answer:
    """What a GET of ``target`` (path and query) is answered with; raises ``NoSuchMail``."""
    address = urlsplit(target)
    query = {name: values[-1] for name, values in parse_qs(address.query).items()}
    number = int(query["page"]) if query.get("page", "").isdecimal() else 1
    match address.path.strip("/").split("/"):
        case [""]:
            return mail_pages.listing(store.page(number, query.get("to", "")), query.get("to", ""))
        case ["healthz"]:
            return Answer(_JSON, b'{"status": "ok"}')
        case ["mail.css"]:
            return mail_pages.style()
        case ["mail", name]:
            return mail_pages.reading(store.get(name))
        case ["mail", name, "html"]:
            return mail_pages.formatted(store.get(name))
        case ["mail", name, "raw"]:
            return Answer("message/rfc822", store.raw(name), download=f"{name}.eml")
        case ["mail", name, "attachment", which] if which.isdecimal():
            part = store.get(name).attachment(int(which))
            return Answer(part.type, part.data, download=part.name)
        case ["api", "mails"]:
            page = store.page(number, query.get("to", ""))
            mails = [_described(store.get(mail.id)) for mail in page.mails]
            return _json(
                {"mails": mails, "page": page.number, "pages": page.last, "total": page.total}
            )
        case ["api", "mails", name]:
            mail = store.get(name)
            headers = [list(header) for header in mail.headers]
            return _json(
                {**_described(mail), "text": mail.text, "html": mail.html, "headers": headers}
            )
    raise NoSuchMail(address.path)


def _described(mail: Mail) -> dict[str, Any]:
    return {
        "id": mail.id,
        "at": mail.at.isoformat(),
        "from": mail.sender,
        "to": list(mail.to),
        "subject": mail.subject,
        "links": mail.links,
        "attachments": [
            {"name": part.name, "type": part.type, "size": len(part.data)}
            for part in mail.attachments
        ],
    }


def _json(body: dict[str, Any]) -> Answer:
    return Answer(_JSON, json.dumps(body, ensure_ascii=False).encode())


class _Handler(BaseHTTPRequestHandler):
    store: MailStore
    server_version = "mail"
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        host = (self.headers.get("Host") or "").rpartition(":")[0]
        if host not in {"localhost", HOST}:  # a strange name that leads here wants to read along
            self._send(421, mail_pages.missing("This mail box answers on this machine only."))
            return
        try:
            self._send(200, answer(self.store, self.path))
        except NoSuchMail:
            self._send(404, mail_pages.missing("There is no such mail."))

    def _send(self, status: int, what: Answer) -> None:
        self.send_response(status)
        for name, value in what.headers():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(what.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: their addresses are of no interest later."""


@contextlib.contextmanager
def catching(folder: pathlib.Path, *, page_port: int, smtp_port: int) -> Iterator[MailStore]:
    """A running mail box, in threads; it has stopped when the block is left."""
    store = MailStore(folder)
    smtp = Controller(_Intake(store), hostname=HOST, port=smtp_port, decode_data=False)
    handler = type("_BoundHandler", (_Handler,), {"store": store})
    with ThreadingHTTPServer((HOST, page_port), handler) as pages:
        smtp.start()
        thread = threading.Thread(target=pages.serve_forever, args=(0.1,), name="mail-pages")
        thread.start()
        try:
            yield store
        finally:
            pages.shutdown()
            thread.join()
            smtp.stop()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="app.demo.mail_catcher", description="The demo's mail box."
    )
    parser.add_argument("--page-port", type=int, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    chosen = parser.parse_args(argv)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: over.set())
    with catching(chosen.data, page_port=chosen.page_port, smtp_port=chosen.smtp_port):
        print(
            f"Mail box at http://{HOST}:{chosen.page_port}/, SMTP on {chosen.smtp_port}", flush=True
        )
        over.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
