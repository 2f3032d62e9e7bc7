"""The register of VAT ids: a port, and VIES behind it. Asked outside of transactions; answers are kept.

``flows.vat_ids`` asks; ``buyers`` reads what was answered.
"""

import http.client
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.error import URLError
from urllib.request import Request, urlopen

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.tax.models import VatCheck

VIES = "https://ec.europa.eu/taxation_customs/vies/rest-api/check-vat-number"
#: An answer counts this long; then the register is asked again.
KEPT = timedelta(days=30)
_LARGEST = 100_000


@dataclass(frozen=True)
class Verdict:
    """``valid``, ``invalid`` or ``no_answer``; who it is; the register's number of the question."""

    outcome: str
    name: str = ""
    reference: str = ""


class VatRegister(Protocol):
    """Answers whether a VAT id is in use. It never raises for a register that is down."""

    def check(self, number: str) -> Verdict: ...


@dataclass(frozen=True)
class Vies:
    """The EU's register. It knows ids of its members and of Northern Ireland; of others it has no answer."""

    url: str = VIES
    timeout: float = 6.0

    def check(self, number: str) -> Verdict:
        asked = {"countryCode": number[:2], "vatNumber": number[2:]}
        request = Request(  # noqa: S310  # an address from the settings
            self.url,
            json.dumps(asked).encode(),
            {"Content-Type": "application/json", "Accept": "application/json"},
        )
        try:
            with urlopen(request, timeout=self.timeout) as response:  # noqa: S310  # as above
                told = json.loads(response.read(_LARGEST))
        except (URLError, OSError, http.client.HTTPException, ValueError):
            return Verdict("no_answer")
        return _verdict(told)


def _verdict(told: Any) -> Verdict:
    valid = told.get("valid") if isinstance(told, dict) else None
    if not isinstance(valid, bool):
        return Verdict("no_answer")
    name = str(told.get("name") or "")
    reference = str(told.get("requestIdentifier") or "")
    return Verdict("valid" if valid else "invalid", _short(name, 200), _short(reference, 80))


def _short(text: str, longest: int) -> str:
    plain = " ".join(text.split())
    return "" if set(plain) <= {"-"} else plain[:longest]


def note(session: Session, number: str, verdict: Verdict, now: datetime) -> None:
    """Keep an answer."""
    session.add(
        VatCheck(
            number=number,
            asked_at=now,
            outcome=verdict.outcome,
            name=verdict.name,
            reference=verdict.reference,
        )
    )


def last(session: Session, number: str) -> VatCheck | None:
    """The last yes or no about an id; when there is none, the last silence."""
    known = VatCheck.outcome != "no_answer"
    query = select(VatCheck).where(VatCheck.number == number)
    query = query.order_by(known.desc(), VatCheck.asked_at.desc(), VatCheck.id.desc())
    return session.scalars(query.limit(1)).first()


def is_fresh(check: VatCheck | None, now: datetime) -> bool:
    """Is it an answer that still counts?"""
    return check is not None and check.outcome != "no_answer" and now - check.asked_at < KEPT
