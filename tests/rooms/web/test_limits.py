"""Limits: counted by all processes together, named when they are met, over when their window is."""

import itertools
import re
import uuid
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from core.kernel.clock import ManualClock
from tests.rooms.web.routes import ROUTES, Route
from tests.rooms.web.stage import KIM, RILEY, Browser, Stage
from tests.shop import Shop
from web.access import Who

WRONG = {"email": "riley@example.com", "password": "a wrong password"}
_ADDRESSES = (f"10.{n >> 8 & 255}.{n & 255}.7" for n in itertools.count())

#: Which setting limits a route that changes something; ``-``: none does.
LIMITED = {
    "POST /account/login": "login",
    "POST /desk/login": "login",
    "POST /account/reset/<token>": "login",
    "POST /account/invite/<token>": "login",
    "POST /account/verify/<token>": "login",
    "POST /account/forgot": "mail",
    "POST /account/register": "mail",
    "POST /checkout": "checkout",
    "POST /account/pay": "checkout",
    "POST /o/<public_id>/<token>/pay": "checkout",
    "POST /o/<public_id>/<token>/bills/<invoice_id>/lines/<int:number>/dispute": "checkout",
    "POST /o/<public_id>/<token>/disputes/<dispute_id>/messages": "checkout",
    "POST /o/<public_id>/<token>/disputes/<dispute_id>/withdraw": "checkout",
    "POST /pay/<public_id>/return": "checkout",
    "POST /pay/<public_id>/cancelled": "checkout",
    "POST /methods/<public_id>/return": "checkout",
    "POST /methods/<public_id>/cancelled": "checkout",
    "POST /api/v1/carts/<cart_id>/checkout": "checkout",
    "POST /cart/lines": "cart",
    "POST /cart/lines/<line_id>": "cart",
    "POST /cart/lines/<line_id>/save": "cart",
    "POST /cart/saved/<saved_id>": "cart",
    "POST /cart/hold": "cart",
    "POST /cart/bring": "cart",
    "POST /o/<public_id>/<token>/claim": "checkout",
    "POST /desk/content/consents": "-",
    "PUT /api/v1/desk/delivery/ways/<country>/<code>": "api",
    "PUT /api/v1/desk/delivery/zones/<code>": "api",
    "POST /api/v1/desk/delivery/times": "api",
    "PUT /api/v1/desk/delivery/times/<slot_id>": "api",
    "PUT /api/v1/desk/checkout-terms/<code>": "api",
    "DELETE /api/v1/desk/checkout-terms/<code>": "api",
    "POST /desk/delivery/ways": "-",
    "POST /desk/delivery/zones": "-",
    "POST /desk/delivery/times": "-",
    "POST /desk/delivery/times/<public_id>": "-",
    "POST /desk/content/consents/<code>/end": "-",
    "POST /api/v1/account/orders/claim": "checkout",
    "POST /api/v1/account/consents/withdraw": "checkout",
    "POST /account/consents/withdraw": "checkout",
    "POST /cart/place": "cart",
    "POST /cart/share": "cart",
    "POST /cart/shared/<public_id>": "cart",
    "POST /api/v1/carts/<cart_id>/share": "cart",
    "POST /api/v1/carts/<cart_id>/take": "cart",
    "POST /api/v1/carts": "cart",
    "PATCH /api/v1/carts/<cart_id>": "cart",
    "POST /api/v1/carts/<cart_id>/lines": "cart",
    "PATCH /api/v1/carts/<cart_id>/lines/<line_id>": "cart",
    "DELETE /api/v1/carts/<cart_id>/lines/<line_id>": "cart",
    "POST /api/v1/carts/<cart_id>/lines/<line_id>/save": "cart",
    "POST /api/v1/carts/<cart_id>/saved/<saved_id>/take": "cart",
    "DELETE /api/v1/carts/<cart_id>/saved/<saved_id>": "cart",
    "POST /account/logout": "-",
    "POST /desk/logout": "-",
    "POST /desk/login/code": "code",
    "POST /desk/login/set-up": "code",
    "POST /desk/again": "code",
    "POST /desk/me/second-step/begin": "-",
    "POST /desk/me/second-step": "code",
    "POST /desk/me/second-step/give-up": "code",
    "POST /desk/me/recovery-codes": "code",
    "POST /desk/staff": "-",
    "POST /desk/staff/<public_id>/roles": "-",
    "POST /desk/staff/<public_id>/lock-out": "-",
    "POST /desk/staff/<public_id>/let-in": "-",
    "POST /desk/staff/<public_id>/reset": "-",
    "POST /desk/jobs/<int:job_id>/retry": "-",
    "POST /desk/jobs/<int:job_id>/discard": "-",
    "POST /webhooks/stripe": "-",
    "POST /account/tax": "checkout",
    "POST /desk/drafts": "-",
    "POST /desk/drafts/<public_id>": "-",
    "POST /desk/drafts/<public_id>/discard": "-",
    "POST /desk/drafts/<public_id>/issue": "-",
    "POST /desk/gift-cards/<public_id>/take-back": "-",
    "POST /desk/gift-cards/<public_id>/void": "-",
    "POST /desk/invoices/<public_id>/applied/<uuid:key>/move": "-",
    "POST /desk/invoices/<public_id>/applied/<uuid:key>/undo": "-",
    "POST /desk/invoices/<public_id>/contest": "-",
    "POST /desk/invoices/<public_id>/contest/end": "-",
    "POST /desk/invoices/<public_id>/credit": "-",
    "POST /desk/invoices/<public_id>/debit": "-",
    "POST /desk/invoices/<public_id>/void": "-",
    "POST /desk/invoices/<public_id>/write-off": "-",
    "POST /desk/money": "-",
    "POST /desk/money/<uuid:item_id>/identify": "-",
    "POST /desk/money/accounts/<public_id>/pay-out/<uuid:item_id>": "-",
    "POST /desk/money/accounts/<public_id>/use": "-",
    "POST /desk/orders/<public_id>/refund": "-",
    "POST /desk/orders/<public_id>/approve": "-",
    "POST /desk/to-check/rules": "-",
    "POST /desk/orders/<public_id>/ship": "-",
    "POST /desk/orders/<public_id>/provide": "-",
    "POST /desk/orders/<public_id>/ready": "-",
    "POST /desk/pick-ups/<public_id>/hand-over": "-",
    "POST /desk/pick-ups/<public_id>/put-back": "-",
    "POST /api/v1/desk/orders/<order_id>/ready": "api",
    "POST /api/v1/desk/pick-ups/<pick_up_id>/hand-over": "api",
    "POST /api/v1/desk/pick-ups/<pick_up_id>/put-back": "api",
    "POST /desk/orders/<public_id>/cancel": "-",
    "POST /desk/orders/<public_id>/return": "-",
    "POST /desk/parcels/<public_id>": "-",
    "POST /desk/parcels/<public_id>/arrived": "-",
    "POST /api/v1/desk/parcels/<parcel_id>/arrived": "api",
    "POST /desk/payments/<public_id>/refund": "-",
    "POST /desk/customers/<public_id>/order": "-",
    "POST /desk/phone-orders/<cart_id>": "-",
    "POST /desk/phone-orders/<cart_id>/lines": "-",
    "POST /desk/phone-orders/<cart_id>/lines/<line_id>": "-",
    "POST /desk/products/new": "-",
    "POST /desk/products/<slug>": "-",
    "POST /desk/products/<slug>/publish": "-",
    "POST /desk/products/<slug>/address": "-",
    "POST /desk/products/<slug>/pictures": "-",
    "POST /desk/products/<slug>/things": "-",
    "POST /desk/products/<slug>/things/<sku>": "-",
    "POST /desk/products/<slug>/things/<sku>/prices": "-",
    "POST /desk/products/<slug>/things/<sku>/pieces": "-",
    "POST /desk/price-lists": "-",
    "POST /desk/price-lists/<code>/end": "-",
    "PUT /api/v1/desk/products/<slug>/variants/<sku>/prices": "-",
    "PUT /api/v1/desk/products/<slug>/variants/<sku>/pieces": "-",
    "POST /api/v1/desk/price-lists": "-",
    "POST /api/v1/desk/price-lists/<code>/end": "-",
    "POST /api/v1/desk/products": "-",
    "PATCH /api/v1/desk/products/<slug>": "-",
    "POST /api/v1/desk/products/<slug>/variants": "-",
    "PATCH /api/v1/desk/products/<slug>/variants/<sku>": "-",
    "POST /desk/customers/new": "-",
    "POST /desk/customers/<public_id>/edit": "-",
    "POST /desk/customers/<public_id>/pay-code": "-",
    "POST /desk/stock/holds/<uuid:hold_id>/release": "-",
    "POST /desk/stock/<uuid:level_id>": "-",
    "POST /desk/stock/<uuid:level_id>/limits": "-",
    "POST /desk/stock/places": "-",
    "POST /desk/stock/import": "-",
    "POST /desk/stock/import/apply": "-",
    "POST /api/v1/desk/stock/imports": "-",
    "POST /desk/stock/transfers": "-",
    "POST /desk/stock/transfers/<uuid:transfer_id>": "-",
    "POST /api/v1/desk/transfers": "-",
    "POST /api/v1/desk/transfers/<transfer_id>/arrivals": "-",
    "POST /desk/stock/hold-rules": "-",
    "POST /desk/stock/hold-rules/<uuid:policy_id>/remove": "-",
    "PUT /api/v1/desk/hold-policies": "-",
    "DELETE /api/v1/desk/hold-policies/<policy_id>": "-",
    "POST /desk/stock/places/<code>": "-",
    "PUT /api/v1/desk/locations/<code>": "-",
    "PUT /api/v1/desk/stock/limits": "-",
    "POST /desk/returns/<public_id>": "-",
    "POST /desk/returns/<public_id>/withdraw": "-",
    "POST /desk/returns/<public_id>/money": "-",
    "POST /desk/orders/<public_id>/change": "-",
    "POST /api/v1/desk/orders/<order_id>/changes": "-",
    "POST /api/v1/desk/orders/<order_id>/changes/preview": "-",
    "POST /api/v1/desk/returns/<return_id>/money": "-",
    "POST /desk/payments/<public_id>/refunds/<uuid:refund_id>/again": "-",
    "POST /desk/periods": "-",
    "POST /desk/periods/<uuid:close_id>/reopen": "-",
    "POST /desk/rates": "-",
    "POST /desk/tax/certificates": "-",
    "POST /desk/tax/certificates/<public_id>/revoke": "-",
    "POST /desk/tax/rates": "-",
    "POST /desk/tax/rates/<uuid:rate_id>/end": "-",
    "POST /desk/terms": "-",
    "POST /desk/terms/<account_number>": "-",
    "POST /desk/write-offs/<uuid:write_off_id>/approve": "-",
    "POST /desk/write-offs/<uuid:write_off_id>/decline": "-",
    "POST /desk/write-offs/allowance": "-",
    "POST /gift-card": "gift_card",
    "POST /quote": "mail",
    "POST /q/<public_id>/<token>/accept": "checkout",
    "POST /q/<public_id>/<token>/decline": "checkout",
    "POST /q/<public_id>/<token>/messages": "checkout",
    "POST /trials/<code>": "mail",
    "POST /back-in-stock/<sku>": "mail",
    "POST /api/v1/stock-waits": "mail",
    "POST /w/<public_id>/<token>/confirm": "-",
    "POST /w/<public_id>/<token>/leave": "-",
    "POST /w/<public_id>/<token>/take": "cart",
    "POST /desk/stock/waits/<public_id>/remove": "-",
    "POST /desk/stock/back-orders/release": "-",
    "POST /desk/stock/back-orders/<uuid:key>/release": "-",
    "POST /api/v1/desk/back-orders/release": "api",
    "POST /trial/<public_id>/<token>/cancel": "-",
    "POST /trial/<public_id>/<token>/keep": "-",
    "POST /account/services/<public_id>/change": "-",
    "POST /account/services/<public_id>/pause": "-",
    "POST /account/services/<public_id>/resume": "-",
    "POST /account/services/<public_id>/end": "-",
    "POST /account/services/<public_id>/keep": "-",
    "POST /account/tokens": "mail",
    "POST /account/tokens/<public_id>/revoke": "-",
    "POST /account/cards/add": "checkout",
    "POST /account/cards/<public_id>/default": "-",
    "POST /account/cards/<public_id>/remove": "-",
    "POST /account/cards/<public_id>/instead": "checkout",
    "POST /account/cards/<public_id>/again": "checkout",
    "POST /account/autopay": "checkout",
    "POST /account/autopay/stop": "-",
    "POST /account/pay-code": "checkout",
    "POST /account/scheduled/new": "checkout",
    "POST /account/scheduled/<public_id>/change": "checkout",
    "POST /account/scheduled/<public_id>/cancel": "-",
    "POST /account/trials/<public_id>/cancel": "-",
    "POST /account/trials/<public_id>/keep": "-",
    "POST /account/trials/<public_id>/go-on": "-",
    "POST /account/trials/<public_id>/card": "checkout",
    "POST /pay-a-bill": "pay_code",
    "POST /due/<public_id>/<token>": "checkout",
    "POST /account/past-due/<public_id>/promise": "checkout",
    "POST /account/quotes/<public_id>/accept": "checkout",
    "POST /account/quotes/<public_id>/decline": "checkout",
    "POST /account/quotes/<public_id>/messages": "checkout",
    "POST /desk/bill-runs": "-",
    "POST /desk/reconciler": "-",
    "POST /api/v1/account/past-due/<case_id>/promise": "checkout",
    "POST /desk/past-due/<public_id>/hold": "-",
    "POST /desk/past-due/<public_id>/promise": "-",
    "POST /desk/past-due/<public_id>/go-on": "-",
    "POST /desk/past-due/<public_id>/remind": "-",
    "POST /desk/past-due/<public_id>/waive": "-",
    "POST /desk/parked/<public_id>/release": "-",
    "POST /desk/services/<public_id>/change": "-",
    "POST /desk/services/<public_id>/pause": "-",
    "POST /desk/services/<public_id>/resume": "-",
    "POST /desk/services/<public_id>/end": "-",
    "POST /desk/services/<public_id>/keep": "-",
    "POST /desk/services/<public_id>/activate": "-",
    "POST /desk/services/<public_id>/payer": "-",
    "POST /desk/services/<public_id>/usage": "-",
    "POST /desk/services/<public_id>/lock": "-",
    "POST /desk/quotes/new": "-",
    "POST /desk/quotes/<public_id>/edit": "-",
    "POST /desk/quotes/<public_id>/contact": "-",
    "POST /desk/quotes/<public_id>/send": "-",
    "POST /desk/quotes/<public_id>/approval": "-",
    "POST /desk/quotes/<public_id>/decision": "-",
    "POST /desk/quotes/<public_id>/versions": "-",
    "POST /desk/quotes/<public_id>/owner": "-",
    "POST /desk/quotes/<public_id>/messages": "checkout",
    "POST /desk/quotes/<public_id>/withdraw": "-",
    "POST /desk/trials/follow-ups/<public_id>": "-",
    "POST /desk/trials/offers/<code>": "-",
    "POST /desk/trials/offers/new": "-",
    "POST /desk/provisioning/<public_id>/again": "-",
    "POST /desk/provisioning/<public_id>/done": "-",
    "POST /api/v1/desk/provisioning/<provisioning_id>/try-again": "api",
    "POST /api/v1/desk/provisioning/<provisioning_id>/done": "api",
    "POST /desk/keys": "-",
    "POST /api/v1/desk/pictures": "api",
    "POST /api/v1/desk/videos": "api",
    "POST /api/v1/desk/videos/<media_id>/captions": "api",
    "POST /api/v1/desk/trial-offers": "api",
    "PUT /api/v1/desk/trial-offers/<code>": "api",
    "POST /api/v1/desk/pages": "-",
    "POST /api/v1/desk/pages/<page_id>/draft": "-",
    "PUT /api/v1/desk/pages/<page_id>/draft": "-",
    "PUT /api/v1/desk/pages/<page_id>/address": "-",
    "POST /api/v1/desk/pages/<page_id>/publish": "-",
    "POST /api/v1/desk/pages/<page_id>/withdraw": "-",
    "POST /desk/content/new": "-",
    "POST /desk/content/pages/<public_id>/edit": "-",
    "POST /desk/content/pages/<public_id>/preview": "-",
    "POST /desk/content/pages/<public_id>/publish": "-",
    "POST /desk/content/pages/<public_id>/take-back": "-",
    "POST /desk/content/pages/<public_id>/withdraw": "-",
    "POST /desk/content/pages/<public_id>/versions/<int:number>/back": "-",
    "POST /desk/content/pages/<public_id>/address": "-",
    "POST /desk/content/videos": "-",
    "POST /desk/content/videos/<public_id>": "-",
    "POST /desk/content/videos/<public_id>/captions": "-",
    "POST /desk/content/videos/<public_id>/captions/<language>/off": "-",
    "POST /desk/content/media": "-",
    "POST /desk/content/media/<public_id>": "-",
    "POST /desk/content/media/<public_id>/<any(retire,offer):act>": "-",
    "POST /desk/content/menus/<any(header,footer):place>": "-",
    "POST /desk/content/menus/<any(header,footer):place>/back": "-",
    "POST /desk/content/banners/new": "-",
    "POST /desk/content/banners/<public_id>": "-",
    "POST /desk/content/banners/<public_id>/end": "-",
    "POST /desk/content/segments": "-",
    "POST /desk/content/segments/<code>": "-",
    "POST /desk/content/segments/<code>/remove": "-",
    "POST /desk/content/redirects": "-",
    "POST /desk/content/redirects/<uuid:redirect_id>/remove": "-",
    "POST /desk/content/brand": "-",
    "POST /desk/content/brand/publish": "-",
    "POST /desk/keys/<public_id>/revoke": "-",
    "POST /api/v1/account/cards": "checkout",
    "POST /api/v1/account/cards/<card_id>/default": "checkout",
    "POST /api/v1/account/cards/<card_id>/remove": "checkout",
    "POST /api/v1/account/cards/<card_id>/instead": "checkout",
    "POST /api/v1/account/autopay": "checkout",
    "POST /api/v1/account/autopay/stop": "checkout",
    "POST /api/v1/account/scheduled-payments": "checkout",
    "POST /api/v1/account/scheduled-payments/preview": "-",
    "POST /api/v1/account/scheduled-payments/<payment_id>/change": "checkout",
    "POST /api/v1/account/scheduled-payments/<payment_id>/cancel": "checkout",
    "POST /api/v1/account/scheduled-payments/<payment_id>/try-again": "checkout",
    "POST /api/v1/account/services/<service_id>/preview": "-",
    "POST /api/v1/account/services/<service_id>/change": "checkout",
    "POST /api/v1/account/services/<service_id>/pause": "checkout",
    "POST /api/v1/account/services/<service_id>/resume": "checkout",
    "POST /api/v1/account/services/<service_id>/end": "checkout",
    "POST /api/v1/account/services/<service_id>/keep": "checkout",
    "POST /api/v1/desk/services/<service_id>/preview": "-",
    "POST /api/v1/desk/orders/<order_id>/approve": "-",
    "PUT /api/v1/desk/order-checks": "-",
    "POST /api/v1/desk/orders/<order_id>/ship": "-",
    "POST /api/v1/desk/orders/<order_id>/fulfil": "-",
    "POST /api/v1/desk/orders/<order_id>/cancel": "-",
    "POST /api/v1/desk/orders/<order_id>/returns": "-",
    "POST /api/v1/desk/orders/<order_id>/refund": "-",
    "POST /api/v1/desk/returns/<return_id>/receive": "-",
    "POST /api/v1/desk/returns/<return_id>/accept": "-",
    "POST /api/v1/desk/returns/<return_id>/decline": "-",
    "POST /api/v1/orders/<order_id>/returns": "checkout",
    "POST /o/<public_id>/<token>/return": "checkout",
    "POST /desk/returns/<public_id>/accept": "-",
    "POST /desk/returns/<public_id>/decline": "-",
    "POST /api/v1/desk/returns/<return_id>/withdraw": "-",
    "POST /api/v1/desk/stock/adjustments": "-",
    "POST /api/v1/desk/customers": "-",
    "PUT /api/v1/desk/customers/<account_number>": "-",
    "POST /api/v1/desk/services/<service_id>/change": "-",
    "POST /api/v1/desk/services/<service_id>/pause": "-",
    "POST /api/v1/desk/services/<service_id>/resume": "-",
    "POST /api/v1/desk/services/<service_id>/end": "-",
    "POST /api/v1/desk/services/<service_id>/keep": "-",
    "POST /api/v1/desk/services/<service_id>/activate": "-",
    "POST /api/v1/account/trials": "mail",
    "POST /api/v1/account/trials/<trial_id>/cancel": "checkout",
    "POST /api/v1/account/trials/<trial_id>/keep": "checkout",
    "POST /api/v1/account/trials/<trial_id>/go-on": "checkout",
    "POST /api/v1/account/quotes": "mail",
    "POST /api/v1/account/quotes/<quote_id>/accept": "checkout",
    "POST /api/v1/account/quotes/<quote_id>/decline": "checkout",
    "POST /api/v1/account/quotes/<quote_id>/messages": "mail",
    "POST /api/v1/desk/quotes": "-",
    "POST /api/v1/desk/quotes/<quote_id>/draft": "-",
    "POST /api/v1/desk/quotes/<quote_id>/versions": "-",
    "POST /api/v1/desk/quotes/<quote_id>/approval": "-",
    "POST /api/v1/desk/quotes/<quote_id>/decision": "-",
    "POST /api/v1/desk/quotes/<quote_id>/send": "mail",
    "POST /api/v1/desk/quotes/<quote_id>/withdraw": "-",
    "POST /api/v1/desk/quotes/<quote_id>/messages": "mail",
    "POST /api/v1/desk/bill-runs": "checkout",
    "POST /api/v1/desk/parked-accounts/<parking_id>/release": "-",
    "POST /api/v1/desk/usage": "-",
    "DELETE /api/v1/desk/webhooks/<webhook_id>": "api",
    "POST /account/bills/<public_id>/lines/<int:number>/dispute": "checkout",
    "POST /account/disputes/<public_id>/messages": "checkout",
    "POST /account/disputes/<public_id>/refund": "checkout",
    "POST /account/disputes/<public_id>/withdraw": "checkout",
    "POST /api/v1/account/disputes": "checkout",
    "POST /api/v1/account/disputes/<dispute_id>/messages": "checkout",
    "POST /api/v1/account/disputes/<dispute_id>/refund": "checkout",
    "POST /api/v1/account/disputes/<dispute_id>/withdraw": "checkout",
    "POST /api/v1/desk/chargebacks/<chargeback_id>/evidence": "api",
    "POST /api/v1/desk/chargebacks/<chargeback_id>/evidence/send": "api",
    "POST /api/v1/desk/disputes/<dispute_id>/decision": "api",
    "POST /api/v1/desk/disputes/<dispute_id>/messages": "api",
    "POST /api/v1/desk/disputes/<dispute_id>/second": "api",
    "POST /api/v1/desk/webhooks": "api",
    "POST /api/v1/desk/webhooks/<webhook_id>/deliveries/<delivery_id>/again": "api",
    "POST /api/v1/desk/webhooks/<webhook_id>/secret": "api",
    "POST /api/v1/desk/webhooks/<webhook_id>/switch": "api",
    "POST /api/v1/desk/webhooks/<webhook_id>/test": "api",
    "POST /desk/chargebacks/<public_id>/evidence": "-",
    "POST /desk/chargebacks/<public_id>/evidence/send": "-",
    "POST /desk/invoices/<public_id>/lines/<int:number>/dispute": "-",
    "POST /desk/disputes/<public_id>/decision": "-",
    "POST /desk/disputes/<public_id>/messages": "-",
    "POST /desk/disputes/<public_id>/preview": "-",
    "POST /desk/disputes/<public_id>/second": "-",
    "POST /desk/webhooks": "-",
    "POST /desk/webhooks/<public_id>/again": "-",
    "POST /desk/webhooks/<public_id>/edit": "-",
    "POST /desk/webhooks/<public_id>/remove": "-",
    "POST /desk/webhooks/<public_id>/rotate": "-",
    "POST /desk/webhooks/<public_id>/secret": "-",
    "POST /desk/webhooks/<public_id>/sent/<sent_id>/again": "-",
    "POST /desk/webhooks/<public_id>/switch": "-",
    "POST /desk/webhooks/<public_id>/test": "-",
    "PUT /api/v1/desk/webhooks/<webhook_id>": "api",
}


