"""Tokens for programs: made, shown once, found by their hash, revoked.

A customer's token speaks for its user, within their memberships; a staff key is for the desk's side of the
API. What each may do stands in its scopes. Called by the portal, the desk and the API.
"""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.orm import Session

from core.kernel import audit
from core.kernel.db import changed
from core.kernel.errors import Invalid, NotFound, ShopError
from core.kernel.ids import token_hash
from core.kernel.looking import found_in
from core.kernel.sorting import By, Place, Sorts
from core.parties import roles
from core.parties.models import User
from core.parties.roles import Role
from core.parties.token_models import ApiToken

USER, STAFF = "user", "staff"
#: What a token may be good for, with the words for people.
SCOPES = {
    USER: {
        "services:read": "See services, usage and trials",
        "services:write": "Change, pause and cancel services, begin trials",
        "quotes:read": "See quotes",
        "quotes:write": "Ask for quotes, write, accept and decline",
        "payments:read": "See cards on file, AutoPay and planned payments",
        "payments:write": "Change cards and AutoPay, plan and cancel payments",
        "billing:read": "See what is past due",
        "billing:write": "Promise to pay what is past due by a day",
        "disputes:read": "See disputes of bills",
        "disputes:write": "Dispute bills, write and take back",
    },
    STAFF: {
        "subscriptions:read": "See everybody's services",
        "subscriptions:write": "Activate, change, pause and end services",
        "usage:write": "Report usage",
        "trials:read": "See what can be tried",
        "trials:write": "Offer plans to be tried, and set how",
        "quotes:read": "See everybody's quotes",
        "quotes:write": "Write, approve, send and withdraw quotes",
        "payments:read": "See everybody’s cards on file, AutoPay and planned payments",
        "billing:read": "See bill runs, parked accounts and who is past due",
        "disputes:read": "See everybody's disputes",
        "disputes:write": "Answer disputes and agree as the second person",
        "chargebacks:read": "See what card networks take back",
        "chargebacks:write": "Keep and send evidence about it",
        "products:read": "See products, archived ones too",
        "products:write": "Make, change, price and archive products",
        "orders:read": "See everybody's orders",
        "orders:write": "Send, fulfil, cancel and take back orders",
        "orders:approve": "Approve orders that are held, and set which are",
        "refunds:write": "Give money of orders back",
        "stock:read": "See the stock",
        "stock:write": "Correct the stock",
        "delivery:read": "See ways of delivery and times for visits",
        "delivery:write": "Keep ways of delivery, times for visits and what checkout asks to agree to",
        "customers:read": "See customers",
        "customers:write": "Open and change customers' accounts",
        "billing:run": "Start bill runs and release accounts",
        "webhooks:read": "See webhooks and what was sent",
        "webhooks:write": "Add, change and remove webhooks, send again",
        "content:read": "See pages that are being written, pictures and videos",
        "content:write": "Write, publish and withdraw pages, upload pictures and videos",
    },
}
#: For which roles at the desk each scope of a staff key is; a key can no more than whoever made it.
SCOPE_ROLES = {
    "subscriptions:read": frozenset({Role.SALES, Role.BILLING, Role.SUPPORT}),
    "subscriptions:write": frozenset({Role.SALES, Role.SUPPORT}),
    "trials:read": frozenset({Role.SALES}),
    "trials:write": frozenset({Role.SALES}),
    "usage:write": frozenset({Role.BILLING, Role.SUPPORT}),
    "quotes:read": frozenset({Role.SALES}),
    "quotes:write": frozenset({Role.SALES}),
    "payments:read": frozenset({Role.BILLING, Role.SUPPORT}),
    "disputes:read": frozenset({Role.BILLING, Role.SUPPORT}),
    "disputes:write": frozenset({Role.BILLING, Role.SUPPORT}),
    "chargebacks:read": frozenset({Role.BILLING, Role.SUPPORT}),
    "chargebacks:write": frozenset({Role.BILLING}),
    "products:read": frozenset({Role.SALES, Role.CONTENT}),
    "products:write": frozenset({Role.SALES, Role.CONTENT}),
    "orders:read": frozenset({Role.SALES, Role.BILLING, Role.SUPPORT}),
    "orders:write": frozenset({Role.SALES, Role.SUPPORT}),
    "orders:approve": frozenset({Role.SALES, Role.BILLING}),
    "refunds:write": frozenset({Role.BILLING}),
    "stock:read": frozenset({Role.SALES, Role.SUPPORT}),
    "stock:write": frozenset({Role.SALES}),
    "delivery:read": frozenset({Role.SALES, Role.SUPPORT}),
    "delivery:write": frozenset({Role.SALES}),
    "customers:read": frozenset({Role.SALES, Role.BILLING, Role.SUPPORT}),
    "customers:write": frozenset({Role.SALES, Role.SUPPORT}),
    "billing:read": frozenset({Role.BILLING}),
    "billing:run": frozenset({Role.BILLING}),
    "webhooks:read": frozenset({Role.ADMIN}),
    "webhooks:write": frozenset({Role.ADMIN}),
    "content:read": frozenset({Role.CONTENT}),
    "content:write": frozenset({Role.CONTENT}),
}
if _roleless := SCOPES[STAFF].keys() ^ SCOPE_ROLES.keys():
    raise RuntimeError(
        f"{', '.join(sorted(_roleless))}: a scope of staff keys stands in SCOPES[STAFF] and says in "
        "SCOPE_ROLES for which roles it is, such as frozenset({Role.SALES})"
    )
