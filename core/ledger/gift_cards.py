"""Gift cards: sold, used in part, given back, returned unused, voided. Each act posts its entry.

A card is money that the shop owes to whoever has its code. The code is kept as a hash; what the card is
worth is the sum of its entries, and what may be used of it leaves out what other tenders reserve.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.orm import Session

from core.kernel.db import changed
from core.kernel.errors import NotFound, ShopError, StaleState
from core.kernel.ids import new_id, new_public_id
from core.kernel.money import Money
from core.kernel.sorting import Place, Sorts
from core.ledger import gift_codes, items
from core.ledger.chart import CUSTOMER_CREDIT, GIFT_CARDS, REVENUE
from core.ledger.items import NewItem
from core.ledger.journal import Posting, Side, credit, debit, post
from core.ledger.models import JournalEntry
from core.ledger.tender_models import GiftCard, GiftCardEntry, Tender


@dataclass(eq=False)
class GiftCardUnknown(ShopError):
    """No card of this shop that can be used has this code; why not is not told."""

    code: ClassVar[str] = "gift_card_unknown"
    text: ClassVar[str] = (
        "We know no gift card with this code that has money left. Look at it once more: it has "
        "16 letters and digits."
    )


@dataclass(eq=False)
class GiftCardInUse(ShopError):
    """A part of the card is reserved for something that is being paid at this moment."""

    code: ClassVar[str] = "gift_card_in_use"
    text: ClassVar[str] = (
        "An order that is being paid holds {reserved} of this card. Wait until it is paid or given up."
    )
    reserved: Money


@dataclass(eq=False)
class GiftCardUsed(ShopError):
    """Only what was never used is taken back."""

    code: ClassVar[str] = "gift_card_used"
    text: ClassVar[str] = "This card has been used; only an unused one goes back."


@dataclass(frozen=True)
class Held:
    """A card with what is on it, and how much of that is reserved."""

    card: GiftCard
    balance: Money
    reserved: Money

    @property
    def available(self) -> Money:
        """What may still be used."""
        return self.balance - self.reserved

    @property
    def label(self) -> str:
        """What it is called on bills and pages."""
        return label_of(self.card)


@dataclass(frozen=True)
class Sold:
    """A line of gift cards that was just billed."""

    legal_entity_id: uuid.UUID
    account_id: uuid.UUID
    order_id: uuid.UUID
    order_line_id: uuid.UUID
    invoice_id: uuid.UUID
    pieces: int
    worth: Money


def label_of(card: GiftCard) -> str:
    """What a card is called on bills and pages."""
    return f"Gift card ending {card.last_four}"


def sell(session: Session, sold: Sold, secret: str, now: datetime) -> list[GiftCard]:
    """Make the cards of a billed line, once: a second time there are none to make.

    The line's own posting has put their worth into the liability.
    """
    if session.scalar(select(GiftCard.id).where(GiftCard.order_line_id == sold.order_line_id)):
        return []
    cards = []
    for piece, worth in enumerate(sold.worth.split([1] * sold.pieces), start=1):
        public_id = new_public_id()
        code = gift_codes.code_of(secret, public_id)
        card = GiftCard(
            id=new_id(),
            public_id=public_id,
            legal_entity_id=sold.legal_entity_id,
            account_id=sold.account_id,
            order_id=sold.order_id,
            order_line_id=sold.order_line_id,
            piece=piece,
            currency=worth.currency,
            worth_minor=worth.minor,
            code_hash=gift_codes.hash_of(code),
            last_four=code[-4:],
            state="live",
            created_at=now,
        )
        session.add(card)
        cards.append(card)
    session.flush()
    entry = session.scalars(
        select(JournalEntry.id).where(
            JournalEntry.source_kind == "invoice", JournalEntry.source_id == sold.invoice_id
        )
    ).one()
    for card in cards:
        _enter(session, card, "sold", card.worth_minor, entry, now)
    return cards


def by_code(session: Session, code: str, legal_entity_id: uuid.UUID, currency: str) -> Held:
    """The live card with this code. GiftCardUnknown for any other, whatever the reason."""
    return _usable(
        session, GiftCard.code_hash == gift_codes.hash_of(code), legal_entity_id, currency
    )


def chosen(session: Session, public_id: str, legal_entity_id: uuid.UUID, currency: str) -> Held:
    """The live card whose code was given before. GiftCardUnknown when it can't be used any more."""
    return _usable(session, GiftCard.public_id == public_id, legal_entity_id, currency)


