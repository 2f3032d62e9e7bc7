"""One trial each: what counts as the same account, card, address and e-mail, and the rows that keep it so.

Stored are digests under the shop's secret: they tell that two are the same, and nothing else.
"""

import hashlib
import hmac
import re
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.kernel.db import insert_once
from core.kernel.errors import ShopError
from core.kernel.ids import new_id
from core.prices import plans
from core.prices.models import Plan
from core.subscriptions.trial_models import TrialClaim

_WORDS = re.compile(r"[^\W_]+")
#: Words of an address that people write in several ways, or leave out.
_SAME = {
    "street": "st",
    "avenue": "ave",
    "av": "ave",
    "road": "rd",
    "drive": "dr",
    "lane": "ln",
    "court": "ct",
    "place": "pl",
    "square": "sq",
    "boulevard": "blvd",
    "highway": "hwy",
    "parkway": "pkwy",
    "terrace": "ter",
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
    "saint": "st",
}
_LEFT_OUT = frozenset({"apartment", "apt", "flat", "unit", "suite", "ste", "no", "number", "floor"})
#: Where dots in front of the @ mean nothing.
_DOTLESS = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}


@dataclass(eq=False)
class TrialRefused(ShopError):
    """There has been a trial already: ``kind`` says by what it was known again."""

    code: ClassVar[str] = "trial_refused"
    text: ClassVar[str] = (
        "We cannot give another trial here: there is one for each household, card and e-mail address. "
        "The plan itself can begin today."
    )
    kind: str


def same_email(email: str) -> str:
    """An e-mail address without what its owner may add at will."""
    name, _, domain = email.strip().lower().rpartition("@")
    name = name.partition("+")[0]
    if domain in _DOTLESS:
        name, domain = name.replace(".", ""), _DOTLESS[domain]
    return f"{name}@{domain}"


def same_address(address: Mapping[str, Any]) -> str:
    """A place however it is written: without names, accents, punctuation and the words for a flat."""
    street = _sign(address, "line1") + _sign(address, "line2")
    town = _sign(address, "postal_code")
    if str(address.get("country") or "").upper() == "US":
        town = town[:5]
    return f"{street}|{town or _sign(address, 'city')}|{_sign(address, 'country')}"


def _sign(address: Mapping[str, Any], name: str) -> str:
    plain = unicodedata.normalize("NFKD", str(address.get(name) or "")).casefold()
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    # An apostrophe is inside a word; everything else that is no letter ends one.
    words = _WORDS.findall(plain.replace("'", "").replace("’", ""))
    return "".join(_SAME.get(word, word) for word in words if word not in _LEFT_OUT)


def digest(secret: str, family: str, kind: str, value: str) -> str:
    """What is stored of it."""
    told = f"trial-claim:{family}:{kind}:{value}"
    return hmac.new(secret.encode(), told.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Claims:
    """What a trial is known by: kind → value, already made the same."""

    secret: str
    family: str
    values: Mapping[str, str]

    def digests(self) -> list[tuple[str, str]]:
        """Kind and digest, in one order for everybody, so that two never wait for each other."""
        return [
            (kind, digest(self.secret, self.family, kind, value))
            for kind, value in sorted(self.values.items())
        ]


def family_of(session: Session, variant_id: uuid.UUID) -> str:
    """What counts as one when it is tried: the plan's family, else the plan itself."""
    return family(plans.of_variants(session, [variant_id]).get(variant_id), variant_id)


def family(plan: Plan | None, variant_id: uuid.UUID) -> str:
    """The same of a plan that was read before."""
    return plan.family if plan is not None and plan.family else variant_id.hex


def of_person(
    secret: str, family: str, account_id: uuid.UUID, email: str, address: Mapping[str, Any]
) -> Claims:
    """What is claimed when somebody asks for a trial."""
    values = {
        "account": account_id.hex,
        "address": same_address(address),
        "email": same_email(email),
    }
    return Claims(secret, family, values)


def of_card(secret: str, family: str, fingerprint: str) -> Claims:
    """What is claimed when their card is stored."""
    return Claims(secret, family, {"card": fingerprint})


def claim(session: Session, trial_id: uuid.UUID, claims: Claims, now: datetime) -> None:
    """Claim all of it for a trial, or raise TrialRefused: the caller's transaction then keeps nothing.

    Claiming again for the same trial is no change.
    """
    for kind, told in claims.digests():
        is_new = insert_once(
            session,
            TrialClaim,
            id=new_id(),
            trial_id=trial_id,
            family=claims.family,
            kind=kind,
            digest=told,
            created_at=now,
        )
        if not is_new and _whose(session, claims.family, kind, told) != trial_id:
            raise TrialRefused(kind)


def _whose(session: Session, family: str, kind: str, told: str) -> uuid.UUID | None:
    return session.scalar(
        select(TrialClaim.trial_id).where(
            TrialClaim.family == family, TrialClaim.kind == kind, TrialClaim.digest == told
        )
    )


def free(session: Session, trial_id: uuid.UUID) -> None:
    """Give up what a trial claimed that never began."""
    session.execute(delete(TrialClaim).where(TrialClaim.trial_id == trial_id))
