"""What customer and house say to each other about a dispute: text and pictures, kept for good; and the
customer who takes it back.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.events import DisputeMessaged
from core.kernel import blobs as blob_rows
from core.kernel import jobs, typed
from core.kernel.db import changed
from core.kernel.errors import Invalid, NotFound, StaleState
from core.kernel.ids import new_id, new_public_id
from core.kernel.pictures import Picture
from invoices.disputes.models import TRANSITIONS, Dispute, DisputeFile, DisputeMessage

LONGEST = 4000
#: So many pictures with one message, and of one dispute in all.
MOST_FILES, MOST_IN_ALL = 5, 30


@dataclass(frozen=True)
class Said:
    """What one side says. ``files`` are stored pictures, each with the hash of its bytes."""

    side: str
    author: str
    text: str
    actor: str
    user_id: uuid.UUID | None = None
    files: Sequence[tuple[str, Picture]] = ()


def clean(text: str, *, may_be_empty: bool = False) -> str:
    """What was typed, without signs that cannot be printed; its lines stay. Invalid when nothing is left."""
    kept = typed.lines(text)
    if not kept and not may_be_empty:
        raise Invalid({"text": "Write what you want to say."})
    if len(kept) > LONGEST:
        raise Invalid({"text": f"At most {LONGEST} characters."})
    return kept


def lock(session: Session, dispute_id: uuid.UUID) -> Dispute:
    """The dispute, locked and read again. Who needs the payer's account locks that one first."""
    return session.get_one(Dispute, dispute_id, with_for_update=True, populate_existing=True)


def note(
    session: Session, dispute: Dispute, said: Said, now: datetime, *, is_first: bool = False
) -> DisputeMessage:
    """Keep a message with its pictures; nobody is written to. Only what it begins with may have no words.

    Invalid for too many pictures.
    """
    text = clean(said.text, may_be_empty=is_first or bool(said.files))
    message = DisputeMessage(
        id=new_id(),
        dispute_id=dispute.id,
        side=said.side,
        author=" ".join(said.author.split())[:200],
        user_id=said.user_id,
        text=text,
        at=now,
    )
    session.add(message)
    session.flush()
    _keep(session, dispute, message, said.files, now)
    dispute.last_side, dispute.last_at, dispute.changed_at = said.side, now, now
    session.flush()
    return message


def write(session: Session, dispute: Dispute, said: Said, now: datetime) -> DisputeMessage:
    """Keep a message and have the other side told."""
    message = note(session, dispute, said, now)
    jobs.record(session, DisputeMessaged(str(message.id)), now, key=f"dispute-said:{message.id}")
    return message


def _keep(
    session: Session,
    dispute: Dispute,
    message: DisputeMessage,
    files: Sequence[tuple[str, Picture]],
    now: datetime,
) -> None:
    known = session.scalars(
        select(DisputeFile.id).where(DisputeFile.dispute_id == dispute.id).limit(MOST_IN_ALL)
    ).all()
    if len(files) > MOST_FILES:
        raise Invalid({"files": f"At most {MOST_FILES} pictures at a time."})
    if len(known) + len(files) > MOST_IN_ALL:
        raise Invalid({"files": f"At most {MOST_IN_ALL} pictures in all."})
    for position, (sha256, picture) in enumerate(files):
        blob_rows.note(session, sha256, len(picture.data), picture.media_type, now)
        session.add(
            DisputeFile(
                id=new_id(),
                public_id=new_public_id(),
                dispute_id=dispute.id,
                message_id=message.id,
                position=position,
                sha256=sha256,
                media_type=picture.media_type,
                width=picture.width,
                height=picture.height,
            )
        )
    session.flush()


def file_of(session: Session, dispute: Dispute, public_id: str) -> DisputeFile:
    """A picture of this dispute. NotFound for any other."""
    found = session.scalar(
        select(DisputeFile).where(
            DisputeFile.public_id == public_id, DisputeFile.dispute_id == dispute.id
        )
    )
    if found is None:
        raise NotFound("picture")
    return found


def move(session: Session, dispute: Dispute, to: str, now: datetime, **values: object) -> None:
    """Bring it into another state. StaleState when somebody was quicker."""
    state = dispute.state
    if to not in TRANSITIONS[state]:
        raise StaleState("dispute", to)
    result = session.execute(
        update(Dispute)
        .where(Dispute.id == dispute.id, Dispute.state == state)
        .values(state=to, changed_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    if not changed(result):
        raise StaleState("dispute", state)
    session.refresh(dispute)
