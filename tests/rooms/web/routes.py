"""THE table of access: every route, who may use it, and what each of four people gets there.

Nobody is a stranger, Riley and June are customers, Kim is staff. What stands in the addresses is Riley's, or
nobody's. A route that is here and not in the shop, or in the shop and not here, fails ``test_access``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from cart.models import Cart, CartLine
from core.kernel.ids import new_public_id
from core.kernel.jobs import Job
from core.orders.models import Order
from core.parties.models import Account
from core.tax import exemptions
from core.tax.exemptions import NewExemption
from core.tax.models import TaxRate
from flows import draft_invoice
from tests import nights
from tests.giving import new_card_id
from tests.paying import fill_cart
from tests.rooms.web.stage import EVERYBODY, RILEY, Stage
from tests.world import ADDRESS
from web.access import Guard, Who

#: A status stands for all four, or one for each of nobody, Riley, June and Kim; behind an arrow is where a
#: redirect leads: ``door`` and ``desk-door`` are the two log-in pages, ``processor`` is its pay page.
TABLE = """
# the shop's pages
GET    /                                             everybody none   200
GET    /c/<slug>                                     everybody none   200
GET    /p/<slug>                                     everybody none   200
GET    /terms                                        everybody none   200
GET    /privacy                                      everybody none   200
GET    /accessibility                                everybody none   200
GET    /static/<path:filename>                       everybody none   200
# a cart is its browser's
GET    /cart                                         everybody token  200
GET    /cart/count                                   everybody none   200
POST   /cart/lines                                   everybody origin 303→/cart
POST   /cart/lines/<line_id>                         everybody token  303→/cart
POST   /cart/hold                                    everybody token  303→/cart
GET    /checkout                                     everybody token  200
POST   /checkout                                     everybody token  422
# whoever has the number of a payment came from our own redirect
GET    /pay/<public_id>/return                       everybody token  200
POST   /pay/<public_id>/return                       everybody token  200
GET    /pay/<public_id>/cancelled                    everybody token  200
POST   /pay/<public_id>/cancelled                    everybody token  303→/cart
# whoever has an order's link sees the order
GET    /o/<public_id>/<token>                        everybody none   200
GET    /o/<public_id>/<token>/thanks                 everybody none   200
GET    /o/<public_id>/<token>/bills/<invoice_id>     everybody none   200
GET    /o/<public_id>/<token>/bills/<invoice_id>.pdf everybody none   200
POST   /o/<public_id>/<token>/pay                    everybody token  303→processor
# whoever has a gift card's code, or the link of its mail
GET    /gift-card                                    everybody token  200
POST   /gift-card                                    everybody token  422
GET    /gift-card/<public_id>/<token>                everybody none   200
# the doors
GET    /account/login                                everybody token  200 302→account 302→account 302→account
POST   /account/login                                everybody token  422
POST   /account/logout                               everybody token  303→door
GET    /account/register                             everybody token  200
POST   /account/register                             everybody token  422
GET    /account/forgot                               everybody token  200
POST   /account/forgot                               everybody token  200
GET    /account/reset/<token>                        everybody token  200
POST   /account/reset/<token>                        everybody token  422
GET    /account/invite/<token>                       everybody token  200
POST   /account/invite/<token>                       everybody token  422
GET    /account/verify/<token>                       everybody token  200
POST   /account/verify/<token>                       everybody token  200
# the account: what somebody sees is scoped through their memberships
GET    /account                                      customer  token  302→door 200 200 200
GET    /account/bills                                customer  token  302→door 200 200 200
GET    /account/bills/<public_id>                    customer  token  302→door 200 404 404
GET    /account/bills/<public_id>.pdf                customer  token  302→door 200 404 404
GET    /account/statements                           customer  token  302→door 200 200 200
GET    /account/statements/<public_id>               customer  token  302→door 200 404 404
GET    /account/statements/<public_id>.pdf           customer  token  302→door 200 404 404
GET    /account/statements/<public_id>.csv           customer  token  302→door 200 404 404
GET    /account/payments                             customer  token  302→door 200 200 200
GET    /account/payments/<public_id>                 customer  token  302→door 200 404 404
GET    /account/tax                                  customer  token  302→door 200 200 200
POST   /account/tax                                  customer  token  302→door 404 404 404
GET    /account/pay                                  customer  token  302→door 200 200 200
POST   /account/pay                                  customer  token  302→door 303→processor 404 404
# the desk
GET    /desk/login                                   everybody token  200 200 200 302→/desk
POST   /desk/login                                   everybody token  422
POST   /desk/logout                                  staff     token  302→desk-door 404 404 303→desk-door
GET    /desk                                         staff     token  302→desk-door 404 404 200
GET    /desk/orders                                  staff     token  302→desk-door 404 404 200
GET    /desk/orders/<public_id>                      staff     token  302→desk-door 404 404 200
GET    /desk/invoices                                staff     token  302→desk-door 404 404 200
GET    /desk/invoices/<public_id>                    staff     token  302→desk-door 404 404 200
GET    /desk/invoices/<public_id>.pdf                staff     token  302→desk-door 404 404 200
GET    /desk/invoices/<public_id>/credit             staff     token  302→desk-door 404 404 200
POST   /desk/invoices/<public_id>/credit             staff     token  302→desk-door 404 404 422
GET    /desk/invoices/<public_id>/debit              staff     token  302→desk-door 404 404 200
POST   /desk/invoices/<public_id>/debit              staff     token  302→desk-door 404 404 422
GET    /desk/invoices/<public_id>/void               staff     token  302→desk-door 404 404 200
POST   /desk/invoices/<public_id>/void staff token 302→desk-door 404 404 303→/desk/invoices/*
GET    /desk/drafts                                  staff     token  302→desk-door 404 404 200
POST   /desk/drafts                                  staff     token  302→desk-door 404 404 422
GET    /desk/drafts/<public_id>                      staff     token  302→desk-door 404 404 200
POST   /desk/drafts/<public_id>                      staff     token  302→desk-door 404 404 409
GET    /desk/drafts/<public_id>/preview              staff     token  302→desk-door 404 404 200
GET    /desk/drafts/<public_id>.pdf                  staff     token  302→desk-door 404 404 200
POST   /desk/drafts/<public_id>/discard              staff     token  302→desk-door 404 404 409
POST   /desk/drafts/<public_id>/issue                staff     token  302→desk-door 404 404 409
GET    /desk/terms                                   staff     token  302→desk-door 404 404 200
POST   /desk/terms                                   staff     token  302→desk-door 404 404 422
GET    /desk/terms/<account_number>                  staff     token  302→desk-door 404 404 200
POST   /desk/terms/<account_number>                  staff     token  302→desk-door 404 404 422
GET    /desk/statements                              staff     token  302→desk-door 404 404 200
GET    /desk/statements/<public_id>                  staff     token  302→desk-door 404 404 200
GET    /desk/statements/<public_id>.pdf              staff     token  302→desk-door 404 404 200
GET    /desk/statements/<public_id>.csv              staff     token  302→desk-door 404 404 200
GET    /desk/bill-runs                               staff     token  302→desk-door 404 404 200
POST   /desk/bill-runs                               staff     token  302→desk-door 404 404 422
GET    /desk/bill-runs/<public_id>                   staff     token  302→desk-door 404 404 200
GET    /desk/bill-runs/<public_id>.csv               staff     token  302→desk-door 404 404 200
GET    /desk/parked                                  staff     token  302→desk-door 404 404 200
GET    /desk/parked/<public_id>                      staff     token  302→desk-door 404 404 200
POST   /desk/parked/<public_id>/release              staff     token  302→desk-door 404 404 422
GET    /desk/payments                                staff     token  302→desk-door 404 404 200
GET    /desk/payments/<public_id>                    staff     token  302→desk-door 404 404 200
GET    /desk/orders/<public_id>/refund               staff     token  302→desk-door 404 404 200
POST   /desk/orders/<public_id>/refund               staff     token  302→desk-door 404 404 422
POST   /desk/payments/<public_id>/refunds/<uuid:refund_id>/again staff token 302→desk-door 404 404 404
GET    /desk/gift-cards                              staff     token  302→desk-door 404 404 200
GET    /desk/gift-cards/<public_id>                  staff     token  302→desk-door 404 404 200
POST   /desk/gift-cards/<public_id>/void             staff     token  302→desk-door 404 404 422
POST   /desk/gift-cards/<public_id>/take-back        staff     token  302→desk-door 404 404 303→/desk/*
GET    /desk/tax                                     staff     token  302→desk-door 404 404 200
GET    /desk/tax.csv                                 staff     token  302→desk-door 404 404 200
GET    /desk/tax/rates                               staff     token  302→desk-door 404 404 200
POST   /desk/tax/rates                               staff     token  302→desk-door 404 404 422
GET    /desk/tax/rates/<uuid:rate_id>/end            staff     token  302→desk-door 404 404 200
POST   /desk/tax/rates/<uuid:rate_id>/end            staff     token  302→desk-door 404 404 422
GET    /desk/tax/certificates                        staff     token  302→desk-door 404 404 200
POST   /desk/tax/certificates                        staff     token  302→desk-door 404 404 422
GET    /desk/tax/new-certificate                     staff     token  302→desk-door 404 404 200
GET    /desk/tax/certificates/<public_id>            staff     token  302→desk-door 404 404 200
POST   /desk/tax/certificates/<public_id>/revoke     staff     token  302→desk-door 404 404 422
GET    /desk/ledger                                  staff     token  302→desk-door 404 404 200
GET    /desk/ledger/ageing                           staff     token  302→desk-door 404 404 200
GET    /desk/ledger/journal                          staff     token  302→desk-door 404 404 200
GET    /desk/ledger/<what>.csv                       staff     token  302→desk-door 404 404 200
GET    /desk/ledger/accounts/<public_id>             staff     token  302→desk-door 404 404 200
GET    /desk/ledger/accounts/<public_id>/open        staff     token  302→desk-door 404 404 200
GET    /desk/ledger/accounts/<public_id>.csv         staff     token  302→desk-door 404 404 200
POST   /desk/money                                   staff     token  302→desk-door 404 404 422
GET    /desk/money                                   staff     token  302→desk-door 404 404 200
POST   /desk/money/<uuid:item_id>/identify           staff     token  302→desk-door 404 404 422
GET    /desk/money/accounts/<public_id>              staff     token  302→desk-door 404 404 200
POST   /desk/money/accounts/<public_id>/use          staff     token  302→desk-door 404 404 303→/desk/money/*
POST   /desk/money/accounts/<public_id>/pay-out/<uuid:item_id> staff token 302→desk-door 404 404 404
GET    /desk/invoices/<public_id>/money              staff     token  302→desk-door 404 404 200
POST   /desk/invoices/<public_id>/contest            staff     token  302→desk-door 404 404 422
POST   /desk/invoices/<public_id>/contest/end        staff     token  302→desk-door 404 404 409
POST   /desk/invoices/<public_id>/applied/<uuid:key>/undo staff token 302→desk-door 404 404 404
POST   /desk/invoices/<public_id>/applied/<uuid:key>/move staff token 302→desk-door 404 404 422
POST   /desk/invoices/<public_id>/write-off          staff     token  302→desk-door 404 404 422
GET    /desk/write-offs                              staff     token  302→desk-door 404 404 200
POST   /desk/write-offs/allowance                    staff     token  302→desk-door 404 404 422
POST   /desk/write-offs/<uuid:write_off_id>/approve  staff     token  302→desk-door 404 404 404
POST   /desk/write-offs/<uuid:write_off_id>/decline  staff     token  302→desk-door 404 404 404
GET    /desk/periods                                 staff     token  302→desk-door 404 404 200
POST   /desk/periods                                 staff     token  302→desk-door 404 404 422
POST   /desk/periods/<uuid:close_id>/reopen          staff     token  302→desk-door 404 404 422
GET    /desk/rates                                   staff     token  302→desk-door 404 404 200
POST   /desk/rates                                   staff     token  302→desk-door 404 404 422
GET    /desk/jobs                                    staff     token  302→desk-door 404 404 200
GET    /desk/jobs/<int:job_id>                       staff     token  302→desk-door 404 404 200
POST   /desk/jobs/<int:job_id>/retry                 staff     token  302→desk-door 404 404 303→/desk/jobs/*
GET    /desk/styleguide                              staff     token  302→desk-door 404 404 200
# programs: no cookie counts here, what counts is a secret of their own
GET    /healthz                                      everybody none   200
GET    /readyz                                       everybody none   200
GET    /metrics                                      program   none   404
POST   /webhooks/stripe                              program   none   400
GET    /api/v1/openapi.json                          everybody none   200
GET    /api/v1/products                              everybody none   200
GET    /api/v1/products/<slug>                       everybody none   200
POST   /api/v1/carts                                 everybody none   201→/api/v1/carts/*
GET    /api/v1/carts/<cart_id>                       everybody none   200
PATCH  /api/v1/carts/<cart_id>                       everybody none   200
POST   /api/v1/carts/<cart_id>/lines                 everybody none   201
PATCH  /api/v1/carts/<cart_id>/lines/<line_id>       everybody none   200
DELETE /api/v1/carts/<cart_id>/lines/<line_id>       everybody none   204
POST   /api/v1/carts/<cart_id>/checkout              everybody none   201→/api/v1/orders/*
GET    /api/v1/orders/<order_id>                     program   none   401
"""

#: A key that nothing has.
_NOBODYS = "01900000-0000-7000-8000-000000000000"
#: What goes into an address: for one route, else for all under a path. A name in braces is filled in from
#: ``Stage.ids`` or made by ``Names``.
_PLACES = {
    "POST /pay/": {"<public_id>": "{operation}"},
    "POST /pay/<public_id>/cancelled": {"<public_id>": "{fresh_operation}"},
    "GET /pay/": {"<public_id>": "{operation}"},
    "POST /o/": {"<public_id>": "{guest_order}", "<token>": "{guest_order_token}"},
    "GET /o/": {
        "<public_id>": "{riley_order}",
        "<token>": "{riley_order_token}",
        "<invoice_id>": "{riley_bill}",
    },
    "GET /gift-card/": {"<public_id>": "{gift_card}", "<token>": "{gift_card_token}"},
    "POST /desk/orders/": {"<public_id>": "{riley_order}"},
    "POST /desk/payments/": {
        "<public_id>": "{riley_payment}",
        "<uuid:refund_id>": "01a202b4-b636-73c0-8a49-23cb0a1ea9c7",
    },
    "GET /desk/gift-cards/": {"<public_id>": "{gift_card}"},
    "POST /desk/gift-cards/": {"<public_id>": "{gift_card}"},
    "GET /c/": {"<slug>": "devices"},
    "GET /p/": {"<slug>": "{slug}"},
    "GET /static/": {"<path:filename>": "css/base.css"},
    "POST /cart/": {"<line_id>": "{line}"},
    "GET /account/reset/": {"<token>": "{reset_link}"},
    "POST /account/reset/": {"<token>": "{reset_link}"},
    "GET /account/invite/": {"<token>": "{invite_link}"},
    "POST /account/invite/": {"<token>": "{invite_link}"},
    "GET /account/verify/": {"<token>": "{verify_link}"},
    "POST /account/verify/": {"<token>": "{fresh_verify_link}"},
    "GET /account/bills/": {"<public_id>": "{riley_bill}"},
    "GET /account/statements/": {"<public_id>": "{riley_statement}"},
    "GET /desk/statements/": {"<public_id>": "{riley_statement}"},
    "GET /desk/bill-runs/": {"<public_id>": "{bill_run}"},
    "GET /desk/parked/": {"<public_id>": "{parked}"},
    "POST /desk/parked/": {"<public_id>": "{parked}"},
    "GET /account/payments/": {"<public_id>": "{riley_payment}"},
    "GET /desk/orders/": {"<public_id>": "{riley_order}"},
    "GET /desk/invoices/": {"<public_id>": "{riley_bill}"},
    "POST /desk/invoices/": {
        "<public_id>": "{riley_bill}",
        "<uuid:key>": _NOBODYS,
    },
    "GET /desk/ledger/<what>": {"<what>": "ageing"},
    "GET /desk/ledger/accounts/": {"<public_id>": "{riley_account}"},
    "POST /desk/invoices/<public_id>/void": {"<public_id>": "{spare_bill}"},
    "GET /desk/drafts/": {"<public_id>": "{draft}"},
    "POST /desk/drafts/": {"<public_id>": "{draft}"},
    "GET /desk/terms/": {"<account_number>": "{riley_number}"},
    "POST /desk/terms/": {"<account_number>": "{riley_number}"},
    "GET /desk/payments/": {"<public_id>": "{riley_payment}"},
    "GET /desk/tax/rates/": {"<uuid:rate_id>": "{tax_rate}"},
    "POST /desk/tax/rates/": {"<uuid:rate_id>": "{tax_rate}"},
    "GET /desk/tax/certificates/": {"<public_id>": "{certificate}"},
    "POST /desk/tax/certificates/": {"<public_id>": "{certificate}"},
    "POST /desk/money/": {"<uuid:item_id>": _NOBODYS, "<public_id>": "{riley_account}"},
    "GET /desk/money/accounts/": {"<public_id>": "{riley_account}"},
    "POST /desk/write-offs/": {"<uuid:write_off_id>": _NOBODYS},
    "POST /desk/periods/": {"<uuid:close_id>": _NOBODYS},
    "GET /desk/jobs/": {"<int:job_id>": "{job}"},
    "POST /desk/jobs/": {"<int:job_id>": "{dead_job}"},
    "GET /api/v1/products/": {"<slug>": "{slug}"},
    "GET /api/v1/orders/": {"<order_id>": "{riley_order}"},
    "GET /api/v1/carts/": {"<cart_id>": "{cart}"},
    "POST /api/v1/carts/": {"<cart_id>": "{cart}"},
    "PATCH /api/v1/carts/": {"<cart_id>": "{cart}", "<line_id>": "{line}"},
    "DELETE /api/v1/carts/": {"<cart_id>": "{cart}", "<line_id>": "{line}"},
}
_FORMS = {
    "POST /cart/lines": {"sku": "FW-VISIT"},
    "POST /cart/lines/<line_id>": {"quantity": "2"},
    "POST /checkout": {"step": "total"},
    "POST /account/forgot": {"email": "stranger@example.com"},
    "POST /account/reset/<token>": {"password": "short"},
    "POST /account/invite/<token>": {"password": "short"},
    "POST /account/pay": {"bill": "{riley_bill}"},
}
_BODIES = {
    "POST /webhooks/stripe": {"id": "evt_1"},
    "PATCH /api/v1/carts/<cart_id>": {"shipping_address": ADDRESS},
    "POST /api/v1/carts/<cart_id>/lines": {"sku": "FW-VISIT", "quantity": 1},
    "PATCH /api/v1/carts/<cart_id>/lines/<line_id>": {"quantity": 2},
    "POST /api/v1/carts/<cart_id>/checkout": {
        "email": "guest@example.com",
        "shipping_address": ADDRESS,
        "payment": {"method": "invoice"},
    },
}
_DOORS = {"account": "/account", "door": "/account/login", "desk-door": "/desk/login"}


@dataclass(frozen=True)
class Route:
    """One line of the table, and a request to be made of it."""

    method: str
    rule: str
    who: Who
    guard: Guard
    #: By person: a status, with the path of a redirect behind it.
    gets: Mapping[str, str]
    path: str
    form: Mapping[str, str]
    body: Any

    @property
    def name(self) -> str:
        return f"{self.method} {self.rule}"

    @property
    def is_for_programs(self) -> bool:
        return self.rule.startswith(("/api/", "/webhooks/"))


def _read(table: str) -> Iterator[Route]:
    for line in table.strip().splitlines():
        if line.startswith("#"):
            continue
        method, rule, who, guard, *gets = line.split()
        name = f"{method} {rule}"
        told = [_told(one) for one in (gets * 4 if len(gets) == 1 else gets)]
        yield Route(
            method,
            rule,
            Who(who),
            Guard(guard),
            dict(zip(EVERYBODY, told, strict=True)),
            _filled(name).removeprefix(f"{method} "),
            _FORMS.get(name, {}),
            _BODIES.get(name),
        )


def _told(text: str) -> str:
    status, _, target = text.partition("→")
    return f"{status} {_DOORS.get(target, target)}".strip()


def _filled(name: str) -> str:
    path = name
    for start in sorted(_PLACES, key=len, reverse=True):
        if name.startswith(start):
            for variable, value in _PLACES[start].items():
                path = path.replace(variable, value)
    return path


ROUTES = tuple(_read(TABLE))


class Names(dict[str, str]):
    """What fills the braces: what the stage has, and what each request uses up, made when asked for."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.ids)
        self.stage = stage

    def __missing__(self, name: str) -> str:
        if name in ("cart", "line"):
            self["cart"] = fill_cart(self.stage.house, self.stage.world.visit.sku)
            self["line"] = _line_of(self.stage, self["cart"])
        elif name == "fresh_operation":
            order = self.stage.begin_to_pay(self.stage.world.visit.sku)
            self[name] = self.stage.operation_of(order).public_id
        elif name == "fresh_verify_link":
            self[name] = self.stage.link("verify", RILEY)
        elif name in ("gift_card", "gift_card_token"):
            self["gift_card"] = new_card_id(self.stage)
            self["gift_card_token"] = self.stage.house.links.gift_card_token(self["gift_card"])
        elif name == "tax_rate":
            self[name] = str(self.stage.rows(TaxRate)[0].id)
        elif name == "certificate":
            self[name] = _old_certificate(self.stage)
        elif name == "riley_account":
            self[name] = _account_of(self.stage, "riley_order")
        elif name == "spare_bill":
            who = self.stage.newcomer()
            order = self.stage.order_on_terms(self.stage.world.visit.sku, who=who)
            self[name] = self.stage.bill_of(order).public_id
        elif name in ("draft", "riley_number"):
            number = _account_number(self.stage, RILEY)
            self["riley_number"] = number
            self["draft"] = draft_invoice.start(self.stage.house, number, "test").public_id
        elif name in ("bill_run", "parked"):
            self["bill_run"], self["parked"] = _night(self.stage)
        elif name == "dead_job":
            self[name] = _dead_job(self.stage)
        else:
            raise KeyError(name)
        return self[name]

    def fill(self, text: str) -> str:
        return text.format_map(self)


def _account_number(stage: Stage, who: str) -> str:
    number: str = stage.row(Account, Account.id == stage.accounts[who]).number
    return number


def _line_of(stage: Stage, cart_id: str) -> str:
    with stage.db.reading() as session:
        return session.scalars(
            select(CartLine.public_id)
            .join(Cart, Cart.id == CartLine.cart_id)
            .where(Cart.public_id == cart_id)
        ).one()


def _old_certificate(stage: Stage) -> str:
    """One of Riley's that frees them from nothing any more."""
    payer = stage.row(Order, Order.public_id == stage.ids["riley_order"]).payer_account_id
    first, last = date(2020, 1, 1), date(2021, 1, 1)
    new = NewExemption(payer, f"OH-{new_public_id()[:6]}", (), (), first, last)
    with stage.db.transaction() as session:
        return exemptions.enter(session, new, "system", stage.clock.now()).public_id


def _night(stage: Stage) -> tuple[str, str]:
    """A bill run, and an account of somebody new that is parked."""
    key, now = stage.accounts[stage.newcomer()], stage.clock.now()
    with stage.db.transaction() as session:
        run = nights.past_run(session, [key], now.date(), now)
        return run.public_id, nights.parked(session, session.get_one(Account, key), now)


def _account_of(stage: Stage, order: str) -> str:
    payer = stage.row(Order, Order.public_id == stage.ids[order]).payer_account_id
    found: str = stage.row(Account, Account.id == payer).public_id
    return found


def _dead_job(stage: Stage) -> str:
    now = stage.clock.now()
    job = Job(
        key=f"tidy-{new_public_id()}",
        name="tidy",
        handler="tidy",
        payload={},
        state="dead",
        run_at=now,
        created_at=now,
        last_error="it broke",
    )
    with stage.db.transaction() as session:
        session.add(job)
    return str(job.id)
