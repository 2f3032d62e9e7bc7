"""A business's VAT id on its account: written and taken away, each time with a line in the audit log."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel import audit
from core.parties.models import Account, Membership
from core.tax import vat_ids


def put(session: Session, account: Account, text: str, actor: str, now: datetime) -> None:
    """Write ``text`` as the account's VAT id; empty takes it away. Raises WrongVatId."""
    number = vat_ids.normal(text) if text.strip() else None
    if number == account.vat_id:
        return
    account.vat_id = number
    about = ("account", account.public_id)
    audit.write(session, now, actor, "vat_id.entered", about, personal={"vat_id": number or ""})


def owned_by(session: Session, user_id: uuid.UUID) -> Sequence[Account]:
    """The accounts whose tax details a user may change: those that they own."""
    return session.scalars(
        select(Account)
        .join(Membership, Membership.account_id == Account.id)
        .where(Membership.user_id == user_id, Membership.role == "owner")
        .order_by(Account.created_at, Account.id)
    ).all()
