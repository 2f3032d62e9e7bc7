"""An address that has nothing of its own may lead on: looked up when a page was not found.

Counted when followed: gathered in the process and written down at most once a minute, on its own.
"""

import uuid
from datetime import timedelta

from flask import Response, current_app, request
from sqlalchemy.exc import SQLAlchemyError

from cms_content import redirects
from cms_content.tally import Tally
from web.context import channel, house

#: Where programs ask, nobody is led anywhere.
_PROGRAMS = ("/api/", "/webhooks/", "/static/", "/media/", "/desk")
_EVERY = timedelta(minutes=1)
_KEY = "counterfoil.followed"


def follow() -> Response | None:
    """Where the address of this request leads now; None when it leads nowhere. One hop at most."""
    if request.method not in ("GET", "HEAD") or request.path.startswith(_PROGRAMS):
        return None
    if len(request.path) > 300 or "\0" in request.path:
        return None
    with house().db.reading() as session:
        found = redirects.find(session, channel()[0].id, request.path)
    if found is None:
        return None
    _count(found.id)
    target = found.target
    query = request.query_string.decode("latin-1")
    if query and "?" not in target and "#" not in target:
        target = f"{target}?{query}"
    answer = Response(status=301 if found.permanent else 302, headers={"Location": target})
    answer.headers["Cache-Control"] = "public, max-age=300" if found.permanent else "no-store"
    return answer


def _count(redirect_id: uuid.UUID) -> None:
    """Nobody is kept from where they want to go because a count could not be written."""
    tally: Tally = current_app.extensions.setdefault(_KEY, Tally(_EVERY))
    now = house().clock.now()
    due = tally.add(redirect_id, now)
    if not due:
        return
    try:
        house().db.run_tx(lambda session: redirects.count(session, due, now))
    except SQLAlchemyError:
        tally.put_back(due)
