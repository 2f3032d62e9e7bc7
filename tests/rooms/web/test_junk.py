"""Nothing that somebody puts into an address or a form breaks a page: it is found, not found or refused."""

import pytest

from tests.rooms.web.names import Names
from tests.rooms.web.routes import ROUTES, Route
from tests.rooms.web.stage import KIM, RILEY, Browser, Stage
from web.access import Who

_KEY = "0190a5d4c3b27f00a1b2c3d4e5f60718"
JUNK = (
    "9" * 40,
    "-1",
    "٣",
    "a" * 3000,
    "%' OR 1=1; DROP TABLE invoice; --",
    "../../etc/passwd",
    "\u202e\ufeff\U0001f4a9",
    _KEY,
)
#: Where a next page begins, at the edges of what can be counted.
CURSORS = (
    f"99999999999999999999-{_KEY}",
    f"-5-{_KEY}",
    "5-nothing",
    f"0001-01-01_{_KEY}",
    f"10000-01-01_{_KEY}",
    f"0001-01-01T00:00:00+14:00_{_KEY}",
    f"9999-12-31T23:59:59-14:00_{_KEY}",
    f"2026-11-17T14:11:00_{_KEY}",
    f"2026-11-17_{_KEY}",
)
QUERIES = {
    "/c/<slug>": ("after", "in-stock"),
    "/checkout": ("pay",),
    "/account/login": ("next",),
    "/account/bills": ("before",),
    "/account/orders": ("before",),
    "/account/payments": ("before",),
    "/account/pay": ("bill",),
    "/desk/orders": ("before", "q", "state", "fulfilment", "sort"),
    "/desk/stock": ("before", "q", "state", "location"),
    "/desk/stock/holds": ("before",),
    "/desk/stock/<uuid:level_id>": ("before",),
    "/desk/customers": ("before", "q", "kind", "sort"),
    "/desk/products": ("before", "q", "state"),
    "/desk/returns": ("before", "q", "state"),
    "/desk/invoices": ("before", "q", "kind", "sort"),
    "/desk/payments": ("before", "q", "sort"),
    "/desk/jobs": ("before", "q", "state", "sort"),
    "/desk/jobs.csv": ("q", "state"),
    "/desk/orders.csv": ("q", "state", "sort"),
    "/desk/audit": ("before", "q", "actor", "subject", "since", "through", "sort"),
    "/desk/ledger": ("as_of", "entity"),
    "/desk/ledger/ageing": ("as_of", "after", "entity"),
    "/desk/ledger/journal": ("from", "to", "kind", "account", "customer", "before", "entity"),
    "/desk/ledger/<what>.csv": ("as_of", "from", "to", "entity"),
    "/desk/ledger/accounts/<public_id>": ("as_of", "before"),
    "/desk/ledger/accounts/<public_id>/open": ("as_of", "after"),
    "/api/v1/products": ("cursor", "page_size", "category"),
}


def _browser(stage: Stage, route: Route) -> Browser:
    return stage.browser(KIM if route.who == Who.STAFF else RILEY)


def test_no_address_breaks_a_page(stage: Stage):
    broken, asked = [], 0
    for route in ROUTES:
        if route.method != "GET" or "<" not in route.rule:
            continue
        browser = _browser(stage, route)
        start = route.rule[: route.rule.index("<")]
        rest = route.rule[route.rule.index(">") + 1 :].replace("<token>", "0")
        for junk in JUNK:
            path = f"{start}{junk}{rest.replace('<invoice_id>', '0').replace('<line_id>', '0')}"
            asked += 1
            status = browser.get(path).status_code
            if status not in (200, 302, 400, 401, 404, 410):
                broken.append((path[:80], status))
    assert asked > 100
    assert broken == []


def test_no_query_breaks_a_page(stage: Stage):
    broken, names = [], Names(stage)
    for route in ROUTES:
        browser = _browser(stage, route)
        for name in QUERIES.get(route.rule, ()) if route.method == "GET" else ():
            paged = name in ("after", "before", "cursor")
            path = names.fill(route.path)
            for junk in (*JUNK, *(CURSORS if paged else ())):
                status = browser.get(path, query_string={name: junk}).status_code
                if status not in (200, 302, 404, 422):
                    broken.append((path, name, junk[:40], status))
    assert broken == []


@pytest.mark.parametrize(
    ("path", "name", "statuses"),
    [
        ("/cart/lines", "sku", {303}),
        ("/cart/lines", "quantity", {303}),
        ("/cart/lines/0", "quantity", {303}),
        ("/checkout", "expected_total", {303, 422}),
        ("/checkout", "shipping_method", {303, 422}),
        ("/checkout", "region", {303, 422}),
        ("/account/pay", "expected_total", {303, 409, 422}),
        ("/account/pay", "bill", {404}),
        ("/account/login", "email", {422, 401}),
        ("/account/forgot", "email", {200}),
        ("/account/register", "name", {422}),
        ("/account/verify/0", "token", {410}),
    ],
)
def test_no_form_breaks_a_page(stage: Stage, path: str, name: str, statuses: set[int]):
    browser = stage.browser(RILEY)
    for junk in (*JUNK, "9" * 5000, "1e3", "1_000", " 7 ", "٣" * 30):
        answer = browser.post(path, {"step": "pay", "sku": "FW-VISIT", name: junk})
        assert answer.status_code in statuses, (junk[:40], answer.status_code)
        if answer.status_code == 303 and path == "/cart/lines":
            assert browser.get("/cart").status_code == 200
