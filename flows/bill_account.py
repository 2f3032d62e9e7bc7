"""One payer's services are billed: what should be billed is compared with what is, and the rest is posted.

The night's run, a change of a service and each preview come through here, so that they agree. What cannot
be billed parks its account: nothing of it is written, and a person looks.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cart import address
from core.kernel.errors import ShopError
from core.kernel.money import Money
from core.parties import accounts
from core.parties.models import Account
from core.subscriptions import reading
from core.subscriptions.timeline import Timeline
from core.tax.service import Answers, NoTaxAnswer
from flows.house import House
from flows.taxing import with_taxes
from invoices.billing import comparing, issuing, marks, parking, previewing
from invoices.billing.comparing import Difference
from invoices.billing.composing import Ground
from invoices.billing.issuing import Posted
from invoices.billing.previewing import Foreseen, Preview
from invoices.billing.taxing import Table
from invoices.models import Invoice
from invoices.wording import Printing

#: What parks an account: expected refusals, and figures or rows that contradict themselves.
TROUBLE = (ShopError, IntegrityError, ValueError)


@dataclass(frozen=True)
class Billed:
    """What was written. ``parked`` is the code of why nothing was: empty when all is as it should be."""

    invoices: tuple[Invoice, ...] = ()
    memos: tuple[Invoice, ...] = ()
    credit_used: tuple[Money, ...] = ()
    parked: str = ""


def bill(house: House, payer_account_id: uuid.UUID, as_of: date, actor: str) -> Billed:
    """Bill what is due by a day; a second time nothing is. Raises NoTaxAnswer: then nothing is written."""

    def work(answers: Answers) -> Billed:
        return house.db.run_tx(
            lambda session: bill_within(
                session, house, payer_account_id, as_of, answers, actor=actor
            )
        )

    return with_taxes(house, work)


def bill_within(
    session: Session,
    house: House,
    payer_id: uuid.UUID,
    as_of: date,
    answers: Answers,
    *,
    actor: str = "system",
) -> Billed:
    """The same in the caller's transaction: what else it wrote stands, also when the account is parked.

    Raises Unanswered when a tax service has to be asked first: leave the transaction (``flows.taxing``).
    """
    payer = accounts.lock(session, payer_id)
    stopped = parking.parked(session, [payer_id]).get(payer_id)
    if stopped is not None:
        return Billed(parked=stopped)
    session.flush()
    try:
        with session.begin_nested():
            posted = _post(session, house, payer, as_of, answers, actor)
    except NoTaxAnswer:
        raise
    except TROUBLE as error:
        now = house.clock.now()
        return Billed(parked=parking.park(session, payer_id, error, as_of, actor, now))
    return Billed(posted.invoices, posted.memos, posted.credit_used)


def _post(
    session: Session, house: House, payer: Account, as_of: date, answers: Answers, actor: str
) -> Posted:
    services = reading.of_payer(session, payer.id)
    known = comparing.facts(session, services)
    found = comparing.compare(services, known, as_of)
    posted = issuing.post(session, ground(house), house.rules.bills, payer, found, answers, actor)
    revisions = marks.revisions(session, [service.id for service in services])
    marked = comparing.marked(services, known, revisions, as_of)
    marks.note(session, marked, house.clock.now())
    return posted


def ground(house: House, not_before: date = date.min) -> Ground:
    """What the house's bills stand on."""
    printing = Printing(house.links.invoice, address.lines, house.links.pay_code)
    table = Table(registered_only=house.vat_register is not None)
    return Ground(printing, table, house.clock.now(), not_before)


def preview(
    session: Session,
    house: House,
    payer_id: uuid.UUID,
    as_of: date,
    answers: Answers,
    timelines: Sequence[Timeline] | None = None,
) -> Preview:
    """What ``bill`` would write by that day, in the account's currency; writes nothing.

    ``timelines`` are the payer's services as they would be, in place of those with the same keys. Raises
    Unanswered when a tax service has to be asked first, and NotFound.
    """
    payer = session.get_one(Account, payer_id)
    found, foreseen, parked = foresee(session, house, payer, as_of, answers, timelines)
    currency = timelines[0].currency if timelines else payer.currency
    return previewing.preview(session, payer, found, foreseen, currency, parked)


def foresee(
    session: Session,
    house: House,
    payer: Account,
    as_of: date,
    answers: Answers,
    timelines: Sequence[Timeline] | None = None,
) -> tuple[Difference, Foreseen, str]:
    """The difference, its documents, and why they could not be written (empty when they could)."""
    services = _as_they_would_be(reading.of_payer(session, payer.id), timelines or ())
    known = comparing.facts(session, services)
    found = comparing.compare(services, known, as_of)
    stopped = parking.parked(session, [payer.id]).get(payer.id, "")
    try:
        made = previewing.foresee(
            session, ground(house, as_of), house.rules.bills, payer, found, answers
        )
    except NoTaxAnswer:
        raise
    except TROUBLE as error:
        return Difference(), Foreseen((), ()), stopped or parking.reason_of(error)[0]
    return found, made, stopped


def _as_they_would_be(services: Sequence[Timeline], changed: Sequence[Timeline]) -> list[Timeline]:
    instead = {service.id: service for service in changed}
    kept = [instead.pop(service.id, service) for service in services]
    return [*kept, *instead.values()]
