"""The audit log at the desk: who did what, when, to what; its CSV, and whether its chain is whole."""

import json
import uuid
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from core.kernel import audit, audit_reading, sheet
from core.kernel.audit import AuditEntry
from core.kernel.audit_reading import Filter
from core.kernel.sorting import Place
from core.parties import users
from core.parties.roles import Role
from desk import lists
from desk.lists import Asked, Listing
from web.access import Who, allow
from web.context import channel, house
from web.pages import page

audit_log = Blueprint("desk_audit", __name__, url_prefix="/desk", template_folder="templates")
LISTED = Listing(
    "/desk/audit",
    "act",
    audit_reading.SORTS,
    "-written",
    texts=("actor", "subject", "since", "through"),
    head=("at", "actor", "name", "act", "subject_kind", "subject_id", "detail", "seal_number"),
)
#: Actors that are no person.
_NOBODIES = ("system", "guest")


@audit_log.get("/audit")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def listed() -> str:
    """Acts, the newest first."""
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
        names = users.names(session, {entry.actor for entry in rows})
        sealed = audit_reading.sealed(session)
    context |= {name: asked[name] for name in LISTED.texts}
    return page(
        "desk/audit.html",
        acts=[_row(entry, names) for entry in rows],
        sealed=sealed,
        **context,
    )


@audit_log.get("/audit/chain")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def chain() -> str:
    """Whether every sealed line is still what it was; reads all of them."""
    with house().db.snapshot() as session:
        sealed, broken = audit_reading.sealed(session), audit.broken_at(session)
    return page("desk/audit_chain.html", sealed=sealed, broken=broken)


@audit_log.get("/audit.csv")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def export() -> Response:
    """The acts as they are chosen, all of them. Personal data stays in the shop."""
    return LISTED.csv(LISTED.asked(), _found, _cells)


def _found(session: Session, asked: Asked, place: Place, limit: int) -> Sequence[AuditEntry]:
    return audit_reading.listing(session, _filter(session, asked), place=place, limit=limit)


def _filter(session: Session, asked: Asked) -> Filter:
    kind, _, key = asked["subject"].rpartition(":")
    return Filter(
        actors=_actors(session, asked["actor"]),
        act=asked.words.lower().replace(" ", "_"),
        subject_kind=kind.strip().lower(),
        subject_id=key.strip(),
        since=_morning("since", 0),
        until=_morning("through", 1),
    )


def _actors(session: Session, wanted: str) -> list[str] | None:
    """Whom somebody means by an e-mail address, a part of a name, or as the log calls them."""
    if not wanted:
        return None
    if wanted in _NOBODIES or wanted.startswith("user:"):
        return [wanted]
    return [f"user:{key}" for key in users.keys_like(session, wanted)]


def _morning(name: str, later: int) -> datetime | None:
    """When a day of the address begins where the shop is; nothing for what is no day."""
    try:
        day = date.fromisoformat(request.args.get(name, "")) + timedelta(days=later)
        return datetime.combine(day, time(), ZoneInfo(channel()[0].time_zone))
    except (ValueError, OverflowError):
        return None


def _row(entry: AuditEntry, names: dict[str, str]) -> dict[str, Any]:
    facts = ", ".join(f"{name.replace('_', ' ')} {_plain(v)}" for name, v in entry.detail.items())
    subject = f"{entry.subject_kind}:{entry.subject_id}"
    return {
        "at": entry.at,
        "who": names.get(entry.actor, entry.actor),
        "who_href": lists.address("/desk/audit", actor=entry.actor),
        "act": entry.act,
        "subject": f"{entry.subject_kind.replace('_', ' ')} {_short(entry.subject_id)}",
        "subject_href": lists.address("/desk/audit", subject=subject),
        "facts": facts,
        "seal": entry.seal_number,
    }


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_plain(one)}" for name, one in value.items()) or "nothing"
    return "nothing" if value is None else _short(str(value))


def _short(key: str) -> str:
    try:
        uuid.UUID(key)
    except ValueError:
        return key
    return f"{key[:8]}…"


def _cells(session: Session, rows: Sequence[AuditEntry]) -> Iterator[list[sheet.Cell]]:
    names = users.names(session, {entry.actor for entry in rows})
    for entry in rows:
        yield [
            sheet.moment(entry.at),
            sheet.code(entry.actor),
            sheet.words(names.get(entry.actor, "")),
            sheet.code(entry.act),
            sheet.code(entry.subject_kind),
            sheet.words(entry.subject_id),
            sheet.words(json.dumps(entry.detail, sort_keys=True) if entry.detail else ""),
            sheet.code(entry.seal_number if entry.seal_number is not None else ""),
        ]
