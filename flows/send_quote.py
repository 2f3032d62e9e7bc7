"""A version of a quote goes out: approved where it must be, frozen, its stock held, its PDF kept.

Sending is one commit; the PDF and the mail follow from it (``store``, ``flows.tell_quote``).
"""

import uuid

from sqlalchemy.orm import Session

from cart.quotes import approving, drafting, sending
from cart.quotes.models import Quote, QuoteFile, QuoteVersion
from cart.quotes.sending import Sending
from core.events import QuoteStored
from core.kernel import blobs as blob_rows
from core.kernel import crash, jobs
from core.kernel.db import insert_once
from core.kernel.errors import StaleState
from core.parties.models import Channel
from core.tax.service import Answers
from flows import price_quote, quote_paper
from flows.house import House
from flows.quote_paper import Paper
from flows.taxing import ask_register, with_taxes
from invoices import pdf, theme
from invoices.document import InvoiceDocument
from invoices.pdf import RenderedDocument


def reasons(house: House, paper: Paper) -> list[str]:
    """Which limits a version is over, by code; empty when one person may send it."""
    return approving.reasons(paper.priced, house.rules.quotes)


def ask_approval(house: House, public_id: str, revision: int, note: str, actor: str) -> None:
    """Ask for a second person's word. Raises ApprovalNotNeeded, StaleState, NoTaxAnswer."""
    _ask_register(house, public_id)

    def work(session: Session, answers: Answers) -> None:
        quote, version = _open(session, public_id, revision)
        now = house.clock.now()
        paper = price_quote.paper(session, house, quote, version, answers, now)
        why = reasons(house, paper)
        approving.ask(session, quote, version, why, revision, note, actor, now)

    with_taxes(house, lambda answers: house.db.run_tx(lambda session: work(session, answers)))


def _ask_register(house: House, public_id: str) -> None:
    """About the buyer's VAT id: the quote's own, or that of the account it is for."""
    with house.db.reading() as session:
        quote = drafting.by_public_id(session, public_id)
        vat_id = price_quote.asked(session, house, quote, None).known.vat_id
    ask_register(house, vat_id)


def decide(
    house: House, public_id: str, revision: int, *, approved: bool, answer: str, actor: str
) -> None:
    """Approve the version as it stands, or give it back. Raises OwnQuote, StaleState."""

    def work(session: Session) -> None:
        quote, version = _open(session, public_id, revision)
        approving.decide(
            session,
            quote,
            version,
            approved=approved,
            answer=answer,
            revision=revision,
            actor=actor,
            now=house.clock.now(),
        )

    house.db.run_tx(work)


def _open(session: Session, public_id: str, revision: int) -> tuple[Quote, QuoteVersion]:
    """The quote, locked, with its version in the making. StaleState when it is another revision."""
    quote = drafting.lock(session, drafting.by_public_id(session, public_id).id)
    version = drafting.open_version(session, quote.id)
    if version is None or version.revision != revision:
        raise StaleState("quote", "draft")
    return quote, version


def send(house: House, public_id: str, revision: int, actor: str) -> None:
    """Send the version in the making.

    Raises QuoteIncomplete (with what is missing), NeedsApproval, OutOfStock (NumberTaken is one),
    NoSuchNumber, QuoteBeingPaid, StaleState; NoTaxAnswer when a tax service does not answer.
    Nothing has changed then.
    """
    _ask_register(house, public_id)

    def work(session: Session, answers: Answers) -> None:
        quote, version = _open(session, public_id, revision)
        now = house.clock.now()
        paper = price_quote.paper(session, house, quote, version, answers, now)
        what = Sending(
            version,
            paper.priced,
            revision,
            reasons(house, paper),
            lambda: quote_paper.frozen(house, paper, now).to_dict(),
            actor,
        )
        sending.send(session, quote, session.get_one(Channel, quote.channel_id), what, now)
        crash.point("quote.before_commit")

    with_taxes(house, lambda answers: house.db.run_tx(lambda session: work(session, answers)))


def withdraw(house: House, public_id: str, reason: str, note: str, actor: str) -> None:
    """Take a quote back. Raises QuoteBeingPaid, StaleState when it is over already."""

    def work(session: Session) -> None:
        quote = drafting.lock(session, drafting.by_public_id(session, public_id).id)
        sending.withdraw(session, quote, reason, note, actor, house.clock.now())

    house.db.run_tx(work)


def store(house: House, version_id: uuid.UUID) -> str:
    """Render a sent version and keep its PDF; a second time answers the hash of the first.

    The bytes are written first, the row after; in between a crash leaves bytes that nobody names.
    """
    with house.db.reading() as session:
        kept = session.get(QuoteFile, version_id)
        if kept is not None:
            return kept.sha256
        version = session.get_one(QuoteVersion, version_id)
        quote = session.get_one(Quote, version.quote_id)
        channel = session.get_one(Channel, quote.channel_id)
    assert version.document is not None
    made = InvoiceDocument.from_dict(version.document)
    rendered = pdf.render(made, theme=theme.of_brand(channel.brand))
    crash.point("quote.rendered")
    house.blobs.put(rendered.bytes)
    crash.point("quote.bytes_written")
    return house.db.run_tx(lambda session: _note(session, house, version_id, rendered))


def _note(session: Session, house: House, version_id: uuid.UUID, rendered: RenderedDocument) -> str:
    now = house.clock.now()
    blob_rows.note(session, rendered.sha256, len(rendered.bytes), rendered.media_type, now)
    fresh = insert_once(
        session,
        QuoteFile,
        version_id=version_id,
        sha256=rendered.sha256,
        template_version=rendered.template_version,
        renderer_version=rendered.renderer_version,
        fonts_version=rendered.fonts_version,
        stored_at=now,
    )
    if not fresh:
        return session.get_one(QuoteFile, version_id).sha256
    told = QuoteStored(str(version_id), rendered.sha256)
    jobs.record(session, told, now, key=f"quote-stored:{version_id}")
    return rendered.sha256
