"""Earning: what contracts should have earned by now is compared with what was posted, and the difference is.

The one writer of obligations and their schedules. Looked at again without a change nothing is posted; so it
does not matter how often, or after what. Called where something is given, billed or credited, and by a job
that finds what nobody looked at; whatever moves the contract's money is locked by them.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Context, Decimal

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from core.kernel import crash
from core.kernel.db import changed, insert_rows
from core.kernel.errors import StaleState
from core.kernel.ids import new_id
from core.kernel.money import Money, minor_digits, round_half_up
from core.ledger import rates
from core.ledger.chart import CONTRACT_ASSET, CONTRACT_LIABILITY, REVENUE
from core.ledger.journal import Posting, Side, post
from core.ledger.models import JournalEntry, JournalLine
from core.ledger.rates import NoRate
from core.revenue.models import Obligation, RevenueSchedule
from core.revenue.promises import Promise, allocated, earned

#: What the entries are called.
KIND = "earned"
#: Wide enough for any amount at any rate.
_WIDE = Context(prec=60)


@dataclass(frozen=True)
class Contract:
    """What obligations belong to, and how their entries are posted. ``rate`` is the bill's: what was billed
    is earned at it; None where nothing is billed, or in the functional currency."""

    id: uuid.UUID
    #: ``order`` or ``subscription``.
    kind: str
    legal_entity_id: uuid.UUID
    account_id: uuid.UUID
    currency: str
    rate: Decimal | None = None


@dataclass(frozen=True)
class _Move:
    """What one obligation is to become. ``revenue`` and ``unbilled`` are by how much that differs."""

    promise: Promise
    known: Obligation | None
    allocated: int
    earned: int
    unbilled: int
    revenue: int
    unbilled_more: int
    due_on: date | None

    @property
    def posts(self) -> bool:
        """Is there something to post?"""
        return bool(self.revenue or self.unbilled_more)

    @property
    def differs(self) -> bool:
        """Is the obligation another than was written down?"""
        row = self.known
        return row is None or (
            self.posts
            or (row.allocated_minor, row.invoice_line_id, row.due_on)
            != (self.allocated, self.promise.invoice_line_id, self.due_on)
        )


def of_contract(session: Session, contract_id: uuid.UUID) -> dict[uuid.UUID, Obligation]:
    """What is written down of an order, by order line."""
    rows = session.scalars(_fresh().where(Obligation.contract_id == contract_id))
    return {row.order_line_id: row for row in rows if row.order_line_id is not None}


def of_lines(session: Session, line_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Obligation]:
    """What is written down of lines of bills, by line."""
    rows = session.scalars(_fresh().where(Obligation.invoice_line_id.in_(line_ids)))
    return {row.invoice_line_id: row for row in rows if row.invoice_line_id is not None}


def _fresh() -> Select[Obligation]:
    return select(Obligation).execution_options(populate_existing=True)


def settle(
    session: Session,
    contract: Contract,
    promises: Sequence[Promise],
    known: Mapping[uuid.UUID, Obligation],
    on: date,
    now: datetime,
    *,
    due: Mapping[uuid.UUID, date | None] | None = None,
) -> uuid.UUID | None:
    """Bring what is earned of a contract to what its promises say, in one entry; answers its key, if any.

    Debits contract liability, or contract asset for what is not billed yet, and credits revenue; the other
    way round for what is not earned any more. ``due`` says when to look again. What is earned before its
    bill, in a currency that nobody told a rate for, waits for the bill. StaleState when somebody else was
    faster.
    """
    shares = allocated(promises, contract.currency)
    moves = [_move(one, shares[one.key], known.get(one.key), due or {}) for one in promises]
    moves = [move for move in moves if move.differs]
    if not moves:
        return None
    entry = None
    if any(move.posts for move in moves):
        try:
            entry = post(session, _posting(session, contract, moves, known, on), now)
        except NoRate:
            if contract.rate is not None:
                raise
            return None
    crash.point("earn.posted")
    _write(session, contract, moves, entry, on)
    crash.point("earn.written")
    return entry


def _move(
    promise: Promise, share: int, known: Obligation | None, due: Mapping[uuid.UUID, date | None]
) -> _Move:
    now_earned = earned(share, promise.done, promise.whole)
    if not promise.is_billed and not promise.whole:
        now_earned = 0  # nothing was given, and nobody is asked for it
    unbilled = 0 if promise.is_billed else now_earned
    return _Move(
        promise,
        known,
        share,
        now_earned,
        unbilled,
        now_earned - (known.earned_minor if known else 0),
        unbilled - (known.unbilled_minor if known else 0),
        due.get(promise.key),
    )


def _posting(
    session: Session,
    contract: Contract,
    moves: Sequence[_Move],
    known: Mapping[uuid.UUID, Obligation],
    on: date,
) -> Posting:
    """The entry of what is earned more (or less), and of what was earned before its bill came."""
    revenue = sum(move.revenue for move in moves)
    asset = sum(move.unbilled_more for move in moves)
    worth: tuple[int | None, int | None, int | None] = (None, None, None)
    if contract.rate is not None:
        worth = _worth(session, contract, known, revenue, asset)
    sides = [
        Side(code, Money(minor, contract.currency), contract.account_id, functional)
        for code, minor, functional in zip(
            (CONTRACT_LIABILITY, CONTRACT_ASSET, REVENUE),
            (revenue - asset, asset, -revenue),
            worth,
            strict=True,
        )
    ]
    return Posting(contract.legal_entity_id, KIND, on, contract.kind, contract.id, sides)


def _worth(
    session: Session,
    contract: Contract,
    known: Mapping[uuid.UUID, Obligation],
    revenue: int,
    asset: int,
) -> tuple[int, int, int]:
    """The sides in the functional currency: at the bill's rate, rounded on all that was earned so far, so
    that the last takes the last of what the bill put there. What was earned before its bill is carried as it
    was.
    """
    functional = rates.functional_currency(session, contract.legal_entity_id)
    digits = minor_digits(functional) - minor_digits(contract.currency)

    def worth(minor: int) -> int:
        product = _WIDE.multiply(Decimal(minor), contract.rate or Decimal(1))
        return round_half_up(product.scaleb(digits, _WIDE))

    before = sum(row.earned_minor for row in known.values())
    billed = before - sum(row.unbilled_minor for row in known.values())
    return (
        worth(billed + revenue - asset) - worth(billed),
        -_carried(session, contract) if asset else 0,
        worth(before) - worth(before + revenue),
    )


def _carried(session: Session, contract: Contract) -> int:
    """What stands on the contract's asset, in the functional currency."""
    found = session.scalar(
        select(func.coalesce(func.sum(JournalLine.functional_minor), 0))
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(
            JournalEntry.source_kind == contract.kind,
            JournalEntry.source_id == contract.id,
            JournalLine.ledger_code == CONTRACT_ASSET,
        )
    )
    return int(found or 0)


