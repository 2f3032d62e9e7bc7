"""What a version comes to: delivery and taxes for each place, what is due at acceptance and what recurs.

Reads only. Taxes are asked as the checkout asks them (``cart.pricing.ask``), once for each place, since
each place has its own. What is due includes the first period of what recurs.
"""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy.orm import Session

from cart import pricing
from cart.delivery import Choice, Delivery
from cart.quotes import carrying
from cart.quotes import offer as offers
from cart.quotes.offer import Offer, OfferLine
from core.kernel.money import Money, extend, nearest
from core.parties.models import Channel, LegalEntity
from core.tax.arithmetic import REVERSE_CHARGE, TaxedLine
from core.tax.buyers import NOBODY, Known
from core.tax.service import Answers


@dataclass(frozen=True)
class PricedLine:
    """A line, or the delivery to a place, with the price that one piece is ordered at, and its taxes."""

    line: OfferLine
    final_micros: int
    taxed: TaxedLine

    @property
    def priced_minor(self) -> int:
        """What it comes to as it was priced: with the tax that its price contains."""
        return self.taxed.net_minor + self.taxed.contained_minor


@dataclass(frozen=True)
class Later:
    """What is charged again each ``charge_kind``: net and taxes."""

    charge_kind: str
    net: Money
    tax: Money

    @property
    def total(self) -> Money:
        """With its taxes."""
        return self.net + self.tax


@dataclass(frozen=True)
class Priced:
    """A version with everything that its price is made of; deliveries stand behind the lines."""

    offer: Offer
    currency: str
    lines: tuple[PricedLine, ...]
    deliveries: tuple[PricedLine, ...]
    #: Ways of delivery that each place offers, in the order of places.
    choices: tuple[tuple[Choice, ...], ...] = ()
    tax_included: bool = False
    vat_id: str = ""
    #: The discount is more than what is charged once: nothing was taken off.
    discount_too_large: bool = False
    #: Places to which some of their goods cannot be brought.
    unreached: tuple[int, ...] = ()

    @property
    def all_lines(self) -> tuple[PricedLine, ...]:
        """Lines and deliveries, as the order has them."""
        return (*self.lines, *self.deliveries)

    @property
    def net(self) -> Money:
        """Due at acceptance, without any tax."""
        return Money(sum(one.taxed.net_minor for one in self.all_lines), self.currency)

    @property
    def tax(self) -> Money:
        """All taxes of what is due at acceptance."""
        return Money(sum(one.taxed.tax_minor for one in self.all_lines), self.currency)

    @property
    def due_now(self) -> Money:
        """What accepting takes."""
        return self.net + self.tax

    @property
    def later(self) -> tuple[Later, ...]:
        """What recurs, by how often."""
        found = []
        for kind in ("monthly", "yearly"):
            these = [one.taxed for one in self.lines if one.line.charge_kind == kind]
            if these:
                net = Money(sum(one.net_minor for one in these), self.currency)
                tax = Money(sum(one.tax_minor for one in these), self.currency)
                found.append(Later(kind, net, tax))
        return tuple(found)

    @property
    def value(self) -> Money:
        """What it is worth over its terms, before tax; what has no term counts for a year."""
        lines = sum(one.line.charges * one.taxed.net_minor for one in self.lines)
        delivered = sum(one.taxed.net_minor for one in self.deliveries)
        return Money(lines + delivered, self.currency)

    @property
    def saved(self) -> Money:
        """Below list prices over its terms, as priced; below zero where it is above them."""
        now = sum(
            one.line.charges * extend(one.final_micros, one.line.quantity, self.currency).minor
            for one in self.lines
        )
        return Money(self._listed - now, self.currency)

    @property
    def saved_ppm(self) -> int:
        """The same in parts per million of list prices."""
        return _share(self.saved.minor, self._listed) if self._listed else 0

    @property
    def _listed(self) -> int:
        return offers.over_terms(self.offer, offers.list_amounts(self.offer, self.currency))

    @property
    def margin(self) -> Money | None:
        """Net less cost over the terms, of the lines whose cost is known; None when none is."""
        found = self._margins
        return Money(sum(net - cost for net, cost in found), self.currency) if found else None

    @property
    def margin_ppm(self) -> int | None:
        """The same in parts per million of their net; a loss on what is given away is all of it."""
        found = self._margins
        whole, gain = sum(net for net, _ in found), sum(net - cost for net, cost in found)
        if whole > 0:
            return _share(gain, whole)
        return -offers.PPM if gain < 0 else None

    @property
    def _margins(self) -> list[tuple[int, int]]:
        return [
            (
                one.line.charges * one.taxed.net_minor,
                one.line.charges
                * extend(one.line.cost_micros, one.line.quantity, self.currency).minor,
            )
            for one in self.lines
            if one.line.cost_micros is not None
        ]

    @property
    def ships_to(self) -> list[int]:
        """The places that goods go to."""
        return sorted({one.line.site for one in self.lines if one.line.ships})

    @property
    def reverse_charge(self) -> bool:
        """Does the buyer account for tax themselves?"""
        return any(
            one.tax.relief == REVERSE_CHARGE for line in self.lines for one in line.taxed.taxes
        )


