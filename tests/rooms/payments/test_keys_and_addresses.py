"""Which key may go to which address: a real key never leaves for another host than Stripe's."""

from typing import get_type_hints

import pytest

from payments.gateway import Gateway, Misconfigured
from payments.network import Network
from payments.stripe_gateway import StripeGateway, check_key
from tests.rooms.payments.conftest import gateway_to
from tests.sandbox_process import SandboxProcess

LOCAL = "http://127.0.0.1:8001"
SECRETS = ("whsec_1",)


@pytest.mark.parametrize(
    ("key", "base", "sandbox"),
    [
        ("sk_live_1", None, False),
        ("rk_live_1", "https://api.stripe.com", False),
        ("sk_test_1", None, False),
        ("sk_sandbox_1", LOCAL, True),
    ],
)
def test_a_key_at_its_own_address_is_taken(key: str, base: str | None, sandbox: bool) -> None:
    gateway = StripeGateway(key, api_base=base, webhook_secrets=SECRETS, sandbox=sandbox)
    assert isinstance(gateway, StripeGateway)


@pytest.mark.parametrize(
    ("key", "base", "sandbox"),
    [
        ("sk_live_1", LOCAL, False),
        ("rk_live_1", "https://api.stripe.com.example.com", False),
        ("sk_live_1", LOCAL, True),
        ("sk_test_1", LOCAL, False),
        ("sk_test_1", LOCAL, True),
        ("sk_sandbox_1", None, False),
        ("sk_sandbox_1", None, True),
        ("sk_sandbox_1", "https://api.stripe.com", True),
        ("sk_sandbox_1", LOCAL, False),
        ("pk_live_1", None, False),
        ("", None, False),
    ],
)
def test_a_key_at_another_address_is_refused(key: str, base: str | None, sandbox: bool) -> None:
    with pytest.raises(Misconfigured):
        StripeGateway(key, api_base=base, webhook_secrets=SECRETS, sandbox=sandbox)


@pytest.mark.parametrize("secrets", [(), ("",), ("whsec_1", " ")])
def test_without_a_webhook_secret_nothing_starts(secrets: tuple[str, ...]) -> None:
    with pytest.raises(Misconfigured):
        StripeGateway("sk_test_1", webhook_secrets=secrets)


@pytest.mark.parametrize("key", ["sk_sandbox_1", "sk_test_1", "rk_test_1"])
def test_a_shop_in_production_refuses_a_key_that_moves_no_money(key: str) -> None:
    with pytest.raises(Misconfigured):
        check_key(key, production=True)
    check_key(key, production=False)
    check_key("sk_live_1", production=True)


def test_the_key_is_shown_to_nobody(sandbox: SandboxProcess) -> None:
    gateway = gateway_to(sandbox, api_key="sk_sandbox_very_secret_indeed")
    with pytest.raises(Misconfigured) as refused:
        gateway.get_payment("pi_1")
    assert "very_secret" not in f"{refused.value} {refused.value.facts()} {gateway!r}"


def test_the_adapter_is_the_whole_port(sandbox: SandboxProcess) -> None:
    gateway: Gateway = gateway_to(sandbox)
    parts = {**vars(Network), **vars(Gateway)}
    promised = {name for name in parts if not name.startswith("_")}
    assert len(promised) == 23
    for name in promised:
        port, adapter = getattr(Gateway, name), getattr(type(gateway), name)
        assert get_type_hints(adapter) == get_type_hints(port), name
