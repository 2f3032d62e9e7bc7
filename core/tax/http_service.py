"""An outside tax service by JSON over HTTP: one POST with the question, one answer. See docs/tax.md."""

import http.client
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from core.tax.arithmetic import Tax, Taxed, TaxedLine
from core.tax.service import NoTaxAnswer, Question

_LARGEST = 2_000_000


@dataclass(frozen=True)
class HttpTaxService:
    """Speaks to ``url``; ``timeout`` in seconds bounds connecting and each wait for an answer."""

    url: str
    key: str = field(default="", repr=False)
    timeout: float = 5.0
    calls_out: bool = True

    def answer(self, question: Question) -> Sequence[TaxedLine]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        body = json.dumps(written(question)).encode()
        request = Request(self.url, body, headers)  # noqa: S310  # an address from the settings
        try:
            with urlopen(request, timeout=self.timeout) as response:  # noqa: S310  # as above
                told = json.loads(response.read(_LARGEST))
            return [_line(line) for line in told["lines"]]
        except (URLError, OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
            raise NoTaxAnswer from None


def written(question: Question) -> dict[str, Any]:
    """The question as it is sent: amounts in minor units, rates in parts per million."""
    return {
        "seller": question.seller,
        "seller_country": question.seller_country,
        "currency": question.currency,
        "rounding": question.rounding,
        "prices_include_tax": question.included,
        "date": question.on.isoformat(),
        "place": asdict(question.place),
        "vat_id": question.vat_id,
        "lines": [
            {
                "amount": line.amount_minor,
                "category": line.category,
                "exemptions": sorted(
                    {tax.reference for tax in line.taxes if tax.relief == "exempt"}
                ),
            }
            for line in question.lines
        ],
    }


def _line(told: dict[str, Any]) -> TaxedLine:
    return TaxedLine(_whole(told["net"]), tuple(_taxed(tax) for tax in told["taxes"]))


def _taxed(told: dict[str, Any]) -> Taxed:
    relief = told.get("relief", "")
    if relief not in ("", "exempt", "reverse_charge"):
        raise ValueError(relief)
    tax = Tax(
        _text(told["jurisdiction"]),
        _text(told["name"]),
        _whole(told["rate_ppm"]),
        bool(told.get("inclusive", False)),
        bool(told.get("compound", False)),
        relief,
        _text(told.get("reference", "")),
    )
    if tax.rate_ppm < 0:
        raise ValueError(tax.rate_ppm)
    return Taxed(tax, _whole(told["base"]), _whole(told["amount"]))


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 80:
        raise ValueError(value)
    return value