@pytest.fixture
def address() -> dict[str, str]:
    """Where nobody has come from yet."""
    return {"REMOTE_ADDR": next(_ADDRESSES)}


def _wrong(shop: Shop, address: dict[str, str], **more: str) -> TestResponse:
    return Browser(shop).post("/account/login", WRONG, environ_base=address, **more)


def test_a_limit_counts_over_all_processes(stage: Stage, address: dict[str, str]):
    one, other = (stage.another_shop(RATE_LOGIN="4 per minute") for _ in range(2))
    answers = [_wrong(shop, address).status_code for shop in (one, other, other, one, other, one)]
    assert answers == [401, 401, 401, 401, 429, 429]


def test_the_answer_names_the_limit_and_when_to_come_back(stage: Stage, address: dict[str, str]):
    clock = ManualClock(stage.clock.now())
    shop = stage.shop_at(clock, RATE_LOGIN="1 per minute", RATE_API="2 per hour")
    _wrong(shop, address)
    clock.advance(timedelta(seconds=20))
    page = _wrong(shop, address)
    assert page.status_code == 429
    wait = int(page.headers["Retry-After"])
    assert 40 <= wait <= 41
    text = page.get_data(as_text=True)
    assert page.mimetype == "text/html"
    assert "At most 1 per minute" in text
    assert f"Try again in {wait} seconds" in text
    assert page.headers["X-Request-Id"] in text

    for _ in range(2):
        assert _listed(shop, address).status_code == 200
    problem = _listed(shop, address)
    assert problem.status_code == 429
    assert problem.mimetype == "application/problem+json"
    told = problem.get_json()
    assert told["code"] == "too_many_requests"
    assert told["limit"] == "2 per hour"
    assert told["retry_after_seconds"] == int(problem.headers["Retry-After"])
    # a program's windows are whole hours, and it is eleven minutes past
    assert 48 * 60 <= told["retry_after_seconds"] <= 49 * 60


