"""Jobs: what waits, runs, failed or is done, and trying again."""

import json
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, redirect, request
from flask import Response as AnyResponse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import Form, StringField
from wtforms.validators import DataRequired, Length

from core.kernel import audit, job_reading, jobs, sheet
from core.kernel.errors import NotFound
from core.kernel.jobs import Job
from core.kernel.sorting import Place
from core.parties.roles import Role
from desk import shown
from desk.lists import Asked, Choice, Listing
from desk.money import actor
from web.access import Who, allow
from web.context import house
from web.documents import State
from web.flashes import say
from web.login import person
from web.pages import page

jobs_ = Blueprint("desk_jobs", __name__, url_prefix="/desk", template_folder="templates")
STATES = {"ready": "Waiting", "running": "Running", "dead": "Failed", "done": "Done"}
LISTED = Listing(
    "/desk/jobs",
    "job",
    job_reading.SORTS,
    "-made",
    (Choice("state", "State", list(STATES.items()), is_tabs=True),),
    head=("id", "kind", "key", "state", "tries", "made", "due", "finished", "error"),
)


class DiscardForm(Form):
    """Why a job is given up."""

    why = StringField(
        "Why",
        [
            DataRequired("Say why, for whoever looks for it later."),
            Length(max=300, message="Say it in up to 300 characters."),
        ],
    )


@jobs_.get("/jobs")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def listed() -> str:
    """Jobs, the newest first."""
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
        counts = job_reading.counts(session)
    return page(
        "desk/jobs.html",
        jobs=[_row(row) for row in rows],
        **LISTED.tabs("state", asked, counts),
        **context,
    )


def _found(session: Session, asked: Asked, place: Place, limit: int) -> Sequence[Job]:
    query = job_reading.listing(state=asked["state"], words=asked.words, place=place, limit=limit)
    return session.scalars(query).all()


@jobs_.get("/jobs.csv")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def export() -> AnyResponse:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: map(_cells, rows))


def _cells(row: Job) -> list[sheet.Cell]:
    return [
        sheet.code(row.id),
        sheet.code(row.handler or row.name),
        sheet.words(row.key),
        sheet.code(row.state),
        sheet.code(row.attempts),
        sheet.moment(row.created_at),
        sheet.moment(row.run_at),
        sheet.moment(row.finished_at) if row.finished_at is not None else sheet.EMPTY,
        sheet.words(row.last_error),
    ]


def _row(row: Job) -> dict[str, Any]:
    return {
        "id": row.id,
        "href": f"/desk/jobs/{row.id}",
        "kind": row.handler or row.name,
        "key": row.key,
        "state": State("", "Discarded") if _is_discarded(row) else shown.JOB[row.state],
        "attempts": row.attempts,
        "due_at": row.run_at,
        "done_at": row.finished_at,
        "error": (row.last_error or "").partition("\n")[0][:120],
        "retry_action": f"/desk/jobs/{row.id}/retry" if row.state == "dead" else "",
        "discard_href": f"/desk/jobs/{row.id}/discard" if row.state == "dead" else "",
    }


def _is_discarded(row: Job) -> bool:
    return row.state == "done" and (row.last_error or "").startswith(jobs.DISCARDED)


@jobs_.get("/jobs/<int:job_id>")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def one(job_id: int) -> str:
    """One job with what it carries."""
    row = _one(job_id)
    return page(
        "desk/job.html",
        job={
            **_row(row),
            "created_at": row.created_at,
            "owner": row.lease_owner,
            "lease_until": row.lease_until,
            "error": row.last_error or "",
            "payload": json.dumps(row.payload, indent=2, sort_keys=True),
        },
    )


@jobs_.post("/jobs/<int:job_id>/retry")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def retry(job_id: int) -> Response:
    """Give a failed job a fresh start."""
    who, now, job_id = person(), house().clock.now(), _key(job_id)
    assert who is not None

    def write(session: Any) -> None:
        jobs.retry(session, job_id, now)
        audit.write(session, now, f"user:{who.key}", "job.retried", ("job", str(job_id)))

    house().db.run_tx(write)
    say("It runs again in a moment.")
    return redirect(f"/desk/jobs/{job_id}", 303)


@jobs_.get("/jobs/<int:job_id>/discard")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def ask(job_id: int) -> str:
    """Whether it is really to be given up."""
    return _ask(_one(job_id), DiscardForm())


def _ask(job: Job, form: DiscardForm) -> str:
    if job.state != "dead":
        raise NotFound("job that could be discarded")
    return page("desk/job_discard.html", job=_row(job), form=form)


@jobs_.post("/jobs/<int:job_id>/discard")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def discard(job_id: int) -> Response | tuple[str, int]:
    """Give a failed job up."""
    form, now = DiscardForm(request.form), house().clock.now()
    job = _one(job_id)
    if not form.validate():
        return _ask(job, form), 422

    def write(session: Session) -> None:
        why = form.why.data.strip()
        found = jobs.discard(session, job.id, why, now)
        subject = ("job", str(job.id))
        audit.write(
            session, now, actor(), "job.discarded", subject, key=found.key, name=found.name, why=why
        )

    house().db.run_tx(write)
    say("It is given up. What it said is kept for a while.")
    return redirect("/desk/jobs?state=dead", 303)


def _one(job_id: int) -> Job:
    with house().db.reading() as session:
        row = session.get(Job, _key(job_id))
    if row is None:
        raise NotFound("job")
    return row


def _key(job_id: int) -> int:
    """A key that a database can look for. NotFound for any larger number."""
    if job_id >= 2**63:
        raise NotFound("job")
    return job_id
