"""The card network takes a payment back: what the processor says now is looked up and followed, once each.

Events may come twice, late or in any order: the object as it stands decides. The money is posted when it was
taken, and given back or lost when that is decided; the ledger holds that each happens once.
"""

from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy.orm import Session

from core.kernel import audit, crash
from core.kernel.clock import local_date
from core.kernel.errors import StaleState
from core.kernel.money import Money
from core.ledger import appeals
from core.ledger import chargebacks as ledger
from core.ledger.chargebacks import Chargeback, ChargedBackTooMuch
from core.parties import accounts
from core.parties.models import LegalEntity
from flows.house import House
from payments import chargebacks
from payments.chargebacks import ChargebackRow
from payments.models import Payment
from payments.network import NetworkChargeback


def hear(
    house: House, gateway_id: str, settle: Callable[[str], bool] = lambda payment_id: False
) -> bool:
    """Follow one chargeback as it stands; False when it is of no payment of ours. Raises GatewayError.

    It may be heard of before its payment: ``settle`` then brings that home, and says whether it is ours.
    """
    told = house.gateway.get_chargeback(gateway_id)
    crash.point("chargeback.fetched")
    if house.db.run_tx(lambda session: follow(session, house, told)):
        return True
    if told.payment_id is None or not settle(told.payment_id):
        return False
    return house.db.run_tx(lambda session: follow(session, house, told))


def follow(session: Session, house: House, told: NetworkChargeback) -> bool:
    """Note what is told and post what of it the books lack; False when it is of no payment of ours."""
    found = chargebacks.payment_of(session, told.payment_id) if told.payment_id else None
    if found is None or found.currency != told.amount.currency:
        return False
    accounts.lock(session, found.account_id)
    now = house.clock.now()
    row = chargebacks.note(session, told, found, now)
    try:
        # What cannot be followed is undone alone: that it was heard stays.
        with session.begin_nested():
            done = _post(session, house, row, found, told)
        row.trouble = chargebacks.contradicted(row, told)
    except (ChargedBackTooMuch, StaleState) as error:
        row.trouble, done = str(error), []
    session.flush()
    for act in done:
        audit.write(session, now, "system", f"chargeback.{act}", ("chargeback", row.public_id))
    crash.point("chargeback.before_commit")
    return True


def _post(
    session: Session, house: House, row: ChargebackRow, payment: Payment, told: NetworkChargeback
) -> list[str]:
    """What the books lack of it; answers what was posted now."""
    now, done = house.clock.now(), []
    entity = session.get_one(LegalEntity, payment.legal_entity_id)
    today = local_date(now, entity.time_zone)
    if not told.taken:
        return []
    fee = Money(row.fee_minor, row.currency)
    begun = Chargeback(row.id, payment.id, chargebacks.amount_of(row), fee)
    if ledger.begin(session, begun, today, now):
        done.append("opened")
    fee_back = Money(row.fee_back_minor, row.currency)
    if row.state == "won" and _win(session, row, fee_back, today, now):
        done.append("won")
    if row.state == "lost" and ledger.lose(session, row.id, today, now):
        done.append("lost")
    if ledger.settle_fees(session, row.id, fee - fee_back, today, now):
        done.append("fee_changed")
    return done


def _win(session: Session, row: ChargebackRow, fee_back: Money, today: date, now: datetime) -> bool:
    if ledger.entry_of(session, row.id, ledger.LOST) is not None:
        return appeals.win(session, row.id, fee_back, today, now)
    return ledger.win(session, row.id, fee_back, today, now)
