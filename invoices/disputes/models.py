"""Tables of the disputes. What was said and sent stays; who decides a large credit is never one person."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards
from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id

#: Who may follow whom. ``waiting``: one person has decided, and a second has to.
TRANSITIONS = {
    "open": ("waiting", "resolved", "withdrawn"),
    "waiting": ("open", "resolved", "withdrawn"),
    "resolved": (),
    "withdrawn": (),
}
#: States in which the amount is contested.
STANDING = ("open", "waiting")
REASONS = ("overcharge", "duplicate", "late_fee", "not_received", "courtesy")
_STANDING = text("state IN ('open', 'waiting')")


class Dispute(Base):
    """One line of a bill, and how much of it is said to be wrong (with its taxes)."""

    __tablename__ = "dispute"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'waiting', 'resolved', 'withdrawn')", name="state"),
        CheckConstraint(
            "reason IN ('overcharge', 'duplicate', 'late_fee', 'not_received', 'courtesy')",
            name="reason",
        ),
        CheckConstraint("amount_minor > 0", name="positive"),
        CheckConstraint("credited_minor BETWEEN 0 AND amount_minor", name="within"),
        CheckConstraint("wish IN ('keep', 'refund')", name="wish"),
        CheckConstraint("outcome IN ('full', 'part', 'none')", name="outcome"),
        CheckConstraint("last_side IN ('customer', 'staff')", name="last_side"),
        CheckConstraint(
            "(state IN ('resolved', 'withdrawn')) = (closed_at IS NOT NULL)", name="closed"
        ),
        CheckConstraint(
            "(state = 'resolved') = (outcome IS NOT NULL) "
            "AND (state = 'resolved') = (decided_by IS NOT NULL)",
            name="decided",
        ),
        CheckConstraint(
            "(memo_id IS NOT NULL) = (credited_minor > 0) "
            "AND (outcome IS NULL OR (outcome = 'none') = (credited_minor = 0))",
            name="credited",
        ),
        # What is over the limit has two names on it.
        CheckConstraint("NOT needs_second OR decided_by <> proposed_by", name="second_person"),
        CheckConstraint(
            "NOT needs_second OR state <> 'resolved' OR proposed_by IS NOT NULL", name="proposed"
        ),
        CheckConstraint("decided_by <> opened_by", name="never_ones_own"),
        UniqueConstraint("legal_entity_id", "number"),
        Index(
            "uq_dispute_standing",
            "line_id",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
        Index("ix_dispute_invoice_id", "invoice_id"),
        Index("ix_dispute_account_id", "account_id", "opened_at"),
        Index("ix_dispute_state", "state", "answer_by", "id"),
        Index("ix_dispute_opened_at", "opened_at", "id"),
        Index("ix_dispute_amount_minor", "amount_minor", "id"),
        Index("ix_dispute_answer_by", "answer_by", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    number: Mapped[str] = mapped_column(String(40))
    legal_entity_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("legal_entity.id"))
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("account.id"))
    invoice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invoice.id"))
    line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invoice_line.id"))
    currency: Mapped[str] = mapped_column(String(3))
    #: What is disputed, with the line's taxes.
    amount_minor: Mapped[int]
    reason: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10), default="open")
    #: What becomes of a credit that was paid already: kept for later bills, or sent back.
    wish: Mapped[str] = mapped_column(String(6), default="keep")
    #: ``user:ID``, as in the audit log.
    opened_by: Mapped[str] = mapped_column(String(80))
    #: The day until which an answer was promised.
    answer_by: Mapped[date]
    #: A second person's word was asked for, and by whom.
    needs_second: Mapped[bool] = mapped_column(default=False)
    proposed_by: Mapped[str | None] = mapped_column(String(80))
    decided_by: Mapped[str | None] = mapped_column(String(80))
    outcome: Mapped[str | None] = mapped_column(String(4))
    credited_minor: Mapped[int] = mapped_column(default=0)
    memo_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("invoice.id"), unique=True)
    #: The words of the answer.
    answer: Mapped[str] = mapped_column(Text, default="")
    #: Who wrote last, and when.
    last_side: Mapped[str] = mapped_column(String(10), default="customer")
    last_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class DisputeProposal(Base):
    """What one person decided over the limit, and what a second said to it."""

    __tablename__ = "dispute_proposal"
    __table_args__ = (
        CheckConstraint("state IN ('asked', 'approved', 'declined', 'void')", name="state"),
        CheckConstraint("amount_minor > 0", name="positive"),
        CheckConstraint("decided_by <> asked_by", name="second_person"),
        CheckConstraint(
            "(state IN ('approved', 'declined')) = (decided_by IS NOT NULL) "
            "AND (decided_by IS NULL) = (decided_at IS NULL)",
            name="decided",
        ),
        Index(
            "uq_dispute_proposal_asked",
            "dispute_id",
            unique=True,
            sqlite_where=text("state = 'asked'"),
            postgresql_where=text("state = 'asked'"),
        ),
        Index("ix_dispute_proposal_dispute_id", "dispute_id", "asked_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    dispute_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dispute.id"))
    #: The credit with its taxes, and the words to the customer.
    amount_minor: Mapped[int]
    answer: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[str] = mapped_column(String(80))
    asked_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default="asked")
    decided_by: Mapped[str | None] = mapped_column(String(80))
    decided_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Text, default="")


class DisputeMessage(Base):
    """What one side wrote to the other, in plain text; empty where only files were sent. Append-only."""

    __tablename__ = "dispute_message"
    __table_args__ = (
        CheckConstraint("side IN ('customer', 'staff')", name="side"),
        Index("ix_dispute_message_dispute_id", "dispute_id", "at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    dispute_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dispute.id"))
    side: Mapped[str] = mapped_column(String(10))
    author: Mapped[str] = mapped_column(String(200))
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class DisputeFile(Base):
    """A picture that was sent with a message, as we wrote it anew. Append-only."""

    __tablename__ = "dispute_file"
    __table_args__ = (
        UniqueConstraint("message_id", "position"),
        Index("ix_dispute_file_dispute_id", "dispute_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    dispute_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dispute.id"))
    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("dispute_message.id"))
    position: Mapped[int]
    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))
    media_type: Mapped[str] = mapped_column(String(40))
    width: Mapped[int]
    height: Mapped[int]


#: What was disputed never changes, and an answer stays as it was given.
_FACTS = (
    "number",
    "legal_entity_id",
    "account_id",
    "invoice_id",
    "line_id",
    "currency",
    "amount_minor",
    "reason",
    "opened_by",
    "opened_at",
)
_ANSWER = ("state", "outcome", "credited_minor", "memo_id", "answer", "decided_by", "closed_at")


def _differ(names: tuple[str, ...], differs: str) -> str:
    return " OR ".join(f"OLD.{name} {differs} NEW.{name}" for name in names)


def _stays(differs: str) -> str:
    return f"{_differ(_FACTS, differs)} OR (OLD.closed_at IS NOT NULL AND ({_differ(_ANSWER, differs)}))"


_MESSAGE = "what was disputed and answered does not change"
guards.install(
    Dispute.__table__,
    "sqlite",
    [
        f"CREATE TRIGGER dispute_stays BEFORE UPDATE ON dispute WHEN {_stays('IS NOT')}\n"
        f"BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END",
        "CREATE TRIGGER dispute_kept BEFORE DELETE ON dispute\n"
        f"BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END",
    ],
)
guards.install(
    Dispute.__table__,
    "postgresql",
    [
        guards.PG_REFUSE,
        "CREATE TRIGGER dispute_stays BEFORE UPDATE ON dispute FOR EACH ROW "
        f"WHEN ({_stays('IS DISTINCT FROM')}) EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER dispute_kept BEFORE DELETE ON dispute "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        "CREATE TRIGGER dispute_no_truncate BEFORE TRUNCATE ON dispute "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ],
)

for _table in (DisputeMessage, DisputeFile):
    guards.append_only(_table.__table__)
