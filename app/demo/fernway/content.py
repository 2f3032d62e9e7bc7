"""Fernway's pages, footer, banner and segments, written as an editor would have written them."""

import io
import tomllib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from sqlalchemy.orm import Session

from cms_content import (
    banners,
    blocks,
    checks,
    media,
    menus,
    pages,
    publishing,
    redirects,
    segments,
    videos,
    writing,
)
from cms_content.banners import Banner
from cms_content.media import Made
from cms_content.menus import MenuLink, Place
from cms_content.pages import NewPage
from cms_content.publishing import Window
from cms_content.segments import EVERYBODY, Segment

_CONTENT = Path(__file__).with_name("content.toml")
#: Drawn for the demo: a van lays a line to a house.
FILM = Path(__file__).with_name("line.webm")
SAID = """WEBVTT

00:00.000 --> 00:02.200
The van opens a narrow trench and lays the line in it.

00:02.200 --> 00:05.000
At the house it comes up to the wall. Then there is light.
"""
_LOCALE = "en_US"


@dataclass(frozen=True)
class Uploads:
    """What the editor uploaded, stored already: a picture, a video, what is said in it."""

    valley: list[Made]
    line: Made
    said: tuple[str, int]


def paint() -> bytes:
    """The valley of the Tarn at sunset, as somebody would upload it."""
    picture = Image.new("RGB", (1600, 900), "#f6f1e6")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((980, 160, 1300, 480), fill="#eab47c")
    ridge = [(0, 620), (420, 330), (900, 640), (1250, 420), (1600, 600)]
    meadow = [(0, 760), (500, 640), (1100, 780), (1600, 700)]
    floor = [(1600, 900), (0, 900)]
    pen.polygon(ridge + floor, "#a5bea8")
    pen.polygon(meadow + floor, "#23503d")
    pen.polygon([(700, 900), (860, 760), (930, 765), (900, 900)], "#f6f1e6")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def write(
    session: Session,
    channel_id: uuid.UUID,
    editor: str,
    uploads: Uploads,
    began: datetime,
    opens: datetime,
) -> None:
    """Put all of it on the shop's pages; the banner is up while the demo is looked at."""
    told = tomllib.loads(_CONTENT.read_text(encoding="utf-8"))
    alt = "The valley of the Tarn at sunset"
    valley = media.add(session, "The valley", alt, uploads.valley, editor, began)
    line = media.add(session, "The line", "", [uploads.line], editor, began, kind="video")
    videos.caption(session, line.public_id, "en", uploads.said, editor, began)
    named = {
        "the valley": f"{media.UPLOADED}{valley.public_id}",
        "the line": f"{videos.UPLOADED}{line.public_id}",
    }
    for row in told["segment"]:
        rule = segments.read_rule(row["rule"])
        new = Segment(row["code"], row["name"], row["priority"], rule)
        segments.add(session, channel_id, new, editor, began)
    for row in told["page"]:
        _publish(session, channel_id, row, named, editor, began)
    _go_on_writing(session, channel_id, editor, opens - timedelta(days=1))
    links = [MenuLink(**one) for one in told["footer"]["links"]]
    menus.write(session, channel_id, Place("footer"), links, 0, editor, began)
    up = told["banner"]
    ends = opens + timedelta(days=up["days"])
    banner = Banner(up["text"], began, ends, up["link_label"], up["link_href"])
    banners.add(session, channel_id, banner, editor, began)
    for row in told["redirect"]:
        redirects.add(session, channel_id, row["source"], row["target"], True, editor, began)


def _go_on_writing(session: Session, channel_id: uuid.UUID, editor: str, now: datetime) -> None:
    """A page is being changed: its draft says more than what people read."""
    page = next(one for one in pages.listing(session, channel_id) if one.slug == "returns")
    draft = writing.draft(session, page.public_id, editor, now)
    said = checks.read(draft.content)
    more = blocks.Faq(
        title="Before you post it",
        items=(blocks.Question(question="Do I pay the post?", answer="No. The label is paid."),),
    )
    changed = said.model_copy(update={"blocks": (*said.blocks, more)})
    writing.save(session, page.public_id, changed, draft.revision, editor, now)


def _publish(
    session: Session,
    channel_id: uuid.UUID,
    row: dict[str, Any],
    named: dict[str, str],
    editor: str,
    now: datetime,
) -> None:
    segment = row.get("segment", EVERYBODY)
    new = NewPage(row["kind"], row["slug"], _LOCALE, segment, row["name"])
    page = pages.create(session, channel_id, new, editor, now)
    said: dict[str, Any] = {name: row[name] for name in ("title", "seo", "blocks") if name in row}
    for block in said.get("blocks", ()):
        for field in ("picture", "clip"):
            if block.get(field) in named:
                block[field] = named[block[field]]
    draft = writing.save(session, page.public_id, checks.read(said), 1, editor, now)
    publishing.publish(session, page.public_id, draft.revision, Window(), editor, now)
