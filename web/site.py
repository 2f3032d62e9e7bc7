"""What stands on every page of the shop beside its own words: menus, the banner, the brand.

Kept as the channel is.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app

from cms_content import banners, menus
from cms_content.menus import MenuLink
from web.context import KEPT, channel, forget_channel, house

_KEY = "counterfoil.site"


@dataclass(frozen=True)
class Notice:
    """The banner that is up."""

    public_id: str
    text: str
    link_label: str
    link_href: str
    tone: str
    dismissible: bool
    ends_at: datetime | None


@dataclass(frozen=True)
class Site:
    """Menus and banner; empty where the shop's own stand."""

    header: tuple[MenuLink, ...] = ()
    footer: tuple[MenuLink, ...] = ()
    banner: Notice | None = None


def site() -> Site:
    """As a page shows it; read again after half a minute."""
    now = house().clock.now()
    kept: tuple[datetime, Site] | None = current_app.extensions.get(_KEY)
    if kept is None or abs(now - kept[0]) > KEPT:
        kept = (now, _read(now))
        current_app.extensions[_KEY] = kept
    return kept[1]


def forget() -> None:
    """Read it anew: somebody has just changed it in this process. The others follow within half a minute."""
    current_app.extensions.pop(_KEY, None)
    forget_channel()
    house().pages.forget()


def _read(now: datetime) -> Site:
    channel_id = channel()[0].id
    with house().db.reading() as session:
        written = menus.every(session, channel_id)
        up = banners.showing(session, channel_id, now)
        return Site(
            header=menus.links_of(written.get("header")),
            footer=menus.links_of(written.get("footer")),
            banner=Notice(
                up.public_id,
                up.text,
                up.link_label,
                up.link_href,
                up.tone,
                up.dismissible,
                up.ends_at,
            )
            if up is not None
            else None,
        )


def kit() -> dict[str, Any]:
    """The published brand kit as the channel has it; empty in a shop that looks as it came."""
    found: dict[str, Any] = channel()[0].brand.get("kit") or {}
    return found