def _write(
    session: Session,
    contract: Contract,
    moves: Sequence[_Move],
    entry: uuid.UUID | None,
    on: date,
) -> None:
    fresh, steps = [], []
    for move in moves:
        row = move.known
        key, before = (new_id(), 0) if row is None else (row.id, row.steps)
        state = {
            "invoice_line_id": move.promise.invoice_line_id,
            "allocated_minor": move.allocated,
            "earned_minor": move.earned,
            "unbilled_minor": move.unbilled,
            "steps": before + (1 if move.posts else 0),
            "due_on": move.due_on,
        }
        if row is None:
            fresh.append({**_named(contract, move.promise), "id": key, **state})
        else:
            _change(session, row, state)
        if move.posts:
            step = {"obligation_id": key, "number": before + 1, "earned_on": on, "entry_id": entry}
            amounts = {"amount_minor": move.revenue, "unbilled_minor": move.unbilled_more}
            steps.append({"id": new_id(), **step, **amounts})
    insert_rows(session, Obligation, fresh)
    insert_rows(session, RevenueSchedule, steps)


def _named(contract: Contract, promise: Promise) -> dict[str, object]:
    return {
        "legal_entity_id": contract.legal_entity_id,
        "currency": contract.currency,
        "contract_id": contract.id,
        "order_line_id": promise.order_line_id,
        "trigger": promise.trigger,
    }


def _change(session: Session, row: Obligation, state: Mapping[str, object]) -> None:
    result = session.execute(
        update(Obligation)
        .where(Obligation.id == row.id, Obligation.steps == row.steps)
        .values(state)
        .execution_options(synchronize_session=False)
    )
    if changed(result) != 1:
        raise StaleState("obligation", "earned")
    for name, value in state.items():
        set_committed_value(row, name, value)
