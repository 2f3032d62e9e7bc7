"""What we answer the network about a chargeback: words and pictures, a draft until it is sent, once.

Called by ``flows.answer_chargeback``, which speaks to the processor in between, and read by desk and API.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    String,
    Text,
    UniqueConstraint,
    delete,
    func,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.events import EvidenceToSend
from core.kernel import audit, guards, jobs, typed
from core.kernel import blobs as blob_rows
from core.kernel.db import Base, insert_once
from core.kernel.errors import Invalid, NotFound, ShopError
from core.kernel.ids import new_id, new_public_id
from core.kernel.pictures import Picture
from payments.chargebacks import ChargebackRow

#: What a file may show; there is one of each.
KINDS = ("receipt", "correspondence", "delivery", "service", "other")
#: What the network reads.
MEDIA_TYPES = ("image/jpeg", "image/png")
#: Its limits: of the words, and of all files together.
LONGEST, MOST_BYTES = 20_000, 4_500_000


class ChargebackEvidence(Base):
    """Our answer. ``sending``: staff have let it go, it is on its way; ``trouble``: why it was refused."""

    __tablename__ = "chargeback_evidence"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'sending', 'sent')", name="state"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent"),
        CheckConstraint("state = 'draft' OR asked_by IS NOT NULL", name="asked"),
    )

    chargeback_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("chargeback.id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(10), default="draft")
    trouble: Mapped[str] = mapped_column(Text, default="")
    #: How often it was let go; each time is an operation of its own.
    tries: Mapped[int] = mapped_column(default=0)
    changed_by: Mapped[str] = mapped_column(String(80))
    changed_at: Mapped[datetime]
    asked_by: Mapped[str | None] = mapped_column(String(80))
    sent_at: Mapped[datetime | None]


class ChargebackFile(Base):
    """A picture of our answer, as we wrote it anew. ``gateway_id``: where the processor has it."""

    __tablename__ = "chargeback_file"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('receipt', 'correspondence', 'delivery', 'service', 'other')", name="kind"
        ),
        UniqueConstraint("chargeback_id", "kind"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    chargeback_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("chargeback.id"))
    kind: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))
    media_type: Mapped[str] = mapped_column(String(40))
    size: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]
    added_by: Mapped[str] = mapped_column(String(80))
    added_at: Mapped[datetime]
    gateway_id: Mapped[str | None] = mapped_column(String(120))
    sent_at: Mapped[datetime | None]


for _table in (ChargebackEvidence, ChargebackFile):
    guards.stays_once(_table.__table__, "sent_at")


@dataclass(eq=False)
class EvidenceOver(ShopError):
    """It was answered, decided, or is too late."""

    code: ClassVar[str] = "evidence_over"
    text: ClassVar[str] = "The network takes no more evidence about this chargeback."


@dataclass(eq=False)
class NothingToSend(ShopError):
    """There is neither a word nor a picture."""

    code: ClassVar[str] = "evidence_empty"
    text: ClassVar[str] = "Write or attach something first: it can be sent only once."


@dataclass(frozen=True)
class Draft:
    """What a draft becomes. ``files``: stored pictures with their hash, by what they show, in place of those
    that were there; ``without``: which are taken out."""

    text: str
    actor: str
    files: Mapping[str, tuple[str, Picture]] = field(default_factory=dict)
    without: Collection[str] = ()


def of(session: Session, chargeback_id: uuid.UUID) -> ChargebackEvidence | None:
    """What we answer, or mean to."""
    return session.get(ChargebackEvidence, chargeback_id)


def files_of(session: Session, chargeback_id: uuid.UUID) -> Sequence[ChargebackFile]:
    """Its pictures, in the order of their kinds."""
    rows = session.scalars(
        select(ChargebackFile).where(ChargebackFile.chargeback_id == chargeback_id)
    )
    return sorted(rows, key=lambda row: KINDS.index(row.kind))


def file_of(session: Session, chargeback_id: uuid.UUID, public_id: str) -> ChargebackFile:
    """One of them. NotFound for any other."""
    found = session.scalar(
        select(ChargebackFile).where(
            ChargebackFile.public_id == public_id, ChargebackFile.chargeback_id == chargeback_id
        )
    )
    if found is None:
        raise NotFound("picture")
    return found


def may_answer(row: ChargebackRow, evidence: ChargebackEvidence | None, now: datetime) -> bool:
    """Does the network still wait for our word, and is none on its way?"""
    if row.state not in ("open", "warned") or row.answered_at is not None:
        return False
    if row.evidence_due is not None and row.evidence_due <= now:
        return False
    return evidence is None or evidence.state == "draft"


def keep(session: Session, row: ChargebackRow, draft: Draft, now: datetime) -> ChargebackEvidence:
    """Keep a draft. ``row`` is locked. Raises EvidenceOver, and Invalid by field."""
    evidence = _open(session, row, draft.actor, now)
    evidence.text, evidence.trouble = _words(draft.text), ""
    evidence.changed_by, evidence.changed_at = draft.actor, now
    gone = {*draft.files, *draft.without}
    session.execute(
        delete(ChargebackFile).where(
            ChargebackFile.chargeback_id == row.id, ChargebackFile.kind.in_(gone)
        )
    )
    for kind, (sha256, picture) in draft.files.items():
        _add(session, row, kind, sha256, picture, draft.actor, now)
    session.flush()
    if _bytes(session, row) > MOST_BYTES:
        raise Invalid({"files": f"At most {MOST_BYTES / 1_000_000} MB together."})
    about, kinds = ("chargeback", row.public_id), sorted(draft.files)
    audit.write(session, now, draft.actor, "chargeback.evidence_kept", about, files=kinds)
    return evidence


def let_go(session: Session, row: ChargebackRow, actor: str, now: datetime) -> None:
    """The draft goes to the network, for good. ``row`` is locked. Raises EvidenceOver and NothingToSend."""
    evidence = of(session, row.id)
    if not may_answer(row, evidence, now):
        raise EvidenceOver
    if evidence is None or not (evidence.text or files_of(session, row.id)):
        raise NothingToSend
    evidence.state, evidence.asked_by, evidence.trouble = "sending", actor, ""
    evidence.tries += 1
    session.flush()
    about = ("chargeback", row.public_id)
    audit.write(session, now, actor, "chargeback.evidence_sent", about)
    key = f"evidence:{row.id}:{evidence.tries}"
    jobs.record(session, EvidenceToSend(str(row.id), evidence.tries), now, key=key)


def note_upload(session: Session, file_id: uuid.UUID, gateway_id: str) -> None:
    """The processor has this picture."""
    session.get_one(ChargebackFile, file_id).gateway_id = gateway_id


def note_sent(session: Session, chargeback_id: uuid.UUID, now: datetime) -> None:
    """The network has it."""
    evidence = session.get_one(ChargebackEvidence, chargeback_id)
    if evidence.state != "sending":
        return
    for row in files_of(session, chargeback_id):
        row.sent_at = now
    evidence.state, evidence.sent_at = "sent", now


def note_refused(session: Session, chargeback_id: uuid.UUID, why: str) -> None:
    """The processor would not take it: it is a draft again, and says why."""
    evidence = session.get_one(ChargebackEvidence, chargeback_id)
    if evidence.state == "sending":
        evidence.state, evidence.trouble = "draft", why[:500]


def _open(session: Session, row: ChargebackRow, actor: str, now: datetime) -> ChargebackEvidence:
    if not may_answer(row, of(session, row.id), now):
        raise EvidenceOver
    insert_once(
        session,
        ChargebackEvidence,
        chargeback_id=row.id,
        text="",
        state="draft",
        trouble="",
        tries=0,
        changed_by=actor,
        changed_at=now,
    )
    return session.get_one(ChargebackEvidence, row.id)


def _words(text: str) -> str:
    kept = typed.lines(text)
    if len(kept) > LONGEST:
        raise Invalid({"text": f"At most {LONGEST} characters."})
    return kept


def _add(
    session: Session,
    row: ChargebackRow,
    kind: str,
    sha256: str,
    picture: Picture,
    actor: str,
    now: datetime,
) -> None:
    blob_rows.note(session, sha256, len(picture.data), picture.media_type, now)
    session.add(
        ChargebackFile(
            id=new_id(),
            public_id=new_public_id(),
            chargeback_id=row.id,
            kind=kind,
            sha256=sha256,
            media_type=picture.media_type,
            size=len(picture.data),
            width=picture.width,
            height=picture.height,
            added_by=actor,
            added_at=now,
        )
    )


def _bytes(session: Session, row: ChargebackRow) -> int:
    query = select(func.sum(ChargebackFile.size)).where(ChargebackFile.chargeback_id == row.id)
    return int(session.scalar(query) or 0)
