"""Jobs: what waits, runs, failed or is done, and trying again."""

import json
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel import audit, jobs
from core.kernel.errors import NotFound
from core.kernel.jobs import Job
from core.parties.roles import Role
from desk import lists, shown
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.login import person
from web.pages import page

jobs_ = Blueprint("desk_jobs", __name__, url_prefix="/desk", template_folder="templates")
STATES = {"ready": "Waiting", "running": "Running", "dead": "Failed", "done": "Done"}


@jobs_.get("/jobs")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def listed() -> str:
    """Jobs, the newest first."""
    words, state = lists.words(), lists.chosen("state", list(STATES))
    before = request.args.get("before", "")
    with house().db.snapshot() as session:
        query = jobs.listing(state=state, words=words)
        if before.isdecimal() and len(before) < 19:
            query = query.where(Job.id < int(before))
        found = session.scalars(query.limit(lists.PAGE_SIZE + 1)).all()
        counts = jobs.counts(session)
    rows = found[: lists.PAGE_SIZE]
    following = str(rows[-1].id) if len(found) > lists.PAGE_SIZE else None
    return page(
        "desk/jobs.html",
        jobs=[_row(row) for row in rows],
        tabs_=[
            ("All", "/desk/jobs", sum(counts.values())),
            *(
                (name, f"/desk/jobs?state={key}", counts.get(key, 0))
                for key, name in STATES.items()
            ),
        ],
        current_tab=lists.address("/desk/jobs", state=state),
        **lists.shown("/desk/jobs", following, len(rows), "job", q=words, state=state),
    )


def _row(row: Job) -> dict[str, Any]:
    return {
        "id": row.id,
        "href": f"/desk/jobs/{row.id}",
        "kind": row.handler or row.name,
        "key": row.key,
        "state": shown.JOB[row.state],
        "attempts": row.attempts,
        "due_at": row.run_at,
        "done_at": row.finished_at,
        "error": (row.last_error or "").partition("\n")[0][:120],
        "retry_action": f"/desk/jobs/{row.id}/retry" if row.state == "dead" else "",
    }


@jobs_.get("/jobs/<int:job_id>")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def one(job_id: int) -> str:
    """One job with what it carries."""
    with house().db.reading() as session:
        row = session.get(Job, _key(job_id))
    if row is None:
        raise NotFound("job")
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


def _key(job_id: int) -> int:
    """A key that a database can look for. NotFound for any larger number."""
    if job_id >= 2**63:
        raise NotFound("job")
    return job_id
