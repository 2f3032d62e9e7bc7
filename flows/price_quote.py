"""Pricing a version of a quote: who buys, where it goes, what it comes to. Reads only."""

from datetime import datetime

from sqlalchemy.orm import Session

from cart.quotes import drafting, pricing
from cart.quotes.models import Quote, QuoteVersion
from cart.quotes.offer import Offer
from cart.quotes.pricing import Asked
from core.parties.models import Account, Channel, LegalEntity
from core.tax.service import Answers
from flows import taxing
from flows.house import House
from flows.quote_paper import Paper


def asked(session: Session, house: House, quote: Quote, answers: Answers | None) -> Asked:
    """What pricing needs to know of a quote besides what it offers."""
    account = account_of(session, quote)
    return Asked(
        channel=session.get_one(Channel, quote.channel_id),
        entity=session.get_one(LegalEntity, quote.legal_entity_id),
        delivery=house.delivery,
        currency=quote.currency,
        known=taxing.known(house, account, quote.vat_id or "", is_guest=account is None),
        answers=answers,
    )


def account_of(session: Session, quote: Quote) -> Account | None:
    """Who is to be billed, once that is known."""
    return session.get(Account, quote.account_id) if quote.account_id is not None else None


def paper(
    session: Session,
    house: House,
    quote: Quote,
    version: QuoteVersion,
    answers: Answers | None,
    now: datetime,
    offer: Offer | None = None,
) -> Paper:
    """A version with its prices, ready to be shown or frozen.

    Raises Unanswered when a tax service has to be asked outside; without ``answers`` our own table is.
    """
    about = asked(session, house, quote, answers)
    found = offer if offer is not None else drafting.offer_of(session, version)
    priced = pricing.price(session, found, about, now)
    return Paper(quote, version, priced, about, account_of(session, quote))
