"""Every page that there is, and where it is found."""

import re
from collections.abc import Callable

from sqlalchemy import select

from cart import lines, sharing
from cart.models import Cart
from cms_content.models import ContentBanner, ContentPage
from core.orders.fulfilment_models import Fulfilment, OrderChange
from core.orders.models import Order
from core.parties.models import Account
from core.stock.models import Hold, LogicalResource, ResourcePool, StockLevel, StockTransfer
from flows import phone_order, reconcile
from invoices.models import Invoice
from payments.dunning import cases
from payments.models import Payment
from tests.browser.visitor import Visitor

#: What answers a GET and is no page.
NO_PAGES = re.compile(
    r"/static/|/media/|/desk/content/.*/preview-mail$|/brand/|/robots\.txt$|/sitemap|/api/|.*\.(pdf|csv|css)$|.*/(disputes|chargebacks)/[^/]+/files/|/cart/count$|/healthz$|/readyz$|/metrics$"
)

#: Where a page is when its address is no constant: a path, or a link to be found on another page.
Where = str | Callable[[Visitor], str]


def _first(listed: str, links: str) -> Callable[[Visitor], str]:
    """The first link of a list that leads below some path."""

    def find(visitor: Visitor) -> str:
        found = (
            visitor.go(listed)
            .locator(f"main a[href^='{links}']:not([href$='.pdf']):not([href*='.csv'])")
            .first
        )
        return str(found.get_attribute("href"))

    return find


def _below(listed: str, page: str) -> Callable[[Visitor], str]:
    """A page of the first thing of a list."""
    first = _first(listed, f"{listed.partition('?')[0]}/")
    return lambda visitor: f"{first(visitor)}/{page}"


def _quote_at_desk(page: str = "") -> Callable[[Visitor], str]:
    """The first quote of the desk's list, or a page of it."""

    def find(visitor: Visitor) -> str:
        found = visitor.go("/desk/quotes").locator("main tbody th a").first
        return f"{found.get_attribute('href')}{page}"

    return find


def _row(listed: str) -> Callable[[Visitor], str]:
    """The page of a list's first row."""
    return lambda visitor: str(
        visitor.go(listed).locator("main tbody th a").first.get_attribute("href")
    )


def _card(page: str) -> Callable[[Visitor], str]:
    """A page of the first card that is listed."""

    def find(visitor: Visitor) -> str:
        found = visitor.go("/account/cards").locator("main a[href$='/remove']").first
        return str(found.get_attribute("href")).replace("/remove", page)

    return find


def _planned(page: str = "") -> Callable[[Visitor], str]:
    """The last payment that was planned, or a page of it."""

    def find(visitor: Visitor) -> str:
        found = visitor.go("/account/scheduled").locator("main tbody th a").first
        return f"{found.get_attribute('href')}{page}"

    return find


def _content(page: str = "") -> Callable[[Visitor], str]:
    """The page of content whose draft lies open, or a page of it."""
    named = ContentPage.name == "Sending things back"

    def find(visitor: Visitor) -> str:
        return f"/desk/content/pages/{visitor.place.values(ContentPage.public_id, named)[0]}{page}"

    return find


def _pool(page: str = "") -> Callable[[Visitor], str]:
    """The telephone numbers, or a page of their pool."""
    is_it = ResourcePool.kind == "number"
    return lambda visitor: (
        f"/desk/stock/numbers/{visitor.place.values(ResourcePool.id, is_it)[0]}{page}"
    )


def _number(page: str = "") -> Callable[[Visitor], str]:
    """A number that rests, or a page of it."""
    rests = LogicalResource.state == "quarantined"

    def find(visitor: Visitor) -> str:
        key = visitor.place.values(LogicalResource.id, rests)[0]
        return f"{_pool()(visitor)}/{key}{page}"

    return find


def _banner(visitor: Visitor) -> str:
    """The banner that is up."""
    return f"/desk/content/banners/{visitor.place.values(ContentBanner.public_id)[0]}"


def _money_on_a_bill(visitor: Visitor) -> str:
    """Of a bill that asks for something; there is none on one over nothing."""
    asks = Invoice.total_minor > 0
    return f"/desk/invoices/{visitor.place.values(Invoice.public_id, asks)[0]}/money"


