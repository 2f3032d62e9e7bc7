"""Statements, as a list, as pages, as the stored PDF and as CSV. Only ever those of one's own accounts."""

import uuid
from collections.abc import Iterable, Sequence

from flask import Blueprint, Response, request

from core.kernel.money import Money, total
from core.ledger import items
from core.ledger.chart import CUSTOMER_CREDIT, UNAPPLIED
from invoices.statements import reading
from invoices.statements.models import Statement
from web import paging
from web import statements as shown
from web.access import Who, allow
from web.context import house
from web.login import own_accounts, payable_accounts
from web.pages import page

statements = Blueprint(
    "statements", __name__, url_prefix="/account/statements", template_folder="templates"
)
BASE = "/account/statements"
PAGE_SIZE = 25


def _mine() -> Sequence[uuid.UUID]:
    return [row.id for row in own_accounts()]


@statements.get("")
@allow(Who.CUSTOMER)
def listed() -> str:
    """All statements, the newest first."""
    before = paging.read_day(request.args.get("before"))
    with house().db.snapshot() as session:
        found = reading.of_accounts(session, _mine(), before=before, limit=PAGE_SIZE + 1)
        rows = found[:PAGE_SIZE]
        printed = reading.stored_ids(session, [row.id for row in rows])
    following = paging.write(rows[-1].issue_date, rows[-1].id) if len(found) > PAGE_SIZE else None
    return page(
        "portal/statements.html",
        statements=[shown.row(row, BASE, printed=row.id in printed) for row in rows],
        page=paging.links(BASE, "before", following, before is None),
    )


@statements.get("/<public_id>")
@allow(Who.CUSTOMER)
def one(public_id: str) -> str:
    """One statement, from the same document as its PDF, and what is open now."""
    with house().db.snapshot() as session:
        statement = reading.one(session, public_id, _mine())
        owed = items.owed_by(session, [statement.account_id])
        held = items.held_for(session, [statement.account_id])
        printed = reading.stored_ids(session, [statement.id])
        earlier, later = reading.neighbours(session, statement)
    open_now = _open(statement, (item for item in owed if not item.is_history))
    credit = (item for item in held if item.ledger_code in (CUSTOMER_CREDIT, UNAPPLIED))
    may_pay = statement.account_id in payable_accounts()
    return page(
        "portal/statement.html",
        sheet=shown.sheet(statement, f"{BASE}/{public_id}", request.args.get("page", "")),
        pdf_href=f"{BASE}/{public_id}.pdf" if printed else "",
        csv_href=f"{BASE}/{public_id}.csv",
        earlier_href=f"{BASE}/{earlier}" if earlier else "",
        later_href=f"{BASE}/{later}" if later else "",
        open_now=open_now,
        unused=_open(statement, credit),
        pay_href="/account/pay" if may_pay and open_now > Money.zero(open_now.currency) else "",
    )


def _open(statement: Statement, found: Iterable[items.Open]) -> Money:
    """What is open of these items in the statement's currency."""
    mine = (item.open for item in found if item.amount.currency == statement.currency)
    return total(mine, statement.currency)


@statements.get("/<public_id>.pdf")
@allow(Who.CUSTOMER)
def pdf(public_id: str) -> Response:
    """The very bytes that were stored."""
    with house().db.reading() as session:
        statement = reading.one(session, public_id, _mine())
        return shown.pdf_response(session, house().blobs, statement)


@statements.get("/<public_id>.csv")
@allow(Who.CUSTOMER)
def csv(public_id: str) -> Response:
    """Every line, for a spreadsheet."""
    with house().db.reading() as session:
        statement = reading.one(session, public_id, _mine())
    return shown.csv_response(statement)
