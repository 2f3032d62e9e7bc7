"""The reconciler's rounds: what each looked at, found and mended; and a round at once."""

import uuid
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, redirect, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.kernel import sheet
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.parties.models import User
from core.parties.roles import Role
from desk import lists
from desk.lists import Choice, Listing
from desk.money import actor
from flows import reconcile
from payments import money, rounds
from payments.models import PaymentOperation, ReconcileFinding, ReconcileRun
from web import paging
from web.access import Who, allow
from web.context import house
from web.documents import State
from web.filters import sign
from web.flashes import say
from web.pages import page

reconciler = Blueprint("desk_reconciler", __name__, url_prefix="/desk", template_folder="templates")
BASE = "/desk/reconciler"
LISTED = Listing(
    BASE,
    "round",
    rounds.SORTS,
    "-ended",
    (
        Choice(
            "state", "State", [("telling", "With something to tell")], "all rounds", is_tabs=True
        ),
    ),
    head=("ended", "asked_for", "looked_at", "found", "mended", "no_answer", "state"),
)
_OUTCOMES = {
    "mended": State("go", "Mended"),
    "open": State("wait", "Still open"),
    "problem": State("bad", "No answer yet"),
}
_KINDS = {
    "checkout": "Payment on the processor’s page",
    "charge": "Charge of a card on file",
    "refund": "Refund",
    "setup": "Card put on file",
    "event": "Told by nobody: found in the processor’s list",
    "events": "The processor’s list of events",
}


@reconciler.get("/reconciler")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def listed() -> str:
    """Rounds, the newest first."""
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
    return page(
        "desk/reconciler.html",
        rounds=[_row(one) for one in rows],
        **LISTED.tabs("state", asked, None),
        **context,
    )


@reconciler.get("/reconciler.csv")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def export() -> FileResponse:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: map(_cells, rows))


def _found(
    session: Session, asked: lists.Asked, place: Place, limit: int
) -> Sequence[ReconcileRun]:
    return rounds.listing(session, telling=bool(asked["state"]), place=place, limit=limit)


def _cells(run: ReconcileRun) -> list[sheet.Cell]:
    drawn = _row(run)
    counts = (run.looked_at, run.found, run.mended, run.indeterminate)
    return [
        sheet.moment(run.ended_at),
        sheet.words(drawn["by"]),
        *(sheet.code(count) for count in counts),
        sheet.words(drawn["state"].text),
    ]


def _row(run: ReconcileRun) -> dict[str, Any]:
    quiet = not (run.found or run.mended or run.indeterminate)
    return {
        "href": f"{BASE}/{run.public_id}",
        "at": run.ended_at,
        "by": "by the clock" if run.actor == "system" else "by hand",
        "looked_at": run.looked_at,
        "found": run.found,
        "mended": run.mended,
        "indeterminate": run.indeterminate,
        "state": State("wait", "Look again")
        if run.indeterminate
        else State("go", "All well" if quiet else "Mended"),
    }


@reconciler.get("/reconciler/<public_id>")
@allow(Who.STAFF, roles=(Role.BILLING, Role.SUPPORT))
def one(public_id: str) -> str:
    """One round, thing by thing."""
    after = request.args.get("after", "")
    at = int(after) if after.isdecimal() and len(after) < 7 else -1
    with house().db.snapshot() as session:
        run = rounds.one(session, public_id)
        found = rounds.findings_of(session, run.id, after=at, limit=lists.PAGE_SIZE + 1)
        rows = found[: lists.PAGE_SIZE]
        paid = money.of_operations(session, [op.id for _, op in rows if op is not None])
        who = (
            session.get(User, uuid.UUID(run.actor.removeprefix("user:")))
            if run.actor.startswith("user:")
            else None
        )
    following = str(rows[-1][0].position) if len(found) > lists.PAGE_SIZE else None
    return page(
        "desk/reconciler_round.html",
        round=_row(run),
        facts=[
            ("Asked for", who.name if who is not None else _row(run)["by"]),
            ("Looked at", str(run.looked_at)),
            ("Found in the processor’s list", str(run.found)),
            ("Mended", str(run.mended)),
            ("No answer yet", str(run.indeterminate)),
            ("Took", f"{(run.ended_at - run.started_at).total_seconds():.1f} seconds"),
        ],
        findings=[_finding(row, op, paid) for row, op in rows],
        page=paging.links(f"{BASE}/{public_id}", "after", following, at < 0),
    )


def _finding(
    row: ReconcileFinding, operation: PaymentOperation | None, paid: Any
) -> dict[str, Any]:
    payment = paid.get(operation.id) if operation is not None else None
    return {
        "what": _KINDS.get(row.kind, row.kind),
        "words": row.words,
        "state": _OUTCOMES[row.outcome],
        "amount": sign(Money(operation.amount_minor, operation.currency))
        if operation is not None and operation.amount_minor
        else "",
        "href": f"/desk/payments/{payment.public_id}" if payment is not None else "",
        "number": payment.number if payment is not None else "",
    }


@reconciler.post("/reconciler")
@allow(Who.STAFF, roles=(Role.BILLING,))
def look_now() -> Response:
    """A round at once; its page is the answer."""
    report = reconcile.run(house(), actor())
    if report.problems:
        say("Not everything was answered. The next round asks again.", "warn")
    elif report.events or report.settled:
        say("Found and mended. What follows from it is done in a moment.")
    else:
        say("All well: nothing was lost.")
    return redirect(f"{BASE}/{report.public_id}", 303)
