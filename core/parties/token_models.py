"""Table of the tokens by which programs come in: a customer's own, and the keys that staff hand out."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.db import Base
from core.kernel.ids import new_id, new_public_id


class ApiToken(Base):
    """A secret of one program, by its hash. ``user`` speaks for its user, ``staff`` is a desk's key."""

    __tablename__ = "api_token"
    __table_args__ = (
        CheckConstraint("kind IN ('user', 'staff')", name="kind"),
        CheckConstraint("expires_on IS NULL OR expires_on > created_on", name="expires"),
        Index("ix_api_token_user_id", "user_id", "created_at"),
        Index("ix_api_token_kind", "kind", "created_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_public_id)
    kind: Mapped[str] = mapped_column(String(10))
    #: Whose it is; of a staff key, who made it.
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("user.id"))
    name: Mapped[str] = mapped_column(String(80))
    #: How it begins, to know it again by.
    beginning: Mapped[str] = mapped_column(String(20))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[Any]]
    created_at: Mapped[datetime]
    created_on: Mapped[date]
    #: The first day on which it opens nothing any more.
    expires_on: Mapped[date | None]
    revoked_at: Mapped[datetime | None]
    last_used_on: Mapped[date | None]
