"""HTTP: one thread for each connection of the standard library's server, and nothing more."""

import sys
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from payments.sandbox.processor import Answer, Processor, Request, told

LONGEST_BODY = 6_000_000
OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")


class Server(ThreadingHTTPServer):
    """Listens on the loopback interface only."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    processor: Processor


class Handler(BaseHTTPRequestHandler):
    """Reads a request, lets the processor answer, writes the answer in one go."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 75.0
    server: Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        try:
            answer = self._answer()
        except Exception:
            traceback.print_exc(file=sys.stderr)
            body = {"error": {"type": "api_error", "message": "The sandbox itself failed."}}
            answer = told(500, body)
        if answer.hang_up:
            self.close_connection = True
            return
        self._write(answer)

    def _answer(self) -> Answer:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > LONGEST_BODY:
            self.close_connection = True
            return told(413, {"error": {"type": "invalid_request_error", "message": "Too long."}})
        body = self.rfile.read(int(length))
        host = self.headers.get("Host", "").rsplit(":", 1)[0]
        if host not in OWN_NAMES:
            return told(421, {"error": {"type": "invalid_request_error", "message": "Not here."}})
        address = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        return self.server.processor.answer(
            Request(self.command, address.path, address.query, headers, body)
        )

    def _write(self, answer: Answer) -> None:
        head = [f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('',))[0]}"]
        headers = {**answer.headers, "Content-Length": str(len(answer.body))}
        head += [f"{name}: {_one_line(value)}" for name, value in headers.items()]
        if self.close_connection:
            head.append("Connection: close")
        try:
            self.wfile.write("\r\n".join([*head, "", ""]).encode("latin-1") + answer.body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the page at ``/`` tells what happened."""


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")
