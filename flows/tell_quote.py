"""What customers and the desk are told of quotes by mail: one function an event, each in the caller's
transaction. Each mail has a key and is queued once, however often its handler runs.
"""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart.quotes import reading
from cart.quotes.models import Quote, QuoteFile, QuoteMessage, QuoteVersion
from core.kernel.blobs import Blob
from core.notices import mails
from core.notices.letters import Letter
from core.notices.mails import NewMail
from core.notices.models import Notice
from core.notices.rendering import render
from flows import quote_letters
from flows.house import House
from flows.links import Links
from flows.notify import LARGEST_ATTACHMENT
from flows.quote_paper import name_of

#: So many are reminded in one commit.
_CHUNK = 100


def requested(session: Session, quote_id: uuid.UUID, links: Links, now: datetime) -> None:
    """To who asked: we have it. To the desk: somebody asks."""
    quote = session.get_one(Quote, quote_id)
    letter = quote_letters.of_request(session, quote, links)
    _queue(session, letter, f"quote-asked:{quote.id}", quote, quote.email, links, now)
    _tell_desk(session, quote, "asked", f"quote-asked-desk:{quote.id}", links, now)


def stored(
    session: Session, version_id: uuid.UUID, sha256: str, links: Links, now: datetime
) -> None:
    """The quote with its PDF. One that was taken back or replaced before it got here is not sent."""
    version = session.get_one(QuoteVersion, version_id)
    if version.state != "sent":
        return
    quote = session.get_one(Quote, version.quote_id)
    _send_version(session, version, quote, sha256, links, now, reminds=False)


def messaged(session: Session, message_id: uuid.UUID, links: Links, now: datetime) -> None:
    """The other side wrote."""
    message = session.get_one(QuoteMessage, message_id)
    quote = session.get_one(Quote, message.quote_id)
    letter = quote_letters.of_message(session, message, quote, links)
    to = quote.email
    if letter.for_desk:
        to = quote_letters.desk_address(session, quote)
    _queue(session, letter, f"quote-message:{message.id}", quote, to, links, now)


def closed(session: Session, quote_id: uuid.UUID, how: str, links: Links, now: datetime) -> None:
    """It is over: the customer is told, and the desk of what the customer did.

    One that was never sent and is taken back was never the customer's to know of.
    """
    quote = session.get_one(Quote, quote_id)
    if how != quote.state or quote.closed_at is None:
        return
    key = f"quote-{how}:{quote.id}:{quote.closed_at.isoformat()}"
    if how != "withdrawn" or _was_sent(session, quote):
        letter = quote_letters.of_end(session, quote, how, links)
        _queue(session, letter, key, quote, quote.email, links, now)
    if how != "withdrawn":
        _tell_desk(session, quote, how, f"{key}:desk", links, now)


def _was_sent(session: Session, quote: Quote) -> bool:
    query = select(QuoteVersion.id).where(
        QuoteVersion.quote_id == quote.id, QuoteVersion.frozen_at.is_not(None)
    )
    return session.scalar(query.limit(1)) is not None


def remind(house: House) -> int:
    """Write to those whose quote is valid for a few days only; says how many were written to now.

    Called by the clock: each is reminded once.
    """
    now = house.clock.now()
    until = now + timedelta(days=house.rules.quotes.remind_days)
    after: reading.Cursor | None = None
    told = 0
    while True:
        cursor = after

        def chunk(
            session: Session, cursor: reading.Cursor | None = cursor
        ) -> tuple[int, reading.Cursor | None]:
            found = reading.ending_soon(session, now, until, cursor, _CHUNK)
            written = _remind(session, found, house.links, now)
            last = found[-1][0] if len(found) == _CHUNK else None
            return written, (last.expires_at, last.id) if last is not None else None

        written, after = house.db.run_tx(chunk)
        told += written
        if after is None:
            return told


def _remind(
    session: Session, found: list[tuple[QuoteVersion, Quote]], links: Links, now: datetime
) -> int:
    keys = {_reminder(version): (version, quote) for version, quote in found}
    known = set(session.scalars(select(Notice.key).where(Notice.key.in_(keys))))
    written = 0
    for key, (version, quote) in keys.items():
        # A quote that was sent for no longer than that is told of already.
        sent_at = version.frozen_at or now
        if key in known or now - sent_at < timedelta(days=1):
            continue
        kept = session.get(QuoteFile, version.id)
        sha256 = kept.sha256 if kept is not None else None
        _send_version(session, version, quote, sha256, links, now, reminds=True)
        written += 1
    return written


def _reminder(version: QuoteVersion) -> str:
    return f"quote-reminder:{version.id}"


def _send_version(
    session: Session,
    version: QuoteVersion,
    quote: Quote,
    sha256: str | None,
    links: Links,
    now: datetime,
    *,
    reminds: bool,
) -> None:
    attached = sha256
    if sha256 is not None and session.get_one(Blob, sha256).size > LARGEST_ATTACHMENT:
        attached = None
    letter = quote_letters.of_version(
        session, version, quote, links, reminds=reminds, is_attached=attached is not None
    )
    key = _reminder(version) if reminds else f"quote-sent:{version.id}"
    name = f"quote-{name_of(quote, version).replace('/', '-')}.pdf"
    _queue(session, letter, key, quote, quote.email, links, now, attached, name)


def _tell_desk(
    session: Session, quote: Quote, how: str, key: str, links: Links, now: datetime
) -> None:
    to = quote_letters.desk_address(session, quote)
    if to:
        letter = quote_letters.for_desk(session, quote, how, links)
        _queue(session, letter, key, quote, to, links, now)


def _queue(
    session: Session,
    letter: Letter,
    key: str,
    quote: Quote,
    to: str,
    links: Links,
    now: datetime,
    sha256: str | None = None,
    file_name: str | None = None,
) -> None:
    if not to:
        return
    mail = NewMail(
        key=key,
        template=letter.TEMPLATE,
        to_address=to,
        words=render(letter),
        domain=links.domain,
        account_id=quote.account_id,
        attachment_sha256=sha256,
        attachment_name=file_name if sha256 is not None else None,
    )
    mails.queue(session, mail, now)
