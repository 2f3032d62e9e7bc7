"""Gift cards and credit on the pages where something is paid: what would be taken, in rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from core.kernel.errors import ShopError
from core.kernel.money import Money, total
from core.ledger import paid_by, tenders
from core.ledger.items import Open
from core.ledger.splitting import Share
from flows import choose_tenders
from flows.choose_tenders import Payer, Paying
from web.filters import sign


@dataclass(frozen=True)
class Row:
    """One way of paying with what it takes; ``key`` is a gift card's public id."""

    label: str
    amount: Money
    key: str = ""


@dataclass(frozen=True)
class Parts:
    """What pays before the card: the rows, what is left for the card or the bill, the credit there is."""

    rows: tuple[Row, ...]
    rest: Money
    credit: Money
    #: Why it cannot be paid like that; then the rows are empty.
    problem: str = ""


def parts(
    session: Session,
    payer: Payer,
    amount: Money,
    paying: Paying,
    *,
    rest: str = "card",
    gift_goods: Money | None = None,
) -> Parts:
    """What would be taken now. Reads only; without credit and a wish it asks next to nothing."""
    credit = credit_of(session, payer, amount.currency)
    if not paying.parts:
        return Parts((), amount, credit)
    try:
        shares = choose_tenders.plan(session, payer, amount, paying, rest, gift_goods=gift_goods)
    except ShopError as error:
        return Parts((), amount, credit, str(error))
    left = total((one.amount for one in shares if one.source.kind == rest), amount.currency)
    return Parts(_rows(shares, rest), left, credit)


def _rows(shares: Sequence[Share], rest: str) -> tuple[Row, ...]:
    """A row for each gift card, and one for all credit together."""
    rows: dict[str, Row] = {}
    for one in shares:
        if one.source.kind == rest:
            continue
        before = rows.get(one.source.label)
        amount = one.amount + before.amount if before else one.amount
        rows[one.source.label] = Row(one.source.label, amount, one.source.public_id)
    return tuple(rows.values())


def credit_of(session: Session, payer: Payer, currency: str) -> Money:
    """The payer's credit that can be used; nothing for a stranger."""
    if payer.account_id is None:
        return Money.zero(currency)
    found = tenders.spendable(session, payer.account_id, currency, but_order=payer.but_order)
    return total((row.available for row in found), currency)


def bill_events(session: Session, item: Open | None) -> list[dict[str, Any]]:
    """What paid a bill so far, for its page's time line; the last first."""
    if item is None or item.open == item.amount:
        return []
    return [
        {"title": row.label, "text": sign(row.amount), "at": None, "state": "done"}
        for row in reversed(paid_by.of_item(session, item.id))
    ]
