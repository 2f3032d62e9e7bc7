"""The mapping file: what another system's invoice file means, in a merchant's own words (TOML).

``docs/import.md`` explains it to people; a wrong or unknown key stops the import before a row is read.
"""

import codecs
import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from babel import Locale
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from core.kernel.errors import ShopError
from core.kernel.money import minor_digits

_PREFIX = re.compile(r"^\D*", re.ASCII)


@dataclass(eq=False)
class MappingWrong(ShopError):
    """A mapping file that cannot be used, with the key that is wrong."""

    code: ClassVar[str] = "mapping_wrong"
    text: ClassVar[str] = "{file}: {key}: {reason}"
    file: str
    key: str
    reason: str


def _currency(value: str) -> str:
    minor_digits(value)
    return value


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError):
        raise ValueError(f"not a time zone: {value!r}") from None
    return value


def _encoding(value: str) -> str:
    try:
        return codecs.lookup(value).name
    except LookupError:
        raise ValueError(f"not an encoding: {value!r}") from None


def _locale(value: str) -> str:
    try:
        Locale.parse(value, sep="-")
    except Exception:
        raise ValueError(f"not a locale such as en-GB: {value!r}") from None
    return value


def _date_format(value: str) -> str:
    sample = datetime(2010, 12, 31, 8, 26, tzinfo=UTC)
    try:
        # Only the day has to survive: a format may have no time of day.
        read = datetime.strptime(sample.strftime(value), value)  # noqa: DTZ007  # the zone is the legal entity's
    except ValueError as error:
        raise ValueError(f"not a date format: {error}") from None
    if read.date() != sample.date():
        raise ValueError(f"does not say year, month and day: {value!r}")
    return value


def _text(longest: int) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=longest)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Entity(_Part):
    """Who billed: found by ``code``, or made when the shop has none of that code."""

    code: Annotated[str, _text(40)]
    name: Annotated[str, _text(200)]
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
    currency: Annotated[str, AfterValidator(_currency)]
    time_zone: Annotated[str, AfterValidator(_time_zone)]
    address: list[str] = []


class Columns(_Part):
    """The file's own column names for what we read; any other column is left alone."""

    number: str
    date: str
    quantity: str
    unit_price: str
    sku: str | None = None
    name: str | None = None
    account: str | None = None
    country: str | None = None

    @model_validator(mode="after")
    def _says_what_was_sold(self) -> Self:
        if self.sku is None and self.name is None:
            raise ValueError("one of sku and name is needed")
        named = list(self.by_meaning.values())
        if len(set(named)) != len(named):
            raise ValueError("one column stands for two things")
        return self

    @cached_property
    def by_meaning(self) -> dict[str, str]:
        """Column names by what they mean to us."""
        return {key: str(name) for key, name in self.model_dump().items() if name is not None}


class Accounts(_Part):
    """Who was billed. Lines without a customer go to one counter-sales account."""

    name: Annotated[str, _text(80)] = "Customer {ref}"
    kind: Literal["person", "organisation"] = "person"
    drop_suffix: str = ""
    counter_ref: Annotated[str, _text(80)] = "counter-sales"
    counter_name: Annotated[str, _text(200)] = "Counter sales"

    @model_validator(mode="after")
    def _names_its_customer(self) -> Self:
        if "{ref}" not in self.name:
            raise ValueError("name must contain {ref}")
        return self

    def name_of(self, ref: str) -> str:
        """The name of the account that the other system called ``ref``."""
        return self.counter_name if ref == self.counter_ref else self.name.replace("{ref}", ref)


class Documents(_Part):
    """What a number's prefix (all before its first digit) means, and what becomes of odd ones."""

    kinds: dict[str, Literal["invoice", "credit_memo"]] = {"": "invoice"}
    below_zero: Literal["bad", "credit_memo"] = "bad"
    terms_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    locale: Annotated[str, AfterValidator(_locale)] = "en-US"

    @model_validator(mode="after")
    def _prefixes_have_no_digit(self) -> Self:
        wrong = [prefix for prefix in self.kinds if _PREFIX.sub("", prefix)]
        if wrong:
            raise ValueError(f"a prefix ends before the first digit: {wrong[0]!r}")
        return self

    def kind_of(self, number: str) -> str | None:
        """``invoice`` or ``credit_memo``; None when the mapping does not name the prefix."""
        prefix = prefix_of(number)
        return None if prefix == number else self.kinds.get(prefix)


class MappingFile(_Part):
    """A whole mapping file. ``name`` becomes the series of the numbers: ``import:NAME``."""

    name: Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9-]{0,32}$")]
    encoding: Annotated[str, AfterValidator(_encoding)] | None = None
    delimiter: Annotated[str, StringConstraints(pattern="^[,;|\t]$")] = ","
    date_formats: Annotated[list[Annotated[str, AfterValidator(_date_format)]], Field(min_length=1)]
    legal_entity: Entity
    columns: Columns
    accounts: Accounts = Accounts()
    documents: Documents = Documents()

    @property
    def series(self) -> str:
        """The series that imported numbers stand in."""
        return f"import:{self.name}"


def prefix_of(number: str) -> str:
    """All of a document's number before its first digit."""
    found = _PREFIX.match(number)
    return found.group() if found else ""


def load(path: Path) -> MappingFile:
    """Read a mapping file. Raises MappingWrong for the first thing that cannot be used."""
    try:
        return MappingFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise MappingWrong(str(path), "the file", error.strerror or "cannot be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingWrong(str(path), "the file", f"not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise MappingWrong(str(path), key, _plain(first["msg"])) from None


def _plain(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
