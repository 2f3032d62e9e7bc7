"""Who is relieved of which tax: by certificate, or because they account for it themselves. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.tax import vat_ids
from core.tax.arithmetic import EXEMPT, REVERSE_CHARGE, Tax


@dataclass(frozen=True)
class Certificate:
    """Frees from the taxes of some jurisdictions on some categories; none named: of all, on all."""

    number: str
    jurisdictions: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()

    def covers(self, tax: Tax, category: str) -> bool:
        """Is this tax on this category not charged?"""
        here = not self.jurisdictions or tax.jurisdiction in self.jurisdictions
        return here and (not self.categories or category in self.categories)


@dataclass(frozen=True)
class Buyer:
    """What taxes need to know of who buys. ``vat_id`` is one that we may rely on, or empty."""

    certificates: tuple[Certificate, ...] = ()
    vat_id: str = ""


ANYBODY = Buyer()


@dataclass(frozen=True)
class Taxes:
    """The taxes at one place for one buyer, by category."""

    by_category: Mapping[str, Sequence[Tax]]
    #: For a category that no rate names.
    otherwise: tuple[Tax, ...] = ()

    def of(self, category: str) -> tuple[Tax, ...]:
        """The taxes of a category, each saying whether it is charged."""
        return tuple(self.by_category.get(category, self.otherwise))


def relieve(
    by_category: Mapping[str, Sequence[Tax]],
    buyer: Buyer,
    seller: str,
    place: Mapping[str, Any] | None,
) -> Taxes:
    """The taxes of ``place`` as ``buyer`` meets them; ``seller`` is the country that we bill from.

    Where a business accounts for VAT itself and we have no rate, a line still tells the base.
    """
    country = str((place or {}).get("country") or "")
    if vat_ids.is_reverse_charge(seller, buyer.vat_id, country):
        found = {
            category: tuple(
                replace(tax, relief=REVERSE_CHARGE, reference=buyer.vat_id) for tax in taxes
            )
            for category, taxes in by_category.items()
        }
        nameless = Tax(country, "VAT", 0, relief=REVERSE_CHARGE, reference=buyer.vat_id)
        return Taxes(found, () if found else (nameless,))
    if not buyer.certificates:
        return Taxes(by_category)
    return Taxes(
        {
            category: tuple(_freed(tax, category, buyer) for tax in taxes)
            for category, taxes in by_category.items()
        }
    )


def _freed(tax: Tax, category: str, buyer: Buyer) -> Tax:
    for certificate in buyer.certificates:
        if certificate.covers(tax, category):
            return replace(tax, relief=EXEMPT, reference=certificate.number)
    return tax
