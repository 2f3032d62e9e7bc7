"""Reading quotes: the desk's list, a customer's own, one with all of its versions. Writes nothing."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from cart.quotes import approving, drafting, messages, sent
from cart.quotes.models import (
    Quote,
    QuoteAcceptance,
    QuoteApproval,
    QuoteFile,
    QuoteLine,
    QuoteMessage,
    QuoteSite,
    QuoteVersion,
)
from core.kernel.errors import NotFound
from core.kernel.sorting import Place, Sorts
from core.orders.models import Order
from core.parties.models import Account, User

#: The desk's tabs: what wants a hand, what is with the customer, and how it ended.
TABS = ("waiting", "sent", "expired", "accepted", "declined", "withdrawn")
#: What the desk's list may be sorted by, and the list of versions that wait for a second person.
SORTS = Sorts(
    Quote.id,
    {"changed": Quote.changed_at, "asked": Quote.requested_at, "value": Quote.value_minor},
)
NEWEST = Place("-changed")
APPROVAL_SORTS = Sorts(QuoteApproval.id, {"waits": QuoteApproval.asked_at})
LONGEST_WAITING = Place("waits")
Cursor = tuple[Any, uuid.UUID]


def state_of(quote: Quote, now: datetime) -> str:
    """Its state, with ``expired`` for one that is sent and whose time is over."""
    if quote.state == "sent" and quote.expires_at is not None and quote.expires_at <= now:
        return "expired"
    return quote.state


def _in_tab(tab: str, now: datetime) -> ColumnElement[bool]:
    if tab == "waiting":
        asked = and_(Quote.state == "sent", Quote.last_side == "customer", Quote.expires_at > now)
        return or_(Quote.state.in_(("requested", "drafting")), asked)
    if tab == "sent":
        return and_(Quote.state == "sent", Quote.expires_at > now)
    if tab == "expired":
        return and_(Quote.state == "sent", Quote.expires_at <= now)
    return Quote.state == tab


@dataclass(frozen=True)
class Filter:
    """Which quotes: a tab (empty: all), an owner (``none``: nobody's), and words to look for."""

    tab: str = ""
    owner_id: uuid.UUID | None = None
    unowned: bool = False
    words: str = ""


def listing(
    session: Session,
    wanted: Filter,
    now: datetime,
    *,
    place: Place = NEWEST,
    limit: int = 50,
) -> list[tuple[Quote, User | None]]:
    """Quotes with who sees to them, from a place on."""
    query = select(Quote, User).outerjoin(User, User.id == Quote.owner_id)
    if wanted.tab:
        query = query.where(_in_tab(wanted.tab, now))
    if wanted.unowned:
        query = query.where(Quote.owner_id.is_(None))
    elif wanted.owner_id is not None:
        query = query.where(Quote.owner_id == wanted.owner_id)
    if wanted.words:
        query = query.where(_with_words(wanted.words))
    rows = session.execute(SORTS.apply(query, place, limit))
    return [(quote, owner) for quote, owner in rows]


def _with_words(words: str) -> ColumnElement[bool]:
    return or_(
        Quote.number == words.upper(),
        func.lower(Quote.email) == words.lower(),
        Quote.name.icontains(words, autoescape=True),
        Quote.company.icontains(words, autoescape=True),
    )


def counts(session: Session, now: datetime) -> dict[str, int]:
    """How many quotes stand under each tab."""
    sums = [func.count().filter(_in_tab(tab, now)) for tab in TABS]
    row = session.execute(select(*sums)).one()
    return dict(zip(TABS, (int(count) for count in row), strict=True))


def waiting(now: datetime) -> Select[uuid.UUID]:
    """The keys of quotes that wait for the house."""
    return select(Quote.id).where(_in_tab("waiting", now))


def to_approve() -> Select[uuid.UUID]:
    """The keys of wishes for a second person's word."""
    return select(QuoteApproval.id).where(QuoteApproval.state == "asked")


def owners(session: Session) -> list[tuple[uuid.UUID, str]]:
    """Staff who may see to a quote."""
    rows = session.execute(
        select(User.id, User.name)
        .where(User.is_staff, User.disabled_at.is_(None))
        .order_by(User.name, User.id)
    )
    return [(key, name) for key, name in rows]


def of_accounts(
    session: Session,
    account_ids: Sequence[uuid.UUID],
    user_id: uuid.UUID,
    *,
    before: Cursor | None = None,
    limit: int = 50,
) -> list[Quote]:
    """The quotes of accounts, and those that a user asked for themselves; the newest first."""
    query = select(Quote).where(_own(account_ids, user_id))
    if before is not None:
        query = query.where(tuple_(Quote.requested_at, Quote.id) < tuple_(*before))
    query = query.order_by(Quote.requested_at.desc(), Quote.id.desc()).limit(limit)
    return list(session.scalars(query))


def one_of_accounts(
    session: Session, public_id: str, account_ids: Sequence[uuid.UUID], user_id: uuid.UUID
) -> Quote:
    """One of them. NotFound for somebody else's."""
    found = session.scalar(
        select(Quote).where(Quote.public_id == public_id, _own(account_ids, user_id))
    )
    if found is None:
        raise NotFound("quote")
    return found


def _own(account_ids: Sequence[uuid.UUID], user_id: uuid.UUID) -> ColumnElement[bool]:
    asked = and_(Quote.account_id.is_(None), Quote.user_id == user_id)
    return or_(Quote.account_id.in_(account_ids), asked)


@dataclass(frozen=True)
class Told:
    """A quote with everything that its customer may see; ``versions`` are those that were sent."""

    quote: Quote
    versions: Sequence[QuoteVersion]
    messages: Sequence[QuoteMessage]
    #: versions whose PDF is kept
    stored: dict[uuid.UUID, str]
    order: Order | None
    acceptance: QuoteAcceptance | None
    #: The account that will pay wants a number of its own on each order.
    needs_purchase_order: bool = False

    @property
    def newest(self) -> QuoteVersion | None:
        """The version that was sent last."""
        return self.versions[-1] if self.versions else None

    def version(self, number: int | None) -> QuoteVersion | None:
        """The version with this number; the newest without one. NotFound for one that was not sent."""
        if number is None:
            return self.newest
        for version in self.versions:
            if version.number == number:
                return version
        raise NotFound("version of this quote")


def told(session: Session, quote: Quote) -> Told:
    """What its customer may see, in a constant number of queries."""
    rows = session.execute(
        select(QuoteVersion, Account.needs_purchase_order)
        .outerjoin(Account, Account.id == quote.account_id)
        .where(QuoteVersion.quote_id == quote.id, QuoteVersion.frozen_at.is_not(None))
        .order_by(QuoteVersion.number)
    ).all()
    versions = [row[0] for row in rows]
    keys = [version.id for version in versions]
    files = session.execute(
        select(QuoteFile.version_id, QuoteFile.sha256).where(QuoteFile.version_id.in_(keys))
    )
    order = sent.order_of(session, quote)
    acceptance = None
    if order is not None:
        acceptance = session.scalar(
            select(QuoteAcceptance).where(QuoteAcceptance.order_id == order.id)
        )
    return Told(
        quote,
        versions,
        messages.of_quote(session, quote.id),
        {row.version_id: row.sha256 for row in files},
        order,
        acceptance,
        any(row[1] for row in rows),
    )


@dataclass(frozen=True)
class Desk:
    """The same with what staff see besides: the version in the making, and what was asked of it."""

    told: Told
    making: QuoteVersion | None
    approvals: Sequence[QuoteApproval]
    owner: User | None


def for_desk(session: Session, quote: Quote) -> Desk:
    """A quote as staff see it."""
    making = drafting.open_version(session, quote.id)
    last = making or drafting.latest(session, quote.id)
    owner = session.get(User, quote.owner_id) if quote.owner_id is not None else None
    return Desk(
        told(session, quote),
        making,
        approving.of_version(session, last),
        owner,
    )


def approvals_waiting(
    session: Session, *, words: str = "", place: Place = LONGEST_WAITING, limit: int = 50
) -> list[tuple[QuoteApproval, QuoteVersion, Quote]]:
    """Versions that wait for a second person, from a place on; ``words`` in their quotes."""
    query = (
        select(QuoteApproval, QuoteVersion, Quote)
        .join(QuoteVersion, QuoteVersion.id == QuoteApproval.version_id)
        .join(Quote, Quote.id == QuoteVersion.quote_id)
        .where(QuoteApproval.state == "asked")
    )
    if words:
        query = query.where(_with_words(words))
    rows = session.execute(APPROVAL_SORTS.apply(query, place, limit))
    return [(row, version, quote) for row, version, quote in rows]


def ending_soon(
    session: Session, now: datetime, until: datetime, after: Cursor | None, limit: int
) -> list[tuple[QuoteVersion, Quote]]:
    """Sent versions whose time is over between ``now`` and ``until``, in that order."""
    query = (
        select(QuoteVersion, Quote)
        .join(Quote, Quote.id == QuoteVersion.quote_id)
        .where(
            QuoteVersion.state == "sent",
            QuoteVersion.expires_at > now,
            QuoteVersion.expires_at <= until,
        )
    )
    if after is not None:
        query = query.where(tuple_(QuoteVersion.expires_at, QuoteVersion.id) > tuple_(*after))
    query = query.order_by(QuoteVersion.expires_at, QuoteVersion.id).limit(limit)
    return [(version, quote) for version, quote in session.execute(query)]


def lines_of(
    session: Session, versions: Sequence[QuoteVersion]
) -> dict[uuid.UUID, list[tuple[QuoteLine, QuoteSite | None]]]:
    """The lines of versions with the place that each is for, in their order; one statement for all."""
    rows = session.execute(
        select(QuoteLine, QuoteSite)
        .outerjoin(QuoteSite, QuoteSite.id == QuoteLine.site_id)
        .where(QuoteLine.version_id.in_([version.id for version in versions]))
        .order_by(QuoteLine.version_id, QuoteLine.line_number)
    )
    found: dict[uuid.UUID, list[tuple[QuoteLine, QuoteSite | None]]] = {}
    for line, site in rows:
        found.setdefault(line.version_id, []).append((line, site))
    return found


def names(session: Session, keys: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[str, str]]:
    """Number and public id of some quotes."""
    if not keys:
        return {}
    rows = session.execute(
        select(Quote.id, Quote.number, Quote.public_id).where(Quote.id.in_(keys))
    )
    return {key: (number, public_id) for key, number, public_id in rows}


def of_account(session: Session, account_id: uuid.UUID, limit: int) -> Sequence[Quote]:
    """The quotes of one account, the newest first."""
    return session.scalars(
        select(Quote)
        .where(Quote.account_id == account_id)
        .order_by(Quote.requested_at.desc(), Quote.id.desc())
        .limit(limit)
    ).all()
