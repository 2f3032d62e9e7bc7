"""What a database says of the demo: two lines of the audit log, one at the beginning, one at the end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.kernel import audit
from core.kernel.audit import AuditEntry
from core.parties.models import Channel, LegalEntity

_OPENED, _FURNISHED = "demo.opened", "demo.furnished"


@dataclass(frozen=True)
class Found:
    """``empty``, ``begun`` (a seed was interrupted), ``there``, or ``other``: another shop.

    ``began`` is when Fernway's history begins, once it does, and ``reached`` how far it has come.
    """

    state: Literal["empty", "begun", "there", "other"]
    began: datetime | None = None
    reached: datetime | None = None


def look(session: Session, channel: str) -> Found:
    """What is in the database, as far as a shop on ``channel`` is concerned."""
    began = session.scalar(select(AuditEntry.at).where(AuditEntry.act == _OPENED))
    if began is not None:
        furnished = session.scalar(select(AuditEntry.id).where(AuditEntry.act == _FURNISHED))
        reached = session.scalar(select(func.max(AuditEntry.at)))
        return Found("begun" if furnished is None else "there", began, reached)
    taken = select(Channel.id).where(Channel.code == channel)
    named = select(LegalEntity.id).where(LegalEntity.code == "fernway")
    is_other = session.scalar(taken) is not None or session.scalar(named) is not None
    return Found("other" if is_other else "empty")


def note_opened(session: Session, channel: str, began: datetime) -> None:
    """The shop is in the database; its history follows."""
    audit.write(session, began, "system", _OPENED, ("channel", channel))


def note_furnished(session: Session, channel: str, now: datetime) -> None:
    """All of it is there. The log is sealed, as the worker does from now on."""
    audit.write(session, now, "system", _FURNISHED, ("channel", channel))
    session.flush()
    audit.seal(session, now)
