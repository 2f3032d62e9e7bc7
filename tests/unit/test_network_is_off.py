"""A test that would speak to another machine fails; this machine's own servers may be spoken to."""

import asyncio
import socket
import ssl

import pytest

from tests.conftest import NetworkIsOff


def test_no_other_machine_is_looked_up_or_called():
    with pytest.raises(NetworkIsOff):
        socket.create_connection(("shop.example.com", 443), timeout=1)
    with socket.socket() as client, pytest.raises(NetworkIsOff):
        client.connect(("192.0.2.1", 443))
    with socket.socket() as client, pytest.raises(NetworkIsOff):
        client.connect_ex(("192.0.2.1", 443))
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        with pytest.raises(NetworkIsOff):
            client.sendto(b"hello", ("192.0.2.1", 53))
        with pytest.raises(NetworkIsOff):
            client.sendmsg([b"hello"], [], 0, ("192.0.2.1", 53))


def test_an_encrypted_line_to_another_machine_is_refused_too():
    context = ssl.create_default_context()
    with (
        context.wrap_socket(socket.socket(), server_hostname="shop.example.com") as client,
        pytest.raises(NetworkIsOff),
    ):
        client.connect(("192.0.2.1", 443))


def test_a_loop_of_events_is_refused_too():
    async def call() -> None:
        await asyncio.open_connection("192.0.2.1", 443)

    with pytest.raises(NetworkIsOff):
        asyncio.run(call())


def test_this_machine_answers():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("localhost", port), timeout=5) as client:
            assert client.getpeername()[1] == port
