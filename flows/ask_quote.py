"""Somebody asks for a quote: a shopper with a cart or a product, or staff for a customer."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy.orm import Session

from cart import address as addresses
from cart import checkout, lines
from cart.quotes import drafting, messages, pricing, wanting
from cart.quotes.drafting import NewQuote
from cart.quotes.models import Quote
from cart.quotes.offer import Offer
from cart.quotes.wanting import Wanted
from core.kernel.clock import local_date
from core.kernel.errors import Invalid
from core.parties import accounts
from core.parties.models import Account, Channel
from flows import price_quote
from flows.house import House
from flows.once import once


@dataclass(frozen=True)
class Contact:
    """Who asks. ``sites`` are addresses (``cart.address``); what was asked for goes to each of them."""

    name: str
    email: str
    company: str = ""
    phone: str = ""
    message: str = ""
    vat_id: str = ""
    sites: Sequence[dict[str, str]] = ()
    user_id: uuid.UUID | None = None


def problems(contact: Contact) -> dict[str, str]:
    """What is wrong, by field; empty when it can be asked."""
    found = {}
    if not contact.name.strip():
        found["name"] = "Tell us your name."
    if problem := checkout.email_problem(contact.email):
        found["email"] = problem
    if problem := checkout.vat_id_problem(contact.vat_id):
        found["vat_id"] = problem
    for at, site in enumerate(contact.sites):
        found |= {f"sites-{at}-{name}": text for name, text in addresses.problems(site).items()}
    if len(contact.message) > messages.LONGEST:
        found["message"] = f"At most {messages.LONGEST} characters."
    return found


def site_problems(site: dict[str, str]) -> dict[str, str]:
    """What is wrong with one place, by field."""
    return addresses.problems(site)


def of_cart(house: House, cart_public_id: str, contact: Contact, named: str = "") -> str:
    """Ask for what a cart holds; answers the quote's public id. The cart stays as it is.

    Sent twice under one name it is one quote. Raises Invalid, NothingToQuote, NotFound, NoPrice.
    """

    def wanted(session: Session) -> list[Wanted]:
        cart = lines.find(session, cart_public_id)
        return wanting.of_cart(session, cart, len(contact.sites))

    return _ask(house, "cart", contact, wanted, named, (cart_public_id,))


def of_product(house: House, sku: str, quantity: int, contact: Contact, named: str = "") -> str:
    """Ask for so many of one thing; answers the quote's public id. As ``of_cart``."""

    def wanted(_: Session) -> list[Wanted]:
        return wanting.of_product(sku, quantity, len(contact.sites))

    return _ask(house, "product", contact, wanted, named, (sku, quantity))


def _ask(
    house: House,
    source: str,
    contact: Contact,
    wanted: Callable[[Session], list[Wanted]],
    named: str,
    about: tuple[object, ...],
) -> str:
    wrong = problems(contact)
    if wrong:
        raise Invalid(wrong)
    now = house.clock.now()

    def work(session: Session) -> str:
        channel, entity = accounts.channel_by_code(session, house.rules.channel)
        own = None
        if contact.user_id is not None:
            own = accounts.buying_account(session, contact.user_id, entity.id)
        offer = Offer(
            lines=wanting.lines(session, channel, wanted(session), now),
            sites=tuple(contact.sites) or _own_place(own),
            payment=_payment(house),
        )
        quote = drafting.request(session, channel, _new(source, contact, offer, own), now)
        _value(session, house, quote)
        return quote.public_id

    asked = (contact, *about)
    return house.db.run_tx(lambda session: once(session, named, asked, now, lambda: work(session)))


def _new(source: str, contact: Contact, offer: Offer, own: Account | None) -> NewQuote:
    actor = f"user:{contact.user_id}" if contact.user_id is not None else "guest"
    return NewQuote(
        source=source,
        name=contact.name.strip(),
        email=contact.email.strip(),
        company=contact.company.strip(),
        phone=contact.phone.strip(),
        message=messages.clean(contact.message) if contact.message.strip() else "",
        vat_id=contact.vat_id.strip() or None,
        offer=offer,
        account_id=own.id if own is not None else None,
        user_id=contact.user_id,
        actor=actor,
    )


def _own_place(account: Account | None) -> tuple[dict[str, str], ...]:
    """Where the account is billed, when that is an address that goods can go to."""
    found = addresses.clean(account.billing_address or {}) if account is not None else {}
    return (found,) if found and not addresses.problems(found) else ()


def _payment(house: House) -> str:
    """How it may be paid to begin with: staff decide otherwise where a customer may pay by bill."""
    return "either" if "invoice" in house.rules.payment_methods else "card"


def _value(session: Session, house: House, quote: Quote) -> None:
    """What was asked for is worth about so much: at list prices, for the desk's list."""
    version = drafting.latest(session, quote.id)
    about = price_quote.asked(session, house, quote, None)
    offer = drafting.offer_of(session, version)
    drafting.note_value(quote, pricing.price(session, offer, about, house.clock.now()))
    session.flush()


def by_staff(
    house: House,
    contact: Contact,
    account_number: str,
    staff_id: uuid.UUID,
) -> str:
    """Begin a quote for an account, or with an empty number for a new contact; answers its public id.

    Raises NotFound when there is no such account, Invalid for a contact that cannot be written to.
    """
    now = house.clock.now()

    def work(session: Session) -> str:
        channel, _ = accounts.channel_by_code(session, house.rules.channel)
        own = accounts.by_number(session, account_number) if account_number.strip() else None
        who = _of_account(contact, own)
        wrong = problems(who)
        if wrong:
            raise Invalid(wrong)
        offer = Offer(
            sites=tuple(contact.sites) or _own_place(own),
            payment=_payment(house),
            valid_through=_usual_validity(house, channel),
        )
        new = _new("staff", who, offer, own)
        begun = replace(new, owner_id=staff_id, user_id=None, actor=f"user:{staff_id}")
        return drafting.request(session, channel, begun, now).public_id

    return house.db.run_tx(work)


def _of_account(contact: Contact, own: Account | None) -> Contact:
    """What was not typed is taken from the account."""
    if own is None:
        return contact
    return Contact(
        name=contact.name or own.name,
        email=contact.email or own.email or "",
        company=contact.company or (own.name if own.kind == "organisation" else ""),
        phone=contact.phone,
        vat_id=contact.vat_id or own.vat_id or "",
        sites=contact.sites,
    )


def _usual_validity(house: House, channel: Channel) -> date:
    today = local_date(house.clock.now(), channel.time_zone)
    return today + timedelta(days=house.rules.quotes.valid_days)