def _usable(
    session: Session, named: ColumnElement[bool], legal_entity_id: uuid.UUID, currency: str
) -> Held:
    found = session.scalar(
        select(GiftCard).where(
            named,
            GiftCard.legal_entity_id == legal_entity_id,
            GiftCard.currency == currency,
            GiftCard.state == "live",
        )
    )
    if found is None:
        raise GiftCardUnknown
    return held(session, [found])[0]


def by_public_id(session: Session, public_id: str) -> Held:
    """The card that a page names. NotFound when there is none."""
    found = session.scalar(select(GiftCard).where(GiftCard.public_id == public_id))
    if found is None:
        raise NotFound("gift card")
    return held(session, [found])[0]


def held(
    session: Session, cards: Sequence[GiftCard], but_order: uuid.UUID | None = None
) -> list[Held]:
    """The cards with what is on them, in the same order and two queries.

    What ``but_order`` reserves is left out: to show its payer what another choice would take.
    """
    ids = [card.id for card in cards]
    worth = _sums(session, GiftCardEntry.card_id, GiftCardEntry.amount_minor, ids)
    waits = [Tender.state == "reserved"]
    if but_order is not None:
        waits.append(or_(Tender.order_id.is_(None), Tender.order_id != but_order))
    reserved = _sums(session, Tender.gift_card_id, Tender.amount_minor, ids, *waits)
    return [
        Held(
            card,
            Money(worth.get(card.id, 0), card.currency),
            Money(reserved.get(card.id, 0), card.currency),
        )
        for card in cards
    ]


def _sums(
    session: Session, key: Any, minor: Any, ids: list[uuid.UUID], *where: ColumnElement[bool]
) -> dict[uuid.UUID, int]:
    query = select(key, func.sum(minor)).where(key.in_(ids), *where).group_by(key)
    return {card_id: int(sum_) for card_id, sum_ in session.execute(query)}


def lock(session: Session, card_id: uuid.UUID) -> Held:
    """The card, locked and read again."""
    card = session.get_one(GiftCard, card_id, with_for_update=True, populate_existing=True)
    return held(session, [card])[0]


#: What the desk's list may be sorted by.
SORTS = Sorts(GiftCard.id, {"sold": GiftCard.created_at, "worth": GiftCard.worth_minor})
NEWEST = Place("-sold")


def listing(
    session: Session,
    *,
    last_four: str = "",
    state: str = "",
    place: Place = NEWEST,
    limit: int = 50,
) -> list[Held]:
    """Cards from a place on; ``last_four`` leaves those whose code ends like that."""
    query = SORTS.apply(select(GiftCard), place, limit)
    if state:
        query = query.where(GiftCard.state == state)
    if last_four:
        query = query.where(GiftCard.last_four == gift_codes.normal(last_four)[-4:])
    return held(session, session.scalars(query).all())


def of_order(session: Session, order_id: uuid.UUID) -> list[Held]:
    """The cards that were bought with an order."""
    query = select(GiftCard).where(GiftCard.order_id == order_id)
    return held(session, session.scalars(query.order_by(GiftCard.last_four)).all())


def entries_of(session: Session, card_id: uuid.UUID) -> Sequence[GiftCardEntry]:
    """What happened to a card, the oldest first."""
    return session.scalars(
        select(GiftCardEntry)
        .where(GiftCardEntry.card_id == card_id)
        .order_by(GiftCardEntry.posted_at, GiftCardEntry.id)
    ).all()


def use(
    session: Session,
    tender: Tender,
    against: Side,
    on: date,
    now: datetime,
) -> uuid.UUID:
    """Take a tender's part off its card: gift card liability against a deposit or a receivable.

    The tender is no longer reserved. Answers the posting's key.
    """
    assert tender.gift_card_id is not None
    card = session.get_one(GiftCard, tender.gift_card_id)
    amount = Money(tender.taken_minor, tender.currency)
    sides = [debit(GIFT_CARDS, amount, card.account_id), against]
    entry = _post(session, card, "gift_card_used", sides, on, now, ("gift_card", tender.id))
    _enter(session, card, "used", -amount.minor, entry, now, tender.id)
    return entry


