"""Bill runs: the list with a start, one with how far it is, what it came to, and account by account."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Answer

from core.kernel import sheet
from core.kernel.errors import NotFound
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.parties.models import Account
from core.parties.roles import Role
from desk import lists
from desk.bill_run_forms import RunForm
from desk.lists import Choice, Listing
from desk.money import actor
from flows import run_billing
from flows.run_billing import Asked
from invoices.billing import difference, outcomes, runs
from invoices.billing.difference import Counts
from invoices.billing.models import PREVIEW, REAL, BillRun
from invoices.billing.outcomes import Outcome
from invoices.billing.runs import DayAhead, Progress, TooLongAgo, Totals
from web import paging
from web.access import Who, allow
from web.context import house, today
from web.documents import State
from web.pages import page

bill_runs = Blueprint("desk_bill_runs", __name__, url_prefix="/desk", template_folder="templates")
BASE = "/desk/bill-runs"
LISTED = Listing(
    BASE,
    "run",
    runs.SORTS,
    "-started",
    (Choice("kind", "Kind", [(REAL, "Bills"), (PREVIEW, "Previews")], is_tabs=True),),
    head=(
        "up_to",
        "kind",
        "state",
        "started",
        "accounts",
        "parked",
        "currency",
        "billed",
        "credited",
    ),
    file_name="bill-runs",
)
#: What staff read for the code of a reason; another error's code stands as it is.
REASONS = {
    "too_much": "More than a bill may be",
    "charged_back": "The card network took the payment back",
    "nobody_bills": "No channel says who bills it",
    "more_than_the_line": "More goes back than is left of a line",
    "more_than_the_bill": "More goes back than is left of a bill",
    "not_correctable": "A bill that is not ours goes back",
    "tax_unknown": "Its taxes are not known just now",
    "unexpected": "It contradicts itself",
}
_KINDS = {"billed": "Invoice", "credited": "Credit memo", "parked": "Parked", "waiting": "Waits"}


def reason(code: str) -> str:
    """The reason in words."""
    return REASONS.get(code, code.replace("_", " "))


@bill_runs.get("/bill-runs")
@allow(Who.STAFF, roles=(Role.BILLING,))
def listed() -> str:
    """Runs, the last first, and a form to start one."""
    return _list(RunForm(data={"as_of": today(), "preview": True}))


@bill_runs.post("/bill-runs")
@allow(Who.STAFF, roles=(Role.BILLING,))
def start() -> str | Answer | tuple[str, int]:
    """Plan a run; the worker does it."""
    form = RunForm(request.form)
    if not form.validate() or form.as_of.data is None:
        return _list(form), 422
    number = (form.account.data or "").strip() or None
    asked = Asked(form.as_of.data, actor(), is_preview=form.preview.data, account_number=number)
    try:
        run_id = run_billing.start(house(), asked, by_jobs=True)
    except (DayAhead, TooLongAgo) as error:
        form.as_of.errors = [str(error)]
    except NotFound:
        form.account.errors = ["No account has this number."]
    else:
        with house().db.reading() as session:
            public_id = session.get_one(BillRun, run_id).public_id
        return redirect(f"{BASE}/{public_id}", 303)
    return _list(form), 422


def _list(form: RunForm) -> str:
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
        how_far = runs.progress(session, rows)
    return page(
        "desk/bill_runs.html",
        bill_runs=[_row(one, how_far[one.id]) for one in rows],
        form=form,
        action=BASE,
        **LISTED.tabs("kind", asked, None),
        **context,
    )


@bill_runs.get("/bill-runs.csv")
@allow(Who.STAFF, roles=(Role.BILLING,))
def export() -> Response:
    """The list as it is chosen, all of it: a row for each currency of a run."""
    return LISTED.csv(LISTED.asked(), _found, _cells)


def _found(session: Session, asked: lists.Asked, place: Place, limit: int) -> Sequence[BillRun]:
    return runs.listing(session, kind=asked["kind"], place=place, limit=limit)


def _cells(session: Session, rows: Sequence[BillRun]) -> Iterator[list[sheet.Cell]]:
    how_far = runs.progress(session, rows)
    for run in rows:
        drawn = _row(run, how_far[run.id])
        parked = drawn["parked"]
        for one in drawn["sums"] or [None]:
            yield [
                sheet.day(run.as_of),
                sheet.words(drawn["kind"]),
                sheet.words(drawn["state"].text),
                sheet.moment(run.started_at),
                sheet.code(run.accounts),
                sheet.code(parked if parked is not None else ""),
                sheet.code(one["currency"] if one else ""),
                sheet.amount(one["billed"]) if one else sheet.EMPTY,
                sheet.amount(one["credited"]) if one else sheet.EMPTY,
            ]


def _row(run: BillRun, how_far: Progress) -> dict[str, Any]:
    totals = Totals.from_dict(run.totals) if run.totals is not None else None
    return {
        "href": f"{BASE}/{run.public_id}",
        "as_of": run.as_of,
        "kind": "Preview" if run.kind == PREVIEW else "Bills",
        "started_at": run.started_at,
        "by": run.started_by,
        "accounts": run.accounts,
        "state": _state(run, how_far, totals),
        "sums": _sums(totals) if totals is not None else [],
        "parked": totals.parked if totals is not None else None,
    }


def _state(run: BillRun, how_far: Progress, totals: Totals | None) -> State:
    if totals is None:
        return State("wait", f"{how_far.percent} %")
    return State("bad", "Parked some") if totals.parked else State("go", "Done")


def _sums(totals: Totals) -> list[dict[str, Any]]:
    return [
        {
            "currency": currency,
            "invoices": one.invoices,
            "billed": Money(one.billed_minor, currency),
            "memos": one.memos,
            "credited": Money(one.credited_minor, currency),
        }
        for currency, one in totals.by_currency.items()
    ]


@bill_runs.get("/bill-runs/<public_id>")
@allow(Who.STAFF, roles=(Role.BILLING,))
def one(public_id: str) -> str:
    """How far a run is, what it came to, and whom it billed."""
    after = outcomes.cursor(request.args.get("after", ""))
    with house().db.snapshot() as session:
        run = runs.one(session, public_id)
        how_far = runs.progress(session, [run])[run.id]
        totals = runs.totals(session, run)
        found = outcomes.page(session, run.id, after=after, limit=lists.PAGE_SIZE + 1)
        rows = found[: lists.PAGE_SIZE]
        pairs = difference.of_accounts(session, run, [row.account_id for row in rows])
        whose = session.get(Account, run.account_id) if run.account_id else None
    path = f"{BASE}/{public_id}"
    following = outcomes.write(rows[-1]) if len(found) > lists.PAGE_SIZE else None
    return page(
        "desk/bill_run.html",
        run=_row(run, how_far) | {"finished_at": run.finished_at, "path": path},
        whose=f"{whose.name}, {whose.number}" if whose else "",
        how_far=how_far,
        sums=_sums(totals),
        parked=totals.parked,
        waiting=totals.waiting,
        changes=_changes(totals.changed) if run.finished_at else [],
        rows=[_outcome(row, pairs) for row in rows],
        csv_href=f"{path}.csv",
        page=paging.links(path, "after", following, "after" not in request.args),
    )


def _changes(counts: Counts) -> list[tuple[str, str]]:
    return [
        ("Billed for the first time", f"{counts.new:,}"),
        ("More than last time", f"{counts.more:,}"),
        ("Less than last time", f"{counts.less:,}"),
        ("The same as last time", f"{counts.same:,}"),
        ("Billed a month ago, nothing coming", f"{counts.gone:,}"),
    ]


def _outcome(row: Outcome, pairs: dict[tuple[uuid.UUID, str], difference.Pair]) -> dict[str, Any]:
    pair = pairs.get((row.account_id, row.currency))
    was = pair.was_minor if pair is not None else None
    return {
        "number": row.account_number,
        "customer": row.account_name,
        "what": _KINDS[row.kind],
        "reason": reason(row.reason) if row.reason else "",
        "document": row.document,
        "href": f"/desk/invoices/{row.document_id}" if row.document_id else "",
        "amount": row.signed if not row.reason else None,
        "was": Money(was, row.currency) if was is not None else None,
    }


@bill_runs.get("/bill-runs/<public_id>.csv")
@allow(Who.STAFF, roles=(Role.BILLING,))
def csv(public_id: str) -> Response:
    """Every outcome of a run, for a spreadsheet."""
    db = house().db
    with db.reading() as session:
        run = runs.one(session, public_id)

    def rows() -> Iterator[Sequence[sheet.Cell]]:
        after = None
        while True:
            with db.reading() as session:
                found = outcomes.page(session, run.id, after=after, limit=1000)
            if not found:
                return
            for one in found:
                yield [
                    sheet.code(one.account_number),
                    sheet.words(one.account_name),
                    sheet.code(one.kind),
                    sheet.code(one.document),
                    sheet.code(one.currency),
                    sheet.amount(one.signed),
                    sheet.code(one.reason),
                ]
            after = found[-1].id

    head = ("account", "name", "what", "document", "currency", "amount", "reason")
    name = f"bill-run-{run.as_of.isoformat()}.csv"
    return Response(
        sheet.pieces(head, rows()),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
