"""``./shop demo`` as a stranger meets it: it opens, answers, keeps what it was told, and closes."""

import contextlib
import os
import pathlib
import signal
import smtplib
import socket
import sqlite3
import subprocess
import threading
import urllib.request
from typing import Any

import pytest

from app.demo.command import demo
from app.demo.ground import locked
from tests.ports import free_ports
from tests.processes import lives, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]


class OpenDemo:
    """A demo started by the script, on ports and in a folder of its own."""

    def __init__(self, data):
        self.data = data
        self.web = free_ports(4)
        self.said: list[str] = []
        self.process: Any = subprocess.Popen(
            [ROOT / "shop", "demo", "--port", str(self.web), "--data", data],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._listen)
        self._reader.start()

    def _listen(self):
        for line in self.process.stdout:
            self.said.append(line.rstrip())

    def is_open(self):
        return self.process.poll() is not None or any(
            "Ctrl-C closes it" in line for line in self.said
        )

    def get(self, offset=0, path="/"):
        host = "localhost" if offset == 0 else "127.0.0.1"
        with urllib.request.urlopen(
            f"http://{host}:{self.web + offset}{path}", timeout=10
        ) as answer:
            return answer.status, answer.read().decode()

    def processes(self):
        """The living processes of this demo: whoever carries its folder in the environment."""
        mark = f"DATA_DIR={self.data}\0".encode()
        found = set()
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes() and lives(int(folder.name)):
                    found.add(int(folder.name))
        return found

    def close(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(timeout=10)
        self._reader.join()
        self.process.stdout.close()
        return code


@pytest.fixture
def open_demo(tmp_path):
    opened = []

    def start(data=tmp_path / "demo"):
        opened.append(OpenDemo(data))
        assert wait_until(opened[-1].is_open, seconds=90), opened[-1].said
        return opened[-1]

    yield start
    for one in opened:
        one.close(signal.SIGKILL)
        for pid in one.processes():
            os.kill(pid, signal.SIGKILL)


def accounts(data):
    with contextlib.closing(sqlite3.connect(data / "shop.db")) as database:
        return sorted(database.execute("SELECT number, public_id FROM account"))


def test_the_demo_opens_answers_keeps_its_data_and_leaves_nothing_behind(open_demo):
    first = open_demo()
    assert "Fernway is open." in first.said, "\n".join(first.said)
    assert first.get(0)[0] == 200
    assert first.get(1, "/healthz")[0] == 200
    assert (first.data / "logins.txt").read_text().splitlines()[0] in "\n".join(first.said)
    with smtplib.SMTP("127.0.0.1", first.web + 3, timeout=10, local_hostname="localhost") as client:
        client.sendmail("nora@example.com", ["ivo@example.com"], "Subject: Kept?\r\n\r\nYes.")
    kept = accounts(first.data)
    assert len(first.processes()) >= 4
    assert first.close() == 0
    assert first.processes() == set()
    assert kept

    second = open_demo(first.data)
    assert "Kept?" in second.get(2)[1]
    assert accounts(second.data) == kept
    second.close(signal.SIGKILL)
    assert wait_until(lambda: not second.processes(), seconds=10)


def test_a_taken_port_is_said_in_one_line_before_anything_starts(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        assert demo(["--port", str(taken), "--data", str(tmp_path / "demo"), "--reset"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"Port {taken} is taken; try ./shop demo --port ")
    assert len(said.err.splitlines()) == 1
    assert said.out == ""
    assert not (tmp_path / "demo").exists()


def test_a_second_demo_on_the_same_folder_is_refused_in_one_line(tmp_path, capsys):
    with locked(tmp_path / "demo"):
        assert demo(["--port", str(free_ports(4)), "--data", str(tmp_path / "demo")]) == 1
    said = capsys.readouterr().err
    assert "demo already; stop it first" in said
    assert len(said.splitlines()) == 1
