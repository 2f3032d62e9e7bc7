"""Sending: at least once, never twice on purpose, and through a mail server of this machine."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from core.kernel import blobs as blob_rows
from core.kernel import crash
from core.kernel.blobs import FolderBlobs
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.notices import mails, sending
from core.notices.letters import Look, Mark
from core.notices.mails import NewMail
from core.notices.models import Notice
from core.notices.rendering import Rendered, render
from core.notices.samples import everyday as letters
from core.notices.sending import NoSuchMailbox, NotDelivered, SmtpSender
from tests.ports import free_ports

FROM = "Fernway <billing@fernway.example.com>"
PDF = b"%PDF-1.7\n\xff\xfe the bill\n%%EOF\n"


@dataclass
class Postbox:
    """A sender that keeps what it is given, or fails as it is told."""

    mail_from: str = FROM
    taken: list[EmailMessage] = field(default_factory=list)
    trouble: Exception | None = None

    def deliver(self, message: EmailMessage) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.taken.append(message)


@pytest.fixture
def store(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path / "blobs")


def queue(db: Database, clock: ManualClock, **values: Any) -> uuid.UUID:
    words: Rendered = render(letters.BILL)
    new = NewMail("document:1", "bill", "riley@example.com", words, "shop.example.com")
    with db.transaction() as session:
        notice_id = mails.queue(session, replace(new, **values), clock.now())
    assert notice_id is not None
    return notice_id


def queue_with_pdf(
    db: Database, clock: ManualClock, store: FolderBlobs, **values: Any
) -> uuid.UUID:
    sha256 = store.put(PDF)
    with db.transaction() as session:
        blob_rows.note(session, sha256, len(PDF), "application/pdf", clock.now())
    return queue(db, clock, attachment_sha256=sha256, attachment_name="bill-118204.pdf", **values)


def state(db: Database, notice_id: uuid.UUID) -> Notice:
    with db.reading() as session:
        return session.get_one(Notice, notice_id)


def test_a_mail_carries_text_html_and_the_stored_document(
    db: Database, clock: ManualClock, store: FolderBlobs
):
    notice_id, post = queue_with_pdf(db, clock, store), Postbox()
    clock.advance(timedelta(minutes=1))
    sending.send(db, post, store, notice_id, clock)
    (message,) = post.taken
    assert message["From"] == FROM
    assert message["To"] == "riley@example.com"
    assert message["Subject"] == "Your bill 118204: $72.11, due November 30, 2026"
    assert message["Message-ID"] == mails.message_id("document:1", "shop.example.com")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == clock.now() - timedelta(minutes=1)
    assert message["Bcc"] is None
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == render(letters.BILL).text
    assert "Your bill is here, Riley" in html.get_content()
    (part,) = message.iter_attachments()
    assert part.get_filename() == "bill-118204.pdf"
    assert part.get_content_type() == "application/pdf"
    assert part.get_payload(decode=True) == PDF
    assert (state(db, notice_id).state, state(db, notice_id).sent_at) == ("sent", clock.now())


def test_a_logo_comes_within_the_mail_and_is_no_attachment(
    db: Database, clock: ManualClock, store: FolderBlobs
):
    logo = b"\x89PNG\r\n\x1a\n a mark"
    sha256 = store.put(logo)
    with db.transaction() as session:
        blob_rows.note(session, sha256, len(logo), "image/png", clock.now())
    look = Look(mark=Mark(sha256, 90, 40), leaf=False)
    words = render(replace(letters.BILL, head=replace(letters.BILL.head, look=look)))
    notice_id, post = queue_with_pdf(db, clock, store, words=words), Postbox()
    sending.send(db, post, store, notice_id, clock)
    sent = message_from_bytes(post.taken[0].as_bytes(), policy=policy.default)
    assert isinstance(sent, EmailMessage)
    html, plain = sent.get_body(("html",)), sent.get_body(("plain",))
    assert isinstance(html, EmailMessage)
    assert isinstance(plain, EmailMessage)
    assert html.get_content().count('<img class="plate" src="cid:') == 1
    (picture,) = [part for part in sent.walk() if part.get_content_maintype() == "image"]
    assert f"cid:{str(picture['Content-ID']).strip('<>')}" in html.get_content()
    assert picture.get_content_disposition() == "inline"
    assert picture.get_payload(decode=True) == logo
    assert [part.get_filename() for part in sent.iter_attachments()] == ["bill-118204.pdf"]
    assert "logo" not in plain.get_content()
    store.path(sha256).unlink()
    again = queue(db, clock, words=words, key="document:2")
    sending.send(db, post, store, again, clock)
    assert state(db, again).state == "sent", "a lost logo keeps no mail back"


def test_a_sent_mail_is_not_sent_again(db: Database, clock: ManualClock, store: FolderBlobs):
    notice_id, post = queue(db, clock), Postbox()
    for _ in range(3):
        sending.send(db, post, store, notice_id, clock)
    assert len(post.taken) == 1


def test_a_crash_between_sending_and_marking_sends_again_under_the_same_message_id(
    db: Database, clock: ManualClock, store: FolderBlobs
):
    notice_id, post = queue(db, clock), Postbox()
    with crash.crash_at("notice.sent"):
        sending.send(db, post, store, notice_id, clock)
    assert state(db, notice_id).state == "queued"
    clock.advance(timedelta(hours=1))
    sending.send(db, post, store, notice_id, clock)
    first, second = post.taken
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]
    assert state(db, notice_id).state == "sent"


def test_a_crash_before_sending_loses_nothing(db: Database, clock: ManualClock, store: FolderBlobs):
    notice_id, post = queue(db, clock), Postbox()
    with crash.crash_at("notice.before_send"):
        sending.send(db, post, store, notice_id, clock)
    assert post.taken == []
    sending.send(db, post, store, notice_id, clock)
    assert len(post.taken) == 1


def test_a_server_that_takes_nothing_leaves_the_mail_queued_and_the_job_to_try_again(
    db: Database, clock: ManualClock, store: FolderBlobs
):
    notice_id, post = queue(db, clock), Postbox(trouble=NotDelivered("451"))
    with pytest.raises(NotDelivered):
        sending.send(db, post, store, notice_id, clock)
    assert state(db, notice_id).state == "queued"
    post.trouble = None
    sending.send(db, post, store, notice_id, clock)
    assert state(db, notice_id).state == "sent"


def test_an_address_that_does_not_exist_is_not_tried_again(
    db: Database, clock: ManualClock, store: FolderBlobs
):
    notice_id, post = queue(db, clock), Postbox(trouble=NoSuchMailbox("550 5.1.1"))
    sending.send(db, post, store, notice_id, clock)
    assert (state(db, notice_id).state, state(db, notice_id).sent_at) == ("failed", None)
    post.trouble = None
    sending.send(db, post, store, notice_id, clock)
    assert post.taken == []


def test_the_link_of_a_password_mail_is_forgotten_once_it_is_sent(
    db: Database, clock: ManualClock, store: FolderBlobs
):
    words, post = render(letters.RESET), Postbox()
    notice_id = queue(db, clock, key="link:1", template="reset", words=words)
    sending.send(db, post, store, notice_id, clock)
    body = post.taken[0].get_body(("plain",))
    assert body is not None
    assert letters.TOKEN_LINK in body.get_content()
    kept = state(db, notice_id)
    assert (kept.text_body, kept.html_body) == ("", "")
    assert letters.TOKEN_LINK not in kept.subject


def test_the_words_of_a_bill_are_kept(db: Database, clock: ManualClock, store: FolderBlobs):
    notice_id = queue(db, clock)
    sending.send(db, Postbox(), store, notice_id, clock)
    assert state(db, notice_id).text_body == render(letters.BILL).text


def test_a_missing_document_is_no_reason_to_send_without_it(
    db: Database, clock: ManualClock, store: FolderBlobs
):
    notice_id, post = queue_with_pdf(db, clock, store), Postbox()
    sha256 = state(db, notice_id).attachment_sha256
    assert sha256 is not None
    store.path(sha256).unlink()
    with pytest.raises(FileNotFoundError):
        sending.send(db, post, store, notice_id, clock)
    assert post.taken == []
    assert state(db, notice_id).state == "queued"


# --- a real mail server on loopback ---------------------------------------------------------------


@dataclass
class Server:
    """What a mail server on this machine took in, and what it answers."""

    port: int
    taken: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    users: list[bytes] = field(default_factory=list)
    to_recipients: str = ""
    to_data: str = "250 OK"
    wants_login: bool = False

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.to_recipients:
            return self.to_recipients
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.wants_login and not session.authenticated:
            return "530 5.7.0 log in first"
        if self.to_data.startswith("250"):
            self.taken.append(
                (envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content)
            )
        return self.to_data

    def check(self, server: Any, session: Any, envelope: Any, how: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.users.append(data.login)
        return AuthResult(success=data.password == b"open sesame")


@pytest.fixture
def server() -> Iterator[Server]:
    box = Server(free_ports())
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=box.port,
        authenticator=box.check,
        auth_require_tls=False,
        server_hostname="localhost",
    )
    controller.start()
    yield box
    controller.stop()


def smtp(server: Server, **values: Any) -> SmtpSender:
    sender = SmtpSender("127.0.0.1", server.port, None, None, False, FROM, 5.0)
    return replace(sender, **values)


def test_a_mail_reaches_a_mail_server_whole(
    db: Database, clock: ManualClock, store: FolderBlobs, server: Server
):
    notice_id = queue_with_pdf(db, clock, store)
    sending.send(db, smtp(server), store, notice_id, clock)
    ((sender, to, content),) = server.taken
    assert sender == "billing@fernway.example.com"
    assert to == ["riley@example.com"]
    message = message_from_bytes(content, EmailMessage, policy=policy.default)
    assert message["Message-ID"] == mails.message_id("document:1", "shop.example.com")
    text = message.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == render(letters.BILL).text
    assert [part.get_payload(decode=True) for part in message.iter_attachments()] == [PDF]
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert state(db, notice_id).state == "sent"


def test_a_server_that_is_gone_is_said_without_an_address(
    db: Database, clock: ManualClock, store: FolderBlobs
):
    notice_id = queue(db, clock)
    nobody = SmtpSender("127.0.0.1", free_ports(), None, None, False, FROM, 5.0)
    with pytest.raises(NotDelivered, match="ConnectionRefusedError"):
        sending.send(db, nobody, store, notice_id, clock)
    assert state(db, notice_id).state == "queued"


@pytest.mark.parametrize(
    "answer, error",
    [
        ("550 5.1.1 riley@example.com: no such user", NoSuchMailbox),
        ("450 4.2.1 riley@example.com: later", NotDelivered),
        ("554 5.7.1 riley@example.com: relay access denied", NotDelivered),
        ("550 riley@example.com: no", NotDelivered),
    ],
)
def test_only_a_dead_address_is_given_up_and_no_error_holds_it(
    server: Server, answer: str, error: type[Exception]
):
    server.to_recipients = answer
    message = EmailMessage()
    message["From"], message["To"] = FROM, "riley@example.com"
    message.set_content("hello")
    with pytest.raises(error) as told:
        smtp(server).deliver(message)
    assert "riley" not in str(told.value)
    assert told.value.__suppress_context__
    assert server.taken == []


def test_refused_content_is_tried_again(server: Server):
    server.to_data = "451 4.3.0 disk full"
    message = EmailMessage()
    message["From"], message["To"] = FROM, "riley@example.com"
    message.set_content("hello")
    with pytest.raises(NotDelivered, match=r"451 4\.3\.0"):
        smtp(server).deliver(message)


def test_a_name_and_password_are_used_when_given(server: Server):
    server.wants_login = True
    message = EmailMessage()
    message["From"], message["To"] = FROM, "riley@example.com"
    message.set_content("hello")
    with pytest.raises(NotDelivered):
        smtp(server, user="fernway", password="wrong").deliver(message)
    smtp(server, user="fernway", password="open sesame").deliver(message)
    assert server.users[-1] == b"fernway"
    assert len(server.taken) == 1
    assert "open sesame" not in repr(smtp(server, password="open sesame"))


def test_where_encryption_is_asked_for_nothing_goes_out_in_the_clear(server: Server):
    message = EmailMessage()
    message["From"], message["To"] = FROM, "riley@example.com"
    message.set_content("hello")
    with pytest.raises(NotDelivered):
        smtp(server, tls=True, user="fernway", password="open sesame").deliver(message)
    assert server.taken == []
    assert server.users == []
