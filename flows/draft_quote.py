"""Staff work on a quote: its contact, its version in the making, and how that would look."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.orm import Session

from cart import checkout
from cart.quotes import drafting, pricing, wanting
from cart.quotes.models import Quote
from cart.quotes.offer import Offer
from cart.quotes.wanting import Wanted
from core.kernel import audit
from core.kernel.clock import local_date
from core.kernel.errors import Invalid, StaleState
from core.parties.models import Channel
from flows import price_quote, quote_paper
from flows.house import House
from flows.quote_paper import Paper
from invoices.document import InvoiceDocument


@dataclass(frozen=True)
class Draft:
    """What the desk's form says: lines as they are wanted, and everything else of the offer."""

    wanted: Sequence[Wanted]
    offer: Offer


def change(house: House, public_id: str, draft: Draft, revision: int, actor: str) -> None:
    """Write the version in the making anew, at the prices that were typed or the list's.

    Raises Invalid by field, StaleState when somebody else was first.
    """
    now = house.clock.now()

    def work(session: Session) -> None:
        quote = drafting.lock(session, drafting.by_public_id(session, public_id).id)
        channel = session.get_one(Channel, quote.channel_id)
        lines = wanting.lines(session, channel, draft.wanted, now)
        offer = replace(draft.offer, lines=lines)
        drafting.change(session, quote, offer, revision, actor, now)
        about = price_quote.asked(session, house, quote, None)
        drafting.note_value(quote, pricing.price(session, offer, about, now))
        session.flush()

    house.db.run_tx(work)


def another(house: House, public_id: str, actor: str) -> None:
    """Begin the next version, as the last one was, valid as long as usual from today.

    QuoteAccepted when it is an order.
    """
    now = house.clock.now()

    def work(session: Session) -> None:
        quote = drafting.lock(session, drafting.by_public_id(session, public_id).id)
        version = drafting.another(session, quote, actor, now)
        if version.valid_through is None:
            channel = session.get_one(Channel, quote.channel_id)
            today = local_date(now, channel.time_zone)
            version.valid_through = today + timedelta(days=house.rules.quotes.valid_days)
            session.flush()

    house.db.run_tx(work)


def take_over(house: House, public_id: str, owner_id: uuid.UUID | None, actor: str) -> None:
    """Say which of the staff sees to it."""

    def work(session: Session) -> None:
        quote = drafting.lock(session, drafting.by_public_id(session, public_id).id)
        drafting.take_over(session, quote, owner_id, actor, house.clock.now())

    house.db.run_tx(work)


@dataclass(frozen=True)
class Who:
    """Whom a quote is written to."""

    name: str
    email: str
    company: str = ""
    phone: str = ""
    vat_id: str = ""


def set_contact(house: House, public_id: str, who: Who, actor: str) -> None:
    """Whom it is for. What was sent keeps what it said. Invalid by field; StaleState once it is over."""
    wrong = {} if who.name.strip() else {"name": "Say whom it is for."}
    if problem := checkout.email_problem(who.email):
        wrong["email"] = problem
    if problem := checkout.vat_id_problem(who.vat_id):
        wrong["vat_id"] = problem
    if wrong:
        raise Invalid(wrong)
    now = house.clock.now()

    def work(session: Session) -> None:
        quote = drafting.lock(session, drafting.by_public_id(session, public_id).id)
        if quote.state == "accepted":
            raise StaleState("quote", "drafting")
        quote.name, quote.email = who.name.strip(), who.email.strip()
        quote.company, quote.phone = who.company.strip(), who.phone.strip()
        quote.vat_id, quote.changed_at = who.vat_id.strip() or None, now
        audit.write(session, now, actor, "quote.contact", ("quote", quote.public_id))
        session.flush()

    house.db.run_tx(work)


def preview(session: Session, house: House, quote: Quote) -> tuple[Paper, InvoiceDocument] | None:
    """The version in the making as it would look, with the taxes of our own table; None without one."""
    version = drafting.open_version(session, quote.id)
    if version is None:
        return None
    now = house.clock.now()
    paper = price_quote.paper(session, house, quote, version, None, now)
    return paper, quote_paper.document(house, paper, now, draft=True)
