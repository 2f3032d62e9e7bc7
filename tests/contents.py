"""Content for tests: pages as the room publishes them, pictures, brand kits."""

import io
import uuid
from datetime import timedelta
from typing import Any

from PIL import Image

from cms_content import (
    banners,
    brand,
    checks,
    pages,
    publishing,
    redirects,
    segments,
    writing,
)
from cms_content.banners import Banner
from cms_content.brand import Kit
from cms_content.pages import NewPage
from cms_content.publishing import Window
from cms_content.segments import EVERYBODY, Rule, Segment
from core.kernel.ids import new_public_id
from flows import keep_video
from flows.house import House
from flows.keep_picture import keep
from tests import videos

ANN = "user:ann"
AT_ONCE = Window()


def published(
    house: House,
    channel_id: uuid.UUID,
    *parts: dict[str, Any],
    slug: str = "",
    title: str = "A page",
    segment: str = EVERYBODY,
    locale: str = "en_US",
    kind: str = "page",
    window: Window = AT_ONCE,
    **seo: Any,
) -> tuple[str, str]:
    """A page that is read (from ``window`` on); answers its slug and its public id."""
    slug = slug or f"page-{new_public_id()[:10]}"
    listed = list(parts) or [{"kind": "text", "text": "Words."}]
    content = checks.read({"title": title, "blocks": listed, "seo": seo})

    def write(session: Any) -> str:
        now = house.clock.now()
        new = NewPage("home" if slug == pages.HOME else kind, slug, locale, segment, title)
        page = pages.create(session, channel_id, new, ANN, now)
        row = writing.save(session, page.public_id, content, 1, ANN, now)
        publishing.publish(session, page.public_id, row.revision, window, ANN, now)
        return page.public_id

    return slug, house.db.run_tx(write)


def segment(house: House, channel_id: uuid.UUID, priority: int = 1, **rule: Any) -> str:
    """A segment of its own; answers its code."""
    code = f"seg-{new_public_id()[:10]}"
    new = Segment(code, code, priority, Rule(**rule))
    now = house.clock.now()
    house.db.run_tx(lambda session: segments.add(session, channel_id, new, ANN, now).code)
    return code


def banner(house: House, channel_id: uuid.UUID) -> str:
    """A banner that is over; answers its public id."""
    now = house.clock.now()
    over = Banner("It is over", now - timedelta(days=2), now - timedelta(days=1))
    return house.db.run_tx(
        lambda session: banners.add(session, channel_id, over, ANN, now).public_id
    )


def redirect(house: House, channel_id: uuid.UUID) -> None:
    """An address that leads elsewhere."""
    source, now = f"/old-{new_public_id()[:12]}", house.clock.now()
    house.db.run_tx(
        lambda session: redirects.add(session, channel_id, source, "/c/all", True, ANN, now)
    )


def photo(width: int = 1200, height: int = 800, kind: str = "JPEG") -> bytes:
    """A picture as a camera makes it."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(out, kind)
    return out.getvalue()


def picture(house: House, alt: str = "A hill", **size: Any) -> str:
    """An upload; answers its public id."""
    return keep(house, photo(**size), "hill.jpg", alt, ANN).public_id


def video(house: House) -> str:
    """A video without captions; answers its public id."""
    return keep_video.keep(house, videos.webm(), "film", ANN).public_id


def kit(house: House, channel_id: uuid.UUID, **fields: Any) -> int:
    """A brand kit that everybody sees; answers its number."""
    now = house.clock.now()

    def write(session: Any) -> int:
        row = brand.save(session, channel_id, Kit(**fields), 0, ANN, now)
        return brand.publish(session, channel_id, row.revision, brand.Marks(), ANN, now).number

    return house.db.run_tx(write)
