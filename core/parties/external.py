"""Legal entities and accounts as another system knows them: found by that system's ids, or made.

Used where history comes in, so everything here takes many at a time and may be run again.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.kernel.db import insert_once
from core.kernel.errors import ShopError
from core.kernel.ids import new_id, new_public_id
from core.parties.accounts import new_number
from core.parties.models import Account, LegalEntity


@dataclass(eq=False)
class EntityDiffers(ShopError):
    """A legal entity of that code is here, but it is another one than was described."""

    code: ClassVar[str] = "legal_entity_differs"
    text: ClassVar[str] = "Legal entity {entity} has {what} {here} here, not {wanted}."
    entity: str
    what: str
    here: str
    wanted: str


@dataclass(frozen=True)
class NewEntity:
    """What is known of a legal entity that may have to be made."""

    code: str
    name: str
    country: str
    currency: str
    time_zone: str
    address: Sequence[str] = ()


@dataclass(frozen=True)
class Known:
    """An account that another system's id led to."""

    id: uuid.UUID
    number: str
    name: str


def entity(session: Session, new: NewEntity) -> tuple[LegalEntity, bool]:
    """The legal entity of that code, and whether it was made just now (then it has no chart yet).

    Raises EntityDiffers when the one that is here has another currency, time zone or country.
    """
    key = new_id()
    insert_once(
        session,
        LegalEntity,
        id=key,
        code=new.code,
        name=new.name,
        address=list(new.address),
        country=new.country,
        time_zone=new.time_zone,
        functional_currency=new.currency,
    )
    found = session.scalars(select(LegalEntity).where(LegalEntity.code == new.code)).one()
    for what, here, wanted in (
        ("currency", found.functional_currency, new.currency),
        ("time zone", found.time_zone, new.time_zone),
        ("country", found.country, new.country),
    ):
        if here != wanted:
            raise EntityDiffers(new.code, what, here, wanted)
    return found, found.id == key


def lock_entity(session: Session, entity_id: uuid.UUID) -> LegalEntity:
    """The legal entity, locked: who brings history in does so one after the other.

    Rows that refer to it may be written meanwhile, so the shop is not held up.
    """
    return session.get_one(LegalEntity, entity_id, with_for_update={"key_share": True})


def accounts(
    session: Session,
    entity: LegalEntity,
    names: Mapping[str, str],
    kind: str,
    now: datetime,
) -> dict[str, Known]:
    """The accounts of a legal entity by another system's id; those that are missing are opened.

    ``names`` are what to call a new account, by that id. An account that is here keeps its name.
    """
    found = _find(session, entity.id, list(names))
    while missing := [ref for ref in names if ref not in found]:
        # A random number may be taken: then that row stays out, and its next one is tried.
        rows = [
            {
                "id": new_id(),
                "public_id": new_public_id(),
                "number": new_number(),
                "legal_entity_id": entity.id,
                "kind": kind,
                "name": names[ref],
                "currency": entity.functional_currency,
                "time_zone": entity.time_zone,
                "bill_day": 1,
                "external_ref": ref,
                "created_at": now,
            }
            for ref in missing
        ]
        build = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        session.execute(build.insert(Account.__table__).on_conflict_do_nothing(), rows)
        found |= _find(session, entity.id, missing)
    return found


def _find(session: Session, entity_id: uuid.UUID, refs: Sequence[str]) -> dict[str, Known]:
    rows = session.execute(
        select(Account.external_ref, Account.id, Account.number, Account.name).where(
            Account.legal_entity_id == entity_id, Account.external_ref.in_(refs)
        )
    )
    return {ref: Known(key, number, name) for ref, key, number, name in rows if ref is not None}
