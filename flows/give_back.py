"""A refund across the tenders that paid an order or its bills: cards first, then gift cards, then credit.

What goes to gift cards and credit is posted in one transaction with the requests for the cards; the
processor is asked afterwards, and a refund that it cannot pay out is posted back.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from core.kernel import audit, crash
from core.kernel.clock import local_date
from core.kernel.money import Money
from core.ledger import gift_cards, items, returns, tenders
from core.ledger.chart import CUSTOMER_CREDIT, ORDER_DEPOSIT
from core.ledger.items import NewApplication, Open
from core.ledger.models import OpenItem
from core.ledger.returns import USUAL, Purse, Returnable
from core.ledger.tender_models import Tender
from core.orders import placing
from core.orders.models import Order
from core.parties import accounts
from core.parties.models import LegalEntity
from flows import refund
from flows.house import House
from invoices import reading as invoices
from payments import money
from payments.models import Refund


@dataclass(frozen=True)
class Back:
    """So much of an order goes back to the payer."""

    order_id: uuid.UUID
    amount: Money
    #: Names this refund, of at most 60 characters: asked twice under one key, it happens once.
    key: str
    reason: str
    #: Which kinds of tender get it, the first as much as it paid.
    order: Sequence[str] = USUAL
    #: What left the credit that it is taken from (memos, gift cards); None: all that is held of this order.
    from_sources: Sequence[uuid.UUID] | None = None
    actor: str = "system"


def give_back(house: House, back: Back) -> None:
    """Give money of an order back, as stated. Asked again under the same key it goes on from there.

    Raises RefundTooMuch when the tenders did not pay as much or nothing of it is held; GatewayError when
    the processor does not answer (the reconciler goes on) or refuses (it is posted back).
    """
    for refund_id in house.db.run_tx(lambda session: _write(session, house, back)):
        with house.db.reading() as session:
            operation_id = session.get_one(Refund, refund_id).operation_id
        refund.go(house, operation_id)


def held_from(session: Session, order_id: uuid.UUID) -> list[Open]:
    """What is held of an order: its deposits, and the credit that memos on its bills and its unused gift
    cards left."""
    bills = invoices.of_order(session, order_id)
    sources = [row.id for row in bills]
    sources += [held.card.id for held in gift_cards.of_order(session, order_id)]
    found = items.find(
        session,
        OpenItem.side == "credit",
        (OpenItem.order_id == order_id) & (OpenItem.ledger_code == ORDER_DEPOSIT)
        | OpenItem.source_id.in_(sources) & (OpenItem.ledger_code == CUSTOMER_CREDIT),
    )
    return [item for item in found if item.open.minor > 0]


def paid_by(session: Session, order_id: uuid.UUID, *, locked: bool = True) -> list[Returnable]:
    """What paid an order or any of its bills, and how much of it can go back; locked, to give it back."""
    bills = items.of_sources(session, [row.id for row in invoices.of_order(session, order_id)])
    return returns.returnable(
        session, order_id, [item.id for item in bills.values()], locked=locked
    )


def _write(session: Session, house: House, back: Back) -> list[uuid.UUID]:
    """Share the refund out and post it; the processor's refunds that are to be asked for."""
    now = house.clock.now()
    payer_id = session.get_one(Order, back.order_id).payer_account_id
    account = accounts.lock(session, payer_id)  # before the order, as whoever moves its money does
    order = placing.lock(session, back.order_id)
    if returns.is_known(session, back.key):
        return returns.refunds_under(session, back.key)
    held = held_from(session, order.id)
    if back.from_sources is not None:
        held = [item for item in held if item.source_id in back.from_sources]
    found = paid_by(session, order.id)
    shares = returns.share(back.amount, found, back.order)
    purse = Purse(tenders.unreserved(session, held), back.amount.currency)
    entity = session.get_one(LegalEntity, account.legal_entity_id)
    act = _Act(session, house, back, purse, local_date(now, entity.time_zone), now)
    asked = act.to_cards([one for one in shares if one[0].kind == "card"])
    for tender, amount in shares:
        if tender.kind == "gift_card":
            act.to_gift_card(tender, amount)
        elif tender.kind == "credit":
            act.to_credit(tender, amount)
    left = sum(one.left.minor for one in found) - back.amount.minor
    if left == 0 and order.payment == "paid":
        placing.set_payment(session, order, "refunded")
    audit.write(session, now, back.actor, "order.refunded", ("order", order.public_id))
    crash.point("give_back.before_commit")
    return asked


@dataclass(frozen=True)
class _Act:
    """One refund being written."""

    session: Session
    house: House
    back: Back
    purse: Purse
    today: date
    now: datetime

    def to_cards(self, shares: Sequence[tuple[Tender, Money]]) -> list[uuid.UUID]:
        """One refund for each payment, whichever of its tenders it is of."""
        by_operation: dict[uuid.UUID, list[tuple[Tender, Money]]] = {}
        for tender, amount in shares:
            assert tender.operation_id is not None
            by_operation.setdefault(tender.operation_id, []).append((tender, amount))
        asked = []
        for operation_id, parts in by_operation.items():
            payment = money.of_operation(self.session, operation_id)
            assert payment is not None
            amount = Money(sum(part.minor for _, part in parts), payment.currency)
            row = refund.request(
                self.session,
                self.house,
                payment,
                amount,
                self.back.reason,
                self.purse.draw(amount, payment.id),
                uuid.uuid5(payment.id, self.back.key).hex,
            )
            for tender, part in parts:
                returns.record(self.session, tender, self.back.key, part, self.now, row.id)
            asked.append(row.id)
        return asked

    def to_gift_card(self, tender: Tender, amount: Money) -> None:
        """Back on the card that paid; the money is the gift card liability's again."""
        key = returns.record(self.session, tender, self.back.key, amount, self.now)
        for item, part in self.purse.draw(amount, tender.id):
            entry = gift_cards.give_back(
                self.session, tender, part, item.settle(part), key, self.today, self.now
            )
            used = NewApplication(part, "gift_card", key, self.today, credit_item_id=item.id)
            items.apply(self.session, entry, self.now, used)

    def to_credit(self, tender: Tender, amount: Money) -> None:
        """A deposit becomes the account's credit again; what is its credit already stays there."""
        key = returns.record(self.session, tender, self.back.key, amount, self.now)
        for item, part in self.purse.draw(amount, tender.id):
            if item.ledger_code == ORDER_DEPOSIT:
                tenders.move(self.session, item, part, CUSTOMER_CREDIT, key, self.today, self.now)