def _share(part: int, whole: int) -> int:
    return nearest(Fraction(part * offers.PPM, whole))


@dataclass(frozen=True)
class Asked:
    """Who sells to whom, and how goods get there: what pricing needs besides the offer."""

    channel: Channel
    entity: LegalEntity
    delivery: Delivery
    currency: str
    known: Known = NOBODY
    answers: Answers | None = None


def price(session: Session, offer: Offer, asked: Asked, now: datetime) -> Priced:
    """Price a version. Raises Unanswered when a tax service has to be asked outside.

    What cannot be priced yet (no place, a discount that is too large) is priced without it.
    """
    try:
        finals, too_large = offers.final_prices(offer, asked.currency), False
    except ValueError:
        finals, too_large = [line.unit_price_micros for line in offer.lines], True
    sites = offer.sites or ({},)
    lines: dict[int, PricedLine] = {}
    deliveries: list[PricedLine] = []
    choices, unreached = [], []
    carried = carrying.of(session, [line.variant_id for line in offer.lines if line.ships])
    for site, place in enumerate(sites):
        here = [at for at, line in enumerate(offer.lines) if line.site == site]
        priced = [(offer.lines[at], finals[at]) for at in here]
        found = carrying.ways(session, offer, asked, dict(place), priced, carried)
        choices.append(found.offered)
        if found.is_missing:
            unreached.append(site)
        taxed_at = pricing.taxed_at(
            dict(place), found.chosen, [offer.lines[at].kind for at in here]
        )
        coming = [(line, line.unit_price_micros) for line in found.lines(offer, site)]
        taxed = _taxed(session, asked, taxed_at or {}, [*priced, *coming], now)
        lines |= dict(zip(here, taxed, strict=False))
        deliveries += taxed[len(here) :]
    return Priced(
        offer,
        asked.currency,
        tuple(lines[at] for at in sorted(lines)),
        tuple(deliveries),
        tuple(choices),
        asked.channel.prices_include_tax,
        asked.known.vat_id,
        too_large,
        tuple(unreached),
    )


def _taxed(
    session: Session,
    asked: Asked,
    place: dict[str, Any],
    priced: list[tuple[OfferLine, int]],
    now: datetime,
) -> list[PricedLine]:
    if not priced:
        return []
    amounts = [
        (extend(final, line.quantity, asked.currency).minor, line.tax_category)
        for line, final in priced
    ]
    question = pricing.ask(session, asked.channel, asked.entity, amounts, place, asked.known, now)
    taxed = (asked.answers or Answers()).of(question)
    return [PricedLine(line, final, one) for (line, final), one in zip(priced, taxed, strict=True)]
