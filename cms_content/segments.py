"""Whom a variant is for: rules about a visitor, and the variant that one gets.

A rule that looks at what a visitor brings along (new or returning, signed in) makes its page private; one
that looks at the address or at the language does not: those are part of what a cache keeps it under
(docs/adr/0036-variants.md).
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from cms_content.models import ContentPage, ContentSegment
from core.kernel import audit
from core.kernel.db import changed
from core.kernel.errors import Invalid, NotFound, StaleState

EVERYBODY = ""


@dataclass(frozen=True)
class Visitor:
    """What is known of somebody: the campaign of the address, their languages, what they bring along."""

    campaign: str = ""
    languages: tuple[str, ...] = ()
    returning: bool = False
    signed_in: bool = False


class Rule(BaseModel):
    """Every condition that is set must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    campaigns: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,60}$")], ...] = Field(
        default=(), max_length=20
    )
    visitor: Literal["", "new", "returning"] = ""
    signed_in: Literal["", "yes", "no"] = ""
    languages: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")], ...] = Field(
        default=(), max_length=20
    )

    def fits(self, visitor: Visitor) -> bool:
        """Is it for this visitor?"""
        return (
            (not self.campaigns or visitor.campaign in self.campaigns)
            and (not self.visitor or (self.visitor == "returning") == visitor.returning)
            and (not self.signed_in or (self.signed_in == "yes") == visitor.signed_in)
            and (not self.languages or any(one in self.languages for one in visitor.languages[:1]))
        )

    @property
    def is_personal(self) -> bool:
        """Does it look at what the visitor brings along?"""
        return bool(self.visitor or self.signed_in)

    @property
    def asks_language(self) -> bool:
        """Does it look at the language?"""
        return bool(self.languages)

    @property
    def says_nothing(self) -> bool:
        """Is there no condition?"""
        return not (self.campaigns or self.visitor or self.signed_in or self.languages)


@dataclass(frozen=True)
class Segment:
    """A rule with its code, as pages are chosen by it."""

    code: str
    name: str
    priority: int
    rule: Rule


def choose(codes: Iterable[str], segments: Mapping[str, Segment], visitor: Visitor) -> str | None:
    """Of the segments that a page has variants for, the one for this visitor; None when there is none.

    The lowest priority number wins, then the code; everybody's comes last.
    """
    there = set(codes)
    ranked = sorted(
        (segments[one] for one in there if one in segments), key=lambda s: (s.priority, s.code)
    )
    for segment in ranked:
        if segment.rule.fits(visitor):
            return segment.code
    return EVERYBODY if EVERYBODY in there else None


def read_rule(data: Mapping[str, Any]) -> Rule:
    """What a row keeps, or what somebody typed. Raises Invalid by field."""
    try:
        return Rule.model_validate(data)
    except ValidationError as error:
        wrong = {str(one["loc"][0]): "Some of these cannot be taken." for one in error.errors()}
        raise Invalid(wrong) from None


def every(session: Session, channel_id: uuid.UUID) -> dict[str, Segment]:
    """The segments of a channel by code."""
    rows = rows_of(session, channel_id)
    return {
        row.code: Segment(row.code, row.name, row.priority, read_rule(row.rule)) for row in rows
    }


def rows_of(session: Session, channel_id: uuid.UUID) -> Sequence[ContentSegment]:
    """The same as rows, in their order."""
    return session.scalars(
        select(ContentSegment)
        .where(ContentSegment.channel_id == channel_id)
        .order_by(ContentSegment.priority, ContentSegment.code)
    ).all()


def one(session: Session, channel_id: uuid.UUID, code: str) -> ContentSegment:
    """A segment by its code. NotFound when there is none."""
    found = session.scalar(
        select(ContentSegment).where(
            ContentSegment.channel_id == channel_id, ContentSegment.code == code
        )
    )
    if found is None:
        raise NotFound("segment")
    return found


def add(
    session: Session, channel_id: uuid.UUID, new: Segment, actor: str, now: datetime
) -> ContentSegment:
    """Add one. Raises Invalid for a code that is taken, or a rule that says nothing."""
    if new.rule.says_nothing:
        raise Invalid({"campaigns": "Set at least one condition."})
    taken = select(ContentSegment.id).where(
        ContentSegment.channel_id == channel_id, ContentSegment.code == new.code
    )
    if session.scalar(taken) is not None:
        raise Invalid({"code": "There is a segment with this code already."})
    row = ContentSegment(
        channel_id=channel_id,
        code=new.code,
        name=new.name,
        priority=new.priority,
        rule=new.rule.model_dump(mode="json"),
        created_at=now,
    )
    session.add(row)
    session.flush()
    audit.write(session, now, actor, "segment.added", ("segment", new.code))
    return row


def change(
    session: Session, channel_id: uuid.UUID, new: Segment, revision: int, actor: str, now: datetime
) -> None:
    """Change name, priority and rule. StaleState when somebody else was first."""
    if new.rule.says_nothing:
        raise Invalid({"campaigns": "Set at least one condition."})
    move = (
        update(ContentSegment)
        .where(
            ContentSegment.channel_id == channel_id,
            ContentSegment.code == new.code,
            ContentSegment.revision == revision,
        )
        .values(
            name=new.name,
            priority=new.priority,
            rule=new.rule.model_dump(mode="json"),
            revision=revision + 1,
        )
    )
    if not changed(session.execute(move)):
        raise StaleState("segment", "unchanged")
    audit.write(session, now, actor, "segment.changed", ("segment", new.code))


def remove(session: Session, channel_id: uuid.UUID, code: str, actor: str, now: datetime) -> None:
    """Take one away. Raises Invalid while a page has a variant for it."""
    row = one(session, channel_id, code)
    used = select(exists().where(ContentPage.channel_id == channel_id, ContentPage.segment == code))
    if session.scalar(used):
        raise Invalid({"code": "There are pages for this segment. It stays as long as they do."})
    session.delete(row)
    audit.write(session, now, actor, "segment.removed", ("segment", code))
