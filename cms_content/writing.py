"""Writing on a page's draft: two people never write over each other, and nothing that was written is lost."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from cms_content import checks, pages
from cms_content.blocks import Content
from cms_content.models import PageVersion
from core.kernel import audit
from core.kernel.db import changed
from core.kernel.errors import StaleState


def draft(session: Session, public_id: str, actor: str, now: datetime) -> PageVersion:
    """The draft to write on: the one there is, else a new one that says what people read."""
    page = pages.lock(session, public_id)
    found = pages.in_state(session, page, "draft")
    if found is not None:
        return found
    latest = pages.versions(session, page, limit=1)
    read = pages.in_state(session, page, "scheduled") or pages.in_state(session, page, "published")
    source = read or (latest[0] if latest else None)
    content = checks.read(source.content) if source is not None else Content(title=page.name)
    return pages.begin(session, page, content, actor, now)


def save(
    session: Session, public_id: str, content: Content, revision: int, actor: str, now: datetime
) -> PageVersion:
    """Write the draft anew. StaleState when somebody else wrote, published or set it aside first."""
    page = pages.lock(session, public_id)
    found = pages.in_state(session, page, "draft")
    if found is None or found.revision != revision:
        raise StaleState("draft", f"revision {revision}")
    move = (
        update(PageVersion)
        .where(
            PageVersion.id == found.id,
            PageVersion.state == "draft",
            PageVersion.revision == revision,
        )
        .values(content=content.to_dict(), revision=revision + 1, changed_by=actor, changed_at=now)
    )
    if not changed(session.execute(move)):
        raise StaleState("draft", f"revision {revision}")
    session.refresh(found)
    return found


def save_over(
    session: Session, public_id: str, content: Content, revision: int, actor: str, now: datetime
) -> PageVersion:
    """The same over what somebody else has written since; what they wrote is kept as a version set aside."""
    page = pages.lock(session, public_id)
    theirs = pages.in_state(session, page, "draft")
    if theirs is not None and theirs.revision != revision:
        raise StaleState("draft", f"revision {revision}")
    if theirs is not None:
        pages.move(session, theirs, "set_aside")
    made = pages.begin(session, page, content, actor, now)
    audit.write(session, now, actor, "page.saved_over", ("page", public_id), version=made.number)
    return made


def bring_back(
    session: Session, public_id: str, number: int, actor: str, now: datetime
) -> PageVersion:
    """Make a draft that says what a version said. A draft there is is set aside, not lost."""
    page = pages.lock(session, public_id)
    source = pages.version(session, page, number)
    if source.state == "draft":
        return source
    written = pages.in_state(session, page, "draft")
    if written is not None:
        pages.move(session, written, "set_aside")
    content = checks.read(source.content).model_copy(update={"removed": None})
    made = pages.begin(session, page, content, actor, now)
    audit.write(session, now, actor, "page.brought_back", ("page", public_id), version=number)
    return made
