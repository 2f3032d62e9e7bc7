"""Another system's invoice file (CSV, one row a line), read row by row into checked lines.

Knows the file and its mapping, nothing of a database. ``flows.import_invoices`` drives it. A row is
named by the line of the file that it begins on; the header is on line 1.
"""

import codecs
import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, ClassVar
from zoneinfo import ZoneInfo

from core.kernel.errors import ShopError
from core.kernel.money import extend, to_micros
from invoices.history_mapping import MappingFile, prefix_of

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_UNREADABLE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SPACE = re.compile(r"[\t\r\n]+")
_CHUNK = 1 << 20

#: Amounts beyond these are slips, and would not fit into the database's integers when summed.
MOST_UNITS = Decimal(1_000_000_000)
MOST_MINOR = 10**13
LONGEST = {"number": 40, "account": 80, "sku": 60, "name": 300, "country": 60}


@dataclass(eq=False)
class HistoryFileWrong(ShopError):
    """The file as a whole cannot be read with this mapping."""

    code: ClassVar[str] = "history_file_wrong"
    text: ClassVar[str] = "{file}: {reason}"
    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of one document, cleaned. ``net_minor`` is rounded half up once, sign as in the file."""

    row: int
    number: str
    moment: datetime
    ref: str
    country: str
    sku: str
    name: str
    quantity: Decimal
    unit_price_micros: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that cannot be taken, and why. ``number`` names its document where it can be told;
    ``breaks_file`` says that from here on nobody knows where rows begin and end."""

    row: int
    column: str
    reason: str
    number: str = ""
    breaks_file: bool = False


class _Cell(Exception):
    """A cell that cannot be taken: what it should mean, and what is wrong."""

    def __init__(self, meaning: str, reason: str) -> None:
        self.meaning, self.reason = meaning, reason


def read(
    path: Path, mapping: MappingFile, now: datetime, told: Callable[[int, int], None]
) -> Iterator[Row | Bad]:
    """Every row of the file, good or bad, in its order; memory holds one row at a time.

    ``told`` hears of bytes read and bytes in all. Raises HistoryFileWrong when the file cannot be
    opened or lacks a column.
    """
    try:
        with path.open("rb") as raw:
            size = path.stat().st_size
            encoding = _encoding(raw, mapping.encoding)
            text = TextIOWrapper(raw, encoding, errors="surrogateescape", newline="")
            for count, found in enumerate(_rows(path, text, mapping, now)):
                if count % 1000 == 0:
                    told(raw.tell(), size)
                yield found
            told(size, size)
    except OSError as error:
        raise HistoryFileWrong(str(path), error.strerror or "cannot be read") from None
    except UnicodeError as error:
        raise HistoryFileWrong(str(path), f"not text: {error}") from None


