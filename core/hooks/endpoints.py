"""Endpoints: entered, changed, their secrets turned, switched off and on, removed. For the desk and the API.

The shop's ``Sealer`` for ``PURPOSE`` seals the secrets; ``Poster.refuse`` says which addresses may not be.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.hooks import signing
from core.hooks.kinds import ALL, KINDS
from core.hooks.models import HookEndpoint
from core.hooks.reaching import Poster
from core.kernel import audit
from core.kernel.db import changed
from core.kernel.errors import Invalid, NotFound, ShopError
from core.kernel.looking import found_in
from core.kernel.sealing import Sealer
from core.kernel.sorting import By, Place, Sorts
from core.parties.models import Channel

PURPOSE = "webhook secrets"
#: So long a secret that was turned signs along, unless told otherwise.
ALONGSIDE = timedelta(hours=24)
MOST = 100


@dataclass(eq=False)
class TooManyEndpoints(ShopError):
    """There are as many as we let there be: each event costs a delivery for each."""

    code: ClassVar[str] = "too_many_endpoints"
    text: ClassVar[str] = "There are {most} endpoints already. Remove one that is not needed."
    most: int


@dataclass(eq=False)
class EndpointOff(ShopError):
    """Nothing is sent to an endpoint that is off."""

    code: ClassVar[str] = "endpoint_off"
    text: ClassVar[str] = "This endpoint is off. Switch it on first."


@dataclass(frozen=True)
class Wish:
    """What somebody wants to be told of, and where. ``channel`` is a code; empty: every channel's."""

    url: str
    name: str
    kinds: tuple[str, ...]
    channel: str = ""


def add(
    session: Session, wish: Wish, poster: Poster, sealer: Sealer, actor: str, now: datetime
) -> tuple[HookEndpoint, str]:
    """Enter one; answers it with its secret. Invalid by field, TooManyEndpoints."""
    channel_id = _check(session, wish, poster)
    there = session.scalar(
        select(func.count()).select_from(HookEndpoint).where(HookEndpoint.state != "removed")
    )
    if (there or 0) >= MOST:
        raise TooManyEndpoints(MOST)
    secret = signing.new_secret()
    row = HookEndpoint(
        url=wish.url.strip(),
        name=wish.name.strip(),
        channel_id=channel_id,
        kinds=_kinds(wish.kinds),
        secret=sealer.seal(secret),
        created_at=now,
        created_by=actor,
    )
    session.add(row)
    session.flush()
    audit.write(session, now, actor, "webhook.added", ("webhook", row.public_id), url=row.url)
    return row, secret


def change(
    session: Session, public_id: str, wish: Wish, poster: Poster, actor: str, now: datetime
) -> HookEndpoint:
    """Another address, name, channel or choice of types. Invalid by field, NotFound."""
    row = one(session, public_id)
    row.channel_id = _check(session, wish, poster)
    row.url, row.name, row.kinds = wish.url.strip(), wish.name.strip(), _kinds(wish.kinds)
    audit.write(session, now, actor, "webhook.changed", ("webhook", row.public_id), url=row.url)
    return row


def _check(session: Session, wish: Wish, poster: Poster) -> uuid.UUID | None:
    wrong = {}
    why = poster.refuse(wish.url.strip())
    if why is not None:
        wrong["url"] = why
    if not 1 <= len(wish.name.strip()) <= 80:
        wrong["name"] = "Give it a name of up to 80 characters, so that you know it again."
    if not wish.kinds or not set(wish.kinds) <= {*KINDS, ALL}:
        wrong["kinds"] = "Choose at least one thing that it is told of."
    channel_id = None
    if wish.channel:
        channel_id = session.scalar(select(Channel.id).where(Channel.code == wish.channel))
        if channel_id is None:
            wrong["channel"] = "Choose a channel of this shop, or all of them."
    if wrong:
        raise Invalid(wrong)
    return channel_id


def _kinds(wanted: Sequence[str]) -> list[str]:
    return [ALL] if ALL in wanted else sorted(set(wanted))


def one(session: Session, public_id: str) -> HookEndpoint:
    """An endpoint that was not removed. NotFound."""
    row = session.scalar(
        select(HookEndpoint).where(
            HookEndpoint.public_id == public_id, HookEndpoint.state != "removed"
        )
    )
    if row is None:
        raise NotFound("webhook")
    return row


