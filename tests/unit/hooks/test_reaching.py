"""Where a webhook may go, and what we put up with there."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from core.hooks import reaching
from core.hooks.reaching import HttpPoster, is_public, refusal

PRIVATE = """127.0.0.1 127.9.9.9 0.0.0.0 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254
100.64.0.1 192.0.2.1 198.18.0.1 224.0.0.1 240.0.0.1 255.255.255.255 :: ::1 fe80::1 fe80::1%eth0 fc00::1
fd12:3456::1 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 2002:7f00:1::
2002:a9fe:a9fe:: 64:ff9b::7f00:1 64:ff9b::a00:1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:db8::1"""


def test_no_address_of_a_private_network_counts_as_public_however_it_is_wrapped():
    assert [address for address in PRIVATE.split() if is_public(address)] == []
    assert all(
        map(
            is_public,
            ("93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"),
        )
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://erp.example.com/",
        "ftp://erp.example.com/",
        "javascript:alert(1)",
        "https://",
        "https:///hooks",
        "https://user:word@erp.example.com/",
        "https://user@erp.example.com/",
        "https://erp.example.com/#there",
        "https://erp.example.com:0/",
        "https://erp.example.com:99999/",
        "https://erp.example.com/a b",
        "https://erp.example.com/\r\nHost: other",
        "https://exämple.com/",
        "https://[::1",
        "https://erp.example.com/" + "x" * 500,
        "",
    ],
)
def test_what_is_no_good_address_is_told_and_never_asked(url: str):
    assert refusal(url, insecure=False)
    assert HttpPoster().post(url, {}, b"{}").status is None


def test_a_good_address_is_taken():
    assert refusal("https://erp.example.com:8443/hooks?from=shop", insecure=False) is None


# --- against servers on this machine ----------------------------------------------------------


class Server(http.server.ThreadingHTTPServer):
    """Answers by its path."""

    heard: list[tuple[str, dict[str, str], bytes]]


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Server)
        self.server.heard.append((self.path, dict(self.headers), body))
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/secret")
            self.end_headers()
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            for _ in range(1_000):
                try:
                    self.wfile.write(b"x" * 100_000)
                except OSError:
                    return
        elif self.path == "/slow":
            try:
                for _ in range(100):
                    self.wfile.write(b"H")
                    time.sleep(0.1)
            except OSError:
                return
        else:
            self.send_response(int(self.path.strip("/") or 200))
            self.end_headers()
            self.wfile.write(b"noted")

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), _Handler)
    server.heard = []
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_it_posts_once_and_reads_to_a_bound_and_follows_nothing():
    poster = HttpPoster(anywhere=True)
    with serving() as server:
        base = f"http://localhost:{server.server_port}"
        answer = poster.post(f"{base}/204", {"webhook-id": "msg_1"}, b'{"a":1}')
        assert (answer.status, answer.taken, answer.trouble) == (204, True, "")
        ((path, headers, body),) = server.heard
        assert (path, body, headers["webhook-id"]) == ("/204", b'{"a":1}', "msg_1")
        assert headers["Host"] == f"localhost:{server.server_port}"
        moved = poster.post(f"{base}/moved", {}, b"{}")
        assert (moved.status, moved.taken) == (302, False)
        assert len(server.heard) == 2, "nobody asked for /secret"
        assert len(poster.post(f"{base}/endless", {}, b"{}").said) == reaching.LARGEST
        assert not poster.post(f"{base}/500", {}, b"{}").taken


def test_in_production_the_same_server_is_out_of_reach_by_any_name(monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(socket, "getaddrinfo", _names(asked))
    poster = HttpPoster()
    for host in ("localhost", "rebound.example.com", "mixed.example.com", "127.0.0.1", "[::1]"):
        answer = poster.post(f"https://{host}/", {}, b"{}")
        assert (answer.status, answer.trouble) == (
            None,
            "its name leads into a private network, where we do not go",
        )
    assert len(asked) == 5, (
        "each name is looked up once: it cannot turn between looking and connecting"
    )
    assert (
        poster.post("https://nowhere.example.com/", {}, b"{}").trouble == "its name leads nowhere"
    )
    with serving() as server:
        near = HttpPoster(private_hosts=("127.0.0.1",))
        answer = near.post(f"https://127.0.0.1:{server.server_port}/", {}, b"{}")
        assert answer.trouble in ("it does not speak TLS as it should", "it did not answer in time")


def _names(asked: list[str]):
    known = {
        "localhost": ["127.0.0.1"],
        "rebound.example.com": ["10.0.0.7"],
        "mixed.example.com": ["93.184.216.34", "169.254.169.254"],
        "127.0.0.1": ["127.0.0.1"],
        "::1": ["::1"],
    }

    def look(host: str, port: int, **_: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        asked.append(host)
        if host not in known:
            raise socket.gaierror
        families = {True: socket.AF_INET6, False: socket.AF_INET}
        return [
            (families[":" in one], socket.SOCK_STREAM, 0, "", (one, port)) for one in known[host]
        ]

    return look


def test_whoever_answers_a_letter_at_a_time_has_a_deadline():
    with serving() as server:
        began = time.monotonic()
        poster = HttpPoster(anywhere=True, whole_seconds=0.5)
        answer = poster.post(f"http://127.0.0.1:{server.server_port}/slow", {}, b"{}")
        assert (answer.status, answer.trouble) == (None, "it did not answer in time")
        assert time.monotonic() - began < 3


def test_nobody_there_is_told_in_words():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        answer = HttpPoster(anywhere=True).post(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert answer.trouble == "nobody listens there"