def _encoding(raw: BinaryIO, fallback: str | None) -> str:
    """UTF-8 when the whole file is, else what the mapping says."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := raw.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return fallback or "utf-8-sig"
    finally:
        raw.seek(0)
    return "utf-8-sig"


def _rows(
    path: Path, text: TextIOWrapper, mapping: MappingFile, now: datetime
) -> Iterator[Row | Bad]:
    lines = csv.reader(text, delimiter=mapping.delimiter, strict=True)
    parser = _Parser(path, _header(path, lines), mapping, now)
    while True:
        row = lines.line_num + 1
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error as error:
            yield Bad(row, "", f"cannot be told apart from its neighbours: {error}", "", True)
            continue
        if cells:
            yield parser.parse(row, cells)


def _header(path: Path, lines: Iterator[list[str]]) -> list[str]:
    try:
        return [cell.strip() for cell in next(lines)]
    except StopIteration:
        raise HistoryFileWrong(str(path), "is empty") from None
    except csv.Error as error:
        raise HistoryFileWrong(str(path), f"its header cannot be read: {error}") from None


class _Parser:
    """Makes a Row or a Bad of a row's cells."""

    def __init__(self, path: Path, header: list[str], mapping: MappingFile, now: datetime) -> None:
        self._names = mapping.columns.by_meaning
        for name in self._names.values():
            if header.count(name) != 1:
                what = "has no" if name not in header else "has more than one"
                found = ", ".join(header)
                raise HistoryFileWrong(str(path), f"{what} column {name!r}; it has {found}")
        self._at = {meaning: header.index(name) for meaning, name in self._names.items()}
        self._width = len(header)
        self._mapping = mapping
        self._now = now
        self._currency = mapping.legal_entity.currency
        zone = ZoneInfo(mapping.legal_entity.time_zone)
        # Rows of one document share their time, so most look-ups are met.
        self._moment = lru_cache(maxsize=64)(
            lambda text: _moment(text, mapping.date_formats, zone, now)
        )

    def parse(self, row: int, cells: list[str]) -> Row | Bad:
        """What stands in one row."""
        number = ""
        try:
            number = self._number(cells)
            if len(cells) != self._width:
                raise _Cell("", f"has {len(cells)} cells where the header has {self._width}")
            return self._row(row, number, cells)
        except _Cell as wrong:
            column = self._names.get(wrong.meaning, wrong.meaning)
            return Bad(row, column, wrong.reason, number)

    def _cell(self, cells: list[str], meaning: str) -> str:
        at = self._at.get(meaning)
        return "" if at is None or at >= len(cells) else cells[at].strip()

    def _text(self, cells: list[str], meaning: str) -> str:
        value = self._cell(cells, meaning)
        if not (value.isascii() and value.isprintable()):
            value = _readable(meaning, value)
        if len(value) > LONGEST[meaning]:
            raise _Cell(meaning, f"is longer than {LONGEST[meaning]} letters: {_shown(value)}")
        return value

    def _number(self, cells: list[str]) -> str:
        number = self._text(cells, "number")
        if not number:
            raise _Cell("number", "is empty")
        return number

    def _row(self, row: int, number: str, cells: list[str]) -> Row:
        if self._mapping.documents.kind_of(number) is None:
            prefix = prefix_of(number)
            what = "has no digit" if prefix == number else f"begins with {prefix!r}"
            raise _Cell("number", f"{what}, which the mapping does not name: {_shown(number)}")
        sku, name = self._text(cells, "sku"), self._text(cells, "name")
        if not sku and not name:
            raise _Cell("name" if "name" in self._at else "sku", "says not what was sold")
        quantity = self._amount(cells, "quantity", decimals=4)
        price = self._amount(cells, "unit_price", decimals=6)
        micros = to_micros(price)
        net = extend(micros, quantity, self._currency).minor
        if abs(net) > MOST_MINOR:
            raise _Cell("unit_price", f"times quantity is too much: {quantity} × {price}")
        moment = self._moment(self._cell(cells, "date"))
        if isinstance(moment, str):
            raise _Cell("date", moment)
        ref, country = self._ref(cells), self._text(cells, "country")
        return Row(row, number, moment, ref, country, sku, name, quantity, micros, net)

    def _amount(self, cells: list[str], meaning: str, decimals: int) -> Decimal:
        text = self._cell(cells, meaning)
        if not _NUMBER.fullmatch(text):
            raise _Cell(meaning, f"is not a number: {_shown(text)}" if text else "is empty")
        value = Decimal(text)
        if abs(value) > MOST_UNITS:
            raise _Cell(meaning, f"is too much: {_shown(text)}")
        _, _, fraction = text.partition(".")
        if len(fraction.rstrip("0")) > decimals:
            raise _Cell(meaning, f"has more than {decimals} decimals: {_shown(text)}")
        return value

    def _ref(self, cells: list[str]) -> str:
        accounts = self._mapping.accounts
        ref = self._text(cells, "account")
        if accounts.drop_suffix and ref != accounts.drop_suffix:
            ref = ref.removesuffix(accounts.drop_suffix)
        if ref == accounts.counter_ref:
            raise _Cell("account", f"is the counter-sales account's own name: {_shown(ref)}")
        return ref or accounts.counter_ref


def _readable(meaning: str, value: str) -> str:
    value = _SPACE.sub(" ", value)
    if _UNREADABLE.search(value):
        raise _Cell(meaning, f"is not in the encoding of the rest: {_shown(value)}")
    if _CONTROL.search(value):
        raise _Cell(meaning, f"has a control character: {_shown(value)}")
    return value


def _moment(text: str, formats: list[str], zone: ZoneInfo, now: datetime) -> datetime | str:
    """The moment that a cell means, in UTC, or what is wrong with it."""
    if not text:
        return "is empty"
    for form in formats:
        try:
            read = datetime.strptime(text, form)  # noqa: DTZ007  # a time without a zone is local
        except ValueError:
            continue
        moment = (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
        if moment > now:
            return f"lies ahead of us: {_shown(text)}"
        return moment if moment.year >= 1900 else f"is before 1900: {_shown(text)}"
    return f"is not a date such as {formats[0]}: {_shown(text)}"


def _shown(value: str) -> str:
    """A cell as it may be printed anywhere: quoted, without control characters, not too long."""
    return repr(value) if len(value) <= 60 else repr(value[:60]) + "…"
