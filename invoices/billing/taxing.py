"""The taxes of a bill's lines: reckoned per place, where each is served, else where the payer is billed.

What our own table says is kept for a while, so that a run asks the database once per place.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from core.parties.models import Account, LegalEntity
from core.tax import buyers, rates
from core.tax.arithmetic import Tax, TaxedLine
from core.tax.buyers import Known
from core.tax.relief import Buyer, relieve
from core.tax.service import Answers, AskedLine, Place, Question


@dataclass(frozen=True)
class Asked:
    """One amount to be taxed: at the plan's price, in a category, at a place."""

    amount_minor: int
    category: str
    place: dict[str, Any] | None


@dataclass
class Table:
    """What was read of rates and buyers; good for one day's work."""

    registered_only: bool = False
    _rates: dict[tuple[uuid.UUID, str, str, date, bool], dict[str, list[Tax]]] = field(
        default_factory=dict
    )
    _buyers: dict[tuple[uuid.UUID, date], Buyer] = field(default_factory=dict)

    def rates(
        self,
        session: Session,
        entity_id: uuid.UUID,
        place: dict[str, Any],
        on: date,
        included: bool,
    ) -> dict[str, list[Tax]]:
        """The taxes of each category at a place."""
        country, region = str(place.get("country") or ""), str(place.get("region") or "")
        key = (entity_id, country, region, on, included)
        if key not in self._rates:
            self._rates[key] = rates.taxes_by_category(
                session, entity_id, place, on, included=included
            )
        return self._rates[key]

    def buyer(self, session: Session, account: Account, on: date) -> Buyer:
        """Who buys, for taxes."""
        key = (account.id, on)
        if key not in self._buyers:
            known = Known(account.id, account.vat_id or "", self.registered_only)
            self._buyers[key] = buyers.read(session, known, on)
        return self._buyers[key]

    def read_buyers(self, session: Session, by_day: Mapping[date, Sequence[Account]]) -> None:
        """Read some buyers together, in place of those that were read for others."""
        self._buyers = {}
        for on, payers in by_day.items():
            known = [Known(one.id, one.vat_id or "", self.registered_only) for one in payers]
            read = buyers.read_each(session, known, on)
            self._buyers |= {(key, on): buyer for key, buyer in read.items()}


@dataclass(frozen=True)
class Seller:
    """Who bills, in which currency, at prices that contain their taxes or not, on which day."""

    entity: LegalEntity
    currency: str
    included: bool
    on: date


def taxed(
    session: Session,
    table: Table,
    answers: Answers,
    seller: Seller,
    payer: Account,
    lines: Sequence[Asked],
) -> list[TaxedLine]:
    """A taxed line for each; raises Unanswered when another machine has to be asked first."""
    places: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        place = line.place or payer.billing_address or {}
        places.setdefault(json.dumps(_named(place), sort_keys=True), []).append(number)
    found: dict[int, TaxedLine] = {}
    for told, numbers in places.items():
        asked = [lines[number] for number in numbers]
        question = _question(session, table, seller, payer, json.loads(told), asked)
        found.update(zip(numbers, answers.of(question), strict=True))
    return [found[number] for number in range(len(lines))]


def _named(place: dict[str, Any]) -> dict[str, str]:
    return {
        name: str(place.get(name) or "") for name in ("country", "region", "postal_code", "city")
    }


def _question(
    session: Session,
    table: Table,
    seller: Seller,
    payer: Account,
    place: dict[str, str],
    lines: Sequence[Asked],
) -> Question:
    entity = seller.entity
    found = table.rates(session, entity.id, place, seller.on, seller.included)
    buyer = table.buyer(session, payer, seller.on)
    taxes = relieve(found, buyer, entity.country, place)
    return Question(
        seller=entity.code,
        seller_country=entity.country,
        currency=seller.currency,
        rounding=entity.tax_rounding,
        included=seller.included,
        on=seller.on,
        place=Place(**place),
        vat_id=buyer.vat_id,
        lines=tuple(
            AskedLine(line.amount_minor, line.category, taxes.of(line.category)) for line in lines
        ),
    )
