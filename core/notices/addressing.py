"""Who writes and who is written to: letterheads, and the people who read an account's mails."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.notices.letters import Letterhead, Look, Mark
from core.parties import accounts
from core.parties.models import Account, Channel, LegalEntity, Membership, User

#: Members who are told of bills and payments.
MONEY_ROLES = ("owner", "payer")
_LOCALE = "en_US"


@dataclass(frozen=True)
class Reader:
    """One person to write to. ``suffix`` keeps the keys of several readers apart."""

    address: str
    suffix: str = ""


def readers(session: Session, account: Account) -> list[Reader]:
    """The account's own address; without one, each member who sees to its money."""
    if account.email:
        return [Reader(account.email)]
    members = session.execute(
        select(User.id, User.email)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.account_id == account.id,
            Membership.role.in_(MONEY_ROLES),
            User.disabled_at.is_(None),
        )
        .order_by(Membership.created_at, User.id)
    )
    return [Reader(email, f":{user_id}") for user_id, email in members]


def has_members(session: Session, account_id: uuid.UUID) -> bool:
    """Can anybody log in to see the account? Nobody can for a guest's."""
    found = select(Membership.user_id).where(Membership.account_id == account_id).limit(1)
    return session.scalar(found) is not None


def of_account(session: Session, account: Account) -> Letterhead:
    """The letterhead of the channel that the account came by, or of who bills it."""
    entity = session.get_one(LegalEntity, account.legal_entity_id)
    channel = session.get(Channel, account.channel_id) if account.channel_id else None
    return _letterhead(entity, channel, account.locale, account.time_zone)


def of_channel(
    entity: LegalEntity, channel: Channel, brand: Mapping[str, Any] | None = None
) -> Letterhead:
    """The letterhead of a channel, for somebody who has no account yet; with a brand that is being tried."""
    head = _letterhead(entity, channel, None, channel.time_zone)
    return head if brand is None else replace(head, look=look_of(brand))


def look_of(brand: Mapping[str, Any]) -> Look:
    """What a published brand kit sets on mails."""
    kit = brand.get("kit")
    if not isinstance(kit, Mapping):
        return Look()
    plain = Look()
    typeface = kit.get("typeface")
    return Look(
        light=_colours(kit["light"]),
        dark=_colours(kit["dark"]),
        heads=plain.text if typeface == "sans" else plain.heads,
        text=plain.heads if typeface == "serif" else plain.text,
        mark=_mark(kit.get("mail_mark")),
        leaf=not kit.get("logo"),
    )


def _mark(told: Any) -> Mark | None:
    return Mark(told["sha256"], told["width"], told["height"]) if told else None


def _colours(side: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    names = ("fir", "on-fir", "apricot")
    return tuple((name.replace("-", "_"), str(side[name])) for name in names)


def of_user(session: Session, user_id: uuid.UUID, account_id: uuid.UUID | None) -> Letterhead:
    """The letterhead for somebody who logs in: by the given account, else by one of theirs.

    Staff may have none: then it is the oldest channel's.
    """
    account = session.get(Account, account_id) if account_id else None
    theirs: Sequence[Account] = [account] if account else accounts.of_user(session, user_id)
    if theirs:
        return of_account(session, theirs[0])
    channel = session.scalars(select(Channel).order_by(Channel.id).limit(1)).one()
    entity = session.get_one(LegalEntity, channel.legal_entity_id)
    return _letterhead(entity, channel, None, channel.time_zone)


def _letterhead(
    entity: LegalEntity, channel: Channel | None, locale: str | None, time_zone: str
) -> Letterhead:
    brand = channel.brand if channel else {}
    address = str(brand.get("address") or "")
    return Letterhead(
        name=channel.name if channel else entity.name,
        legal_name=entity.name,
        address=(address,) if address else tuple(str(line) for line in entity.address),
        phone=str(brand.get("phone") or entity.phone or ""),
        hours=str(brand.get("hours") or ""),
        email=str(brand.get("email") or entity.email or ""),
        locale=locale or (channel.locale if channel else _LOCALE),
        time_zone=time_zone,
        look=look_of(brand),
    )
