"""Changing a cart by a program: alone, once for each Idempotency-Key, and only as the caller saw it.

Every answer about a cart has an ETag, which names its version: another one after every change of what is in
it, where it goes or its state. ``If-Match`` with an older one is refused by 412. Neither has to be sent.
"""

from collections.abc import Callable

from flask import Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from api import answers, reading
from api.answers import Json
from api.once import once
from api.problems import CartChanged
from cart import lines
from cart.models import Cart
from core.kernel.errors import NotFound
from web.context import channel, house

#: Creating carts nobody is told apart by a token: two callers must not think of the same key.
SHORTEST_KEY = 16


def etag(version: int) -> str:
    """``"v7"``: strong, so that If-Match may name it."""
    return f'"v{version}"'


def ours(cart: Cart) -> Cart:
    """A cart of this channel. NotFound for another's."""
    if cart.channel_id != channel()[0].id:
        raise NotFound("cart")
    return cart


def check(cart: Cart, seen: tuple[str, ...] | None) -> None:
    """Refuse a change of what the caller has not seen. Raises CartChanged."""
    if seen is not None and etag(cart.version) not in seen:
        raise CartChanged(cart.version)


def change(
    cart_id: str,
    act: str,
    asked: BaseModel,
    work: Callable[[Session, Cart], Json | None],
    status: int = 200,
) -> Response:
    """Change an open cart and answer what ``work`` answers, with its ETag; 204 when that is nothing.

    ``act`` names what is done to which part of it. Raises NotFound, CartClosed, CartChanged and what
    ``work`` raises; KeyReused and KeyInFlight where a key was sent.
    """
    wanted, seen = reading.public_id(cart_id, "cart"), reading.if_match()

    def tx(session: Session) -> tuple[Json | None, int]:
        cart = ours(lines.lock_open(session, wanted))
        check(cart, seen)
        return work(session, cart), cart.version

    def run() -> tuple[int, Json]:
        body, version = house().db.run_tx(tx)
        return status if body is not None else 204, {"body": body, "version": version}

    return answered(*once_if_asked(f"cart:{wanted}:{act}", asked, run))


def once_if_asked(
    scope: str, asked: BaseModel, run: Callable[[], tuple[int, Json]], shortest: int = 1
) -> tuple[int, Json]:
    """Once for each key where one was sent, else each time."""
    if reading.idempotency_key_if_sent(shortest) is None:
        return run()
    return once(scope, asked, run)


def answered(status: int, kept: Json, location: str | None = None) -> Response:
    """The answer to a change."""
    body = kept["body"]
    response = Response(status=204) if body is None else answers.respond(body, status, location)
    response.headers["ETag"] = etag(kept["version"])
    return response
