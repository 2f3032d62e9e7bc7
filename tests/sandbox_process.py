"""The sandbox processor as a real process, and a payer who fills in its page without a browser.

``running_sandbox`` starts it on a free port of this machine; ``WebhookCatcher`` hears its events.
"""

import contextlib
import http.client
import json
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from tests.processes import wait_until

ROOT = Path(__file__).parents[1]


@dataclass
class Seen:
    """What a payer saw last: where the browser was sent, or the page with its problems."""

    status: int
    address: str
    body: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def redirect(self) -> str | None:
        """The shop's address that the payer was sent back to."""
        return self.address if self.status == 303 else None


class SandboxProcess:
    """A sandbox that runs: its address, key and secret, and hands to turn its switches."""

    def __init__(self, process: subprocess.Popen[str], base_url: str, key: str, secret: str):
        self.process = process
        self.base_url = base_url
        self.api_key = key
        self.webhook_secret = secret

    # --- switches ---

    def control(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One request to the sandbox itself, with the key."""
        status, _, answer = self._request(
            method,
            path,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"},
        )
        assert status == 200, answer
        found = json.loads(answer)
        assert isinstance(found, dict)
        return found

    def api(
        self, method: str, path: str, form: str = "", **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """One request to the API as it goes over the wire: status, headers, body."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        usual = {
            "Authorization": f"Bearer {self.api_key}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return self._request(method, path, form.encode(), {**usual, **named})

    def advance(self, seconds: float) -> float:
        """Move the processor's clock on; answers its time."""
        return float(self.control("POST", "/sandbox/clock", {"advance_seconds": seconds})["now"])

    def set_clock(self, now: float) -> None:
        self.control("POST", "/sandbox/clock", {"now": now})

    def now(self) -> float:
        return float(self.control("GET", "/sandbox/clock")["now"])

    def forget(self) -> None:
        """Empty books, as for a new merchant."""
        self.control("DELETE", "/sandbox/books")

    def fault(self, kind: str, **more: Any) -> None:
        """Switch a fault on: ``path``, ``method``, ``times``, ``delay_seconds``, …"""
        self.control("POST", "/sandbox/faults", {"kind": kind, **more})

    def clear_faults(self) -> None:
        """No faults any more, and what was held back goes out."""
        self.control("DELETE", "/sandbox/faults")

    def release_webhooks(self) -> None:
        self.control("POST", "/sandbox/webhooks/release")

    def resend(self, event_id: str) -> None:
        self.control("POST", "/sandbox/webhooks/resend", {"event": event_id})

    def send_webhooks_to(self, url: str | None, secrets: list[str] | None = None) -> None:
        body: dict[str, Any] = {"url": url}
        if secrets is not None:
            body["secrets"] = secrets
        self.control("POST", "/sandbox/webhooks/target", body)

    @property
    def deliveries(self) -> list[dict[str, Any]]:
        """Every delivery of an event, newest first, with its state and number of tries."""
        return list(self.control("GET", "/sandbox/webhooks")["deliveries"])

    @property
    def events(self) -> list[dict[str, Any]]:
        """The latest hundred events as the API tells them, newest first."""
        return list(self.control("GET", "/v1/events?limit=100")["data"])

    # --- the payer ---

    def pay(
        self,
        session_url: str,
        card: str = "4242424242424242",
        *,
        complete_3ds: bool = True,
        expiry: str = "12/34",
        cvc: str = "123",
        name: str = "June Alder",
    ) -> Seen:
        """Fill in the page and press the button; answer the bank if it asks."""
        entry = {"number": card, "expiry": expiry, "cvc": cvc, "name": name}
        seen = self.send_form(session_url, entry)
        if seen.redirect and seen.redirect.endswith("/challenge"):
            answer = "complete" if complete_3ds else "fail"
            seen = self.send_form(seen.redirect, {"answer": answer})
        if seen.redirect and seen.redirect.startswith(self.base_url):
            seen = self.look(seen.redirect)
        return seen

    def look(self, address: str) -> Seen:
        """Open one of its pages."""
        return self._seen(*self._request("GET", _path(address)), address)

    def send_form(self, address: str, entry: dict[str, str]) -> Seen:
        """Open a page and send the form that stands on it; every entry must be one of its fields."""
        page = self.look(address)
        if page.status != 200:
            return page
        form = _Form()
        form.feed(page.body)
        assert set(entry) <= form.names, f"the form has {form.names}, not {set(entry)}"
        status, headers, body = self._request(
            "POST",
            _path(urljoin(address, form.action)),
            urlencode(entry).encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        return self._seen(status, headers, body, address)

    def _seen(self, status: int, headers: dict[str, str], body: str, address: str) -> Seen:
        form = _Form()
        form.feed(body)
        return Seen(status, headers.get("location", address), body, form.problems)

    def _request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str], str]:
        line = http.client.HTTPConnection(urlsplit(self.base_url).netloc, timeout=20)
        try:
            line.request(method, path, body, headers or {})
            answer = line.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found, answer.read().decode()
        finally:
            line.close()

    def stop(self) -> int:
        """End it as a supervisor would; answers its exit status."""
        self.process.terminate()
        return self.process.wait(timeout=10)


