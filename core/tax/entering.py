"""A business's VAT id on its account: written and taken away, each time with a line in the audit log."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.kernel import audit
from core.parties.models import Account
from core.tax import vat_ids


def put(session: Session, account: Account, text: str, actor: str, now: datetime) -> None:
    """Write ``text`` as the account's VAT id; empty takes it away. Raises WrongVatId."""
    number = vat_ids.normal(text) if text.strip() else None
    if number == account.vat_id:
        return
    account.vat_id = number
    about = ("account", account.public_id)
    audit.write(session, now, actor, "vat_id.entered", about, personal={"vat_id": number or ""})
