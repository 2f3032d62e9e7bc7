"""Tables of the second step of staff logging in: the secret of their telephone, and codes without it."""

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id


class SecondFactor(Base):
    """Somebody's secret, sealed. It counts from when a first code proved that their telephone has it."""

    __tablename__ = "second_factor"
    __table_args__ = (
        CheckConstraint("last_step >= 0", name="last_step"),
        CheckConstraint("wrong_in_a_row >= 0", name="wrong_in_a_row"),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"), primary_key=True)
    sealed_secret: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    #: The step of time of the last code that was taken; only later ones are, so that a code works once.
    last_step: Mapped[int] = mapped_column(default=0)
    wrong_in_a_row: Mapped[int] = mapped_column(default=0)


class RecoveryCode(Base):
    """A code that stands in for the telephone once, by its hash."""

    __tablename__ = "recovery_code"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
