"""What taxes need to know of who buys, read from the books: certificates, and a VAT id that counts."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from core.tax import exemptions, register
from core.tax.relief import ANYBODY, Buyer


@dataclass(frozen=True)
class Known:
    """Who buys, as far as it is known. ``registered_only``: a VAT id counts when its register says so."""

    account_id: uuid.UUID | None = None
    vat_id: str = ""
    registered_only: bool = False


NOBODY = Known()


def read(session: Session, known: Known, on: date) -> Buyer:
    """The buyer for the taxes of a day. An id that the register has not confirmed does not count."""
    if known == NOBODY:
        return ANYBODY
    certificates = (
        exemptions.holding(session, known.account_id, on) if known.account_id is not None else ()
    )
    return Buyer(certificates, known.vat_id if _counts(session, known) else "")


def read_each(session: Session, buyers: Sequence[Known], on: date) -> dict[uuid.UUID, Buyer]:
    """``read`` for each of some accounts: one question, and one more for each VAT id."""
    keys = [known.account_id for known in buyers if known.account_id is not None]
    certificates = exemptions.holding_each(session, keys, on)
    return {
        known.account_id: Buyer(
            certificates.get(known.account_id, ()),
            known.vat_id if _counts(session, known) else "",
        )
        for known in buyers
        if known.account_id is not None
    }


def _counts(session: Session, known: Known) -> bool:
    """What the register was asked about counts when it confirmed it; where it is asked, nothing else does."""
    if not known.vat_id:
        return False
    check = register.last(session, known.vat_id)
    if check is None:
        return not known.registered_only
    return check.outcome == "valid"