MOST = 20
_MARKS = {USER: "cf_user_", STAFF: "cf_staff_"}
_SHOWN = 5


@dataclass(eq=False)
class TooManyTokens(ShopError):
    """Somebody has as many tokens that work as we let anybody have."""

    code: ClassVar[str] = "too_many_tokens"
    text: ClassVar[str] = "There are {most} tokens already. Revoke one that is not needed."
    most: int


@dataclass(frozen=True)
class NewToken:
    """A token that is wanted: ``kind``, what it is called, its scopes, and when it ends, if it does."""

    kind: str
    name: str
    scopes: tuple[str, ...]
    expires_on: date | None = None


def make(
    session: Session, user_id: uuid.UUID, new: NewToken, today: date, now: datetime
) -> tuple[ApiToken, str]:
    """Write a token down; answers it with the secret, which nobody can read again.

    Raises Invalid by field (``name``, ``scopes``, ``expires_on``), TooManyTokens.
    """
    _check(new, today)
    alive = session.scalars(_of(new.kind, user_id).where(*_works(today)).limit(MOST)).all()
    if len(alive) >= MOST:
        raise TooManyTokens(MOST)
    secret = _MARKS[new.kind] + secrets.token_urlsafe(32)
    row = ApiToken(
        kind=new.kind,
        user_id=user_id,
        name=new.name.strip(),
        beginning=secret[: len(_MARKS[new.kind]) + _SHOWN],
        token_hash=token_hash(secret),
        scopes=sorted(new.scopes),
        created_at=now,
        created_on=today,
        expires_on=new.expires_on,
    )
    session.add(row)
    session.flush()
    audit.write(session, now, f"user:{user_id}", "token.made", ("token", row.public_id))
    return row, secret


def _check(new: NewToken, today: date) -> None:
    wrong = {}
    if not 1 <= len(new.name.strip()) <= 80:
        wrong["name"] = "Give it a name of up to 80 characters, so that you know it again."
    if not new.scopes or not set(new.scopes) <= set(SCOPES[new.kind]):
        wrong["scopes"] = "Choose at least one thing that it may do."
    if new.expires_on is not None and new.expires_on <= today:
        wrong["expires_on"] = "Choose a day that lies ahead, or none."
    if wrong:
        raise Invalid(wrong)