class _Form(HTMLParser):
    """The form on a page, and the problems told next to its fields."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.names: set[str] = set()
        self.problems: list[str] = []
        self._in_problem = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.action = found.get("action") or ""
        if tag in ("input", "button") and found.get("name"):
            self.names.add(str(found["name"]))
        if tag == "p" and found.get("class") == "err":
            self._in_problem = True
            self.problems.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_problem = False

    def handle_data(self, data: str) -> None:
        if self._in_problem:
            self.problems[-1] += data


def _path(address: str) -> str:
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else "")


@contextlib.contextmanager
def running_sandbox(
    data_dir: Path,
    webhook_url: str | None = None,
    *,
    webhook_secret: str | None = None,
    api_key: str | None = None,
    port: int = 0,
) -> Iterator[SandboxProcess]:
    """A sandbox of its own; it ends with the block. The same folder and key go on where it ended."""
    key = api_key or f"sk_sandbox_{secrets.token_hex(12)}"
    secret = webhook_secret or f"whsec_{secrets.token_hex(16)}"
    command = [sys.executable, "-m", "payments.sandbox", "--port", str(port)]
    command += ["--data", str(data_dir), "--api-key", key, "--webhook-secret", secret]
    if webhook_url:
        command += ["--webhook-url", webhook_url]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process, process.stdout:
        try:
            said = process.stdout.readline().split()
            assert said[:3] == ["sandbox", "processor", "at"], f"it said {said}"
            yield SandboxProcess(process, said[3], key, secret)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()


@dataclass
class Caught:
    """One webhook as it came in: the raw bytes and the signature."""

    body: bytes
    signature: str

    @property
    def event(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class WebhookCatcher:
    """A shop's webhook address that keeps what it hears; ``answers`` are the next statuses.

    Its other addresses, at ``shop``, show one page: a browser can be sent back there.
    """

    def __init__(self) -> None:
        self.caught: list[Caught] = []
        self.answers: list[int] = []
        catcher = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                catcher.caught.append(Caught(body, self.headers["Stripe-Signature"]))
                self.send_response(catcher.answers.pop(0) if catcher.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                page = b"<!doctype html><html lang=en><title>The shop</title><h1>The shop</h1>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhooks/stripe"
        self.shop = f"http://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> "WebhookCatcher":
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_for(self, type_: str, count: int = 1, seconds: float = 10.0) -> list[Caught]:
        """The webhooks of a type, once there are at least ``count``."""

        def found() -> list[Caught]:
            return [caught for caught in self.caught if caught.event["type"] == type_]

        heard = wait_until(lambda: len(found()) >= count, seconds)
        assert heard, f"{count} x {type_} wanted, heard {[c.event['type'] for c in self.caught]}"
        return found()
