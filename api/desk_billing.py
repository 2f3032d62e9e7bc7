"""Bill runs and parked accounts, by a key of the desk."""

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from api import answers, callers, cursors, reading
from api.answers import Json, moment, money
from api.billing_shapes import Release, RunQuery, RunWish
from api.callers import staff
from api.once import once
from api.pace import limit
from api.problems import add_headers
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.parties.models import Account
from flows import run_billing
from flows.run_billing import Asked
from invoices.billing import parking, runs
from invoices.billing.models import BillRun
from web.access import Guard, Who, allow
from web.context import house, web_settings

desk_billing = Blueprint("api_desk_billing", __name__, url_prefix="/api/v1/desk")
desk_billing.after_request(add_headers)


def _summary(row: BillRun) -> Json:
    return {
        "id": row.public_id,
        "kind": row.kind,
        "as_of": row.as_of.isoformat(),
        "started_at": moment(row.started_at),
        "finished_at": moment(row.finished_at),
        "accounts": row.accounts,
    }


def _told(session: Session, row: BillRun) -> Json:
    totals = runs.totals(session, row)
    return {
        **_summary(row),
        "done": runs.progress(session, [row])[row.id].done,
        "sums": [
            {
                "billed": money(Money(one.billed_minor, code)),
                "credited": money(Money(one.credited_minor, code)),
                "invoices": one.invoices,
                "memos": one.memos,
            }
            for code, one in sorted(totals.by_currency.items())
        ],
        "billed_accounts": totals.accounts,
        "parked": totals.parked,
        "waiting": totals.waiting,
    }


@desk_billing.get("/bill-runs")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("billing:read")
def listed() -> Response:
    """Runs, the last first."""
    query, secret = reading.query(RunQuery), web_settings().secret_key
    before = cursors.read_moment(secret, query.cursor)
    with house().db.reading() as session:
        found = runs.listing(session, place=Place("-started", before), limit=query.page_size + 1)
    rows, following = found[: query.page_size], None
    if len(found) > len(rows):
        following = cursors.write_moment(secret, rows[-1].started_at, rows[-1].id)
    return answers.respond({"runs": [_summary(row) for row in rows], "next_cursor": following})


@desk_billing.get("/bill-runs/<run_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("billing:read")
def show(run_id: str) -> Response:
    """How far a run is, and what it came to."""
    wanted = reading.public_id(run_id, "bill run")
    with house().db.snapshot() as session:
        content = _told(session, runs.one(session, wanted))
    return answers.respond(content)


@desk_billing.post("/bill-runs")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@staff("billing:run")
def start() -> Response:
    """Begin a run; the worker does it."""
    wish, caller = reading.body(RunWish), callers.caller()
    asked = Asked(wish.as_of, caller.actor, wish.preview, wish.account)

    def work() -> tuple[int, Json]:
        key = run_billing.start(house(), asked, by_jobs=True)
        with house().db.snapshot() as session:
            return 202, _told(session, session.get_one(BillRun, key))

    status, body = once(f"bill-run:{caller.token_id.hex}", wish, work)
    return answers.respond(body, status, f"/api/v1/desk/bill-runs/{body['id']}")


@desk_billing.get("/parked-accounts")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("billing:read")
def parked() -> Response:
    """Accounts that a person has to look at, the last first."""
    query, secret = reading.query(RunQuery), web_settings().secret_key
    before = cursors.read_moment(secret, query.cursor)
    with house().db.reading() as session:
        found = parking.listing(session, place=Place("-parked", before), limit=query.page_size + 1)
    rows, following = found[: query.page_size], None
    if len(found) > len(rows):
        last = rows[-1][0]
        following = cursors.write_moment(secret, last.parked_at, last.id)
    content = [
        {
            "id": row.public_id,
            "account": account.number,
            "reason": row.reason,
            "detail": row.detail,
            "as_of": row.as_of.isoformat(),
            "parked_at": moment(row.parked_at),
        }
        for row, account in rows
    ]
    return answers.respond({"parked": content, "next_cursor": following})


@desk_billing.post("/parked-accounts/<parking_id>/release")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("billing:run")
def release(parking_id: str) -> Response:
    """Let an account go: the next run bills it."""
    wish, wanted = reading.body(Release), reading.public_id(parking_id, "parked account")
    actor, now = callers.caller().actor, house().clock.now()

    def work(session: Session) -> str:
        key = parking.release(session, wanted, wish.note, actor, now)
        return session.get_one(Account, key).number

    return answers.respond({"account": house().db.run_tx(work)})
