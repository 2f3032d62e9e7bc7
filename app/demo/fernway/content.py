"""Fernway's pages, footer, banner and segments, written as an editor would have written them."""

import tomllib
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from cms_content import banners, blocks, menus, pages, publishing, redirects, segments, writing
from cms_content.banners import Banner
from cms_content.menus import MenuLink
from cms_content.pages import NewPage
from cms_content.publishing import Window
from cms_content.segments import EVERYBODY, Segment

_CONTENT = Path(__file__).with_name("content.toml")
_LOCALE = "en_US"


def write(
    session: Session, channel_id: uuid.UUID, editor: str, began: datetime, opens: datetime
) -> None:
    """Put all of it on the shop's pages; the banner is up while the demo is looked at."""
    told = tomllib.loads(_CONTENT.read_text(encoding="utf-8"))
    for row in told["segment"]:
        rule = segments.read_rule(row["rule"])
        new = Segment(row["code"], row["name"], row["priority"], rule)
        segments.add(session, channel_id, new, editor, began)
    for row in told["page"]:
        _publish(session, channel_id, row, editor, began)
    links = [MenuLink(**one) for one in told["footer"]["links"]]
    menus.write(session, channel_id, "footer", links, 0, editor, began)
    up = told["banner"]
    ends = opens + timedelta(days=up["days"])
    banner = Banner(up["text"], began, ends, up["link_label"], up["link_href"])
    banners.add(session, channel_id, banner, editor, began)
    for row in told["redirect"]:
        redirects.add(session, channel_id, row["source"], row["target"], True, editor, began)


def _publish(
    session: Session, channel_id: uuid.UUID, row: dict[str, Any], editor: str, now: datetime
) -> None:
    segment = row.get("segment", EVERYBODY)
    new = NewPage(row["kind"], row["slug"], _LOCALE, segment, row["name"])
    page = pages.create(session, channel_id, new, editor, now)
    said: dict[str, Any] = {name: row[name] for name in ("title", "seo", "blocks") if name in row}
    draft = writing.save(session, page.public_id, blocks.read(said), 1, editor, now)
    publishing.publish(session, page.public_id, draft.revision, Window(), editor, now)
