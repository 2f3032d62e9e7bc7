"""Posting to an address that a person typed, without being led astray.

Only https and public addresses: the name is resolved once, every address that it has must be public, and the
connection goes to one of those, so that a name cannot turn between looking and connecting. Redirects are not
followed, no proxy is asked, an answer is read to a bound, and the whole has a deadline.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

#: So much of an answer is read.
LARGEST = 4_000
LONGEST_URL = 500


@dataclass(frozen=True)
class Answer:
    """What came back; ``status`` None and ``trouble`` in words when nothing did."""

    status: int | None
    took_ms: int
    said: str = ""
    trouble: str = ""

    @property
    def taken(self) -> bool:
        """Did the program take it? Any 2xx says so."""
        return self.status is not None and 200 <= self.status < 300


class Poster(Protocol):
    """Sends a body to an address."""

    def refuse(self, url: str) -> str | None:
        """Why an address may not be used at all, in words; None when it may. Resolves nothing."""
        ...

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send it. It never raises for what the other side does."""
        ...


@dataclass(frozen=True)
class Nowhere:
    """Reaches nobody: for a house that has no way out."""

    def refuse(self, url: str) -> str | None:
        return refusal(url, insecure=False)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        return Answer(None, 0, trouble="this shop has no way out")


def refusal(url: str, *, insecure: bool) -> str | None:
    """Why this is no address for a webhook, in words. ``insecure``: http will do."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "This is no address. It looks like https://erp.example.com/hooks."
    schemes = ("https", "http") if insecure else ("https",)
    if parts.scheme not in schemes:
        return "It begins with https://, so that nobody reads along."
    if not parts.hostname or port == 0:
        return "This is no address. It looks like https://erp.example.com/hooks."
    if parts.username is not None or parts.password is not None:
        return "Leave out the name and password: the signature proves that it comes from us."
    if parts.fragment:
        return "Leave out what stands behind #: it is never sent."
    if len(url) > LONGEST_URL or not url.isascii() or any(sign <= " " for sign in url):
        return "It has up to 500 plain characters and no blanks."
    return None


def is_public(address: str) -> bool:
    """Is this an address in the open internet? What wraps an IPv4 address is judged by that."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
        if found.teredo is not None:
            return False
        if inner is not None:
            found = inner
    return found.is_global and not found.is_multicast and not found.is_reserved


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class _Refused(Exception):
    """We do not connect there."""


@dataclass(frozen=True)
class HttpPoster:
    """The way out. ``private_hosts`` may be private; ``anywhere`` is for tests and the demo."""

    private_hosts: Collection[str] = ()
    anywhere: bool = False
    connect_seconds: float = 5.0
    whole_seconds: float = 12.0
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)

    def refuse(self, url: str) -> str | None:
        return refusal(url, insecure=self.anywhere)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        began = time.monotonic()

        def took() -> int:
            return round((time.monotonic() - began) * 1000)

        why = self.refuse(url)
        if why is not None:
            return Answer(None, 0, trouble=why)
        parts = urlsplit(url)
        try:
            status, said = self._exchange(parts, headers, body, began + self.whole_seconds)
        except _Refused as error:
            return Answer(None, took(), trouble=str(error))
        except ssl.SSLCertVerificationError as error:
            return Answer(
                None, took(), trouble=f"its certificate is not good: {error.verify_message}"[:200]
            )
        except TimeoutError:
            return Answer(None, took(), trouble="it did not answer in time")
        except (OSError, http.client.HTTPException, ValueError) as error:
            if took() >= self.whole_seconds * 1000:
                return Answer(None, took(), trouble="it did not answer in time")
            return Answer(None, took(), trouble=_words(error))
        return Answer(status, took(), said)

    def _exchange(
        self, parts: SplitResult, headers: Mapping[str, str], body: bytes, until: float
    ) -> tuple[int, str]:
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        sock = self._connect(host, port)
        try:
            if parts.scheme == "https":
                sock = self.context.wrap_socket(
                    sock, server_hostname=host, do_handshake_on_connect=False
                )
            deadline = threading.Timer(max(until - time.monotonic(), 0.1), _cut, (sock,))
            deadline.daemon = True
            deadline.start()
            try:
                if isinstance(sock, ssl.SSLSocket):
                    sock.do_handshake()
                return self._ask(sock, parts, headers, body)
            finally:
                deadline.cancel()
        finally:
            sock.close()

    def _ask(
        self, sock: socket.socket, parts: SplitResult, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, str]:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        connection.sock = sock
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.putrequest("POST", path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", parts.netloc)
        connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Connection", "close")
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        with connection.getresponse() as response:
            return response.status, response.read(LARGEST).decode("utf-8", "replace")

    def _connect(self, host: str, port: int) -> socket.socket:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise _Refused("its name leads nowhere") from None
        addresses = [(family, address) for family, _, _, _, address in found]
        if not (self.anywhere or host in self.private_hosts) and not all(
            is_public(str(address[0])) for _, address in addresses
        ):
            raise _Refused("its name leads into a private network, where we do not go")
        trouble: OSError = OSError("its name leads nowhere")
        for family, address in addresses[:4]:
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.settimeout(self.connect_seconds)
            try:
                sock.connect(address)
            except OSError as error:
                sock.close()
                trouble = error
                continue
            sock.settimeout(self.whole_seconds)
            return sock
        raise trouble


def _cut(sock: socket.socket) -> None:
    """Whoever answers a letter at a time has had their time."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def _words(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    if isinstance(error, ssl.SSLError):
        return "it does not speak TLS as it should"
    if isinstance(error, http.client.HTTPException):
        return "it closed the line, or did not answer in HTTP"
    return "the line was cut"
