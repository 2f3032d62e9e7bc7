"""What the payments show of themselves against the ledger: where each captured amount is now."""

from datetime import date
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from core.kernel import proof
from core.kernel.numbering import NumberSeries
from core.kernel.proof import Numbered, Part
from core.ledger.chargebacks import CHARGEBACK
from core.ledger.chart import CLEARING, ORDER_DEPOSIT
from core.ledger.models import Application, JournalEntry, JournalLine, OpenItem
from payments.models import Payment, Refund
from payments.money import BEFORE_FIRST, PAYMENT_SERIES

#: A refund's entry, and the one that posts it back when it fails.
_REFUNDS = ("refund", "refund_failed")
#: What a card network has taken back and not given again.
CHARGED_BACK = "charged back"
#: What went back from the bank, or became money in another currency, by the source of its application.
PAID_OUT = "paid out or exchanged"
#: Money of a payment that left it otherwise; a gift card may get what a card paid, when staff say so.
_ELSEWHERE = ("pay_out", "exchange", "gift_card")


def captured_is_somewhere(session: Session, as_of: date | None) -> Part:
    """Captured = applied + unapplied + earmarked + refunded + charged back, payment by payment.

    And each went through processor clearing, with its refunds.
    """
    wrong = [
        *proof.offenders(
            session,
            _missing(as_of),
            lambda row: f"payment {row[0]}: {proof.amount(row[2], row[1])} of it is nowhere",
        ),
        *_uncleared(session, as_of),
    ]
    always = ("captured", "applied", "earmarked", "unapplied", "refunded")
    sums: dict[str, dict[str, int]] = {}
    for currency, what, minor in session.execute(_totals(as_of)):
        sums.setdefault(currency, {})[what] = abs(int(minor))
    figures = [
        ", ".join(
            f"{what} {proof.amount(by.get(what), currency)}"
            for what in (*always, *(one for one in (CHARGED_BACK, PAID_OUT) if one in by))
        )
        for currency, by in sorted(sums.items())
    ]
    return Part("; ".join(figures) or "nothing was captured", proof.first_few(wrong))


def numbers_have_no_gap(session: Session) -> Part:
    """``P-10001`` and on, one for each payment."""
    part = proof.numbers(session, _numbered(), lambda number: f"P-{BEFORE_FIRST + number}")
    return Part(f"{part.figure} payments", part.offenders)


def _uncleared(session: Session, as_of: date | None) -> tuple[str, ...]:
    """Each payment went through processor clearing once, each refund came out of it once; what failed
    went back in."""
    return proof.offenders(
        session,
        _uneven(as_of),
        lambda row: (
            f"{row[0] or row[1] or 'an entry of no payment'}: "
            f"{int(row[2])} minor units did not go through processor clearing"
        ),
    )


# --- statements, each put together once and at first use ------------------------------------------


@lru_cache(maxsize=8)
def _missing(as_of: date | None) -> Select[*tuple[Any, ...]]:
    pieces = _pieces(as_of)
    where = func.sum(pieces.c.amount)
    return (
        select(Payment.number, Payment.currency, where)
        .join(pieces, pieces.c.payment_id == Payment.id)
        .group_by(Payment.id, Payment.number, Payment.currency)
        .having(where != 0)
        .order_by(Payment.number)
    )


@lru_cache(maxsize=8)
def _totals(as_of: date | None) -> Select[*tuple[Any, ...]]:
    pieces = _pieces(as_of)
    return (
        select(Payment.currency, pieces.c.what, func.sum(pieces.c.amount))
        .join(pieces, pieces.c.payment_id == Payment.id)
        .group_by(Payment.currency, pieces.c.what)
    )


def _pieces(as_of: date | None) -> Subquery:
    """(payment, what, amount): what was captured is positive, where it is negative."""
    dated = proof.until(Application.effective_date, as_of)
    held = and_(OpenItem.source_kind == "payment", *proof.until(OpenItem.effective_date, as_of))
    kept = case((OpenItem.ledger_code == ORDER_DEPOSIT, "earmarked"), else_="unapplied")
    return union_all(
        _piece(Payment.id, literal("captured"), Payment.amount_minor).where(
            *_entry_until(Payment.id, "payment", as_of)
        ),
        _piece(Application.source_id, literal("applied"), -Application.amount_minor).where(
            Application.source_kind == "payment", Application.debit_item_id.is_not(None), *dated
        ),
        _piece(OpenItem.source_id, kept, -OpenItem.amount_minor).where(held),
        _piece(OpenItem.source_id, kept, Application.amount_minor)
        .join(Application, Application.credit_item_id == OpenItem.id)
        .where(OpenItem.source_kind == "payment", *dated),
        _piece(Refund.payment_id, literal("refunded"), JournalLine.amount_minor)
        .join(JournalEntry, JournalEntry.source_id == Refund.id)
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .where(
            JournalEntry.source_kind.in_(_REFUNDS),
            JournalLine.ledger_code == CLEARING,
            *proof.until(JournalEntry.effective_date, as_of),
        ),
        # What a refund took from credit that is not this payment's money is not this payment's.
        _from_credit(Refund.payment_id, Application.amount_minor).where(*dated),
        _from_credit(OpenItem.source_id, -Application.amount_minor).where(
            OpenItem.source_kind == "payment", *dated
        ),
        _piece(OpenItem.source_id, literal(PAID_OUT), -Application.amount_minor)
        .join(Application, Application.credit_item_id == OpenItem.id)
        .where(OpenItem.source_kind == "payment", Application.source_kind.in_(_ELSEWHERE), *dated),
        *_charged_back(dated, as_of),
    ).subquery()


