"""A test that would speak to another machine fails; this machine's own servers may be spoken to."""

import socket

import pytest

from tests.conftest import NetworkIsOff


def test_no_other_machine_is_looked_up_or_called():
    with pytest.raises(NetworkIsOff):
        socket.create_connection(("shop.example.com", 443), timeout=1)
    with socket.socket() as client, pytest.raises(NetworkIsOff):
        client.connect(("192.0.2.1", 443))


def test_this_machine_answers():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("localhost", port), timeout=5) as client:
            assert client.getpeername()[1] == port
