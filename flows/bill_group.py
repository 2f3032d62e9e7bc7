"""A few payers of a run, billed in one transaction: read together, compared one by one, written together."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from core.kernel import crash
from core.kernel.clock import local_date
from core.kernel.db import forget_plans
from core.ledger import credits
from core.parties import accounts
from core.parties.models import Account
from core.subscriptions import reading
from core.subscriptions.models import Subscription
from core.subscriptions.timeline import Timeline
from core.tax.service import Answers
from flows import bill_account
from flows.house import House
from flows.taxing import with_taxes
from invoices.billing import comparing, issuing, marks, parking, runs
from invoices.billing.comparing import Difference, Facts
from invoices.billing.composing import Bill, Ground
from invoices.billing.issuing import Posted
from invoices.billing.models import REAL, BillChunk, BillRun
from invoices.models import Invoice


@dataclass(frozen=True)
class Compared:
    """A payer with the services it pays for, and what is to be posted of them by its own day."""

    payer: Account
    services: Sequence[Timeline]
    as_of: date
    difference: Difference


def bill(
    session: Session,
    house: House,
    ground: Ground,
    run: BillRun,
    keys: Sequence[uuid.UUID],
    answers: Answers,
) -> None:
    """Bill some payers and note what became of them. Raises what posting raises: then nothing is written."""
    forget_plans(session)
    payers = accounts.lock_each(session, keys)
    stopped = parking.parked(session, keys)
    found, known = _compare(session, ground, [one for one in payers if one.id not in stopped], run)
    posted = _post(session, house, ground, run, found, answers)
    _mark(session, ground, found, known)
    runs.note(session, [row for one in found for row in _noted(run, one, posted.get(one.payer.id))])
    crash.point("bill_run.before_commit")


def _compare(
    session: Session, ground: Ground, payers: Sequence[Account], run: BillRun
) -> tuple[list[Compared], Facts]:
    """Nobody is billed by a day that has not begun where they are."""
    services = reading.timelines(
        session, Subscription.payer_account_id.in_([payer.id for payer in payers])
    )
    known = comparing.facts(session, services)
    mine: dict[uuid.UUID, list[Timeline]] = {}
    for service in services:
        mine.setdefault(service.payer_account_id, []).append(service)
    found = []
    for payer in payers:
        as_of, own = run.as_of, mine.get(payer.id, [])
        if run.kind == REAL:
            as_of = min(as_of, local_date(ground.now, payer.time_zone))
        difference = comparing.compare(own, known, as_of)
        found.append(Compared(payer, own, as_of, difference))
    return found, known


def _post(
    session: Session,
    house: House,
    ground: Ground,
    run: BillRun,
    found: Sequence[Compared],
    answers: Answers,
) -> dict[uuid.UUID, Posted]:
    """Those with neither credit nor repairs together, the others one by one after them."""
    due = [one for one in found if one.difference]
    payers = [one.payer for one in due]
    _read_buyers(session, ground, payers)
    ground.read_numbers(session, [charge for one in due for charge in one.difference.charges])
    rich = credits.with_any(session, [payer.id for payer in payers])
    plain: list[tuple[Account, Sequence[Bill]]] = []
    single: list[Compared] = []
    for one in due:
        if one.payer.id in rich or one.difference.repairs:
            single.append(one)
            continue
        bounds = house.rules.bills
        bills = issuing.composed(session, ground, bounds, one.payer, one.difference, answers)
        plain.append((one.payer, bills))
    posted = issuing.post_plain(session, ground, plain, run.started_by)
    for one in single:
        posted[one.payer.id] = issuing.post(
            session,
            ground,
            house.rules.bills,
            one.payer,
            one.difference,
            answers,
            run.started_by,
        )
    return posted


def _read_buyers(session: Session, ground: Ground, payers: Sequence[Account]) -> None:
    by_day: dict[date, list[Account]] = {}
    for payer in payers:
        if payer.channel_id is not None:
            _, entity = ground.seller(session, payer.channel_id)
            by_day.setdefault(ground.day(entity), []).append(payer)
    ground.table.read_buyers(session, by_day)


def _mark(session: Session, ground: Ground, found: Sequence[Compared], known: Facts) -> None:
    revisions = marks.revisions(session, [service.id for one in found for service in one.services])
    marked = [
        mark
        for one in found
        for mark in comparing.marked(one.services, known, revisions, one.as_of)
    ]
    marks.note(session, marked, ground.now)


def _noted(run: BillRun, one: Compared, posted: Posted | None) -> list[dict[str, Any]]:
    if posted is None:
        return []
    return [
        *(_row(run, one.payer, "billed", invoice) for invoice in posted.invoices),
        *(_row(run, one.payer, "credited", memo) for memo in posted.memos),
    ]


def _row(run: BillRun, payer: Account, kind: str, document: Invoice) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "account_id": payer.id,
        "kind": kind,
        "currency": document.currency,
        "amount_minor": document.total_minor,
        "invoice_id": document.id,
    }


def nothing(
    session: Session, run: BillRun, account_id: uuid.UUID, kind: str, reason: str
) -> Mapping[str, Any]:
    """An account that got no bill, and why."""
    return {
        "run_id": run.id,
        "account_id": account_id,
        "kind": kind,
        "currency": session.get_one(Account, account_id).currency,
        "amount_minor": 0,
        "invoice_id": None,
        "reason": reason,
    }


# --- previews --------------------------------------------------------------------------------------


def foresee(house: House, run: BillRun, chunk: BillChunk) -> None:
    """Note what the accounts of a chunk would be billed, and mark it done, in one commit."""
    with house.db.reading() as session:
        query = marks.due(
            run.as_of, account_id=run.account_id, between=(chunk.first_id, chunk.last_id)
        )
        keys = list(session.scalars(query))
    rows = [row for key in keys for row in _foreseen(house, run, key)]

    now = house.clock.now()
    house.db.run_tx(lambda session: runs.done(session, run.id, chunk.number, now, rows))


def _foreseen(house: House, run: BillRun, key: uuid.UUID) -> list[Mapping[str, Any]]:
    def work(answers: Answers) -> list[Mapping[str, Any]]:
        with house.db.snapshot() as session:
            payer = session.get_one(Account, key)
            _, made, parked = bill_account.foresee(session, house, payer, run.as_of, answers)
            if parked:
                return [nothing(session, run, key, "parked", parked)]
        bare = {"run_id": run.id, "account_id": key, "invoice_id": None}
        return [
            *(
                {
                    **bare,
                    "kind": "billed",
                    "currency": bill.content.currency,
                    "amount_minor": bill.content.total_minor,
                }
                for bill in made.bills
            ),
            *(
                {
                    **bare,
                    "kind": "credited",
                    "currency": back.bill.currency,
                    "amount_minor": back.total,
                }
                for back in made.backs
            ),
        ]

    return with_taxes(house, work)
