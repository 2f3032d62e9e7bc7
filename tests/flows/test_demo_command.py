"""``./shop demo`` as a stranger meets it: it opens, answers, keeps what it was told, and closes."""

import contextlib
import os
import shutil
import signal
import smtplib
import socket
import sqlite3

import pytest

from app.demo.command import demo
from app.demo.ground import locked
from tests.demo import OpenDemo, opened_first
from tests.ports import free_ports
from tests.processes import wait_until


@pytest.fixture
def open_demo(tmp_path):
    opened = []

    def start(data=tmp_path / "demo"):
        opened.append(OpenDemo(data))
        opened[-1].wait()
        return opened[-1]

    yield start
    for one in opened:
        one.close(signal.SIGKILL)
        for pid in one.processes():
            os.kill(pid, signal.SIGKILL)


def accounts(data):
    with contextlib.closing(sqlite3.connect(data / "shop.db")) as database:
        return sorted(database.execute("SELECT number, public_id FROM account"))


def test_the_demo_opens_in_an_empty_folder_and_leaves_nothing_behind(tmp_path_factory):
    opening = opened_first(tmp_path_factory.getbasetemp())
    assert "Fernway is open." in opening.said, "\n".join(opening.said)
    assert (opening.folder / "logins.txt").read_text().splitlines()[0] in "\n".join(opening.said)
    assert opening.processes >= 4
    assert (opening.code, opening.left) == (0, 0)
    assert accounts(opening.folder)


def test_the_demo_opens_answers_keeps_its_data_and_leaves_nothing_behind(
    open_demo, tmp_path, tmp_path_factory
):
    seeded = opened_first(tmp_path_factory.getbasetemp()).folder
    first = open_demo(shutil.copytree(seeded, tmp_path / "demo"))
    assert first.get(0)[0] == 200
    assert first.get(1, "/healthz")[0] == 200
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
