"""VAT ids: their form, checked offline, and whether tax is the buyer's own to account for. Pure.

Forms and check digits are python-stdnum's: the EU's countries, Great Britain, Switzerland and Norway.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from stdnum.ch import vat as swiss
from stdnum.eu import vat as european
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError
from stdnum.gb import vat as british
from stdnum.no import mva as norwegian

from core.kernel.errors import ShopError

EU = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()
)
LONGEST = 20
_PREFIXES = {"EL": "GR", "CH": "CH", "NO": "NO", "GB": "GB"}


@dataclass(eq=False)
class WrongVatId(ShopError):
    """The text has not the form of a VAT id; ``why`` says what is wrong in words."""

    code: ClassVar[str] = "vat_id_wrong"
    text: ClassVar[str] = "{why}"
    why: str


def normal(text: str) -> str:
    """The id as its register writes it, ``DE136695976``. Raises WrongVatId."""
    plain = "".join(sign for sign in text.upper() if sign.isalnum() and sign.isascii())
    if len(plain) < 4 or len(plain) > LONGEST or not plain[:2].isalpha():
        raise WrongVatId("Begin with the two letters of the country, like DE136695976.")
    country = country_of(plain)
    if country not in EU and country not in _PREFIXES.values():
        raise WrongVatId("We know VAT ids of the EU, Great Britain, Switzerland and Norway.")
    try:
        return _checked(plain, country)
    except InvalidLength:
        raise WrongVatId(f"A VAT id of {country} has another length.") from None
    except InvalidChecksum:
        raise WrongVatId("This does not fit its check digit. Is there a digit mistyped?") from None
    except ValidationError:
        raise WrongVatId(f"This does not look like a VAT id of {country}.") from None


def is_same(known: str | None, text: str) -> bool:
    """Is what somebody typed this id?"""
    try:
        return known == normal(text)
    except WrongVatId:
        return False


def _checked(plain: str, country: str) -> str:
    modules: dict[str, Any] = {"CH": swiss, "NO": norwegian}
    if country == "GB":
        return "GB" + str(british.validate(plain))
    number = str(modules.get(country, european).validate(plain))
    return number if number.startswith(plain[:2]) else plain[:2] + number


def country_of(vat_id: str) -> str:
    """The country that gave it, as addresses write it: Greek ids begin with EL."""
    return _PREFIXES.get(vat_id[:2], vat_id[:2])


def is_reverse_charge(seller: str, buyer_vat_id: str, place: str) -> bool:
    """Does a business account for the tax itself: both in the EU, and across a border?

    ``seller`` and ``place`` (where it is delivered or used) are countries.
    """
    across = {country_of(buyer_vat_id), place}
    return bool(buyer_vat_id) and seller in EU and across <= EU and seller not in across