def _listed(shop: Shop, address: dict[str, str]) -> TestResponse:
    return Browser(shop).get("/api/v1/products", environ_base=address)


def test_whoever_waits_as_long_as_was_said_may_go_on(stage: Stage, address: dict[str, str]):
    clock = ManualClock(stage.clock.now())
    shop = stage.shop_at(clock, RATE_LOGIN="2 per minute")
    assert [_wrong(shop, address).status_code for _ in range(3)] == [401, 401, 429]
    clock.advance(timedelta(seconds=50))
    late = _wrong(shop, address)
    assert late.status_code == 429, "trying again does not start the window anew"
    clock.advance(timedelta(seconds=int(late.headers["Retry-After"])))
    assert [_wrong(shop, address).status_code for _ in range(3)] == [401, 401, 429]


def test_all_doors_share_the_limit_of_log_ins(one_stage: Stage, address: dict[str, str]):
    shop = one_stage.another_shop(RATE_LOGIN="2 per minute")
    link = one_stage.ids["reset_link"]
    paths = ("/account/login", "/desk/login", f"/account/reset/{link}", "/desk/login")
    answers = [
        Browser(shop).post(path, WRONG | {"password": "short"}, environ_base=address).status_code
        for path in paths
    ]
    assert answers == [401, 401, 429, 429]


