"""How often a page asks the database: within its bound, and not more often for many rows than for few."""

import pytest

from tests.rooms.web.growing import Growing
from tests.rooms.web.looking import statements
from tests.rooms.web.stage import RILEY, Stage

FEW, MANY = 3, 30
#: Where a session is read there are two more: the session and its user.
BOUNDS = {
    "shelves": {"home": 4, "everything": 3, "category": 3, "product": 4},
    "cart": {"cart": 6, "count": 1, "checkout": 12, "adding": 10, "order": 12, "thanks": 10},
    "portal": {
        "overview": 10,
        "bills": 5,
        "bill": 8,
        "receipts": 6,
        "receipt": 8,
        "disputes": 3,
        "dispute": 11,
        "pay": 8,
        "pay code": 2,
        "past due": 5,
        "pay link": 6,
        "tokens": 3,
        "cards": 17,
        "card off": 6,
        "card instead": 26,
        "autopay": 17,
        "autopay off": 15,
        "planned payments": 7,
        "planned payment": 11,
        "planned otherwise": 20,
        "planned not": 7,
        "pay on a date": 18,
        "trials": 4,
        "trial": 4,
        "trial link": 3,
        "services": 13,
        "service": 20,
        "change": 15,
        "pause": 31,
        "end": 49,
    },
    "quoted": {
        "by link": 5,
        "side by side": 5,
        "accepting": 5,
        "own list": 3,
        "own": 8,
        "list": 4,
        "list sorted": 4,
        "csv": 5,
        "one": 19,
        "approvals": 3,
        "report": 2,
        "in the making": 25,
        "editor": 21,
    },
    "desk": {
        "today": 11,
        "orders": 4,
        "orders looked for": 4,
        "order": 16,
        "customers": 4,
        "customers looked for": 4,
        "customer": 27,
        "stock": 5,
        "content": 3,
        "content page": 5,
        "content edited": 6,
        "content previewed": 8,
        "pictures": 3,
        "videos": 3,
        "banners": 3,
        "segments": 2,
        "redirects": 2,
        "invoices": 3,
        "invoice": 12,
        "disputes": 3,
        "disputes sorted": 3,
        "dispute": 14,
        "bill runs": 3,
        "bill run": 10,
        "parked": 2,
        "past due": 3,
        "past due one": 11,
        "rounds": 3,
        "round": 5,
        "parked one": 2,
        "payments": 5,
        "planned": 8,
        "declined": 8,
        "planned one": 13,
        "cards": 29,
        "chargebacks": 2,
        "payment": 10,
        "trial balance": 5,
        "ageing": 11,
        "journal": 9,
        "journal of one": 10,
        "account": 13,
        "open items": 13,
        "bank": 2,
        "held": 6,
        "money on a bill": 6,
        "write-offs": 6,
        "periods": 5,
        "rates": 3,
        "jobs": 3,
        "job": 2,
        "keys": 2,
        "webhooks": 4,
        "webhook": 5,
        "webhook in the making": 3,
        "told": 5,
        "staff": 3,
        "audit": 5,
        "audit looked for": 6,
        "orders by what is due": 4,
        "invoices by amount": 4,
        "payments by amount": 5,
        "me": 3,
        "trials": 3,
        "trials looked for": 3,
        "trial": 6,
        "calls": 3,
        "trial report": 3,
        "trial offers": 2,
        "services": 13,
        "services looked for": 12,
        "service": 20,
    },
}


def test_pages_ask_within_their_bound_however_many_rows_there_are(stage: Stage):
    growing = Growing(stage)
    growing.grow(FEW)
    few = {part: getattr(growing, part)() for part in BOUNDS}
    growing.grow(MANY)
    many = {part: getattr(growing, part)() for part in BOUNDS}
    # A page whose rows name no bill that they correct asks one question less.
    grown = {
        name: (count, few[part][name])
        for part, counts in many.items()
        for name, count in counts.items()
        if count > few[part][name]
    }
    assert grown == {}
    over = {
        name: count
        for part, bounds in BOUNDS.items()
        for name, count in many[part].items()
        if count > bounds[name]
    }
    assert over == {}


@pytest.mark.parametrize("path", ["/", "/c/all", "/p/wi-fi-6-router", "/terms"])
def test_a_shared_page_asks_no_more_for_somebody_who_is_logged_in(stage: Stage, path: str):

    counts = set()
    stage.browser().get(path)
    for browser in (stage.browser(), stage.browser(RILEY)):
        with statements(stage.db) as sent:
            browser.get(path)
        counts.add(len(sent))
        assert not any("user_session" in statement for statement in sent)
    assert len(counts) == 1
