"""Gathers and queues the mails about cards on file, AutoPay and planned payments.

Each is queued in the transaction of what it tells of, once under its key. Nothing here logs a link.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger.items import Open
from core.notices import addressing
from core.notices.card_letters import CardLetter, PlannedLetter
from core.notices.letters import Letter, Row
from core.parties.models import Account
from flows import charge_terms, notify
from flows.card_uses import uses
from flows.charge_terms import Parts
from flows.house import House
from flows.letters import greeting
from payments import methods
from payments.automatic_models import AutoPayRule, ScheduledPayment
from payments.models import Authorisation, PaymentMethod


def tell_autopay(session: Session, house: House, rule: AutoPayRule, what: str) -> None:
    """AutoPay is on, with a copy of what was agreed; or off."""
    account = session.get_one(Account, rule.account_id)
    given = session.get_one(Authorisation, rule.authorisation_id)
    letter = CardLetter(
        head=addressing.of_account(session, account),
        name=greeting(account),
        link=_link(session, account, house.links.autopay()),
        step=f"autopay_{what}",
        account_number=account.number,
        instrument=_card(session, rule.payment_method_id),
        agreed=given.text if what == "started" else "",
    )
    _queue(session, house, account, letter, f"autopay-{what}:{rule.id}")


def tell_ahead(session: Session, house: House, row: ScheduledPayment, parts: Parts) -> None:
    """So much is charged on a day, and how to stop it."""
    account = session.get_one(Account, row.account_id)
    is_autopay = row.origin == "autopay"
    link = house.links.autopay_stop() if is_autopay else house.links.scheduled(row.public_id)
    step = "autopay" if is_autopay else "balance"
    letter = _planned(session, account, row, parts, step, link)
    _queue(session, house, account, letter, f"charge-ahead:{row.id}:{row.revision}")


def tell_scheduled(session: Session, house: House, row: ScheduledPayment, what: str) -> None:
    """A payment is planned or changed, with a copy of what was agreed; or cancelled, or over."""
    account = session.get_one(Account, row.account_id)
    key = f"scheduled-{what}:{row.id}:{row.revision}"
    if what in ("planned", "changed"):
        parts = charge_terms.of_payment(session, house, row)
        letter: Letter = _planned(
            session, account, row, parts, what, house.links.scheduled(row.public_id)
        )
    else:
        letter = CardLetter(
            head=addressing.of_account(session, account),
            name=greeting(account),
            link=_link(session, account, house.links.portal()),
            step=what,
            account_number=account.number,
            instrument=_card(session, row.payment_method_id),
            on=row.on_date,
        )
    _queue(session, house, account, letter, key)


def tell_expiry(session: Session, house: House, method: PaymentMethod, last: date) -> None:
    """A card is good until this day, and what it is charged for."""
    account = session.get_one(Account, method.account_id)
    used_for = [use.words for use in uses(session, [method])[method.id]]
    letter = CardLetter(
        head=addressing.of_account(session, account),
        name=greeting(account),
        link=_link(session, account, house.links.card(method.public_id)),
        step="expires",
        account_number=account.number,
        instrument=methods.label(method),
        on=last,
        used_for=tuple(word[:1].upper() + word[1:] for word in dict.fromkeys(used_for)),
    )
    _queue(session, house, account, letter, f"card-expires:{method.id}")


def _planned(
    session: Session,
    account: Account,
    row: ScheduledPayment,
    parts: Sequence[tuple[Open, Money]],
    step: str,
    link: str,
) -> PlannedLetter:
    amount = charge_terms.total_of(list(parts), row.currency)
    rows = [Row(f"Bill {item.number}", part) for item, part in parts]
    given = session.get_one(Authorisation, row.authorisation_id)
    return PlannedLetter(
        head=addressing.of_account(session, account),
        name=greeting(account),
        link=_link(session, account, link),
        step=step,
        account_number=account.number,
        instrument=_card(session, row.payment_method_id),
        amount=amount,
        on=row.on_date,
        rows=(*rows, Row("Together", amount, kind="total")),
        agreed=given.text if step in ("planned", "changed") else "",
    )


def _card(session: Session, method_id: object) -> str:
    return methods.label(session.get_one(PaymentMethod, method_id))


def _link(session: Session, account: Account, link: str) -> str:
    """For who can log in."""
    return link if addressing.has_members(session, account.id) else ""


def _queue(session: Session, house: House, account: Account, letter: Letter, key: str) -> None:
    now = house.clock.now()
    for reader in addressing.readers(session, account):
        notify.queue(session, letter, key, reader, house.links, now, account_id=account.id)
