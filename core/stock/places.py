"""A level at each place for a thing that is new, with nothing there yet."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.db import insert_once
from core.kernel.ids import new_id
from core.stock.models import Location, StockLevel


def open_levels(session: Session, variant_id: uuid.UUID) -> None:
    """One at each place; those that are there stay."""
    for location_id in session.scalars(select(Location.id).order_by(Location.code)).all():
        insert_once(
            session, StockLevel, id=new_id(), variant_id=variant_id, location_id=location_id
        )
