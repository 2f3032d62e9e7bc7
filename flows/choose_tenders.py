"""What the payer stated becomes tenders: gift cards and credit in their order, the rest by card or terms.

Flows that begin a payment call ``plan`` with locks, in the transaction that reserves; pages call it to
show beforehand what would be taken.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from core.kernel.errors import ShopError
from core.kernel.money import Money
from core.ledger import gift_cards, gift_codes, splitting, tenders
from core.ledger.gift_cards import GiftCardUnknown, Held
from core.ledger.splitting import Share, Source


@dataclass(eq=False)
class GiftCardForGiftCard(ShopError):
    """A gift card does not pay for gift cards, or its money could never be followed."""

    code: ClassVar[str] = "gift_card_for_gift_card"
    text: ClassVar[str] = "A gift card cannot pay for gift cards. Pay for these another way."


@dataclass(frozen=True)
class ByGiftCard:
    """As much of a gift card as is needed; or exactly ``amount`` of it.

    ``card`` is the public id of one whose code was given before; then there is no code.
    """

    code: str
    amount: Money | None = None
    card: str = ""

    @property
    def key(self) -> str:
        """What it is named by; holds no code in the clear."""
        return self.card or gift_codes.hash_of(self.code)


@dataclass(frozen=True)
class ByCredit:
    """As much of the account's credit as is needed; or exactly ``amount`` of it."""

    amount: Money | None = None


Part = ByGiftCard | ByCredit


@dataclass(frozen=True)
class Paying:
    """How the payer wants to pay, in this order; what is left goes by card or terms."""

    parts: tuple[Part, ...] = ()

    @property
    def digest(self) -> str | None:
        """The same for the same wish; None for a plain one. Holds no code in the clear."""
        if not self.parts:
            return None
        said = [
            f"{part.key}={part.amount}" if isinstance(part, ByGiftCard) else f"credit={part.amount}"
            for part in self.parts
        ]
        return hashlib.sha256("|".join(said).encode()).hexdigest()


#: A plain payment: all of it by card or terms.
PLAIN = Paying()


def usual(codes: Sequence[str], *, use_credit: bool) -> Paying:
    """The default order: gift cards first, then the account's credit."""
    cards = tuple(ByGiftCard(code) for code in codes if code.strip())
    return Paying((*cards, ByCredit()) if use_credit else cards)


@dataclass(frozen=True)
class Payer:
    """Who pays: gift cards are the legal entity's, credit is the account's (None for a stranger)."""

    legal_entity_id: uuid.UUID
    account_id: uuid.UUID | None
    #: An order of theirs that is being paid: what it reserves may be chosen anew. For pages.
    but_order: uuid.UUID | None = None


def plan(
    session: Session,
    payer: Payer,
    amount: Money,
    paying: Paying,
    rest: str,
    *,
    gift_goods: Money | None = None,
    lock: bool = False,
) -> list[Share]:
    """Share ``amount`` out; ``rest`` (``card`` or ``terms``) takes what is left.

    ``gift_goods`` is what the gift cards in the order cost, which no gift card pays. Raises
    GiftCardUnknown, GiftCardForGiftCard, TenderTooSmall.
    """
    cards = _cards(session, payer, amount.currency, paying, lock=lock)
    most = amount if gift_goods is None else amount - gift_goods
    if cards and most.minor <= 0:
        raise GiftCardForGiftCard
    sources: list[Source] = []
    for part in paying.parts:
        if isinstance(part, ByGiftCard):
            held = cards.pop(part.key, None)
            if held is not None:
                there = min(held.available, most)
                most -= min(there, part.amount or there)
                named = (held.label, held.card.id, there, part.amount, held.card.public_id)
                sources.append(Source("gift_card", *named))
        elif payer.account_id is not None:
            found = tenders.spendable(
                session, payer.account_id, amount.currency, lock=lock, but_order=payer.but_order
            )
            sources += tenders.credit_sources(found, part.amount)
    return splitting.split(amount, [*sources, Source(rest, rest)])


def _cards(
    session: Session, payer: Payer, currency: str, paying: Paying, *, lock: bool
) -> dict[str, Held]:
    """The cards that were named, by the hash of their code; locked in one order for everybody."""
    named = {part.key: part for part in paying.parts if isinstance(part, ByGiftCard)}
    where = (payer.legal_entity_id, currency)
    found = {
        key: gift_cards.chosen(session, part.card, *where)
        if part.card
        else gift_cards.by_code(session, part.code, *where)
        for key, part in named.items()
    }
    if lock:
        found = {
            key: gift_cards.lock(session, held.card.id)
            for key, held in sorted(found.items(), key=lambda pair: pair[1].card.id)
        }
    elif payer.but_order is not None:
        cards = [held.card for held in found.values()]
        fresh = gift_cards.held(session, cards, payer.but_order)
        found = dict(zip(found, fresh, strict=True))
    if any(held.available.minor <= 0 for held in found.values()):
        raise GiftCardUnknown
    return found


def by_kind(shares: Sequence[Share], currency: str) -> dict[str, Money]:
    """How much each kind of tender pays, for pages."""
    sums: dict[str, Money] = {}
    for share in shares:
        zero = Money.zero(currency)
        sums[share.source.kind] = sums.get(share.source.kind, zero) + share.amount
    return sums