def one(session: Session, kind: str, public_id: str, user_id: uuid.UUID | None = None) -> ApiToken:
    """A token by its public id. NotFound when it is none of ``user_id``'s (None: anybody's)."""
    row = session.scalar(
        select(ApiToken).where(ApiToken.public_id == public_id, ApiToken.kind == kind)
    )
    if row is None or user_id not in (None, row.user_id):
        raise NotFound("token")
    return row


def revoke(
    session: Session,
    kind: str,
    public_id: str,
    actor: str,
    now: datetime,
    user_id: uuid.UUID | None = None,
) -> ApiToken:
    """End a token at once; a second time changes nothing. NotFound as in ``one``."""
    row = one(session, kind, public_id, user_id)
    ended = session.execute(
        update(ApiToken)
        .where(ApiToken.id == row.id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )
    if changed(ended):
        audit.write(session, now, actor, "token.revoked", ("token", public_id))
    return row


@dataclass(frozen=True)
class Caller:
    """Who a token speaks for."""

    token_id: uuid.UUID
    kind: str
    user_id: uuid.UUID
    scopes: frozenset[str]
    name: str
    seen_today: bool
    #: Of whoever made a staff key, today.
    roles: frozenset[str] = frozenset()

    def lacks_role(self, scope: str) -> bool:
        """Is this scope of a staff key more than its maker's roles are good for?"""
        return self.kind == STAFF and not roles.may(self.roles, SCOPE_ROLES[scope])

    @property
    def actor(self) -> str:
        """As the audit log knows it. A key acts for whoever made it: nobody approves what is their own by
        lending themselves a key."""
        return f"user:{self.user_id}"


def find(session: Session, secret: str, today: date) -> Caller | None:
    """Who comes with this secret; None when it opens nothing (any more)."""
    row = session.execute(
        select(ApiToken, User.is_staff, User.roles)
        .join(User, User.id == ApiToken.user_id)
        .where(
            ApiToken.token_hash == token_hash(secret), User.disabled_at.is_(None), *_works(today)
        )
    ).first()
    if row is None:
        return None
    token, is_staff, held = row
    if token.kind == STAFF and not is_staff:
        return None
    return Caller(
        token.id,
        token.kind,
        token.user_id,
        frozenset(token.scopes),
        token.name,
        token.last_used_on == today,
        frozenset(held) if is_staff else frozenset(),
    )


def note_use(session: Session, token_id: uuid.UUID, today: date) -> None:
    """Remember the day on which it was last used; called once a day and token."""
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_on=today))


#: What lists of them may be sorted by.
SORTS = Sorts(
    ApiToken.id, {"made": ApiToken.created_at, "name": By(ApiToken.name, ignores_case=True)}
)
NEWEST = Place("-made")


def listing(
    session: Session,
    kind: str,
    user_id: uuid.UUID | None = None,
    *,
    words: str = "",
    place: Place = NEWEST,
    limit: int = 50,
) -> Sequence[tuple[ApiToken, User]]:
    """Tokens of a kind with who made them, from a place on; ``user_id`` None: everybody's.

    ``words`` are looked for in a token's name and in its maker's.
    """
    query = (
        select(ApiToken, User).join(User, User.id == ApiToken.user_id).where(ApiToken.kind == kind)
    )
    if user_id is not None:
        query = query.where(ApiToken.user_id == user_id)
    if words:
        query = query.where(found_in(words, ApiToken.name, User.name))
    found = session.execute(SORTS.apply(query, place, limit))
    return [(token, user) for token, user in found]


def state(row: ApiToken, today: date) -> str:
    """``works``, ``expired`` or ``revoked``."""
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_on is not None and row.expires_on <= today else "works"


def _of(kind: str, user_id: uuid.UUID) -> Select[uuid.UUID]:
    return select(ApiToken.id).where(ApiToken.kind == kind, ApiToken.user_id == user_id)


def _works(today: date) -> tuple[ColumnElement[bool], ...]:
    return (
        ApiToken.revoked_at.is_(None),
        or_(ApiToken.expires_on.is_(None), ApiToken.expires_on > today),
    )
