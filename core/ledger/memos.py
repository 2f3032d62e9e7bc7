"""Memos in the journal: a credit memo takes back what an invoice charged, a debit memo charges more.

Called by ``invoices.memos`` in the memo's own transaction. What a credit memo gives back first lowers what
is still open of its bill; the rest was paid already and becomes customer credit. An early-payment discount
is a credit memo too.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from sqlalchemy.orm import Session

from core.kernel.errors import ShopError
from core.kernel.money import Money
from core.ledger import items, reversals
from core.ledger.business import Document
from core.ledger.chargebacks import CHARGEBACK
from core.ledger.chart import CUSTOMER_CREDIT, RECEIVABLE, TAX_PAYABLE
from core.ledger.items import NewApplication, NewItem, Open, carried
from core.ledger.journal import Posting, Side, credit, debit, post

CREDIT_MEMO, DEBIT_MEMO = "credit_memo", "debit_memo"


@dataclass(eq=False)
class ChargedBack(ShopError):
    """The card network took the bill's payment back: a credit would give the payer that money twice."""

    code: ClassVar[str] = "charged_back"
    text: ClassVar[str] = (
        "The payment of {number} was charged back. At most {most} of it can be credited now."
    )
    number: str
    most: Money


@dataclass(frozen=True)
class Credited:
    """Where a credit went: ``settled`` lowered what is owed, ``kept`` is the customer's to use."""

    settled: Money
    kept: Money
    item_id: uuid.UUID | None


def credit_bill(session: Session, memo: Document, owed: Open | None, now: datetime) -> Credited:
    """Credit memo: contract liability or revenue and tax, against the bill and customer credit.

    ``owed`` is the bill's receivable with what is open of it now, None when it never asked for money; the
    caller has locked the payer's account. A memo of nothing posts nothing. ValueError for the bill of
    another account; ChargedBack when what is more than open was taken back by the card network.
    """
    zero = Money.zero(memo.tax.currency)
    if owed is not None and (owed.account_id, owed.ledger_code) != (memo.account_id, RECEIVABLE):
        raise ValueError(f"{owed.number} is nothing that account {memo.account_id} owes")
    if not memo.total:
        return Credited(zero, zero, None)
    if memo.total.minor < 0:
        raise ValueError("a credit memo that takes is a debit memo")
    settled = min(memo.total, owed.open) if owed is not None else zero
    kept = memo.total - settled
    if kept and owed is not None:
        _check_not_charged_back(session, owed)
    entry = post(session, _credit_posting(memo, owed, settled, kept), now)
    if owed is not None and settled:
        applied = NewApplication(
            settled, CREDIT_MEMO, memo.id, memo.issue_date, debit_item_id=owed.id
        )
        items.apply(session, entry, now, applied)
    item_id = None
    if kept:
        item = replace(_item(memo, CUSTOMER_CREDIT, CREDIT_MEMO, kept), due_date=None)
        item_id = items.open_item(session, entry, item)
    return Credited(settled, kept, item_id)


def _check_not_charged_back(session: Session, owed: Open) -> None:
    found = reversals.of_bill(session, owed)
    if any(one.row.source_kind == CHARGEBACK and one.left.minor > 0 for one in found):
        raise ChargedBack(owed.number, owed.open)


def _credit_posting(memo: Document, owed: Open | None, settled: Money, kept: Money) -> Posting:
    """What was charged goes back at the rate of its bill; what is kept is owed from the memo's day on.

    So a difference is realised by what was paid at another rate alone, never by a bill that is taken back.
    """
    takes = [*(debit(code, amount, memo.account_id) for code, amount in memo.nets)]
    takes.append(debit(TAX_PAYABLE, memo.tax, memo.account_id))
    cleared: list[Side] = []
    if owed is not None:
        cleared = [owed.settle(settled)] if settled else []
        worth = carried(owed.functional_minor, owed.amount.minor, kept.minor)
        worth -= sum(side.functional or 0 for side in cleared)
        takes = _worth(takes, memo.total, worth)
    return Posting(
        memo.legal_entity_id,
        "credit_memo_issued",
        memo.issue_date,
        CREDIT_MEMO,
        memo.id,
        [
            *takes,
            *cleared,
            credit(CUSTOMER_CREDIT, kept, memo.account_id),
        ],
    )


def _worth(sides: Sequence[Side], whole: Money, functional: int) -> list[Side]:
    """The sides, which sum to ``whole``, with their parts of what it is in the functional currency."""
    valued, before = [], 0
    for side in sides:
        after = before + side.amount.minor
        part = carried(functional, whole.minor, after) - carried(functional, whole.minor, before)
        valued.append(replace(side, functional=part))
        before = after
    return valued


def debit_customer(session: Session, memo: Document, now: datetime) -> uuid.UUID | None:
    """Debit memo: receivable against contract liability or revenue, and tax; answers the open item's key.

    None, and nothing posted, for a memo of nothing. ValueError when it is below zero.
    """
    if memo.total.minor < 0:
        raise ValueError("a debit memo below zero is a credit memo")
    if not memo.total:
        return None
    posting = Posting(
        memo.legal_entity_id,
        "debit_memo_issued",
        memo.issue_date,
        DEBIT_MEMO,
        memo.id,
        [
            debit(RECEIVABLE, memo.total, memo.account_id),
            *(credit(code, amount, memo.account_id) for code, amount in memo.nets),
            credit(TAX_PAYABLE, memo.tax, memo.account_id),
        ],
    )
    entry = post(session, posting, now)
    return items.open_item(session, entry, _item(memo, RECEIVABLE, DEBIT_MEMO, memo.total))


def _item(memo: Document, ledger_code: str, source_kind: str, amount: Money) -> NewItem:
    return NewItem(
        legal_entity_id=memo.legal_entity_id,
        account_id=memo.account_id,
        ledger_code=ledger_code,
        amount=amount,
        source_kind=source_kind,
        source_id=memo.id,
        number=memo.number,
        effective_date=memo.issue_date,
        due_date=memo.due_date,
    )