def _charged_back(
    dated: list[ColumnElement[bool]], as_of: date | None
) -> list[Select[*tuple[Any, ...]]]:
    """What a chargeback took: of applications (it takes them back; won, they come again), and of money
    still held."""
    what = literal(CHARGED_BACK)
    return [
        _piece(Application.source_id, what, Application.amount_minor)
        .join(JournalEntry, JournalEntry.id == Application.entry_id)
        .where(
            Application.source_kind == "payment",
            Application.credit_item_id.is_(None),
            JournalEntry.source_kind == CHARGEBACK,
            *dated,
        ),
        _piece(OpenItem.source_id, what, -Application.amount_minor)
        .join(Application, Application.credit_item_id == OpenItem.id)
        .where(OpenItem.source_kind == "payment", Application.source_kind == CHARGEBACK, *dated),
        # Won on appeal, and the bill was settled otherwise meanwhile: it is held instead.
        _piece(OpenItem.source_id, what, OpenItem.amount_minor)
        .join(JournalEntry, JournalEntry.id == OpenItem.entry_id)
        .where(
            OpenItem.source_kind == "payment",
            JournalEntry.source_kind == CHARGEBACK,
            *proof.until(OpenItem.effective_date, as_of),
        ),
    ]


def _from_credit(payment_id: Any, minor: Any) -> Select[*tuple[Any, ...]]:
    return (
        _piece(payment_id, literal("refunded"), minor)
        .select_from(Application)
        .join(Refund, Refund.id == Application.source_id)
        .join(OpenItem, OpenItem.id == Application.credit_item_id)
        .where(Application.source_kind == "refund")
    )


def _piece(payment_id: Any, what: Any, minor: Any) -> Select[*tuple[Any, ...]]:
    return select(payment_id.label("payment_id"), what.label("what"), minor.label("amount"))


def _entry_until(source_id: Any, kind: str, as_of: date | None) -> list[ColumnElement[bool]]:
    """Without a date every row counts, also one that has no entry; with one, the entry's day does."""
    if as_of is None:
        return []
    return [
        exists().where(
            JournalEntry.source_kind == kind,
            JournalEntry.source_id == source_id,
            JournalEntry.effective_date <= as_of,
        )
    ]


@lru_cache(maxsize=8)
def _uneven(as_of: date | None) -> Select[*tuple[Any, ...]]:
    cleared = (
        select(
            JournalEntry.source_id.label("source_id"), (-JournalLine.amount_minor).label("amount")
        )
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .where(
            JournalLine.ledger_code == CLEARING,
            JournalEntry.source_kind.in_(("payment", *_REFUNDS)),
            *proof.until(JournalEntry.effective_date, as_of),
        )
    )
    captured = select(Payment.id.label("source_id"), Payment.amount_minor.label("amount")).where(
        *_entry_until(Payment.id, "payment", as_of)
    )
    refunded = select(Refund.id.label("source_id"), (-Refund.amount_minor).label("amount")).where(
        *_entry_until(Refund.id, "refund", as_of)
    )
    failed = select(Refund.id.label("source_id"), Refund.amount_minor.label("amount")).where(
        Refund.state == "failed", *_entry_until(Refund.id, "refund_failed", as_of)
    )
    both = union_all(captured, refunded, failed, cleared).subquery()
    difference = func.sum(both.c.amount)
    sums = select(both.c.source_id, difference.label("difference")).group_by(both.c.source_id)
    uneven = sums.having(difference != 0).subquery()
    return (
        select(Payment.number, Refund.gateway_id, uneven.c.difference)
        .select_from(uneven)
        .outerjoin(Payment, Payment.id == uneven.c.source_id)
        .outerjoin(Refund, Refund.id == uneven.c.source_id)
    )


@cache
def _numbered() -> Numbered:
    position = case(
        (
            Payment.number.regexp_match("^P-[1-9][0-9]*$"),
            cast(func.substr(Payment.number, 3), BigInteger) - BEFORE_FIRST,
        )
    )
    rows = select(
        Payment.legal_entity_id,
        literal(PAYMENT_SERIES).label("series"),
        position.label("position"),
    ).subquery()
    return Numbered(rows, NumberSeries.series == PAYMENT_SERIES)
