"""Statements: the list, an account's own by its number, one of them, its stored PDF and its CSV."""

from typing import Any

from flask import Blueprint, Response, request

from core.parties.models import Account
from core.parties.roles import Role
from desk import lists
from desk import shown as words_of
from invoices.statements import reading
from invoices.statements.models import Statement
from web import paging
from web import statements as shown
from web.access import Who, allow
from web.context import house
from web.pages import page

statements = Blueprint(
    "desk_statements", __name__, url_prefix="/desk/statements", template_folder="templates"
)
BASE = "/desk/statements"


@statements.get("")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def listed() -> str:
    """Statements, the newest first; an account's own when its number is looked for."""
    words = lists.words()
    before = paging.read_day(request.args.get("before"))
    with house().db.snapshot() as session:
        found = reading.listing(session, words=words, before=before, limit=lists.PAGE_SIZE + 1)
        rows = found[: lists.PAGE_SIZE]
        printed = reading.stored_ids(session, [statement.id for statement, _ in rows])
    more = len(found) > lists.PAGE_SIZE
    following = paging.write(rows[-1][0].issue_date, rows[-1][0].id) if more else None
    return page(
        "desk/statements.html",
        statements=[_row(statement, account, printed) for statement, account in rows],
        **lists.shown(BASE, following, len(rows), "statement", q=words),
    )


def _row(statement: Statement, account: Account, printed: frozenset[Any]) -> dict[str, Any]:
    return shown.row(statement, BASE, printed=statement.id in printed) | {
        "customer": account.name,
        "account_number": account.number,
        "account_href": lists.address(BASE, q=account.number),
    }


@statements.get("/<public_id>")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def one(public_id: str) -> str:
    """One statement as it was made, and which postings it took."""
    with house().db.snapshot() as session:
        statement = reading.one(session, public_id)
        account = session.get_one(Account, statement.account_id)
        printed = reading.stored_ids(session, [statement.id])
        ranges = reading.ranges(session, statement.id)
        earlier, later = reading.neighbours(session, statement)
    return page(
        "desk/statement.html",
        sheet=shown.sheet(statement, f"{BASE}/{public_id}", request.args.get("page", "")),
        pdf_href=f"{BASE}/{public_id}.pdf" if printed else "",
        csv_href=f"{BASE}/{public_id}.csv",
        earlier_href=f"{BASE}/{earlier}" if earlier else "",
        later_href=f"{BASE}/{later}" if later else "",
        account_href=lists.address(BASE, q=account.number),
        facts=[
            ("Account", account.number),
            ("Statement of the account", str(statement.sequence)),
            ("Cut off at posting", f"{statement.cutoff:,}"),
            ("Fingerprint", statement.document_sha256[:16]),
        ],
        ranges=ranges,
        events=words_of.moments(("Made", statement.made_at)),
    )


@statements.get("/<public_id>.pdf")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def pdf(public_id: str) -> Response:
    """The stored bytes."""
    with house().db.reading() as session:
        statement = reading.one(session, public_id)
        return shown.pdf_response(session, house().blobs, statement)


@statements.get("/<public_id>.csv")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def csv(public_id: str) -> Response:
    """Every line, for a spreadsheet."""
    with house().db.reading() as session:
        statement = reading.one(session, public_id)
    return shown.csv_response(statement)
