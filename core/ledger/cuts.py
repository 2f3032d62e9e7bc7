"""Which part of the books a report speaks of: up to a day, up to a posting number, one legal entity."""

import functools
import uuid
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, exists, select
from sqlalchemy.orm import Session

from core.ledger.models import Application, JournalEntry, OpenItem


@dataclass(frozen=True)
class Cut:
    """The books of a legal entity, up to and with a day (effective) and a posting number.

    None takes everything. A backdated entry changes what was on a day, never what was at a number.
    """

    legal_entity_id: uuid.UUID
    as_of: date | None = None
    posting: int | None = None

    @property
    def whole(self) -> bool:
        """Nothing is left out."""
        return self.as_of is None and self.posting is None

    def entries(self) -> list[ColumnElement[bool]]:
        """The condition on journal entries."""
        found: list[ColumnElement[bool]] = [JournalEntry.legal_entity_id == self.legal_entity_id]
        if self.as_of is not None:
            found.append(JournalEntry.effective_date <= self.as_of)
        if self.posting is not None:
            found.append(JournalEntry.posting_number <= self.posting)
        return found

    def items(self) -> list[ColumnElement[bool]]:
        """The condition on open items."""
        return [OpenItem.legal_entity_id == self.legal_entity_id, *self._dated(OpenItem)]

    def applications(self) -> list[ColumnElement[bool]]:
        """The condition on applications; their items are of the legal entity."""
        return self._dated(Application)

    def _dated(self, table: Any) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.as_of is not None:
            found.append(table.effective_date <= self.as_of)
        if self.posting is not None:
            found.append(
                exists().where(
                    JournalEntry.id == table.entry_id, JournalEntry.posting_number <= self.posting
                )
            )
        return found


def settle(session: Session, cut: Cut) -> Cut:
    """The same cut, without a bound beyond which there is nothing: that is quicker to read."""
    entity = cut.legal_entity_id
    if cut.as_of is not None:
        asked = {"entity": entity, "bound": cut.as_of}
        if session.scalar(_later("effective_date"), asked) is None:
            cut = replace(cut, as_of=None)
    if cut.posting is not None:
        numbered = {"entity": entity, "bound": cut.posting}
        if session.scalar(_later("posting_number"), numbered) is None:
            cut = replace(cut, posting=None)
    return cut


@functools.cache
def _later(column: str) -> Select[uuid.UUID]:
    """An entry beyond a bound."""
    bounded: Any = getattr(JournalEntry, column)
    mine = JournalEntry.legal_entity_id == bindparam("entity")
    return select(JournalEntry.id).where(mine, bounded > bindparam("bound")).limit(1)
