"""The document of a quote: from the room of carts, which knows what is offered, to the one of documents.

The rooms know nothing of each other; here a priced version becomes the content of a document.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from cart import address
from cart.quotes.models import Quote, QuoteVersion
from cart.quotes.pricing import Asked, Priced, PricedLine
from core.kernel.clock import local_date
from core.parties.models import Account
from core.tax.arithmetic import Taxed
from flows.correct_invoice import printing
from flows.house import House
from invoices import quoting
from invoices.content import Content, Item, TaxPart
from invoices.document import Delivery, InvoiceDocument, Kind
from invoices.quoting import Quoted, Recurring
from invoices.words import first_few, words


@dataclass(frozen=True)
class Paper:
    """What a quote's document is made of; ``account`` is None while nobody is billed yet."""

    quote: Quote
    version: QuoteVersion
    priced: Priced
    asked: Asked
    account: Account | None


def document(house: House, paper: Paper, now: datetime, *, draft: bool = False) -> InvoiceDocument:
    """What page and PDF say of a version. ``draft``: without a number, marked as one."""
    content = _content(paper, now)
    offer = paper.priced.offer
    quoted = Quoted(
        content=content,
        number="" if draft else name_of(paper.quote, paper.version),
        valid_until=offer.valid_through,
        recurring=[Recurring(part.charge_kind, part.net, part.tax) for part in paper.priced.later],
        saved=paper.priced.saved,
        because=offer.discount.reason,
    )
    return quoting.document(quoted, printing(house.links))


def name_of(quote: Quote, version: QuoteVersion) -> str:
    """``Q-1001/2``."""
    return f"{quote.number}/{version.number}"


def frozen(house: House, paper: Paper, now: datetime) -> InvoiceDocument:
    """What is kept when a version is sent. ValueError when it does not add up: our own mistake."""
    made = document(house, paper, now)
    wrong = made.disagreements()
    if wrong:
        raise ValueError("; ".join(wrong))
    return made


def _content(paper: Paper, now: datetime) -> Content:
    quote, priced, entity = paper.quote, paper.priced, paper.asked.entity
    sites = priced.offer.sites
    payer = paper.account or _payer(quote, sites[0] if sites else {})
    locale = payer.locale or paper.asked.channel.locale
    return Content(
        kind=Kind.QUOTE,
        entity=entity,
        channel=paper.asked.channel,
        payer=payer,
        currency=quote.currency,
        issue_date=local_date(now, entity.time_zone),
        due_date=None,
        items=[
            _item(number, one, priced, locale) for number, one in enumerate(priced.all_lines, 1)
        ],
        service_account_id=payer.id,
        deliver_to=_delivery(priced) if len(sites) == 1 else None,
        message=priced.offer.note,
    )


def _payer(quote: Quote, place: Mapping[str, Any]) -> Account:
    """The account as it will be opened; not kept."""
    return Account(
        number="",
        name=quote.company or quote.name,
        email=quote.email,
        billing_address=dict(place) or None,
        vat_id=quote.vat_id,
    )


def _delivery(priced: Priced) -> Delivery:
    site = dict(priced.offer.sites[0])
    return Delivery(str(site.get("name", "")), address.lines(site), service=not priced.ships_to)


def _item(number: int, one: PricedLine, priced: Priced, locale: str) -> Item:
    line = one.line
    taxes = tuple(_part(taxed) for taxed in one.taxed.taxes)
    less = any(part.relief and part.inclusive for part in taxes)
    about = quoting.about_line(
        locale,
        priced.currency,
        line.charge_kind,
        line.term_months,
        line.list_price_micros,
        one.final_micros,
    )
    said = words(locale)
    small = [first_few(line.numbers, said), said.price_without_tax if less else about]
    return Item(
        line_number=number,
        name=line.name,
        net_minor=one.taxed.net_minor,
        taxes=taxes,
        sku=line.sku,
        prints_sku=line.kind != "delivery",
        quantity=Decimal(line.quantity),
        unit_price_micros=one.final_micros,
        tax_category=line.tax_category,
        group=_group(priced, line.site),
        description=" · ".join(part for part in small if part),
        priced_each=not less,
        cost_minor=None,
    )


def _group(priced: Priced, site: int) -> str:
    """Lines stand under their place, where there are several."""
    if len(priced.offer.sites) < 2:
        return ""
    place = dict(priced.offer.sites[site])
    return ", ".join(part for part in (str(place.get("name", "")), *address.lines(place)) if part)


def _part(taxed: Taxed) -> TaxPart:
    tax = taxed.tax
    return TaxPart(
        tax.jurisdiction,
        tax.name,
        tax.rate_ppm,
        taxed.base_minor,
        taxed.amount_minor,
        tax.inclusive,
        {"compound": tax.compound, "relief": tax.relief, "reference": tax.reference},
    )
