"""Health for machines: alive, ready, and figures for those who hold the token."""

from flask import Blueprint, Response, abort, current_app, request
from sqlalchemy import select

from app import metrics
from core.kernel import job_reading
from core.kernel.ids import same_token
from core.parties.models import Channel
from web.access import Guard, Who, allow
from web.context import house

health = Blueprint("health", __name__)


@health.get("/healthz")
@allow(Who.EVERYBODY, Guard.NONE)
def alive() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@health.get("/readyz")
@allow(Who.EVERYBODY, Guard.NONE)
def ready() -> tuple[dict[str, str], int]:
    """The database answers, and the shop's channel is there."""
    try:
        with house().db.reading() as session:
            found = session.scalar(select(Channel.id).where(Channel.code == house().rules.channel))
    except Exception:  # whatever keeps the database away, the answer is the same
        return {"status": "no database"}, 503
    return ({"status": "ready"}, 200) if found else ({"status": "no channel"}, 503)


@health.get("/metrics")
@allow(Who.PROGRAM, Guard.NONE)
def figures() -> Response:
    """Prometheus text, for whoever holds METRICS_TOKEN."""
    token: str | None = current_app.config["METRICS_TOKEN"]
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token is None or not same_token(given, token):
        abort(404)
    now = house().clock.now()
    with house().db.reading() as session:
        counts, since = job_reading.counts(session), job_reading.waiting_since(session, now)
    waits = (now - since).total_seconds() if since is not None else 0.0
    text = metrics.exposition() + metrics.of_jobs(counts, waits)
    return Response(text, mimetype="text/plain; version=0.0.4")