def test_each_address_has_a_limit_of_its_own(one_stage: Stage):
    shop = one_stage.another_shop(RATE_LOGIN="1 per minute")
    first, second = ({"REMOTE_ADDR": next(_ADDRESSES)} for _ in range(2))
    assert [_wrong(shop, where).status_code for where in (first, first, second)] == [401, 429, 401]


def test_who_asks_is_told_by_our_own_proxy_alone(one_stage: Stage, address: dict[str, str]):
    bare = one_stage.another_shop(RATE_LOGIN="1 per minute")
    behind = one_stage.another_shop(RATE_LOGIN="1 per minute", TRUSTED_PROXIES="1")

    def said(shop: Shop, forwarded: str) -> int:
        browser = Browser(shop)
        headers = {"X-Forwarded-For": forwarded}
        return browser.post(
            "/account/login", WRONG, environ_base=address, headers=headers
        ).status_code

    assert [said(bare, f"192.0.2.{n}") for n in range(2)] == [401, 429]
    assert [said(behind, f"192.0.2.{n}") for n in range(3)] == [401, 401, 401]
    assert said(behind, "198.51.100.1, 192.0.2.0") == 429, "only what the proxy added counts"


#: How often a minute each kind may be asked for in the test below: the number tells which kind it was.
OFTEN = {"login": 1, "mail": 2, "checkout": 3, "cart": 4, "gift_card": 5}


