"""A process that buys what is in a cart and kills itself at a named point: run by the crash tests."""

import os
import signal
import sys
from datetime import datetime
from pathlib import Path

from core.kernel import crash
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from flows.place_order import place
from flows.settle_payment import settle
from payments import operations
from payments.stripe_gateway import StripeGateway
from tests.sandbox_process import SandboxProcess
from tests.shop import make_house

CARD = "4242424242424242"


def main(
    url: str, base: str, key: str, secret: str, folder: str, cart_id: str, point: str, now: str
) -> None:
    """Go on until ``point`` and die there as by ``kill -9``."""
    from tests.paying import wish

    gateway = StripeGateway(key, webhook_secrets=(secret,), api_base=base, sandbox=True)
    clock = ManualClock(datetime.fromisoformat(now))
    house = make_house(Database(url), clock, Path(folder), gateway)
    sandbox = SandboxProcess(None, base, key, secret)

    def die(passed: str) -> None:
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    with crash.armed(die):
        placed = place(house, wish(cart_id))
        with house.db.reading() as session:
            operation = operations.of_order(session, placed.order_id)
        assert operation is not None
        assert placed.redirect_url is not None
        sandbox.pay(placed.redirect_url, CARD)
        settle(house, operation.id)


if __name__ == "__main__":
    main(*sys.argv[1:])
