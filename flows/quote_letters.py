"""Gathers the facts of mails about quotes. Called by ``flows.tell_quote`` alone; writes nothing."""

from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart.quotes import drafting, sent
from cart.quotes.models import Quote, QuoteAcceptance, QuoteMessage, QuoteVersion
from cart.quotes.offer import OfferLine
from core.kernel.clock import local_date
from core.kernel.money import Money
from core.notices import addressing
from core.notices.figures import figures, first_name
from core.notices.letters import Letterhead, Row
from core.notices.quote_letters import (
    Again,
    QuoteAskedLetter,
    QuoteClosedLetter,
    QuoteDeskLetter,
    QuoteLetter,
    QuoteMessageLetter,
)
from core.orders.models import Order
from core.parties.models import Account, Channel, LegalEntity
from flows import letters
from flows.links import Links
from flows.quote_paper import name_of
from invoices.document import InvoiceDocument

#: What a customer's reason to decline is called, and the house's to take a quote back.
REASONS = {
    "price": "the price",
    "scope": "it is not what was needed",
    "competitor": "somebody else’s offer",
    "timing": "the timing",
    "no_longer": "it is no longer needed",
    "mistake": "a mistake in it",
    "no_stock": "it cannot be had any more",
    "price_changed": "prices have changed",
    "customer_asked": "the customer asked for it",
    "other": "another reason",
}


def head_of(session: Session, quote: Quote) -> Letterhead:
    """The letterhead of the channel, in its customer's language once their account is known."""
    if quote.account_id is not None:
        return addressing.of_account(session, session.get_one(Account, quote.account_id))
    channel = session.get_one(Channel, quote.channel_id)
    entity = session.get_one(LegalEntity, quote.legal_entity_id)
    return addressing.of_channel(entity, channel)


def desk_address(session: Session, quote: Quote) -> str:
    """Where the house reads: the address on the channel's letterhead."""
    return head_of(session, quote).email


def of_request(session: Session, quote: Quote, links: Links) -> QuoteAskedLetter:
    """We have it."""
    head = head_of(session, quote)
    return QuoteAskedLetter(
        head,
        first_name(quote.name),
        links.quote(quote.public_id),
        number=quote.number,
        asked_on=local_date(quote.requested_at, head.time_zone),
        things=_things(session, quote),
        words=_first_words(session, quote),
    )


def of_version(
    session: Session,
    version: QuoteVersion,
    quote: Quote,
    links: Links,
    *,
    reminds: bool,
    is_attached: bool,
) -> QuoteLetter:
    """The quote itself, or the reminder of it, from its frozen document."""
    head = head_of(session, quote)
    assert version.document is not None
    assert version.valid_through is not None
    document = InvoiceDocument.from_dict(version.document)
    rows = letters.document_rows(document, figures(head.locale))
    total = Money.parse(str(document.totals.gross), quote.currency)
    return QuoteLetter(
        head,
        first_name(quote.name),
        links.quote(quote.public_id),
        number=name_of(quote, version),
        valid_until=version.valid_through,
        total=total,
        rows=(*rows, Row("Due when you accept", total, kind="total")),
        again=tuple(
            Again(Money.parse(str(part.total), quote.currency), part.every)
            for part in document.later
        ),
        words=tuple(version.note.splitlines()),
        replaces=version.number > 1 and not reminds,
        reminds=reminds,
        is_attached=is_attached,
    )


def of_message(
    session: Session, message: QuoteMessage, quote: Quote, links: Links
) -> QuoteMessageLetter:
    """The other side wrote."""
    for_desk = message.side == "customer"
    link = links.desk_quote(quote.public_id) if for_desk else links.quote(quote.public_id)
    return QuoteMessageLetter(
        head_of(session, quote),
        first_name(quote.name),
        link,
        number=quote.number,
        author=_plain(message.author),
        words=tuple(message.text.splitlines()),
        for_desk=for_desk,
    )


def of_end(session: Session, quote: Quote, how: str, links: Links) -> QuoteClosedLetter:
    """It is over, and how."""
    order, signed = _signed(session, quote)
    return QuoteClosedLetter(
        head_of(session, quote),
        first_name(quote.name),
        links.quote(quote.public_id),
        number=quote.number,
        how=how,
        order_number=order.number or "" if order is not None else "",
        signed_by=signed,
        total=_total(session, quote),
        words=tuple((quote.close_note or "").splitlines()) if how == "withdrawn" else (),
    )


def for_desk(session: Session, quote: Quote, how: str, links: Links) -> QuoteDeskLetter:
    """The house is told of a request or an answer."""
    order, _ = _signed(session, quote)
    words = _first_words(session, quote) if how == "asked" else ()
    note = tuple((quote.close_note or "").splitlines()) if how == "declined" else ()
    return QuoteDeskLetter(
        head_of(session, quote),
        "",
        links.desk_quote(quote.public_id),
        number=quote.number,
        how=how,
        who=_plain(f"{quote.name}, {quote.company}" if quote.company else quote.name),
        email=quote.email,
        phone=quote.phone,
        amount=Money(quote.value_minor, quote.currency),
        things=_things(session, quote),
        words=words or note,
        order_number=order.number or "" if order is not None else "",
        reason=REASONS.get(quote.close_reason or "", REASONS["other"]),
    )


def _plain(text: str) -> str:
    return " ".join(text.split())[:160]


def _total(session: Session, quote: Quote) -> Money:
    """What the version that was sent last takes when it is accepted."""
    version = session.scalars(
        select(QuoteVersion)
        .where(QuoteVersion.quote_id == quote.id, QuoteVersion.frozen_at.is_not(None))
        .order_by(QuoteVersion.number.desc())
        .limit(1)
    ).one()
    return Money((version.net_minor or 0) + (version.tax_minor or 0), quote.currency)


def _signed(session: Session, quote: Quote) -> tuple[Order | None, str]:
    order = sent.order_of(session, quote)
    if order is None:
        return None, ""
    acceptance = session.query(QuoteAcceptance).filter_by(order_id=order.id).one()
    return order, _plain(f"{acceptance.name} ({acceptance.role})")


def _things(session: Session, quote: Quote) -> tuple[str, ...]:
    """The lines of the last version; more than some are summed up."""
    offer = drafting.offer_of(session, drafting.latest(session, quote.id))
    several = len(offer.sites) > 1
    said = [
        _thing(line, str(offer.sites[line.site].get("name", "")) if several else "")
        for line in offer.lines
    ]
    if len(said) > letters.MOST_ROWS:
        rest = len(said) - letters.MOST_ROWS + 1
        said = [*said[: letters.MOST_ROWS - 1], f"{rest} more lines"]
    return tuple(said)


def _thing(line: OfferLine, site: str) -> str:
    name = letters.counted(line.name, Decimal(line.quantity))
    return f"{name}, {site}" if site else name


def _first_words(session: Session, quote: Quote) -> tuple[str, ...]:
    message = (
        session.query(QuoteMessage)
        .filter_by(quote_id=quote.id, side="customer")
        .order_by(QuoteMessage.at, QuoteMessage.id)
        .first()
    )
    return tuple(message.text.splitlines()) if message is not None else ()
