"""What gift cards and tenders show of themselves: the liability is what is on the cards, nothing is
reserved or given back that is not there."""

from datetime import date
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Select, Subquery, func, or_, select, union_all
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.proof import Part
from core.ledger.chart import GIFT_CARDS
from core.ledger.models import Application, JournalEntry, JournalLine, OpenItem
from core.ledger.tender_models import GiftCard, GiftCardEntry, Tender, TenderReturn


def gift_cards_tie(session: Session, as_of: date | None) -> Part:
    """Gift card liability, posting by posting, is what was put on cards and taken off them."""
    wrong = proof.offenders(
        session,
        _uneven(as_of),
        lambda row: (
            f"posting {row[0]}: gift card liability and the cards differ "
            f"by {proof.amount(row[2], row[1])}"
        ),
    )
    return Part(f"gift cards {proof.amounts(session, _liability(as_of))}", wrong)


def nothing_is_reserved_twice(session: Session) -> Part:
    """What tenders reserve of a card or a credit is there; today only."""
    reserved = proof.count(session, _reserved())
    wrong = [
        *proof.offenders(session, _over_cards(), lambda row: f"gift card ending {_much(row)}"),
        *proof.offenders(session, _over_credits(), lambda row: f"credit {_much(row)}"),
    ]
    return Part(f"{reserved:,} tenders reserved", proof.first_few(wrong))


def _much(row: Any) -> str:
    return f"{row[0]}: {proof.amount(row[2], row[1])} more is reserved or used than there is"


def returned_is_within(session: Session) -> Part:
    """No tender got more back than it paid, nor less than nothing."""
    wrong = proof.offenders(
        session,
        _outside(),
        lambda row: (
            f"a tender by {row[0]} of {proof.amount(row[3], row[1])} "
            f"got {proof.amount(row[2], row[1])} back"
        ),
    )
    words = proof.amounts(session, _returned())
    return Part(f"{words} given back by tender", wrong)


# --- statements, each put together once and at first use ------------------------------------------


@lru_cache(maxsize=8)
def _uneven(as_of: date | None) -> Select[*tuple[Any, ...]]:
    both = union_all(_posted(as_of), _written(as_of)).subquery()
    off = func.sum(both.c.amount)
    return (
        select(both.c.posting, both.c.currency, off)
        .group_by(both.c.posting, both.c.currency)
        .having(off != 0)
        .order_by(both.c.posting)
    )


@lru_cache(maxsize=8)
def _liability(as_of: date | None) -> Select[str, int]:
    owed = _posted(as_of).subquery()
    sums = select(owed.c.currency, func.sum(owed.c.amount)).group_by(owed.c.currency)
    return sums.order_by(owed.c.currency)


def _posted(as_of: date | None) -> Select[*tuple[Any, ...]]:
    return (
        select(
            JournalEntry.posting_number.label("posting"),
            JournalLine.currency.label("currency"),
            (-JournalLine.amount_minor).label("amount"),
        )
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(
            JournalLine.ledger_code == GIFT_CARDS, *proof.until(JournalEntry.effective_date, as_of)
        )
    )


def _written(as_of: date | None) -> Select[*tuple[Any, ...]]:
    return (
        select(JournalEntry.posting_number, GiftCard.currency, -GiftCardEntry.amount_minor)
        .join(GiftCard, GiftCard.id == GiftCardEntry.card_id)
        .join(JournalEntry, JournalEntry.id == GiftCardEntry.entry_id)
        .where(*proof.until(JournalEntry.effective_date, as_of))
    )


@cache
def _reserved() -> Select[int]:
    return select(func.count()).select_from(Tender).where(Tender.state == "reserved")


@cache
def _over_cards() -> Select[*tuple[Any, ...]]:
    cards = _over(
        select(GiftCardEntry.card_id, (-GiftCardEntry.amount_minor).label("amount")),
        Tender.gift_card_id,
    )
    return select(GiftCard.last_four, GiftCard.currency, cards.c.over).join(
        cards, cards.c.key == GiftCard.id
    )


@cache
def _over_credits() -> Select[*tuple[Any, ...]]:
    named = select(Tender.credit_item_id).where(Tender.state == "reserved")
    credits = _over(
        union_all(
            select(OpenItem.id, -OpenItem.amount_minor).where(OpenItem.id.in_(named)),
            select(Application.credit_item_id, Application.amount_minor).where(
                Application.credit_item_id.in_(named)
            ),
        ),
        Tender.credit_item_id,
    )
    return select(OpenItem.number, OpenItem.currency, credits.c.over).join(
        credits, credits.c.key == OpenItem.id
    )


def _over(there: Any, key: Any) -> Subquery:
    """(key, over): what is reserved or used beyond what is there; ``there`` counts that negative."""
    taken = select(key, Tender.amount_minor).where(key.is_not(None), Tender.state == "reserved")
    first = there.subquery()
    columns = list(first.c)
    pieces = union_all(select(columns[0], columns[1]), taken).subquery()
    one, amount = list(pieces.c)
    over = func.sum(amount)
    return select(one.label("key"), over.label("over")).group_by(one).having(over > 0).subquery()


@cache
def _outside() -> Select[*tuple[Any, ...]]:
    back = func.sum(TenderReturn.amount_minor)
    return (
        select(Tender.kind, Tender.currency, back, Tender.taken_minor)
        .join(TenderReturn, TenderReturn.tender_id == Tender.id)
        .group_by(Tender.id, Tender.kind, Tender.currency, Tender.taken_minor)
        .having(or_(back < 0, back > Tender.taken_minor))
    )


@cache
def _returned() -> Select[str, int]:
    return (
        select(Tender.currency, func.sum(TenderReturn.amount_minor))
        .join(TenderReturn, TenderReturn.tender_id == Tender.id)
        .group_by(Tender.currency)
        .order_by(Tender.currency)
    )
