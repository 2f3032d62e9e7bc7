"""Statements: the list, an account's own by its number, one of them, its stored PDF and its CSV."""

from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from core.kernel.sheet import Cell, amount, code, day, words
from core.kernel.sorting import Place
from core.parties.models import Account
from core.parties.roles import Role
from desk import lists
from desk import shown as words_of
from desk.lists import Listing
from invoices.statements import reading
from invoices.statements.models import Statement
from web import statements as shown
from web.access import Who, allow
from web.context import house
from web.pages import page

statements = Blueprint(
    "desk_statements", __name__, url_prefix="/desk/statements", template_folder="templates"
)
BASE = "/desk/statements"
LISTED = Listing(
    BASE,
    "statement",
    reading.SORTS,
    "-dated",
    head=(
        "number",
        "dated",
        "from",
        "through",
        "customer",
        "account",
        "currency",
        "before",
        "paid_adjusted",
        "charges",
        "balance",
    ),
    file=f"{BASE}/export.csv",
)


@statements.get("")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def listed() -> str:
    """Statements, the newest first; an account's own when its number is looked for."""
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, LISTED.asked(), _found)
        printed = reading.stored_ids(session, [statement.id for statement, _ in rows])
    return page(
        "desk/statements.html",
        statements=[_row(statement, account, printed) for statement, account in rows],
        **context,
    )


@statements.get("/export.csv")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def export() -> Response:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: (_cells(*row) for row in rows))


def _found(
    session: Session, asked: lists.Asked, place: Place, limit: int
) -> list[tuple[Statement, Account]]:
    return reading.listing(session, words=asked.words, place=place, limit=limit)


def _cells(statement: Statement, account: Account) -> list[Cell]:
    drawn = _row(statement, account, frozenset())
    return [
        code(statement.number),
        *(day(drawn[name]) for name in ("dated", "start", "end")),
        words(account.name),
        code(account.number),
        code(statement.currency),
        *(amount(drawn[name]) for name in ("opening", "payments", "charges", "closing")),
    ]


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
