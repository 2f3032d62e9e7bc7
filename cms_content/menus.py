"""Menus: the links in the head and at the foot of every page of the shop, by language where there is one.

Every version of a menu is kept; what one said is brought back as the next.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cms_content.fields import WRONG_LINK, is_link
from cms_content.models import ContentMenu, MenuVersion
from core.kernel import audit
from core.kernel.db import changed, insert_once
from core.kernel.errors import Invalid, NotFound, StaleState

PLACES = {"header": "Head", "footer": "Foot"}
MOST = 12
#: For whoever reads a language that has no menu of its own.
EVERY_LANGUAGE = ""


@dataclass(frozen=True)
class MenuLink:
    """One link of a menu."""

    label: str
    href: str


@dataclass(frozen=True)
class Place:
    """Where a menu stands, and in which language: ``de_DE``, or ``EVERY_LANGUAGE``."""

    name: str
    locale: str = EVERY_LANGUAGE


def every(session: Session, channel_id: uuid.UUID) -> dict[Place, ContentMenu]:
    """The menus of a channel, as far as somebody wrote them."""
    rows = session.scalars(select(ContentMenu).where(ContentMenu.channel_id == channel_id))
    return {Place(row.place, row.locale): row for row in rows}


def read(written: Mapping[Place, ContentMenu], name: str, locale: str) -> tuple[MenuLink, ...]:
    """The links for a language, else those for every language; none when nobody wrote any."""
    row = written.get(Place(name, locale))
    return links_of(row) or links_of(written.get(Place(name)))


def links_of(row: ContentMenu | MenuVersion | None) -> tuple[MenuLink, ...]:
    """The links of a menu; none when nobody wrote it."""
    if row is None:
        return ()
    return tuple(MenuLink(str(one["label"]), str(one["href"])) for one in row.links)


def write(
    session: Session,
    channel_id: uuid.UUID,
    place: Place,
    links: Sequence[MenuLink],
    revision: int,
    actor: str,
    now: datetime,
) -> None:
    """Write a menu anew; without a link the one for every language, or the shop's own, stands there again.

    ``revision`` is 0 for one that nobody wrote yet. Raises Invalid by ``<number>.<field>``, StaleState.
    """
    _check(place, links)
    kept = [{"label": one.label, "href": one.href} for one in links]
    key = {"channel_id": channel_id, "place": place.name, "locale": place.locale}
    values = {"links": kept, "changed_by": actor, "changed_at": now}
    if revision == 0:
        written = insert_once(session, ContentMenu, **key, revision=1, **values)
    else:
        move = (
            update(ContentMenu)
            .filter_by(**key)
            .where(ContentMenu.revision == revision)
            .values(revision=revision + 1, **values)
        )
        written = bool(changed(session.execute(move)))
    if not written:
        raise StaleState("menu", f"revision {revision}")
    session.add(MenuVersion(**key, revision=revision + 1, **values))
    session.flush()
    audit.write(
        session,
        now,
        actor,
        "menu.written",
        ("menu", place.name),
        links=len(kept),
        locale=place.locale,
    )


def bring_back(
    session: Session,
    channel_id: uuid.UUID,
    place: Place,
    version: int,
    revision: int,
    actor: str,
    now: datetime,
) -> None:
    """Let a menu say again what a version said. Raises NotFound, StaleState, and Invalid as ``write``."""
    found = session.get(MenuVersion, (channel_id, place.name, place.locale, version))
    if found is None:
        raise NotFound("menu")
    write(session, channel_id, place, links_of(found), revision, actor, now)


def before(
    session: Session, channel_id: uuid.UUID, locale: str, limit: int = 5
) -> dict[str, list[MenuVersion]]:
    """What the menus of a language said before, by place, the newest first: so many of each."""
    found: dict[str, list[MenuVersion]] = {}
    for name in PLACES:
        found[name] = list(
            session.scalars(
                select(MenuVersion)
                .filter_by(channel_id=channel_id, place=name, locale=locale)
                .order_by(MenuVersion.revision.desc())
                .offset(1)
                .limit(limit)
            )
        )
    return found


def _check(place: Place, links: Sequence[MenuLink]) -> None:
    if place.name not in PLACES:
        raise Invalid({"place": "There is no such menu."})
    wrong: dict[str, str] = {}
    for at, one in enumerate(links):
        if not one.label or len(one.label) > 60:
            wrong[f"{at}.label"] = "Give it a name of at most 60 characters."
        if not is_link(one.href) or len(one.href) > 600:
            wrong[f"{at}.href"] = WRONG_LINK
    if len(links) > MOST:
        wrong["links"] = f"At most {MOST} links."
    if wrong:
        raise Invalid(wrong)