#: What lists of them may be sorted by.
SORTS = Sorts(
    HookEndpoint.id,
    {"added": HookEndpoint.created_at, "name": By(HookEndpoint.name, ignores_case=True)},
)
NEWEST = Place("-added")


def listing(
    session: Session, *, words: str = "", place: Place = NEWEST, limit: int = 50
) -> Sequence[HookEndpoint]:
    """Endpoints from a place on; ``words`` in name and address."""
    query = select(HookEndpoint).where(HookEndpoint.state != "removed")
    if words:
        query = query.where(found_in(words, HookEndpoint.name, HookEndpoint.url))
    return session.scalars(SORTS.apply(query, place, limit)).all()


def rotate(
    session: Session,
    public_id: str,
    sealer: Sealer,
    actor: str,
    now: datetime,
    alongside: timedelta = ALONGSIDE,
) -> tuple[HookEndpoint, str]:
    """A new secret; the one before signs along for a while, so that no program misses anything."""
    row, secret = one(session, public_id), signing.new_secret()
    if alongside:
        row.old_secret, row.old_until = row.secret, now + alongside
    else:
        row.old_secret = row.old_until = None
    row.secret = sealer.seal(secret)
    audit.write(session, now, actor, "webhook.rotated", ("webhook", row.public_id))
    return row, secret


def reveal(session: Session, public_id: str, sealer: Sealer, actor: str, now: datetime) -> str:
    """Its secret, for an admin's eyes, which is written down. Empty when it cannot be opened."""
    row = one(session, public_id)
    audit.write(session, now, actor, "webhook.secret_seen", ("webhook", row.public_id))
    return sealer.open(row.secret) or ""


def secrets_of(row: HookEndpoint, sealer: Sealer, now: datetime) -> list[str]:
    """What to sign with, the newest first. Empty when SECRET_KEY is another than the one that sealed them."""
    sealed = [row.secret]
    if row.old_secret is not None and row.old_until is not None and row.old_until > now:
        sealed.append(row.old_secret)
    return [secret for secret in map(sealer.open, sealed) if secret]


def switch(session: Session, public_id: str, on: bool, actor: str, now: datetime) -> HookEndpoint:
    """Off or on, by a person. Switched on it begins afresh; a second time changes nothing."""
    row = one(session, public_id)
    if (row.state == "on") == on:
        return row
    if on:
        row.state, row.off_because, row.off_at = "on", "", None
        row.failing_since, row.failures, row.held_until = None, 0, None
    else:
        row.state, row.off_because, row.off_at = "off", "person", now
    act = "webhook.switched_on" if on else "webhook.switched_off"
    audit.write(session, now, actor, act, ("webhook", row.public_id))
    return row


def give_up(session: Session, endpoint_id: uuid.UUID, now: datetime) -> bool:
    """Switch off one that has taken nothing for days; False when it was not on any more."""
    done = session.execute(
        update(HookEndpoint)
        .where(HookEndpoint.id == endpoint_id, HookEndpoint.state == "on")
        .values(state="off", off_because="failing", off_at=now)
    )
    if not changed(done):
        return False
    row = session.get_one(HookEndpoint, endpoint_id)
    audit.write(session, now, "system", "webhook.gave_up", ("webhook", row.public_id))
    return True


def remove(session: Session, public_id: str, actor: str, now: datetime) -> HookEndpoint:
    """It is told of nothing any more, and its secrets are forgotten."""
    row = one(session, public_id)
    row.state, row.off_because, row.off_at = "removed", "person", row.off_at or now
    row.secret, row.old_secret, row.old_until = "", None, None
    audit.write(session, now, actor, "webhook.removed", ("webhook", row.public_id))
    return row


def listening(session: Session, kind: str, channel_id: uuid.UUID | None) -> Sequence[HookEndpoint]:
    """Who is to be told of this. What belongs to no channel is told to those who listen to all of them."""
    found = session.scalars(
        select(HookEndpoint).where(HookEndpoint.state == "on").order_by(HookEndpoint.created_at)
    )
    return [
        row
        for row in found
        if (ALL in row.kinds or kind in row.kinds)
        and (row.channel_id is None or row.channel_id == channel_id)
    ]


def anybody(session: Session, kinds: Sequence[str]) -> bool:
    """Does anybody listen to one of these? One short query, before anything is put together."""
    found = session.scalars(select(HookEndpoint.kinds).where(HookEndpoint.state == "on"))
    return any(ALL in listened or set(kinds) & set(listened) for listened in found)
