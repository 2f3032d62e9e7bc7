"""Money of a payment of bills goes back to its card, or is kept as credit, as staff choose.

What is held of it goes first; then what it paid is taken from its bills, the last first: they are owed again.
A credit memo gives money back without that. An order's payment goes back by its order (``give_back``).
"""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel import audit, crash, idempotency
from core.kernel.clock import local_date
from core.kernel.errors import ShopError
from core.kernel.money import Money, total
from core.ledger import items, returns, reversals, tenders
from core.ledger.items import Open
from core.ledger.models import Application, OpenItem
from core.ledger.returns import RefundTooMuch
from core.ledger.reversals import Undoable
from core.parties import accounts
from core.parties.models import LegalEntity
from flows import refund
from flows.house import House
from payments import reading
from payments.models import Payment, Refund


@dataclass(eq=False)
class OfAnOrder(ShopError):
    """An order's payment goes back by its order, across all that paid it."""

    code: ClassVar[str] = "payment_of_an_order"
    text: ClassVar[str] = "{number} paid an order: give it back there."
    number: str


@dataclass(frozen=True)
class Wanted:
    """So much of a payment: ``card`` or ``credit``. ``once`` names the request, of at most 40 characters."""

    public_id: str
    amount: Money
    to: str
    reason: str
    actor: str
    once: str


@dataclass(frozen=True)
class Foreseen:
    """What can go back: what is held of it, and what it paid, by bill, the last first."""

    payment: Payment
    held: Money
    paid: tuple[tuple[str, Money], ...]

    @property
    def most(self) -> Money:
        """All of it."""
        return self.held + total((amount for _, amount in self.paid), self.payment.currency)


def foresee(session: Session, public_id: str) -> Foreseen:
    """What can go back of a payment. Raises NotFound and OfAnOrder."""
    payment = _payment(session, public_id)
    held = tenders.unreserved(session, _held(session, payment))
    applied = _applied(session, payment)
    bills = items.some(session, [one.row.debit_item_id for one in applied if one.row.debit_item_id])
    numbers = {item.id: item.number for item in bills}
    return Foreseen(
        payment,
        total((item.open for item in held), payment.currency),
        tuple(
            (numbers[one.row.debit_item_id], one.left) for one in applied if one.row.debit_item_id
        ),
    )


def give(house: House, wanted: Wanted) -> None:
    """Give it back. Asked again under the same name it goes on from there.

    Raises NotFound, OfAnOrder, RefundTooMuch, KeyReused; GatewayError when the processor does not answer
    (the reconciler goes on) or refuses (it is posted back, and kept as credit).
    """
    operation_id = house.db.run_tx(lambda session: _write(session, house, wanted))
    if operation_id is not None:
        refund.go(house, operation_id)


def _write(session: Session, house: House, wanted: Wanted) -> uuid.UUID | None:
    now, payment = house.clock.now(), _payment(session, wanted.public_id)
    account = accounts.lock(session, payment.account_id)
    wish = f"{payment.id.hex}:{wanted.amount.minor}:{wanted.to}"
    known = idempotency.begin(session, "refund-payment", wanted.once, wish[:64], now)
    if known is not None:
        key = known.body["refund"]
        return session.get_one(Refund, uuid.UUID(key)).operation_id if key else None
    entity = session.get_one(LegalEntity, account.legal_entity_id)
    today = local_date(now, entity.time_zone)
    parts = _free(session, house, payment, wanted.amount, today)
    row = None
    if wanted.to == "card":
        row = refund.request(
            session, house, payment, wanted.amount, wanted.reason, parts, f"desk-{wanted.once}"
        )
        _note(session, house, payment, wanted, row)
    audit.write(
        session,
        now,
        wanted.actor,
        "payment.given_back",
        ("payment", payment.public_id),
        amount=wanted.amount.minor,
        to=wanted.to,
        reason=wanted.reason,
    )
    body = {"refund": str(row.id) if row is not None else ""}
    idempotency.finish(session, "refund-payment", wanted.once, 200, body)
    crash.point("refund_payment.before_commit")
    return row.operation_id if row is not None else None


def _free(
    session: Session, house: House, payment: Payment, amount: Money, today: date
) -> list[tuple[Open, Money]]:
    """As much as is wanted, held for the payer: what is held already, then taken from the bills."""
    left, parts = amount, []
    for item in tenders.unreserved(session, _held(session, payment)):
        part = min(left, item.open)
        if part.minor > 0:
            parts.append((item, part))
            left -= part
    for one in _applied(session, payment):
        part = min(left, one.left)
        if part.minor > 0:
            now = house.clock.now()
            parts.append((reversals.undo(session, one.row.id, today, now, part), part))
            left -= part
    if left:
        raise RefundTooMuch(amount, amount - left)
    return parts


def _note(session: Session, house: House, payment: Payment, wanted: Wanted, row: Refund) -> None:
    """The tenders by which it paid bills have given so much back."""
    found = [
        one for one in tenders.of_operation(session, payment.operation_id) if one.kind == "card"
    ]
    back, left = returns.given_back(session, [one.id for one in found]), wanted.amount
    for tender in found:
        part = min(left, Money(tender.taken_minor - back.get(tender.id, 0), tender.currency))
        if part.minor > 0:
            now = house.clock.now()
            returns.record(session, tender, f"desk-{wanted.once}", part, now, row.id)
            left -= part


def _payment(session: Session, public_id: str) -> Payment:
    payment = reading.one(session, public_id)
    if payment.order_id is not None:
        raise OfAnOrder(payment.number)
    return payment


def _held(session: Session, payment: Payment) -> list[Open]:
    return items.find(session, OpenItem.source_id == payment.id, OpenItem.side == "credit")


def _applied(session: Session, payment: Payment) -> list[Undoable]:
    """What it paid and still stands, the last first."""
    rows = session.scalars(
        select(Application)
        .where(
            Application.source_kind == "payment",
            Application.source_id == payment.id,
            Application.debit_item_id.is_not(None),
            Application.reverses_id.is_(None),
        )
        .order_by(Application.posted_at.desc(), Application.id.desc())
    ).all()
    found = [reversals.standing(session, row.id) for row in rows]
    return [one for one in found if reversals.can_undo(one)]
