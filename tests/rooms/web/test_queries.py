"""How often a page asks the database: within its bound, and not more often for many rows than for few."""

import pytest

from tests.rooms.web.growing import Growing
from tests.rooms.web.looking import statements
from tests.rooms.web.stage import RILEY, Stage

FEW, MANY = 3, 30
#: Where a session is read there are two more: the session and its user.
BOUNDS = {
    "shelves": {"home": 4, "everything": 3, "category": 3, "product": 4},
    "cart": {"cart": 5, "count": 1, "checkout": 11, "adding": 8, "order": 10, "thanks": 10},
    "portal": {
        "overview": 15,
        "bills": 6,
        "bill": 9,
        "receipts": 7,
        "receipt": 9,
        "disputes": 4,
        "dispute": 12,
        "pay": 9,
        "pay code": 3,
        "past due": 6,
        "pay link": 6,
        "tokens": 4,
        "cards": 18,
        "card off": 7,
        "card instead": 27,
        "autopay": 18,
        "autopay off": 16,
        "planned payments": 8,
        "planned payment": 12,
        "planned otherwise": 21,
        "planned not": 8,
        "pay on a date": 19,
        "trials": 5,
        "trial": 5,
        "trial link": 4,
        "services": 14,
        "service": 21,
        "change": 16,
        "pause": 32,
        "end": 50,
    },
    "quoted": {
        "by link": 6,
        "side by side": 6,
        "accepting": 6,
        "own list": 4,
        "own": 9,
        "list": 5,
        "list sorted": 5,
        "csv": 6,
        "one": 20,
        "approvals": 4,
        "report": 3,
        "in the making": 26,
        "editor": 22,
    },
    "desk": {
        "today": 12,
        "orders": 5,
        "orders looked for": 5,
        "order": 14,
        "customers": 5,
        "customers looked for": 5,
        "customer": 28,
        "stock": 6,
        "content": 4,
        "content page": 6,
        "content edited": 7,
        "content previewed": 9,
        "pictures": 4,
        "videos": 4,
        "banners": 4,
        "segments": 3,
        "redirects": 3,
        "invoices": 4,
        "invoice": 11,
        "disputes": 4,
        "disputes sorted": 4,
        "dispute": 15,
        "bill runs": 4,
        "bill run": 11,
        "parked": 3,
        "past due": 4,
        "past due one": 12,
        "rounds": 4,
        "round": 6,
        "parked one": 3,
        "payments": 6,
        "planned": 9,
        "declined": 9,
        "planned one": 14,
        "cards": 30,
        "chargebacks": 3,
        "payment": 11,
        "trial balance": 6,
        "ageing": 12,
        "journal": 10,
        "journal of one": 11,
        "account": 14,
        "open items": 14,
        "bank": 3,
        "held": 7,
        "money on a bill": 7,
        "write-offs": 7,
        "periods": 6,
        "rates": 4,
        "jobs": 4,
        "job": 3,
        "keys": 3,
        "webhooks": 5,
        "webhook": 6,
        "webhook in the making": 4,
        "told": 6,
        "staff": 4,
        "audit": 6,
        "audit looked for": 7,
        "orders by what is due": 5,
        "invoices by amount": 5,
        "payments by amount": 6,
        "me": 4,
        "trials": 4,
        "trials looked for": 4,
        "trial": 7,
        "calls": 4,
        "trial report": 4,
        "trial offers": 3,
        "services": 14,
        "services looked for": 13,
        "service": 21,
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
