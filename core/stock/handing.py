"""Holds that pass from one cart to another with their line, as they are: until when, and how many."""

import uuid

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.stock.holds import Owner
from core.stock.levels import IS_ACTIVE
from core.stock.models import Hold


def over(session: Session, giver: Owner, taker: Owner, line_id: uuid.UUID) -> None:
    """What is held for a line of one owner is held for the other."""
    session.execute(
        update(Hold)
        .where(
            Hold.owner_kind == giver.kind,
            Hold.owner_id == giver.id,
            Hold.line_id == line_id,
            IS_ACTIVE,
        )
        .values(owner_kind=taker.kind, owner_id=taker.id)
        .execution_options(synchronize_session=False)
    )
