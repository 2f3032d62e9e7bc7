"""The audit log: who did what, append-only, sealed into a hash chain by a job.

A line is written unsealed with the act itself; ``seal`` numbers and chains what is new. The head of the
chain is kept apart, so that even the last line cannot vanish unseen. Personal data stands outside the
hash and may be erased; everything else about a line may not change.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import JSON, Index, Select, String, and_, bindparam, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.kernel import guards
from core.kernel.db import Base, insert_once, insert_rows

GENESIS = "0" * 64


class AuditEntry(Base):
    """One act."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_subject", "subject_kind", "subject_id"),
        Index("ix_audit_entry_actor", "actor", "id"),
        Index("ix_audit_entry_act", "act", "id"),
        Index("ix_audit_entry_at", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))
    act: Mapped[str] = mapped_column(String(80))
    subject_kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str] = mapped_column(String(80))
    detail: Mapped[dict[str, Any]]
    personal: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    seal_number: Mapped[int | None] = mapped_column(unique=True)
    seal_hash: Mapped[str | None] = mapped_column(String(64))


class AuditHead(Base):
    """The end of the chain: one row."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seal_number: Mapped[int]
    seal_hash: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[datetime]


_SAME = " AND ".join(
    f"NEW.{column} IS {{same}} OLD.{column}"
    for column in ("id", "at", "actor", "act", "subject_kind", "subject_id")
)
_MAY_SEAL = (
    "(OLD.seal_number IS NULL OR (NEW.seal_number IS {same} OLD.seal_number "
    "AND NEW.seal_hash IS {same} OLD.seal_hash))"
)
_PERSONAL_SQLITE = "(NEW.personal IS NULL OR NEW.personal IS OLD.personal)"
_PERSONAL_PG = (
    "(NEW.personal IS NULL OR NEW.personal::text IS NOT DISTINCT FROM OLD.personal::text)"
)
_RULE_SQLITE = (
    f"{_SAME.format(same='')} AND NEW.detail IS OLD.detail AND {_MAY_SEAL.format(same='')}"
)
_RULE_PG = (
    f"{_SAME.format(same='NOT DISTINCT FROM')} "
    "AND NEW.detail::text IS NOT DISTINCT FROM OLD.detail::text "
    f"AND {_MAY_SEAL.format(same='NOT DISTINCT FROM')}"
)
guards.install(
    AuditEntry.__table__,
    "sqlite",
    [
        "CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry "
        "BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END",
        "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry "
        f"WHEN NOT ({_RULE_SQLITE} AND {_PERSONAL_SQLITE}) "
        "BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END",
    ],
)
guards.install(
    AuditEntry.__table__,
    "postgresql",
    [
        guards.PG_REFUSE,
        "CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry FOR EACH ROW "
        f"WHEN (NOT ({_RULE_PG} AND {_PERSONAL_PG})) EXECUTE FUNCTION refuse_change()",
    ],
)


def write(
    session: Session,
    now: datetime,
    actor: str,
    act: str,
    subject: tuple[str, str],
    *,
    personal: dict[str, Any] | None = None,
    **detail: Any,
) -> None:
    """Add a line. ``actor`` is ``user:ID``, ``guest`` or ``system``; ``subject`` is (kind, id)."""
    insert_rows(session, AuditEntry, [_row(now, actor, act, subject, personal, detail)])


def write_many(
    session: Session, now: datetime, actor: str, acts: Sequence[tuple[str, tuple[str, str]]]
) -> None:
    """Add a line for each (act, subject), in their order."""
    rows = [_row(now, actor, act, subject, None, {}) for act, subject in acts]
    insert_rows(session, AuditEntry, rows)


def _row(
    now: datetime,
    actor: str,
    act: str,
    subject: tuple[str, str],
    personal: dict[str, Any] | None,
    detail: dict[str, Any],
) -> dict[str, Any]:
    return {
        "at": now,
        "actor": actor,
        "act": act,
        "subject_kind": subject[0],
        "subject_id": subject[1],
        "detail": detail,
        "personal": personal,
    }


def about(session: Session, subject: tuple[str, str], limit: int = 100) -> Sequence[AuditEntry]:
    """The last acts on one subject, (kind, id), the newest first."""
    return session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject_kind == subject[0], AuditEntry.subject_id == subject[1])
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    ).all()


def about_any(
    session: Session, subjects: Sequence[tuple[str, str]], limit: int = 100
) -> Sequence[AuditEntry]:
    """The last acts on any of some subjects, the newest first."""
    by_kind: dict[str, list[str]] = {}
    for kind, key in subjects:
        by_kind.setdefault(kind, []).append(key)
    wanted = [
        and_(AuditEntry.subject_kind == kind, AuditEntry.subject_id.in_(keys))
        for kind, keys in by_kind.items()
    ]
    return session.scalars(
        select(AuditEntry).where(or_(*wanted)).order_by(AuditEntry.id.desc()).limit(limit)
    ).all()


def seal(session: Session, now: datetime, limit: int = 5000) -> int:
    """Number and chain the lines that are not yet sealed, oldest first; says how many."""
    insert_once(session, AuditHead, id=1, seal_number=0, seal_hash=GENESIS, sealed_at=now)
    head = session.get_one(AuditHead, 1, with_for_update=True)
    fresh = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.seal_number.is_(None))
        .order_by(AuditEntry.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for entry in fresh:
        head.seal_number += 1
        head.seal_hash = chained(head.seal_hash, head.seal_number, entry)
        entry.seal_number, entry.seal_hash = head.seal_number, head.seal_hash
    head.sealed_at = now
    return len(fresh)


def chained(previous: str, number: int, entry: AuditEntry) -> str:
    """The hash of ``entry`` as line ``number`` behind ``previous``."""
    content = json.dumps(
        [
            previous,
            number,
            entry.at.astimezone(UTC).isoformat(),
            entry.actor,
            entry.act,
            entry.subject_kind,
            entry.subject_id,
            entry.detail,
        ],
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(content.encode()).hexdigest()


def broken_at(session: Session) -> int | None:
    """The number of the first sealed line that is missing or changed; None when the chain is whole.

    Ask a snapshot: a line sealed meanwhile would look like a fault.
    """
    head = session.get(AuditHead, 1)
    expected, number = GENESIS, 0
    while page := session.scalars(_sealed_after(), {"number": number}).all():
        for entry in page:
            number += 1
            expected = chained(expected, number, entry)
            if entry.seal_number != number or entry.seal_hash != expected:
                return number
    if head is None:
        return None if number == 0 else 1
    if head.seal_number != number or head.seal_hash != expected:
        return number + 1
    return None


@cache
def _sealed_after() -> Select[AuditEntry]:
    after = AuditEntry.seal_number > bindparam("number")
    return select(AuditEntry).where(after).order_by(AuditEntry.seal_number).limit(1000)
