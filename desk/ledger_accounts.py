"""One account in the books: where it stands, what is open, and how that came about."""

from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from core.ledger import ageing, balances, movements, open_items
from core.ledger.movements import Movement, Place
from core.parties import accounts
from core.parties.models import Account
from core.parties.roles import Role
from desk import asking, lists
from desk.asking import Asking
from flows import export
from web import paging
from web.access import Who, allow
from web.context import house
from web.pages import page

ledger_accounts = Blueprint(
    "desk_ledger_accounts", __name__, url_prefix="/desk", template_folder="templates"
)


@ledger_accounts.get("/ledger/accounts/<public_id>")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def history(public_id: str) -> str:
    """Each entry that changed what the account owes, with the balance after it."""
    with house().db.snapshot() as session:
        asked, account = _account(session, public_id)
        found = movements.newest(
            session, account.id, asked.cut, before=_before(), limit=lists.PAGE_SIZE + 1
        )
        rows = found[: lists.PAGE_SIZE]
        sources = export.sources(session, [row.source_id for row in rows])
        head = _head(session, asked, account)
    following = None
    if len(found) > len(rows):
        last = rows[-1].place
        following = f"{last.on.isoformat()}_{last.number}_{last.currency}"
    path = f"/desk/ledger/accounts/{public_id}"
    return page(
        "desk/ledger_account.html",
        movements=[_row(row, sources.get(row.source_id)) for row in rows],
        page=asking.pages(asked.address(path, "as_of"), following, "before"),
        **asked.shown(path, ["as_of"]),
        **head,
        export_href=asked.address(f"{path}.csv", "as_of"),
    )


@ledger_accounts.get("/ledger/accounts/<public_id>/open")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def waiting(public_id: str) -> str:
    """What was open on the day, the earliest due first."""
    after = paging.read_day(request.args.get("after"))
    with house().db.snapshot() as session:
        asked, account = _account(session, public_id)
        found = open_items.page(
            session, account.id, asked.cut, after=after, limit=lists.PAGE_SIZE + 1
        )
        rows = found[: lists.PAGE_SIZE]
        sources = export.sources(session, [row.source_id for row in rows])
        head = _head(session, asked, account)
    more = len(found) > len(rows)
    following = paging.write(rows[-1].due, rows[-1].id) if more else None
    path = f"/desk/ledger/accounts/{public_id}/open"
    return page(
        "desk/ledger_open.html",
        items=[
            {
                "number": row.number,
                "href": asking.href(sources.get(row.source_id)),
                "what": asking.words(row.ledger_code),
                "on": row.on,
                "due": row.due,
                "late": (asked.day - row.due).days,
                "amount": row.amount,
                "open": row.open,
            }
            for row in rows
        ],
        page=asking.pages(asked.address(path, "as_of"), following),
        **asked.shown(path, ["as_of"]),
        **head,
    )


@ledger_accounts.get("/ledger/accounts/<public_id>.csv")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def download(public_id: str) -> Response:
    """The account's history as a file, the oldest first."""
    with house().db.reading() as session:
        asked, account = _account(session, public_id)
    return asking.download(asked, "account", asking.EVERYTHING, (account.id, account.number))


def _account(session: Session, public_id: str) -> tuple[Asking, Account]:
    account = accounts.by_public_id(session, public_id)
    return asking.read(session, account.legal_entity_id), account


def _head(session: Session, asked: Asking, account: Account) -> dict[str, Any]:
    at = asked.address(f"/desk/ledger/accounts/{account.public_id}", "as_of")
    open_ = asked.address(f"/desk/ledger/accounts/{account.public_id}/open", "as_of")
    return {
        "account": account,
        "tabs_": [("History", at, None), ("Open items", open_, None)],
        "ages": ageing.of_account(session, account.id, asked.cut, asked.day),
        "buckets": ageing.BUCKETS,
        "positions": [
            (asking.words(at.ledger_code), at.amount)
            for at in balances.of_account(session, account.id, asked.cut)
        ],
    }


def _row(row: Movement, source: export.Source | None) -> dict[str, Any]:
    return {
        "number": row.place.number,
        "on": row.place.on,
        "what": asking.words(row.kind),
        "source": source,
        "href": asking.href(source),
        "debit": row.change if row.change.minor > 0 else None,
        "credit": -row.change if row.change.minor < 0 else None,
        "balance": row.balance,
    }


def _before() -> Place | None:
    """The cursor of movements. NotFound for what is none."""
    text = request.args.get("before", "")
    if not text:
        return None
    return asking.place(text)
