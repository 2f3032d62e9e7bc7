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


def site(locale: str = "") -> Site:
    """As a page shows it, in its language, else in the shop's own; read again after half a minute."""
    now, locale = house().clock.now(), locale or channel()[0].locale
    every: dict[str, tuple[datetime, Site]] = current_app.extensions.setdefault(_KEY, {})
    kept = every.get(locale)
    if kept is None or abs(now - kept[0]) > KEPT:
        kept = every[locale] = (now, _read(now, locale))
    return kept[1]


def forget() -> None:
    """Read it anew: somebody has just changed it in this process. The others follow within half a minute."""
    current_app.extensions.pop(_KEY, None)
    forget_channel()
    house().pages.forget()


def _read(now: datetime, locale: str) -> Site:
    channel_id = channel()[0].id
    with house().db.reading() as session:
        written = menus.every(session, channel_id)
        up = banners.showing(session, channel_id, now, locale)
        return Site(
            header=menus.read(written, "header", locale),
            footer=menus.read(written, "footer", locale),
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
