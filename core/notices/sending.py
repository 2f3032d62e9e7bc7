"""Sending a queued mail: a job's work, once per row.

The mail goes out outside of any transaction and is marked sent afterwards. A crash in between sends it
again under the same Message-ID: at least once, and never twice on purpose.
"""

import smtplib
import ssl
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import ClassVar, Protocol

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.kernel import crash
from core.kernel.blobs import Blob, Blobs
from core.kernel.clock import Clock
from core.kernel.db import Database
from core.kernel.errors import ShopError
from core.notices.letters import content_id
from core.notices.models import Notice

#: Mails whose link opens a log-in: their words are forgotten once they are sent.
FORGOTTEN = frozenset({"reset", "invite", "verify", "gift_card"})
_IMPLICIT_TLS_PORT = 465
#: Enhanced status codes (RFC 3463) that say that the reader's address is no address.
_DEAD_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})


@dataclass(eq=False)
class NotDelivered(ShopError):
    """The mail server did not take the mail; it stays queued and the job tries again.

    ``reason`` holds no address, so that logs may carry it.
    """

    code: ClassVar[str] = "mail_not_delivered"
    text: ClassVar[str] = "The mail server did not take the mail: {reason}."
    reason: str


@dataclass(eq=False)
class NoSuchMailbox(ShopError):
    """The mail server says that the reader's address does not exist: trying again is in vain."""

    code: ClassVar[str] = "no_such_mailbox"
    text: ClassVar[str] = "The mail server does not know the mailbox: {reason}."
    reason: str


class Sender(Protocol):
    """Hands a mail to a mail server."""

    @property
    def mail_from(self) -> str:
        """The sender, such as ``Fernway <shop@example.com>``."""
        ...

    def deliver(self, message: EmailMessage) -> None:
        """Hand it over. Raises NotDelivered, or NoSuchMailbox when the address is dead."""
        ...


@dataclass(frozen=True)
class SmtpSender:
    """A mail server. ``tls``: from the start on port 465, else by STARTTLS. ``timeout`` in seconds."""

    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    tls: bool
    mail_from: str
    timeout: float = 20.0

    def deliver(self, message: EmailMessage) -> None:
        try:
            server = self._open()
        except (smtplib.SMTPException, OSError) as error:
            raise _failure(error) from None
        try:
            server.send_message(message)
        except (smtplib.SMTPException, OSError) as error:
            raise _failure(error) from None
        finally:
            # Once the server has taken the mail, how it says good-bye is of no interest.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    def _open(self) -> smtplib.SMTP:
        context = ssl.create_default_context() if self.tls else None
        # Naming ourselves keeps the library from asking the network who we are.
        me = parseaddr(self.mail_from)[1].rpartition("@")[2] or "localhost"
        if context and self.port == _IMPLICIT_TLS_PORT:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, me, timeout=self.timeout, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, me, timeout=self.timeout)
        try:
            if context and self.port != _IMPLICIT_TLS_PORT:
                server.starttls(context=context)
            if self.user is not None:
                server.login(self.user, self.password or "")
        except BaseException:
            server.close()
            raise
        return server


def _failure(error: Exception) -> ShopError:
    """What went wrong, without the addresses that the library's own messages hold."""
    answers: list[tuple[int, bytes | str]] = []
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answers = list(error.recipients.values())
    elif isinstance(error, smtplib.SMTPResponseException):
        answers = [(error.smtp_code, error.smtp_error)]
    if not answers:
        return NotDelivered(type(error).__name__)
    code, said = answers[0]
    words = said.decode("ascii", "replace") if isinstance(said, bytes) else said
    status = words.split(" ", 1)[0]
    enhanced = status if status[:2] in {"4.", "5."} else ""
    reason = f"{code} {enhanced}".strip()
    if isinstance(error, smtplib.SMTPRecipientsRefused) and enhanced in _DEAD_ADDRESS:
        return NoSuchMailbox(reason)
    return NotDelivered(reason)


def send(db: Database, sender: Sender, blobs: Blobs, notice_id: uuid.UUID, clock: Clock) -> None:
    """Send one queued mail and mark it sent; does nothing for one that is sent already.

    Raises NotDelivered when the server does not take it: the row stays queued. An address that does
    not exist marks it failed, and that is the end of it.
    """
    with db.reading() as session:
        notice = session.get_one(Notice, notice_id)
        if notice.state != "queued":
            return
        blob = session.get(Blob, notice.attachment_sha256) if notice.attachment_sha256 else None
        logo = session.get(Blob, notice.logo_sha256) if notice.logo_sha256 else None
    message = compose(notice, sender.mail_from)
    if logo is not None:
        # A mail whose logo is lost is still worth sending.
        with suppress(FileNotFoundError):
            _put_in(message, blobs.get(logo.sha256), logo)
    if blob is not None:
        _attach(message, blobs.get(blob.sha256), blob.media_type, notice.attachment_name)
    crash.point("notice.before_send")
    state, sent_at = "sent", clock.now()
    try:
        sender.deliver(message)
    except NoSuchMailbox:
        state = "failed"
    crash.point("notice.sent")
    db.run_tx(lambda session: _mark(session, notice, state, sent_at))


def compose(notice: Notice, mail_from: str) -> EmailMessage:
    """The mail with its plain text and HTML. Two calls answer the same headers."""
    message = EmailMessage(policy.SMTP)
    message["From"] = mail_from
    message["To"] = notice.to_address
    message["Subject"] = notice.subject
    message["Date"] = format_datetime(notice.created_at)
    message["Message-ID"] = notice.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(notice.text_body, cte="quoted-printable")
    message.add_alternative(notice.html_body, subtype="html", cte="quoted-printable")
    return message


def _put_in(message: EmailMessage, data: bytes, logo: Blob) -> None:
    """Put the logo beside the HTML that shows it: to its reader it is no attachment."""
    main, _, sub = logo.media_type.partition("/")
    html = message.get_body(("html",))
    assert isinstance(html, EmailMessage)  # ``compose`` wrote it
    cid = f"<{content_id(logo.sha256)}>"
    html.add_related(data, maintype=main, subtype=sub, cid=cid, disposition="inline")


def _attach(message: EmailMessage, data: bytes, media_type: str, name: str | None) -> None:
    main, _, sub = media_type.partition("/")
    message.add_attachment(data, maintype=main, subtype=sub, filename=name)


def _mark(session: Session, notice: Notice, state: str, at: datetime) -> None:
    values: dict[str, object] = {"state": state, "sent_at": at if state == "sent" else None}
    if notice.template in FORGOTTEN:
        values |= {"text_body": "", "html_body": ""}
    session.execute(
        update(Notice).where(Notice.id == notice.id, Notice.state == "queued").values(**values)
    )
