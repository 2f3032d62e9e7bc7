"""The brand kit: logo, two colours and a typeface, drafted, looked at, published.

What is published is written into the channel's brand, which shop, mails and documents read; the rows here
keep what it was.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cms_content import colours, media
from cms_content.colours import Palette
from cms_content.fields import Picture
from cms_content.models import BrandKit
from core.kernel import audit
from core.kernel.db import changed
from core.kernel.errors import Invalid, NotFound, StaleState
from core.parties.models import Channel

Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$", to_lower=True)]
#: Heads, and running text, in the two families that come with the shop.
TYPEFACES = {
    "both": "Fraunces for heads, Source Sans for text",
    "sans": "Source Sans for everything",
    "serif": "Fraunces for everything",
}
_SERIF = '"Fraunces", "Fraunces Stand-in", Georgia, serif'
_SANS = '"Source Sans 3", "Source Sans 3 Stand-in", system-ui, sans-serif'
#: The tokens that a kit sets; the others stay as they come.
_SET = ("fir", "fir-press", "on-fir", "fir-tint", "apricot", "apricot-ink", "apricot-tint")


class Kit(BaseModel):
    """How a shop looks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: An upload, or "" for the leaf that comes with the shop.
    logo: Picture = ""
    action: Colour = "#1f4d3a"
    attention: Colour = "#e9a767"
    typeface: Literal["both", "sans", "serif"] = "both"

    @property
    def palette(self) -> Palette:
        """All the tokens that follow."""
        return colours.palette(self.action, self.attention)


@dataclass(frozen=True)
class Mailed:
    """A logo as mails carry it: stored, and so large on their paper."""

    sha256: str
    width: int
    height: int


@dataclass(frozen=True)
class Marks:
    """A logo as documents carry it within themselves, and as mails do; none of a kit without a logo."""

    printed: str = ""
    mailed: Mailed | None = None


def read(data: Mapping[str, Any]) -> Kit:
    """What a row keeps, or what somebody typed. Raises Invalid by field."""
    try:
        return Kit.model_validate(dict(data))
    except ValidationError as error:
        words = {"logo": "Choose one of the pictures.", "typeface": "Choose one of these."}
        otherwise = "Write a colour as # and six characters, such as #1f4d3a."
        raise Invalid(
            {str(one["loc"][0]): words.get(str(one["loc"][0]), otherwise) for one in error.errors()}
        ) from None


def check(kit: Kit) -> None:
    """Raises Invalid when words in these colours could not be read."""
    worst = kit.palette.unreadable()
    if worst:
        ink, ground, figure = min(worst, key=lambda one: one[2])
        better = colours.nearest(kit.action, kit.attention)
        raise Invalid(
            {
                "action": f"Words would be hard to read ({ink} on {ground}: {figure:.1f} to 1, at least "
                f"{colours.READABLE} is needed). {better} would do."
            }
        )


def css(kit: Kit) -> str:
    """The style sheet that sets the kit's tokens, light and dark."""
    palette = kit.palette
    serif = _SANS if kit.typeface == "sans" else _SERIF
    sans = _SERIF if kit.typeface == "serif" else _SANS
    light = "".join(f"--{name}:{palette.light[name]};" for name in _SET)
    dark = "".join(f"--{name}:{palette.dark[name]};" for name in _SET)
    plots = f"--plot-1:{palette.light['fir']};--plot-3:{palette.light['apricot']};"
    plots_dark = f"--plot-1:{palette.dark['fir']};--plot-3:{palette.dark['apricot']};"
    return (
        f":root{{{light}{plots}--serif:{serif};--sans:{sans}}}\n"
        f"@media (prefers-color-scheme:dark){{:root{{{dark}{plots_dark}}}}}\n"
    )


def draft(session: Session, channel_id: uuid.UUID) -> BrandKit | None:
    """The one that is being worked on."""
    return _in_state(session, channel_id, "draft")