def test_every_route_that_changes_something_has_the_limit_of_its_kind(one_stage: Stage):
    unsafe = {route.name: route for route in ROUTES if route.method != "GET"}
    assert set(unsafe) == set(LIMITED)
    rates = {f"RATE_{kind.upper()}": f"{times} per minute" for kind, times in OFTEN.items()}
    shop = one_stage.another_shop(RATE_CODE="1000 per hour", **rates)
    people = {who: one_stage.browser(who, shop) for who in (KIM, RILEY)}
    wrong = []
    for name, route in unsafe.items():
        often = _often(one_stage, people[KIM if route.who == Who.STAFF else RILEY], route)
        if often != OFTEN.get(LIMITED[name]):
            wrong.append((name, often))
    assert wrong == []


def _often(stage: Stage, browser: Browser, route: Route) -> int | None:
    """How often one may ask before it is too often, if ever; for nothing that exists: nothing is done."""
    where = {"REMOTE_ADDR": next(_ADDRESSES)}
    path = re.sub("<uuid:[^>]+>", str(uuid.UUID(int=0)), route.rule)
    path = re.sub("<[^>]+>", "0", path)
    if route.name in ("POST /account/logout", "POST /desk/logout"):  # whose key would be gone
        browser = stage.browser(KIM if route.who == Who.STAFF else RILEY, browser.shop)
    for times in range(max(OFTEN.values()) + 1):
        if route.is_for_programs:
            answer = browser.ask(route.method, path, json={}, environ_base=where)
        else:
            answer = browser.post(path, environ_base=where)
        if answer.status_code == 429:
            return times
    return None
