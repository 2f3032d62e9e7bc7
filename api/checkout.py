"""Checkout: a cart becomes an order, once for each Idempotency-Key.

A processor that does not answer leaves the key free: ``place`` goes on with the same order then. An order by
bill asks no processor, and is one transaction with its key.
"""

from dataclasses import replace
from urllib.parse import urlsplit

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from api import answers, cart_calls, reading
from api.once import Claim, once, once_within
from api.pace import limit
from api.problems import Incomplete, ReturnUrlNotAllowed, add_headers, field_error
from api.shapes import CheckoutWish, PaymentWish
from cart import address as addresses
from cart.checkout import CheckoutIncomplete, Details
from core.kernel.money import Money
from core.ledger import paid_by
from core.ledger.gift_cards import GiftCardUnknown
from core.ledger.paid_by import PaidBy
from core.ledger.splitting import TenderTooSmall
from core.orders.models import Order
from flows.choose_tenders import ByGiftCard, GiftCardForGiftCard, Paying
from flows.place_order import Wish, place
from web.access import Guard, Who, allow
from web.context import channel, house, web_settings

checkout = Blueprint("api_checkout", __name__, url_prefix="/api/v1/carts")
checkout.after_request(add_headers)

_DEFAULT_PORTS = {"http": 80, "https": 443}


@checkout.post("/<cart_id>/checkout")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("checkout")
def submit(cart_id: str) -> Response:
    """Order what is in the cart; with a card the answer says where to pay."""
    wanted = reading.public_id(cart_id, "cart")
    reading.idempotency_key()
    seen = reading.if_match()
    asked = reading.body(CheckoutWish)
    _check_return_url(asked.payment.return_url)

    scope, wish = f"checkout:{wanted}", _wish(wanted, asked, seen)
    if asked.payment.method == "invoice":
        return _answer(*once_within(scope, asked, lambda claim: (201, _place_at_once(wish, claim))))
    return _answer(*once(scope, asked, lambda: (201, _place(wish))))


def _place_at_once(wish: Wish, claim: Claim) -> answers.Json:
    """An order that no processor is asked for: all of it, with its key and answer, is one transaction."""
    kept: list[answers.Json] = []

    def keep(session: Session, order: Order) -> None:
        kept[:] = [_told(session, order)]
        claim.keep(session, 201, kept[0])

    _place(replace(wish, done_before=claim.look, keep=keep))
    return kept[0]


def _place(wish: Wish) -> answers.Json:
    try:
        placed = place(house(), wish)
    except (GiftCardUnknown, GiftCardForGiftCard, TenderTooSmall) as error:
        raise Incomplete([field_error("payment.gift_cards", error.code, str(error))]) from None
    except CheckoutIncomplete as error:
        raise reading.incomplete(error) from None
    with house().db.reading() as session:
        body = _told(session, placed.order)
    if placed.redirect_url is not None:
        body["redirect_url"] = placed.redirect_url
    return body


def _told(session: Session, order: Order) -> answers.Json:
    """What is told of an order that was just placed; asks the database only where several ways pay it."""
    split = list[PaidBy]()
    if order.paying_digest:
        state = "reserved" if order.lifecycle == "pending" else "committed"
        split = paid_by.of_order(session, order.id, state)
    return answers.order_state(order, split)


def _wish(cart_id: str, asked: CheckoutWish, seen: tuple[str, ...] | None) -> Wish:
    expected = asked.expected_total
    return Wish(
        cart_id=cart_id,
        details=Details(
            email=asked.email.strip(),
            shipping_address=addresses.clean(asked.shipping_address.model_dump()),
            shipping_method=asked.shipping_method,
            payment_method=asked.payment.method,
            vat_id=asked.vat_id or "",
            ways=dict(asked.ways),
            slot=asked.slot,
            purchase_order=" ".join(asked.purchase_order.split()),
            cost_centre=" ".join(asked.cost_centre.split()),
            consents={one.code: one.version for one in asked.consents},
        ),
        ip=request.remote_addr or "",
        expected_total=Money(expected.amount, expected.currency) if expected else None,
        return_url=asked.payment.return_url,
        paying=_paying(asked.payment),
        channel_id=channel()[0].id,
        check=lambda cart: cart_calls.check(cart, seen),
    )


def _paying(asked: PaymentWish) -> Paying:
    """Gift cards as they were stated. A guest has no credit to use."""
    if asked.use_credit:
        text = "Orders placed here are guests' orders; they have no credit."
        raise Incomplete([field_error("payment.use_credit", "no_credit", text)])
    return Paying(
        tuple(
            ByGiftCard(one)
            if isinstance(one, str)
            else ByGiftCard(one.code, Money(one.amount.amount, one.amount.currency))
            for one in asked.gift_cards
        )
    )


def _answer(status: int, body: answers.Json) -> Response:
    """The token is derived, so that no stored answer opens anything."""
    return answers.respond(
        {**body, "token": house().links.order_token(body["id"])},
        status,
        f"/api/v1/orders/{body['id']}",
    )


def _check_return_url(url: str | None) -> None:
    if url is None:
        return
    origin = _origin(url)
    if origin is None:
        text = "Give a whole http or https address without user name and fragment."
        raise ReturnUrlNotAllowed([field_error("payment.return_url", "not_an_address", text)])
    allowed = web_settings().return_origins
    if origin not in {_origin(one) for one in allowed}:
        text = "The shop's settings do not name this origin."
        raise ReturnUrlNotAllowed([field_error("payment.return_url", "not_allowed", text)])


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None for what is no plain web address."""
    if any(sign.isspace() or sign in "\\#@" for sign in url) or not url.isascii():
        return None
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        return None
    if scheme not in _DEFAULT_PORTS or not host:
        return None
    return scheme, host, port or _DEFAULT_PORTS[scheme]