def published(session: Session, channel_id: uuid.UUID) -> BrandKit | None:
    """The one that people see; none in a shop that looks as it came."""
    return _in_state(session, channel_id, "published")


def _in_state(session: Session, channel_id: uuid.UUID, state: str) -> BrandKit | None:
    return session.scalar(
        select(BrandKit).where(BrandKit.channel_id == channel_id, BrandKit.state == state)
    )


def shown(session: Session, channel_id: uuid.UUID, number: int) -> BrandKit:
    """One that was published, now or before. NotFound for any other."""
    found = session.scalar(
        select(BrandKit).where(
            BrandKit.channel_id == channel_id, BrandKit.number == number, BrandKit.state != "draft"
        )
    )
    if found is None:
        raise NotFound("brand kit")
    return found


def history(session: Session, channel_id: uuid.UUID, limit: int = 20) -> Sequence[BrandKit]:
    """Those that were published, the newest first."""
    return session.scalars(
        select(BrandKit)
        .where(BrandKit.channel_id == channel_id, BrandKit.state != "draft")
        .order_by(BrandKit.number.desc())
        .limit(limit)
    ).all()


def save(
    session: Session, channel_id: uuid.UUID, kit: Kit, revision: int, actor: str, now: datetime
) -> BrandKit:
    """Write the draft; ``revision`` is 0 when there is none yet. Raises Invalid, StaleState."""
    check(kit)
    channel = session.scalars(
        select(Channel).where(Channel.id == channel_id).with_for_update()
    ).one()
    found = draft(session, channel.id)
    if (found.revision if found is not None else 0) != revision:
        raise StaleState("brand kit", f"revision {revision}")
    content = kit.model_dump(mode="json")
    if found is None:
        last = session.scalar(
            select(func.max(BrandKit.number)).where(BrandKit.channel_id == channel_id)
        )
        found = BrandKit(
            channel_id=channel_id,
            number=(last or 0) + 1,
            content=content,
            changed_by=actor,
            changed_at=now,
        )
        session.add(found)
        session.flush()
        return found
    found.content, found.revision = content, revision + 1
    found.changed_by, found.changed_at = actor, now
    session.flush()
    return found


def publish(
    session: Session, channel_id: uuid.UUID, revision: int, marks: Marks, actor: str, now: datetime
) -> BrandKit:
    """Let everybody see the draft.

    StaleState when it has changed since it was looked at.
    """
    channel = session.scalars(
        select(Channel).where(Channel.id == channel_id).with_for_update()
    ).one()
    found = draft(session, channel_id)
    if found is None or found.revision != revision:
        raise StaleState("brand kit", f"revision {revision}")
    kit = read(found.content)
    check(kit)
    old = published(session, channel_id)
    if old is not None:
        old.state = "retired"
        session.flush()
    move = (
        update(BrandKit)
        .where(BrandKit.id == found.id, BrandKit.state == "draft", BrandKit.revision == revision)
        .values(state="published", published_at=now, changed_by=actor)
    )
    if not changed(session.execute(move)):
        raise StaleState("brand kit", f"revision {revision}")
    session.refresh(found)
    channel.brand = {**channel.brand, "kit": told(session, kit, found.number, marks)}
    audit.write(session, now, actor, "brand.published", ("brand", str(found.number)))
    return found


def told(session: Session, kit: Kit, number: int, marks: Marks) -> dict[str, Any]:
    """The kit as the channel's brand has it, for shop, mails and documents."""
    logo = media.resolve(session, [kit.logo]).get(kit.logo) if kit.logo else None
    palette = kit.palette
    return {
        "number": number,
        "typeface": kit.typeface,
        "logo": kit.logo,
        "picture": (
            {"href": logo.src, "width": logo.width, "height": logo.height, "drawn": logo.drawn}
            if logo is not None
            else None
        ),
        "mark": marks.printed,
        "mail_mark": asdict(marks.mailed) if marks.mailed is not None else None,
        "light": dict(palette.light),
        "dark": dict(palette.dark),
    }
