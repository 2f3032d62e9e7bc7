"""What a demo stands on: ports that nobody has, a folder for one demo alone, secrets that stay."""

import socket
import stat

import pytest

from app.demo.command import demo_settings
from app.demo.ground import NotFree, Ports, claim_ports, kept_secret, lay_out, locked
from app.settings import load
from tests.ports import free_ports


def test_four_ports_in_a_row_are_claimed():
    ports = Ports(8100)
    assert (ports.web, ports.processor, ports.mail, ports.smtp) == (8100, 8101, 8102, 8103)


@pytest.mark.parametrize("offset", range(4))
def test_a_taken_port_is_named_with_another_to_try(offset):
    first = free_ports(4)
    taken = first + offset
    with (
        socket.create_server(("127.0.0.1", taken)),
        pytest.raises(NotFree, match=rf"^Port {taken} is taken; try \./shop demo --port \d+$"),
    ):
        claim_ports(first)


@pytest.mark.parametrize("port", [-1, 0, 65533, 100000])
def test_a_port_must_leave_room_for_the_three_after_it(port):
    with pytest.raises(NotFree, match="from 1 to 65532"):
        claim_ports(port)


def test_a_folder_belongs_to_one_demo_at_a_time(tmp_path):
    with locked(tmp_path / "demo"):
        with pytest.raises(NotFree, match=r"A demo runs on .* already"), locked(tmp_path / "demo"):
            pass
        with locked(tmp_path / "demo-2"):
            pass
    with locked(tmp_path / "demo") as lock:
        assert lock > 0


def test_a_reset_empties_the_folder_and_a_plain_start_does_not(tmp_path):
    data = tmp_path / "demo"
    lay_out(data, reset=False)
    (data / "shop.db").write_text("orders")
    (data / "mail").mkdir()
    (data / "mail" / "1.eml").write_text("mail")
    lay_out(data, reset=False)
    assert (data / "shop.db").read_text() == "orders"
    lay_out(data, reset=True)
    assert [path.name for path in data.iterdir()] == [".counterfoil-demo"]


def test_a_folder_of_something_else_is_never_emptied(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(NotFree, match="holds something that is no demo's"):
        lay_out(tmp_path, reset=True)
    assert (tmp_path / "thesis.txt").exists()


def test_a_demo_keeps_its_secrets_to_itself(tmp_path):
    first = kept_secret(tmp_path, "shop")
    assert kept_secret(tmp_path, "shop") == first
    assert kept_secret(tmp_path, "processor") != first
    assert stat.S_IMODE((tmp_path / "secrets" / "shop").stat().st_mode) == 0o600


def test_the_shop_can_start_with_the_demos_settings(tmp_path):
    settings = load(demo_settings(tmp_path, Ports(8100)))
    assert settings.base_url == "http://localhost:8100"
    assert settings.stripe_base == "http://127.0.0.1:8101"
    assert settings.smtp_port == 8103
    assert settings.allow_invoice
