"""Menus: the links in the head and at the foot of every page of the shop."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cms_content.fields import WRONG_LINK, is_link
from cms_content.models import ContentMenu
from core.kernel import audit
from core.kernel.db import changed, insert_once
from core.kernel.errors import Invalid, StaleState

PLACES = {"header": "Head", "footer": "Foot"}
MOST = 12


@dataclass(frozen=True)
class MenuLink:
    """One link of a menu."""

    label: str
    href: str


def every(session: Session, channel_id: uuid.UUID) -> dict[str, ContentMenu]:
    """The menus of a channel by place, as far as somebody wrote them."""
    rows = session.scalars(select(ContentMenu).where(ContentMenu.channel_id == channel_id))
    return {row.place: row for row in rows}


def links_of(row: ContentMenu | None) -> tuple[MenuLink, ...]:
    """The links of a menu; none when nobody wrote it."""
    if row is None:
        return ()
    return tuple(MenuLink(str(one["label"]), str(one["href"])) for one in row.links)


def write(
    session: Session,
    channel_id: uuid.UUID,
    place: str,
    links: Sequence[MenuLink],
    revision: int,
    actor: str,
    now: datetime,
) -> None:
    """Write a menu anew; without a link the shop's own stands there again.

    ``revision`` is 0 for one that nobody wrote yet. Raises Invalid by ``<number>.<field>``, StaleState.
    """
    _check(place, links)
    kept = [{"label": one.label, "href": one.href} for one in links]
    values = {"links": kept, "changed_by": actor, "changed_at": now}
    if revision == 0:
        row = {"channel_id": channel_id, "place": place, "revision": 1, **values}
        written = insert_once(session, ContentMenu, **row)
    else:
        move = (
            update(ContentMenu)
            .where(
                ContentMenu.channel_id == channel_id,
                ContentMenu.place == place,
                ContentMenu.revision == revision,
            )
            .values(revision=revision + 1, **values)
        )
        written = bool(changed(session.execute(move)))
    if not written:
        raise StaleState("menu", f"revision {revision}")
    audit.write(session, now, actor, "menu.written", ("menu", place), links=len(kept))


def _check(place: str, links: Sequence[MenuLink]) -> None:
    if place not in PLACES:
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