def _customer(page: str = "") -> Callable[[Visitor], str]:
    """Mara at the desk."""

    def find(visitor: Visitor) -> str:
        mara = Account.email == "mara@example.com"
        return f"/desk/customers/{visitor.place.values(Account.public_id, mara)[0]}{page}"

    return find


def _phone_order(visitor: Visitor) -> str:
    """A cart that staff fill for Mara."""
    place = visitor.place
    [mara] = place.values(Account.public_id, Account.email == "mara@example.com")
    return f"/desk/phone-orders/{phone_order.begin(place.house, mara, 'EMB-1', 2, 'system')}"


def _held(visitor: Visitor) -> str:
    """What is held for a cart that staff fill for Mara."""
    cart = visitor.place.values(Cart.id, Cart.public_id == _phone_order(visitor).rpartition("/")[2])
    [hold] = visitor.place.values(Hold.id, Hold.owner_id.in_(cart))
    return f"/desk/stock/holds/{hold}/release"


def _order_at_desk(act: str) -> Callable[[Visitor], str]:
    """A page of an order that waits for something."""

    def find(visitor: Visitor) -> str:
        waits = Order.fulfilment == "partial"
        return f"/desk/orders/{visitor.place.values(Order.public_id, waits)[0]}/{act}"

    return find


def _shared_cart(visitor: Visitor) -> str:
    """A frozen copy of a cart that staff fill for Mara."""
    place, cart = visitor.place, _phone_order(visitor).rpartition("/")[2]
    with place.house.db.transaction() as session:
        found = lines.find(session, cart)
        return f"/cart/shared/{sharing.share(session, found, place.house.clock.now()).public_id}"


def _past_due(visitor: Visitor) -> str:
    """An open case of Mara's."""
    house, now = visitor.place.house, visitor.place.house.clock.now()
    with house.db.transaction() as session:
        [key] = session.scalars(select(Account.id).where(Account.email == "mara@example.com"))
        found = cases.open_case(session, key) or cases.start(session, key, now.date(), now)
        return f"/account/past-due/{found.public_id}"


def _dispute_to_answer(visitor: Visitor) -> str:
    """The dispute at the desk that was promised an answer first."""
    found = visitor.go("/desk/disputes?tab=open").locator("main tbody th a").first
    return str(found.get_attribute("href"))


def _round(visitor: Visitor) -> str:
    """A round of the reconciler."""
    return f"/desk/reconciler/{reconcile.run(visitor.place.house).public_id}"


def _pay_link(visitor: Visitor) -> str:
    """Otis pays without logging in: he has open bills."""
    with visitor.place.house.db.reading() as session:
        otis = session.scalars(select(Account).where(Account.email == "otis@example.com")).one()
    return f"/due/{otis.public_id}/{visitor.place.house.links.pay_token(otis)}"


def _line_disputed_by_phone(visitor: Visitor) -> str:
    """What a line of the newest bill leads staff to."""
    return _line_to_dispute(visitor, "/desk/invoices")


def _line_to_dispute(visitor: Visitor, listed: str = "/account/bills") -> str:
    """What a line of the newest bill leads to."""
    bill = _first(f"{listed}?kind=invoice", f"{listed}/")(visitor)
    leads = visitor.go(bill).locator("main a[href$='/dispute']").first
    return str(leads.get_attribute("href"))