def give_back(
    session: Session,
    tender: Tender,
    amount: Money,
    held_on: Side,
    return_id: uuid.UUID,
    on: date,
    now: datetime,
) -> uuid.UUID:
    """Put a refund back on the card that a tender used: what it had credited against the liability.

    A card that was voided meanwhile lives again: the money on it is the payer's.
    """
    assert tender.gift_card_id is not None
    card = lock(session, tender.gift_card_id).card
    if card.state == "void":
        card.state, card.voided_at = "live", None
        session.flush()
    sides = [held_on, credit(GIFT_CARDS, amount, card.account_id)]
    entry = _post(session, card, "gift_card_refunded", sides, on, now, ("gift_card", return_id))
    _enter(session, card, "given_back", amount.minor, entry, now, tender.id)
    return entry


def take_back(session: Session, card_id: uuid.UUID, on: date, now: datetime) -> uuid.UUID:
    """An unused card ends, and its worth becomes its buyer's credit, to be paid out from there.

    Answers the credit's open item. Raises GiftCardUsed, GiftCardInUse, StaleState.
    """
    found = lock(session, card_id)
    if found.card.state == "live" and found.balance.minor != found.card.worth_minor:
        raise GiftCardUsed
    entry = _end(session, found, "returned", "Returned unused", CUSTOMER_CREDIT, on, now)
    return _owe_buyer(session, found, entry, on)


def was_returned(session: Session, card_id: uuid.UUID) -> bool:
    """Was this card taken back unused?"""
    query = select(GiftCardEntry.id).where(
        GiftCardEntry.card_id == card_id, GiftCardEntry.kind == "returned"
    )
    return session.scalar(query) is not None


def void(
    session: Session, card_id: uuid.UUID, reason: str, on: date, now: datetime, *, forfeit: bool
) -> None:
    """End a card: what is left becomes its buyer's credit, or the shop's own when it is forfeited.

    Raises GiftCardInUse while a tender reserves some of it, StaleState when it has ended already.
    """
    found = lock(session, card_id)
    if not found.balance:
        _close(session, found.card, reason, now)
        return
    to = REVENUE if forfeit else CUSTOMER_CREDIT
    entry = _end(session, found, "voided", reason, to, on, now)
    if not forfeit:
        _owe_buyer(session, found, entry, on)


def _end(
    session: Session, found: Held, kind: str, reason: str, to: str, on: date, now: datetime
) -> uuid.UUID:
    card, amount = found.card, found.balance
    if found.reserved:
        raise GiftCardInUse(found.reserved)
    _close(session, card, reason, now)
    sides = [debit(GIFT_CARDS, amount, card.account_id), credit(to, amount, card.account_id)]
    entry = _post(session, card, f"gift_card_{kind}", sides, on, now, ("gift_card", card.id))
    _enter(session, card, kind, -amount.minor, entry, now)
    return entry


def _owe_buyer(session: Session, found: Held, entry: uuid.UUID, on: date) -> uuid.UUID:
    return items.open_item(
        session,
        entry,
        NewItem(
            legal_entity_id=found.card.legal_entity_id,
            account_id=found.card.account_id,
            ledger_code=CUSTOMER_CREDIT,
            amount=found.balance,
            source_kind="gift_card",
            source_id=found.card.id,
            number=found.label,
            effective_date=on,
        ),
    )


def _close(session: Session, card: GiftCard, reason: str, now: datetime) -> None:
    done = session.execute(
        update(GiftCard)
        .where(GiftCard.id == card.id, GiftCard.state == "live")
        .values(state="void", voided_at=now, void_reason=reason[:200])
    )
    if changed(done) == 0:
        raise StaleState("gift card", "void")


def _post(
    session: Session,
    card: GiftCard,
    kind: str,
    sides: Sequence[Side],
    on: date,
    now: datetime,
    source: tuple[str, uuid.UUID],
) -> uuid.UUID:
    return post(session, Posting(card.legal_entity_id, kind, on, *source, sides), now)


def _enter(
    session: Session,
    card: GiftCard,
    kind: str,
    minor: int,
    entry_id: uuid.UUID,
    now: datetime,
    tender_id: uuid.UUID | None = None,
) -> None:
    session.execute(
        insert(GiftCardEntry),
        {
            "id": new_id(),
            "card_id": card.id,
            "kind": kind,
            "amount_minor": minor,
            "entry_id": entry_id,
            "tender_id": tender_id,
            "posted_at": now,
        },
    )
