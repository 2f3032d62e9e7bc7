"""What a credit memo gave back of money that had come goes back the way it came, as staff chose.

An order's bill goes through ``give_back``, over all its tenders; a bill without one goes back to the cards
that paid it. What cannot go back stays the customer's credit.
"""

import uuid

from sqlalchemy.orm import Session

from core.kernel import audit
from core.kernel.ids import new_id
from core.kernel.money import Money, total
from core.ledger import items, returns, tenders
from core.ledger.items import Open
from core.ledger.returns import Returnable
from core.orders import changing
from core.parties import accounts
from flows import give_back, refund
from flows.give_back import Back
from flows.house import House
from invoices.models import Invoice
from payments import money
from payments.models import Refund


def send_back(house: House, memo_id: uuid.UUID) -> None:
    """Hears ``CreditToRefund``; asked again it goes on from there. Raises GatewayError."""
    with house.db.reading() as session:
        memo = session.get_one(Invoice, memo_id)
    if memo.order_id is None:
        for operation_id in house.db.run_tx(lambda session: _to_cards(session, house, memo)):
            refund.go(house, operation_id)
        return
    back = house.db.run_tx(lambda session: _back(session, memo, memo.order_id))
    if back is not None:
        give_back.give_back(house, back)


def possible(session: Session, memo: Invoice) -> Money:
    """How much of a memo's credit could go back the way it was paid now; writes and locks nothing."""
    zero = Money.zero(memo.currency)
    found = items.of_sources(session, [memo.id, _corrected(memo)])
    credit, bill = found.get(memo.id), found.get(_corrected(memo))
    if credit is None or not credit.open or bill is None:
        return zero
    if memo.order_id is None:
        paid = returns.returnable(session, new_id(), [bill.id], locked=False)
        paid = [one for one in paid if one.tender.kind == "card"]
    else:
        paid = give_back.paid_by(session, memo.order_id, locked=False)
        paid = [one for one in paid if one.tender.kind != "credit"]
    return max(zero, min(_free(session, credit), _paid(paid, memo.currency)))


def _key(memo: Invoice) -> str:
    return f"memo-{memo.id.hex}"


def _back(session: Session, memo: Invoice, order_id: uuid.UUID | None) -> Back | None:
    """As much as is still there and was paid; the same again once it was begun."""
    assert order_id is not None
    credit = items.of_sources(session, [memo.id]).get(memo.id)
    if credit is None:
        return None
    found = give_back.paid_by(session, order_id)
    amount = min(_free(session, credit), _paid(found, credit.amount.currency))
    if amount.minor <= 0 and not returns.is_known(session, _key(memo)):
        return None
    way = changing.way_of_memo(session, memo.id) or returns.USUAL
    return Back(order_id, amount, _key(memo), "credit_memo", way, from_sources=[memo.id])


def _corrected(memo: Invoice) -> uuid.UUID:
    assert memo.corrects_id is not None
    return memo.corrects_id


def _free(session: Session, credit: Open) -> Money:
    left = tenders.unreserved(session, [credit])
    return total((item.open for item in left), credit.amount.currency)


def _paid(found: list[Returnable], currency: str) -> Money:
    return total((one.left for one in found if one.left.currency == currency), currency)


def _to_cards(session: Session, house: House, memo: Invoice) -> list[uuid.UUID]:
    accounts.lock(session, memo.payer_account_id)
    credit = items.of_sources(session, [memo.id]).get(memo.id)
    bill = items.of_sources(session, [_corrected(memo)]).get(_corrected(memo))
    if credit is None or bill is None:
        return []
    if returns.is_known(session, _key(memo)):
        known = returns.refunds_under(session, _key(memo))
        return [session.get_one(Refund, one).operation_id for one in known]
    found = [
        one for one in returns.returnable(session, new_id(), [bill.id]) if one.tender.kind == "card"
    ]
    amount = min(_free(session, credit), _paid(found, credit.amount.currency))
    asked, now = [], house.clock.now()
    for tender, part in returns.share(amount, found):
        assert tender.operation_id is not None
        payment = money.of_operation(session, tender.operation_id)
        assert payment is not None
        row = refund.request(
            session,
            house,
            payment,
            part,
            "credit_memo",
            [(items.get(session, credit.id), part)],
            uuid.uuid5(tender.id, _key(memo)).hex,
        )
        returns.record(session, tender, _key(memo), part, now, row.id)
        asked.append(row.operation_id)
    subject = ("invoice", memo.public_id)
    audit.write(session, now, "system", "credit_memo.refunded", subject)
    return asked