FOR_EVERYBODY: dict[str, Where] = {
    "/": "/",
    "/c/<slug>": "/c/wi-fi-and-home",
    "/p/<slug>": "/p/ember-smart-plug",
    "/cart": "/cart",
    "/cart/shared/<public_id>": _shared_cart,
    "/checkout": "/checkout",
    "/gift-card": "/gift-card",
    "/pay-a-bill": "/pay-a-bill",
    "/due/<public_id>/<token>": _pay_link,
    "/quote": "/quote",
    "/trials": "/trials",
    "/trials/<code>": "/trials/burrow-30-days",
    "/pages/<slug>": "/pages/moving-house",
    "/back-in-stock/<sku>": "/back-in-stock/EMB-1",
    "/terms": "/terms",
    "/privacy": "/privacy",
    "/accessibility": "/accessibility",
    "/account/login": "/account/login",
    "/account/register": "/account/register",
    "/account/forgot": "/account/forgot",
    "/desk/login": "/desk/login",
}
FOR_CUSTOMERS: dict[str, Where] = {
    "/account": "/account",
    "/account/bills": "/account/bills",
    "/account/bills/<public_id>": _first("/account/bills", "/account/bills/"),
    "/account/orders": "/account/orders",
    "/account/pay": "/account/pay",
    "/account/cards": "/account/cards",
    "/account/cards/<public_id>/remove": _card("/remove"),
    "/account/cards/<public_id>/instead": _card("/instead"),
    "/account/autopay": "/account/autopay",
    "/account/autopay/stop": "/account/autopay/stop",
    "/account/scheduled": "/account/scheduled",
    "/account/scheduled/new": "/account/scheduled/new",
    "/account/scheduled/<public_id>": _planned(),
    "/account/scheduled/<public_id>/change": _planned("/change"),
    "/account/scheduled/<public_id>/cancel": _planned("/cancel"),
    "/account/past-due/<public_id>": _past_due,
    "/account/pay-code": "/account/pay-code",
    "/account/tax": "/account/tax",
    "/account/consents": "/account/consents",
    "/account/statements": "/account/statements",
    "/account/statements/<public_id>": _first("/account/statements", "/account/statements/"),
    "/account/quotes": "/account/quotes",
    "/account/quotes/<public_id>": _first("/account/quotes", "/account/quotes/"),
    **{
        f"/account/quotes/<public_id>/{act}": _below("/account/quotes", act)
        for act in ("compare", "accept", "decline")
    },
    "/account/bills/<public_id>/lines/<int:number>/dispute": _line_to_dispute,
    "/account/disputes": "/account/disputes",
    "/account/disputes/<public_id>": _first("/account/disputes", "/account/disputes/"),
    "/account/disputes/<public_id>/withdraw": _below("/account/disputes", "withdraw"),
    "/account/payments": "/account/payments",
    "/account/payments/<public_id>": _first("/account/payments", "/account/payments/"),
}
#: In braces: what the customer has of it.
FOR_SUBSCRIBERS: dict[str, str] = {
    "/account/services": "/account/services",
    "/account/services/<public_id>": "/account/services/{line}",
    **{
        f"/account/services/<public_id>/{act}": f"/account/services/{{line}}/{act}"
        for act in ("change", "pause", "end")
    },
    "/account/services/<public_id>/resume": "/account/services/{resting}/resume",
    "/account/trials": "/account/trials",
    "/account/trials/<public_id>": "/account/trials/{trial}",
    "/account/trials/<public_id>/cancel": "/account/trials/{trial}/cancel",
    "/account/trials/<public_id>/go-on": "/account/trials/{trial}/go-on",
    "/account/trials/<public_id>/card": "/account/trials/{trial}/card?when=end",
    "/account/tokens": "/account/tokens",
    "/account/tokens/<public_id>/revoke": "/account/tokens/{token}/revoke",
}
FOR_STAFF: dict[str, Where] = {
    "/desk": "/desk",
    "/desk/orders": "/desk/orders",
    "/desk/orders/<public_id>": _first("/desk/orders", "/desk/orders/"),
    **{
        f"/desk/orders/<public_id>/{act}": _order_at_desk(act)
        for act in ("ship", "ready", "provide", "change", "cancel", "return")
    },
    "/desk/parcels/<public_id>": lambda visitor: (
        f"/desk/parcels/{visitor.place.values(Fulfilment.public_id, Fulfilment.kind == 'parcel')[0]}"
    ),
    "/desk/customers": "/desk/customers",
    "/desk/customers/new": "/desk/customers/new",
    "/desk/customers/<public_id>": _customer(),
    "/desk/customers/<public_id>/edit": _customer("/edit"),
    "/desk/customers/<public_id>/pay-code": _customer("/pay-code"),
    "/desk/products": "/desk/products",
    "/desk/products/new": "/desk/products/new",
    "/desk/products/<slug>": "/desk/products/ember-smart-plug",
    "/desk/products/<slug>/things/<sku>": "/desk/products/ember-smart-plug/things/EMB-1",
    "/desk/price-lists": "/desk/price-lists",
    "/desk/delivery": "/desk/delivery",
    "/desk/delivery/ways/new": "/desk/delivery/ways/new",
    "/desk/delivery/ways/<country>/<code>": "/desk/delivery/ways/US/standard",
    "/desk/delivery/zones/new": "/desk/delivery/zones/new?zone=tarnbrook",
    "/desk/delivery/times": "/desk/delivery/times",
    "/desk/delivery/times/<public_id>": _row("/desk/delivery/times"),
    "/desk/products/<slug>/address": "/desk/products/ember-smart-plug/address",
    "/desk/customers/<public_id>/order": _customer("/order"),
    "/desk/phone-orders/<cart_id>": _phone_order,
    "/desk/payments/<public_id>/refund": lambda visitor: (
        f"/desk/payments/{visitor.place.values(Payment.public_id, Payment.order_id.is_(None))[0]}/refund"
    ),
    "/desk/pick-ups": "/desk/pick-ups",
    "/desk/returns": "/desk/returns",
    "/desk/returns/<public_id>": lambda visitor: (
        f"/desk/returns/{visitor.place.values(OrderChange.public_id, OrderChange.state == 'announced')[0]}"
    ),
    "/desk/stock": "/desk/stock",
    "/desk/stock/holds": "/desk/stock/holds",
    "/desk/stock/holds/<uuid:hold_id>/release": _held,
    "/desk/stock/places": "/desk/stock/places",
    "/desk/stock/hold-rules": "/desk/stock/hold-rules",
    "/desk/stock/waits": "/desk/stock/waits",
    "/desk/stock/back-orders": "/desk/stock/back-orders",
    "/desk/stock/import": "/desk/stock/import",
    "/numbers/<sku>": "/numbers/TEL-1",
    "/desk/stock/numbers": "/desk/stock/numbers",
    "/desk/stock/numbers/<uuid:pool_id>": _pool(),
    "/desk/stock/numbers/<uuid:pool_id>/import": _pool("/import"),
    "/desk/stock/numbers/<uuid:pool_id>/<uuid:number_id>": _number(),
    "/desk/stock/numbers/<uuid:pool_id>/<uuid:number_id>/withdraw": _number("/withdraw"),
    "/desk/stock/transfers": "/desk/stock/transfers",
    "/desk/stock/transfers/<uuid:transfer_id>": lambda visitor: (
        f"/desk/stock/transfers/{visitor.place.values(StockTransfer.id)[0]}"
    ),
    "/desk/stock/places/<code>": "/desk/stock/places/depot",
    "/desk/stock/<uuid:level_id>": lambda visitor: (
        f"/desk/stock/{visitor.place.values(StockLevel.id, StockLevel.on_hand > 0)[0]}"
    ),
    "/desk/invoices": "/desk/invoices",
    "/desk/invoices/<public_id>": _first("/desk/invoices", "/desk/invoices/"),
    **{
        f"/desk/invoices/<public_id>/{act}": _below("/desk/invoices?kind=invoice", act)
        for act in ("credit", "debit", "void")
    },
    "/desk/invoices/<public_id>/lines/<int:number>/dispute": _line_disputed_by_phone,
    "/desk/disputes": "/desk/disputes",
    "/desk/disputes/<public_id>": _dispute_to_answer,
    "/desk/drafts": "/desk/drafts",
    "/desk/drafts/<public_id>": _first("/desk/drafts", "/desk/drafts/"),
    "/desk/drafts/<public_id>/preview": _below("/desk/drafts", "preview"),
    "/desk/terms": "/desk/terms",
    "/desk/terms/<account_number>": "/desk/terms/318640275",
    "/desk/reconciler": "/desk/reconciler",
    "/desk/reconciler/<public_id>": _round,
    "/desk/past-due": "/desk/past-due",
    "/desk/past-due/<public_id>": _first("/desk/past-due", "/desk/past-due/"),
    "/desk/past-due/<public_id>/waive": _below("/desk/past-due", "waive"),
    "/desk/statements": "/desk/statements",
    "/desk/statements/<public_id>": _first("/desk/statements", "/desk/statements/"),
    "/desk/payments": "/desk/payments",
    "/desk/payments/<public_id>": _row("/desk/payments"),
    "/desk/payments/planned": "/desk/payments/planned",
    "/desk/payments/planned/<public_id>": _first(
        "/desk/payments/planned", "/desk/payments/planned/"
    ),
    "/desk/payments/cards/<account_number>": "/desk/payments/cards/204187751",
    "/desk/to-check": "/desk/to-check",
    "/desk/to-check/rules": "/desk/to-check/rules",
    "/desk/provisioning": "/desk/provisioning",
    "/desk/provisioning/<public_id>": _first(
        "/desk/provisioning?state=failed", "/desk/provisioning/"
    ),
    "/desk/chargebacks": "/desk/chargebacks",
    "/desk/chargebacks/<public_id>": _first("/desk/chargebacks?state=open", "/desk/chargebacks/"),
    "/desk/orders/<public_id>/refund": lambda visitor: (
        f"{_first('/desk/orders', '/desk/orders/')(visitor)}/refund"
    ),
    "/desk/quotes": "/desk/quotes",
    "/desk/quotes/new": "/desk/quotes/new",
    "/desk/quotes/approvals": "/desk/quotes/approvals",
    "/desk/quotes/report": "/desk/quotes/report",
    "/desk/quotes/<public_id>": _quote_at_desk(),
    **{
        f"/desk/quotes/<public_id>/{act}": _quote_at_desk(f"/{act}")
        for act in ("edit", "contact", "withdraw")
    },
    "/desk/gift-cards": "/desk/gift-cards",
    "/desk/gift-cards/<public_id>": _first("/desk/gift-cards", "/desk/gift-cards/"),
    "/desk/tax": "/desk/tax",
    "/desk/tax/rates": "/desk/tax/rates",
    "/desk/tax/rates/<uuid:rate_id>/end": _first("/desk/tax/rates", "/desk/tax/rates/"),
    "/desk/tax/certificates": "/desk/tax/certificates",
    "/desk/tax/new-certificate": "/desk/tax/new-certificate",
    "/desk/tax/certificates/<public_id>": _first(
        "/desk/tax/certificates", "/desk/tax/certificates/"
    ),
    "/desk/ledger": "/desk/ledger",
    "/desk/ledger/ageing": "/desk/ledger/ageing",
    "/desk/ledger/journal": "/desk/ledger/journal",
    "/desk/ledger/accounts/<public_id>": _first("/desk/ledger/ageing", "/desk/ledger/accounts/"),
    "/desk/ledger/accounts/<public_id>/open": lambda visitor: (
        f"{_first('/desk/ledger/ageing', '/desk/ledger/accounts/')(visitor)}/open"
    ),
    "/desk/money": "/desk/money",
    "/desk/money/accounts/<public_id>": lambda visitor: _first(
        "/desk/ledger/ageing", "/desk/ledger/accounts/"
    )(visitor).replace("ledger", "money"),
    "/desk/invoices/<public_id>/money": _money_on_a_bill,
    "/desk/write-offs": "/desk/write-offs",
    "/desk/periods": "/desk/periods",
    "/desk/rates": "/desk/rates",
    "/desk/jobs": "/desk/jobs",
    "/desk/jobs/<int:job_id>": _first("/desk/jobs", "/desk/jobs/"),
    "/desk/content": "/desk/content",
    "/desk/content/new": "/desk/content/new",
    "/desk/content/pages/<public_id>": _content(),
    **{
        f"/desk/content/pages/<public_id>/{act}": _content(f"/{act}")
        for act in ("edit", "preview", "withdraw", "address")
    },
    "/desk/content/pages/<public_id>/publish": _content("/publish"),
    "/desk/content/pages/<public_id>/versions/<int:number>": _content("/versions/1"),
    "/desk/content/media": "/desk/content/media",
    "/desk/content/media/<public_id>": _first("/desk/content/media", "/desk/content/media/"),
    "/desk/content/videos/<public_id>": _first(
        "/desk/content/media?kind=video", "/desk/content/videos/"
    ),
    "/desk/content/menus": "/desk/content/menus",
    "/desk/content/banners": "/desk/content/banners",
    "/desk/content/banners/new": "/desk/content/banners/new",
    "/desk/content/banners/<public_id>": _banner,
    "/desk/content/segments": "/desk/content/segments",
    "/desk/content/segments/<code>": "/desk/content/segments/customers",
    "/desk/content/redirects": "/desk/content/redirects",
    "/desk/content/consents": "/desk/content/consents",
    "/desk/content/brand": "/desk/content/brand",
    "/desk/content/mails": "/desk/content/mails",
    "/desk/content/mails/<name>": "/desk/content/mails/bill",
    "/desk/content/brand/preview": "/desk/content/brand/preview",
    "/desk/styleguide": "/desk/styleguide",
    "/desk/audit": "/desk/audit",
    "/desk/audit/chain": "/desk/audit/chain",
    "/desk/me": "/desk/me",
    "/desk/again": "/desk/again",
    "/desk/staff": "/desk/staff",
    "/desk/staff/<public_id>": _first("/desk/staff", "/desk/staff/"),
    "/desk/staff/<public_id>/<any('lock-out','reset'):act>": _below("/desk/staff", "lock-out"),
}
#: Of the second step of staff.
OF_THE_SECOND_STEP = ("/desk/login/code", "/desk/login/set-up", "/desk/me/second-step")
#: What staff see of a customer who has something of everything.
OF_SUBSCRIBERS: dict[str, str] = {
    "/desk/services": "/desk/services",
    "/desk/services/<public_id>": "/desk/services/{backup}",
    **{
        f"/desk/services/<public_id>/{act}": f"/desk/services/{{line}}/{act}"
        for act in ("change", "pause", "end")
    },
    "/desk/services/<public_id>/resume": "/desk/services/{resting}/resume",
    "/desk/trials": "/desk/trials",
    "/desk/trials/report": "/desk/trials/report",
    "/desk/trials/follow-ups": "/desk/trials/follow-ups",
    "/desk/trials/offers": "/desk/trials/offers",
    "/desk/trials/offers/new": "/desk/trials/offers/new",
    "/desk/trials/offers/<code>": "/desk/trials/offers/burrow-30-days",
    "/desk/trials/<public_id>": "/desk/trials/{trial}",
    "/desk/bill-runs": "/desk/bill-runs",
    "/desk/bill-runs/<public_id>": "/desk/bill-runs/{run}",
    "/desk/parked": "/desk/parked",
    "/desk/parked/<public_id>": "/desk/parked/{parking}",
    "/desk/jobs/<int:job_id>/discard": "/desk/jobs/{dead}/discard",
    "/desk/keys": "/desk/keys",
    "/desk/keys/<public_id>/revoke": "/desk/keys/{key}/revoke",
    "/desk/webhooks": "/desk/webhooks",
    "/desk/webhooks/<public_id>": "/desk/webhooks/{hook}",
    "/desk/webhooks/<public_id>/edit": "/desk/webhooks/{hook}/edit",
    "/desk/webhooks/<public_id>/remove": "/desk/webhooks/{hook}/remove",
    "/desk/webhooks/<public_id>/sent/<sent_id>": "/desk/webhooks/{hook}/sent/{told}",
}
BY_LINK = (
    "/o/<public_id>/<token>",
    "/o/<public_id>/<token>/thanks",
    "/o/<public_id>/<token>/bills/<invoice_id>",
    "/o/<public_id>/<token>/bills/<invoice_id>/lines/<int:number>/dispute",
    "/o/<public_id>/<token>/return",
    "/o/<public_id>/<token>/disputes/<dispute_id>",
    "/gift-card/<public_id>/<token>",
    "/trial/<public_id>/<token>",
    "/w/<public_id>/<token>",
    "/q/<public_id>/<token>",
    "/q/<public_id>/<token>/compare",
    "/q/<public_id>/<token>/accept",
    "/q/<public_id>/<token>/decline",
    "/pay/<public_id>/return",
    "/pay/<public_id>/cancelled",
    "/methods/<public_id>/return",
    "/methods/<public_id>/cancelled",
    "/account/reset/<token>",
    "/account/invite/<token>",
    "/account/verify/<token>",
)
