"""Addresses that have gone, and where they lead. One hop: what would make a chain is refused."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from cms_content.fields import is_link
from cms_content.models import ContentRedirect
from core.kernel import audit
from core.kernel.errors import Invalid, NotFound
from core.kernel.looking import found_in
from core.kernel.sorting import Place, Sorts
from core.parties.models import Channel


def path_of(text: str) -> str:
    """The path that an address stands for: without query, place on the page and slash at the end."""
    path = urlsplit(text.strip()).path if not text.startswith("//") else ""
    return (path.rstrip("/") or "/") if path.startswith("/") else ""


def add(
    session: Session,
    channel_id: uuid.UUID,
    source: str,
    target: str,
    permanent: bool,
    actor: str,
    now: datetime,
) -> ContentRedirect:
    """Lead an address elsewhere. Raises Invalid for what is none, leads to itself, or would make a chain."""
    came, leads = path_of(source), target.strip()
    _check_words(source, came, leads)
    # Whoever adds another one waits here, so that two that are right alone are no chain together.
    session.execute(select(Channel.id).where(Channel.id == channel_id).with_for_update())
    to = path_of(leads) if leads.startswith("/") else leads
    near = session.scalars(
        select(ContentRedirect).where(
            ContentRedirect.channel_id == channel_id,
            or_(
                ContentRedirect.source.in_([came, to]),
                ContentRedirect.target.startswith(came, autoescape=True),
            ),
        )
    ).all()
    _check_chains(near, came, to)
    row = ContentRedirect(
        channel_id=channel_id,
        source=came,
        target=leads,
        permanent=permanent,
        made_by=actor,
        created_at=now,
    )
    session.add(row)
    session.flush()
    audit.write(session, now, actor, "redirect.added", ("redirect", came), target=leads)
    return row


def _check_words(source: str, came: str, leads: str) -> None:
    if not came or came == "/" or len(came) > 300 or not is_link(came):
        raise Invalid({"source": "Type a path of this shop that begins with /, such as /spring."})
    if not (leads.startswith(("/", "https://")) and is_link(leads) and len(leads) <= 600):
        raise Invalid({"target": "Type a path that begins with /, or an address with https://."})
    if leads.startswith("/") and path_of(leads) == came:
        raise Invalid({"target": "This leads to itself."})


def _check_chains(near: Sequence[ContentRedirect], came: str, to: str) -> None:
    for row in near:
        if row.source == came:
            raise Invalid(
                {"source": f"{came} leads to {row.target} already. Take that away first."}
            )
        if row.source == to:
            if path_of(row.target) == came:
                raise Invalid(
                    {"target": f"{to} leads back to {came}: that would go round in circles."}
                )
            raise Invalid({"target": f"{to} leads on to {row.target}. Lead straight there."})
        if row.target.startswith("/") and path_of(row.target) == came:
            raise Invalid(
                {"source": f"{row.source} leads here, and would lead on. Change that one first."}
            )


def moved(
    session: Session, channel_id: uuid.UUID, old: str, new: str, actor: str, now: datetime
) -> None:
    """What was read at ``old`` is read at ``new`` now: lead there whoever comes by the old address.

    What led to the old address leads straight to the new one, and nothing leads away from it any more: no
    chain and no circle, however often something moves and moves back. The caller holds the channel.
    """
    session.execute(
        delete(ContentRedirect).where(
            ContentRedirect.channel_id == channel_id, ContentRedirect.source.in_([old, new])
        )
    )
    near = session.scalars(
        select(ContentRedirect).where(
            ContentRedirect.channel_id == channel_id,
            ContentRedirect.target.startswith(old, autoescape=True),
        )
    )
    for row in near:
        if path_of(row.target) == old:
            row.target = new + row.target.removeprefix(old).removeprefix("/")
    session.add(
        ContentRedirect(
            channel_id=channel_id, source=old, target=new, made_by=actor, created_at=now
        )
    )
    session.flush()


def remove(session: Session, redirect_id: uuid.UUID, actor: str, now: datetime) -> ContentRedirect:
    """Take one away; answers what it was. NotFound when it is gone."""
    row = session.get(ContentRedirect, redirect_id)
    if row is None:
        raise NotFound("redirect")
    session.delete(row)
    audit.write(
        session, now, actor, "redirect.removed", ("redirect", row.source), target=row.target
    )
    return row


def find(session: Session, channel_id: uuid.UUID, path: str) -> ContentRedirect | None:
    """Where an address leads that has nothing of its own."""
    return session.scalar(
        select(ContentRedirect).where(
            ContentRedirect.channel_id == channel_id, ContentRedirect.source == path_of(path)
        )
    )


def count(session: Session, followed: Mapping[uuid.UUID, int], now: datetime) -> None:
    """So often each was followed since the last time that it was written down."""
    for redirect_id, times in sorted(followed.items()):
        session.execute(
            update(ContentRedirect)
            .where(ContentRedirect.id == redirect_id)
            .values(hits=ContentRedirect.hits + times, last_hit_at=now)
        )


#: What the desk's list may be sorted by.
SORTS = Sorts(
    ContentRedirect.id, {"address": ContentRedirect.source, "followed": ContentRedirect.hits}
)
BY_ADDRESS = Place("address")


def listing(
    session: Session,
    channel_id: uuid.UUID,
    *,
    words: str = "",
    place: Place = BY_ADDRESS,
    limit: int = 50,
) -> Sequence[ContentRedirect]:
    """All of them by address, from a place on; ``words`` in what has gone and where it leads."""
    query = select(ContentRedirect).where(ContentRedirect.channel_id == channel_id)
    if words:
        query = query.where(found_in(words, ContentRedirect.source, ContentRedirect.target))
    return session.scalars(SORTS.apply(query, place, limit)).all()
