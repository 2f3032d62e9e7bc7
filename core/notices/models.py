"""Tables of the notices."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id


class Notice(Base):
    """One mail. ``key`` makes it the only one of its kind; ``message_id`` follows from the key."""

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'sent', 'failed')", name="state"),
        Index("ix_notice_account_id", "account_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    template: Mapped[str] = mapped_column(String(60))
    account_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("account.id"))
    to_address: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(300))
    text_body: Mapped[str] = mapped_column(Text)
    html_body: Mapped[str] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(String(200))
    #: A stored document that goes with it: the blob's hash and the file's name.
    attachment_sha256: Mapped[str | None] = mapped_column(ForeignKey("blob.sha256"))
    attachment_name: Mapped[str | None] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(10), default="queued")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    #: The picture that the HTML shows, sent within the mail.
    logo_sha256: Mapped[str | None] = mapped_column(ForeignKey("blob.sha256"))
