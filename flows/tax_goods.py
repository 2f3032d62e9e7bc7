"""Taxes of goods that are added to a placed order or go to another place, asked as the checkout asks them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from cart import pricing
from core.orders.fulfilling import Some
from core.orders.models import Order
from core.parties.models import Account, Channel, LegalEntity
from core.tax.arithmetic import Tax, TaxedLine
from core.tax.service import Answers
from flows import taxing, worth
from flows.house import House


@dataclass(frozen=True)
class TaxGoods:
    """Who asks, and for which order. Everything raises Unanswered when a service has to be asked outside."""

    session: Session
    house: House
    order: Order
    answers: Answers

    @property
    def entity(self) -> LegalEntity:
        """Who sells."""
        return self.session.get_one(LegalEntity, self.order.legal_entity_id)

    def of(
        self, asked: Sequence[tuple[int, str]], place: Mapping[str, Any] | None
    ) -> Sequence[TaxedLine]:
        """The taxes of (minor units, tax category), those of one bill, at a place."""
        if not asked:
            return []
        account = self.session.get_one(Account, self.order.payer_account_id)
        question = pricing.ask(
            self.session,
            self.session.get_one(Channel, self.order.channel_id),
            self.entity,
            asked,
            dict(place or {}),
            taxing.known(self.house, account, self.order.vat_id or "", is_guest=True),
            self.house.clock.now(),
        )
        return self.answers.of(question)

    def which(self, kept: Sequence[Some], place: Mapping[str, Any]) -> list[tuple[Tax, ...]]:
        """Which taxes are on pieces of lines at a place."""
        asked = [
            (
                worth.share(one.line.priced_minor, one.line.quantity, 0, one.quantity),
                one.line.tax_category,
            )
            for one in kept
        ]
        return [tuple(taxed.tax for taxed in line.taxes) for line in self.of(asked, place)]
