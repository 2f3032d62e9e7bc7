"""What is open now, kept beside the items by triggers so that an account with a long history answers at
once. A shortcut only: the truth is item less applications, and ``proofs`` compares the two.

A row is there as long as something is open. Its CHECK refuses, also between two writers that know
nothing of each other, to apply more than an item has.
"""

import uuid
from datetime import date

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel import guards
from core.kernel.db import Base
from core.ledger.models import Application, OpenItem


class OpenNow(Base):
    """How much of an item is open now. Written by the triggers below and by nobody else."""

    __tablename__ = "open_now"
    __table_args__ = (
        CheckConstraint("open_minor >= 0", name="not_below_zero"),
        # Sums over what an account owes read nothing but this.
        Index(
            "ix_open_now_due",
            *("account_id", "ledger_code", "due", "item_id", "currency", "open_minor"),
        ),
    )

    #: Of an open item; without a foreign key, for the trigger copies it from the item's own row.
    item_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    legal_entity_id: Mapped[uuid.UUID]
    account_id: Mapped[uuid.UUID | None]
    ledger_code: Mapped[str] = mapped_column(String(40))
    side: Mapped[str] = mapped_column(String(6))
    currency: Mapped[str] = mapped_column(String(3))
    #: Since when it is due: the due date, or for what has none its own day.
    due: Mapped[date]
    open_minor: Mapped[int]


_COLUMNS = "item_id, legal_entity_id, account_id, ledger_code, side, currency, due, open_minor"
_OPENED = f"""
INSERT INTO open_now ({_COLUMNS}) VALUES (NEW.id, NEW.legal_entity_id, NEW.account_id,
  NEW.ledger_code, NEW.side, NEW.currency, COALESCE(NEW.due_date, NEW.effective_date),
  NEW.amount_minor);
""".strip()  # noqa: S608  # columns of ours


def _applied(item: str) -> str:
    """Take an application off one item; a settled item that is opened again gets its row back."""
    return f"""
  INSERT INTO open_now ({_COLUMNS})
    SELECT id, legal_entity_id, account_id, ledger_code, side, currency,
      COALESCE(due_date, effective_date), 0
    FROM open_item WHERE id = {item} AND NOT EXISTS
      (SELECT 1 FROM open_now WHERE item_id = {item});
  UPDATE open_now SET open_minor = open_minor - NEW.amount_minor WHERE item_id = {item};
  DELETE FROM open_now WHERE item_id = {item} AND open_minor = 0;
""".strip()  # noqa: S608  # columns of ours


guards.install(
    OpenItem.__table__,
    "sqlite",
    [f"CREATE TRIGGER open_item_is_open AFTER INSERT ON open_item BEGIN {_OPENED} END"],
)
guards.install(
    OpenItem.__table__,
    "postgresql",
    [
        "CREATE OR REPLACE FUNCTION open_item_is_open() RETURNS trigger LANGUAGE plpgsql "
        f"AS $body$\nBEGIN\n{_OPENED}\nRETURN NULL;\nEND $body$",
        "CREATE TRIGGER open_item_is_open AFTER INSERT ON open_item "
        "FOR EACH ROW EXECUTE FUNCTION open_item_is_open()",
    ],
)
for _side in ("debit_item_id", "credit_item_id"):
    _item = f"NEW.{_side}"
    guards.install(
        Application.__table__,
        "sqlite",
        [
            f"CREATE TRIGGER application_{_side} AFTER INSERT ON application\n"
            f"WHEN {_item} IS NOT NULL\nBEGIN {_applied(_item)} END"
        ],
    )
    guards.install(
        Application.__table__,
        "postgresql",
        [
            f"CREATE OR REPLACE FUNCTION application_{_side}() RETURNS trigger LANGUAGE plpgsql "
            f"AS $body$\nBEGIN\n{_applied(_item)}\nRETURN NULL;\nEND $body$",
            f"CREATE TRIGGER application_{_side} AFTER INSERT ON application FOR EACH ROW "
            f"WHEN ({_item} IS NOT NULL) EXECUTE FUNCTION application_{_side}()",
        ],
    )
