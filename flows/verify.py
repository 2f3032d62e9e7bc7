"""The books prove themselves: twelve lines, each with its figure, all from one snapshot.

Rooms and core make the parts; here they are put into the order of the list. ``./shop verify`` prints
them. Nothing is written.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy.orm import Session

from core.entitlements import proofs as entitlements
from core.kernel import audit
from core.kernel.blobs import Blobs
from core.kernel.clock import Clock
from core.kernel.proof import Part
from core.ledger import item_proofs as items
from core.ledger import proofs as ledger
from core.ledger import tender_proofs as tenders
from core.ledger import valuation
from core.orders import piece_proofs, provisioning_proofs
from core.orders import proofs as orders
from core.revenue import proofs as revenue
from core.stock import pool_proofs
from core.stock import proofs as stock
from flows import begun_proofs, sold_proofs
from invoices.proofs import (
    books,
    bundles,
    disputes,
    earned,
    memos,
    series,
    services,
    statements,
    stored,
    stored_statements,
    taxes,
)
from invoices.proofs import orders as worth
from payments import chargeback_proofs as chargebacks
from payments import proofs as payments

TODAY_ONLY = "known for today only"


@dataclass(frozen=True)
class Finding:
    """One line: what is claimed, its figure, and what speaks against it.

    ``proved`` is False where there is nothing to prove; then nothing speaks against it either.
    """

    number: int
    claim: str
    figure: str
    offenders: tuple[str, ...] = ()
    proved: bool = True

    @property
    def holds(self) -> bool:
        """Does nothing speak against it?"""
        return not self.offenders


@dataclass(frozen=True)
class _Look:
    """What the proofs are asked about."""

    session: Session
    now: datetime
    as_of: date | None
    blobs: Blobs | None

    @property
    def past(self) -> bool:
        """What is known for today only cannot be proved."""
        return self.as_of is not None and self.as_of < self.now.date()

    @property
    def today(self) -> date:
        return self.as_of or self.now.date()


class Snapshots(Protocol):
    """A database as far as proving goes."""

    def snapshot(self, *, large: bool = False) -> AbstractContextManager[Session]:
        """A session in which every statement sees the same moment."""
        ...


def verify(
    db: Snapshots, clock: Clock, *, as_of: date | None = None, blobs: Blobs | None = None
) -> Iterator[Finding]:
    """Prove each line of the list. ``as_of`` leaves out what is dated later; ``blobs``, where
    stored documents are, asks to read each of them whole."""
    with db.snapshot(large=True) as session:
        look = _Look(session, clock.now(), as_of, blobs)
        for number, (claim, prove) in enumerate(_LIST, start=1):
            parts = prove(look)
            if isinstance(parts, str):
                yield Finding(number, claim, parts, proved=False)
                continue
            yield Finding(
                number,
                claim,
                "; ".join(part.figure for part in parts),
                tuple(word for part in parts for word in part.offenders),
            )


def _balance(look: _Look) -> list[Part]:
    return [
        ledger.entries_balance(look.session, look.as_of),
        ledger.postings_have_no_gap(look.session),
    ]


def _controls(look: _Look) -> list[Part]:
    parts = [
        items.controls_tie(look.session, look.as_of),
        valuation.functional_amounts_tie(look.session, look.as_of),
    ]
    return parts if look.past else [*parts, items.what_is_open_is_kept(look.session)]


def _invoices(look: _Look) -> list[Part]:
    parts = [
        books.documents_add_up(look.session),
        books.ledger_has_them(look.session, look.as_of),
        books.orders_are_billed_as_placed(look.session),
        taxes.report_is_tax_payable(look.session, look.as_of),
        items.items_stay_within_bounds(look.session, look.as_of),
    ]
    return parts if look.past else [*parts, worth.they_come_to_their_documents(look.session)]


def _payments(look: _Look) -> list[Part]:
    parts = [
        payments.captured_is_somewhere(look.session, look.as_of),
        tenders.gift_cards_tie(look.session, look.as_of),
    ]
    if look.past:
        return parts
    return [
        *parts,
        chargebacks.chargebacks_are_in_the_books(look.session),
        orders.tenders_add_up(look.session),
        tenders.nothing_is_reserved_twice(look.session),
        tenders.returned_is_within(look.session),
    ]


def _statements(look: _Look) -> list[Part]:
    return [
        statements.they_chain(look.session, look.as_of),
        statements.they_take_each_posting_once(look.session, look.as_of),
        statements.they_tie_to_the_ledger(look.session, look.as_of),
    ]


def _bundles(look: _Look) -> list[Part]:
    parts = [
        bundles.pieces_are_their_bundle(look.session, look.as_of),
        orders.pieces_are_their_bundle(look.session),
    ]
    if look.past:
        return parts
    return [
        *parts,
        earned.allocations_are_their_lines(look.session),
        revenue.schedules_are_posted(look.session),
        earned.liability_is_what_is_not_earned(look.session),
    ]


def _credits(look: _Look) -> list[Part]:
    parts = [
        series.credits_stay_below_their_lines(look.session),
        memos.memos_are_of_their_bills(look.session),
        memos.a_full_credit_is_the_bill(look.session),
        disputes.credits_are_their_memos(look.session),
    ]
    return parts if look.past else [*parts, disputes.contested_is_what_stands(look.session)]


def _numbers(look: _Look) -> list[Part]:
    return [
        series.numbers_have_no_gap(look.session),
        statements.numbers_have_no_gap(look.session),
        orders.numbers_have_no_gap(look.session),
        payments.numbers_have_no_gap(look.session),
        series.no_number_comes_twice(look.session),
    ]


def _stock(look: _Look) -> list[Part] | str:
    if look.past:
        return TODAY_ONLY
    return [
        stock.levels_are_true(look.session, look.now),
        piece_proofs.pieces_are_counted(look.session),
        sold_proofs.what_waits_is_allocated(look.session),
        pool_proofs.numbers_are_true(look.session, look.now),
        sold_proofs.what_is_sold_has_its_numbers(look.session),
    ]


def _ageing(look: _Look) -> list[Part]:
    return [items.ageing_ties(look.session, look.as_of, look.today)]


def _services(look: _Look) -> list[Part]:
    parts = [
        services.charges_are_of_served_days(look.session, look.as_of),
        services.charges_come_once(look.session, look.as_of),
    ]
    if look.past:
        return parts
    return [
        *parts,
        services.nothing_is_left_to_bill(look.session),
        services.runs_left_nobody_out(look.session),
        begun_proofs.what_is_provided_has_begun(look.session),
        earned.given_is_earned(look.session),
        provisioning_proofs.provisioned_is_provided(look.session),
        entitlements.they_follow_their_services(look.session, look.today),
        entitlements.their_steps_lead_to_them(look.session),
    ]


def _records(look: _Look) -> list[Part]:
    parts = [_audit(look.session)]
    if look.blobs is not None:
        parts += [
            stored.bytes_have_their_hash(look.session, look.blobs),
            stored.words_are_the_figures(look.session),
            stored.none_is_missing(look.session, look.now),
            stored_statements.bytes_have_their_hash(look.session, look.blobs),
            stored_statements.words_are_the_figures(look.session),
            stored_statements.none_is_missing(look.session, look.now),
        ]
    return parts


def _audit(session: Session) -> Part:
    head = session.get(audit.AuditHead, 1)
    sealed = head.seal_number if head else 0
    broken = audit.broken_at(session)
    wrong = () if broken is None else (f"sealed line {broken} is missing or was changed",)
    return Part(f"{sealed:,} lines sealed", wrong)


_LIST: tuple[tuple[str, Callable[[_Look], list[Part] | str]], ...] = (
    ("Debits are credits", _balance),
    ("Control accounts are their open items", _controls),
    ("Invoices are their lines, orders and entries", _invoices),
    ("Captured money is somewhere", _payments),
    ("Statements chain", _statements),
    ("Bundles and revenue schedules sum up", _bundles),
    ("Credit per line is no more than the line", _credits),
    ("Numbers have no gap and no double", _numbers),
    ("Stock is not oversold", _stock),
    ("Ageing is the receivable", _ageing),
    ("Services billed are services provisioned", _services),
    ("The audit chain and documents are whole", _records),
)
