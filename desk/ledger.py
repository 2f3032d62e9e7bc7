"""The books: trial balance, ageing, the journal. Each on any day, each as a file."""

from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from core.kernel.errors import NotFound
from core.kernel.money import Money, total
from core.ledger import ageing, balances, book
from core.parties.roles import Role
from desk import asking, lists
from desk.asking import Asking
from flows import export
from web.access import Who, allow
from web.context import house
from web.pages import page

ledger = Blueprint("desk_ledger", __name__, url_prefix="/desk", template_folder="templates")
TABS = [
    ("Trial balance", "/desk/ledger", None),
    ("Ageing", "/desk/ledger/ageing", None),
    ("Journal", "/desk/ledger/journal", None),
]
#: What can be taken along as a file.
FILES = ("trial-balance", "ageing", "general-journal", "journal")
#: Entries of a page of the journal; each has some lines.
ENTRIES = 25


@ledger.get("/ledger")
@allow(Who.STAFF, roles=(Role.BILLING,))
def trial_balance() -> str:
    """Every ledger account's balance, and that they come to nothing."""
    with house().db.snapshot() as session:
        asked = asking.read(session)
        rows = balances.trial_balance(session, asked.cut)
    by_currency: dict[str, list[balances.Sums]] = {}
    for row in rows:
        by_currency.setdefault(row.debits.currency, []).append(row)
    return page(
        "desk/ledger_balance.html",
        tabs_=TABS,
        tables=[_balanced(currency, found) for currency, found in sorted(by_currency.items())],
        **asked.shown("/desk/ledger", ["as_of"]),
        export_href=asked.address("/desk/ledger/trial-balance.csv", "as_of"),
        months_href=asked.address("/desk/ledger/general-journal.csv", "to"),
    )


def _balanced(currency: str, rows: list[balances.Sums]) -> dict[str, Any]:
    zero = Money.zero(currency)
    return {
        "currency": currency,
        "rows": [
            (row, max(row.balance, zero), max(-row.balance, zero), f"?account={row.code}")
            for row in rows
        ],
        "debits": total((max(row.balance, zero) for row in rows), currency),
        "credits": total((max(-row.balance, zero) for row in rows), currency),
    }


@ledger.get("/ledger/ageing")
@allow(Who.STAFF, roles=(Role.BILLING,))
def aged() -> str:
    """Who owes what since when; the totals are the receivable account's."""
    with house().db.snapshot() as session:
        asked = asking.read(session)
        after = asking.after()
        found = list(
            ageing.rows(session, asked.cut, asked.day, after=after, limit=lists.PAGE_SIZE + 1)
        )
        totals = ageing.totals(session, asked.cut, asked.day)
        control = _receivable(session, asked)
    rows = found[: lists.PAGE_SIZE]
    following = None
    if len(found) > len(rows):
        following = f"{rows[-1].number}_{rows[-1].ages.total.currency}"
    return page(
        "desk/ledger_ageing.html",
        tabs_=TABS,
        buckets=ageing.BUCKETS,
        accounts=rows,
        totals=[(ages, control.get(ages.total.currency)) for ages in totals],
        contested=any(ages.contested for ages in totals),
        page=asking.pages(asked.address("/desk/ledger/ageing", "as_of"), following),
        **asked.shown("/desk/ledger/ageing", ["as_of"]),
        export_href=asked.address("/desk/ledger/ageing.csv", "as_of"),
    )


def _receivable(session: Session, asked: Asking) -> dict[str, dict[str, Money]]:
    """What the control accounts have, by currency and name."""
    found: dict[str, dict[str, Money]] = {}
    for row in balances.trial_balance(session, asked.cut):
        if row.code in ageing.OWED:
            found.setdefault(row.debits.currency, {})[row.name] = row.balance
    return found


@ledger.get("/ledger/journal")
@allow(Who.STAFF, roles=(Role.BILLING,))
def journal() -> str:
    """Entries, the last posted first, by day, kind and account."""
    with house().db.snapshot() as session:
        asked = asking.read(session)
        wanted, before = asking.wanted(session, asked), asking.before_number()
        found = book.page(session, asked.cut, wanted, before=before, limit=ENTRIES + 1)
        entries = found[:ENTRIES]
        sources = export.sources(session, [entry.source_id for entry in entries])
        choices = asking.choices(session, asked)
    following = str(entries[-1].number) if len(found) > len(entries) else None
    kept = ("from", "to", "kind", "account", "customer")
    return page(
        "desk/ledger_journal.html",
        tabs_=TABS,
        entries=[asking.entry(one, sources) for one in entries],
        page=asking.pages(asked.address("/desk/ledger/journal", *kept), following, "before"),
        choices=choices,
        customer=asking.Field(
            "customer",
            "Customer's account",
            request.args.get("customer", "")[: lists.LONGEST_WORDS],
            asked.errors.get("customer", ""),
        ),
        **asked.shown("/desk/ledger/journal", ["from", "to"]),
        export_href=asked.address("/desk/ledger/journal.csv", *kept),
        months_href=asked.address("/desk/ledger/general-journal.csv", "from", "to"),
    )


@ledger.get("/ledger/<what>.csv")
@allow(Who.STAFF, roles=(Role.BILLING,))
def download(what: str) -> Response:
    """The whole of it as a file."""
    if what not in FILES:
        raise NotFound("page")
    with house().db.reading() as session:
        asked = asking.read(session)
        wanted = asking.wanted(session, asked) if what == "journal" else asking.EVERYTHING
    return asking.download(asked, what, wanted)
