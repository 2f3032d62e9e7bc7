"""Queueing a mail: one row per key, in the transaction of what it tells of.

Called by ``flows.notify``. A job sends the row afterwards, see ``core.notices.sending``.
"""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.events import NoticeQueued
from core.kernel import jobs
from core.kernel.db import insert_once
from core.kernel.ids import new_id
from core.notices.models import Notice
from core.notices.rendering import Rendered


@dataclass(frozen=True)
class NewMail:
    """One mail to one person. ``domain`` is the host of the shop's address."""

    key: str
    template: str
    to_address: str
    words: Rendered
    domain: str
    account_id: uuid.UUID | None = None
    attachment_sha256: str | None = None
    attachment_name: str | None = None


def message_id(key: str, domain: str) -> str:
    """The Message-ID of the mail with this key: always the same, and it gives nothing away."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}>"


def queue(session: Session, mail: NewMail, now: datetime) -> uuid.UUID | None:
    """Keep the mail and ask for it to be sent; None when one with its key is there already."""
    notice_id = new_id()
    is_new = insert_once(
        session,
        Notice,
        id=notice_id,
        key=mail.key,
        template=mail.template,
        account_id=mail.account_id,
        to_address=mail.to_address,
        subject=mail.words.subject,
        text_body=mail.words.text,
        html_body=mail.words.html,
        message_id=message_id(mail.key, mail.domain),
        attachment_sha256=mail.attachment_sha256,
        attachment_name=mail.attachment_name,
        logo_sha256=mail.words.logo or None,
        state="queued",
        created_at=now,
    )
    if not is_new:
        return None
    jobs.record(session, NoticeQueued(str(notice_id)), now, key=f"notice:{notice_id}")
    return notice_id
