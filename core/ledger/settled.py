"""Bills of an account on which lately nothing is open any more, for ``flows.tell_programs``."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.ledger import items
from core.ledger.models import Application, OpenItem


def lately(session: Session, account_id: uuid.UUID, since: datetime) -> Sequence[uuid.UUID]:
    """The sources of an account's debit items to which something was applied since then, and of which
    nothing is open. What was brought in from another system is left out."""
    touched = session.scalars(
        select(OpenItem.source_id)
        .join(Application, Application.debit_item_id == OpenItem.id)
        .where(
            OpenItem.account_id == account_id,
            OpenItem.is_history.is_(False),
            Application.posted_at >= since,
        )
        .distinct()
    ).all()
    if not touched:
        return []
    standing = items.of_sources(session, touched)
    return [key for key in touched if key in standing and not standing[key].open]
