"""What people are told when they are past due: one function a mail, each in the transaction of its act."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.entitlements.models import Entitlement
from core.kernel.money import Money, total
from core.ledger.items import Open
from core.notices import addressing
from core.notices.letters import Row
from core.notices.past_due_letters import PastDueLetter
from core.parties.models import Account
from core.subscriptions import reading
from core.subscriptions.models import Subscription
from flows import notify
from flows.house import House
from flows.letters import MOST_ROWS, TOGETHER, greeting
from payments.dunning.models import DunningCase


def remind(
    session: Session,
    house: House,
    case: DunningCase,
    late: Sequence[Open],
    key: str,
    tried_on: date | None,
    *,
    is_broken: bool = False,
    is_last: bool = False,
) -> None:
    """A reminder, under a key of its own: the same one is sent once, ever. ``tried_on`` is the day on which
    a card that was declined is tried again."""
    account = session.get_one(Account, case.account_id)
    what = "last" if is_last else "first" if key.endswith(":reminder-1") else "again"
    letter = replace(
        _letter(session, house, account, "broken" if is_broken else what, late, case.lock_on),
        tried_on=tried_on,
    )
    _queue(session, house, account, letter, key)


def locked(session: Session, house: House, case: DunningCase, late: Sequence[Open]) -> None:
    """Services are locked: which, and what opens them."""
    account = session.get_one(Account, case.account_id)
    letter = _letter(session, house, account, "locked", late, case.lock_on)
    _queue(session, house, account, letter, f"past-due-locked:{case.id}:{case.lock_on}")


def unlocked(session: Session, house: House, case: DunningCase, account: Account) -> None:
    """Everything is paid, and on again."""
    letter = _letter(session, house, account, "unlocked", (), None)
    _queue(session, house, account, letter, f"past-due-unlocked:{case.id}")


def promised(session: Session, house: House, case: DunningCase, late: Sequence[Open]) -> None:
    """A promise is kept in mind: by when, and what rests until then."""
    account = session.get_one(Account, case.account_id)
    letter = _letter(session, house, account, "promised", late, None, case.promise_until)
    now = house.clock.now().isoformat()
    _queue(session, house, account, letter, f"past-due-promised:{case.id}:{now}")


def _letter(
    session: Session,
    house: House,
    account: Account,
    what: str,
    late: Sequence[Open],
    lock_on: date | None,
    until: date | None = None,
) -> PastDueLetter:
    amount = total(
        (one.uncontested for one in late if one.open.currency == account.currency),
        account.currency,
    )
    link = house.links.pay_page(account)
    if what == "unlocked":
        link = house.links.portal() if addressing.has_members(session, account.id) else ""
    return PastDueLetter(
        head=addressing.of_account(session, account),
        name=greeting(account),
        link=link,
        what=what,
        account_number=account.number,
        amount=amount,
        since=late[0].due_date or late[0].effective_date if late else None,
        rows=_rows(late, amount),
        services=_services(session, account),
        lock_on=lock_on,
        until=until,
    )


def _rows(late: Sequence[Open], amount: Money) -> tuple[Row, ...]:
    if not late:
        return ()
    rows = [Row(_name(one), one.uncontested) for one in late]
    if len(rows) > MOST_ROWS:
        rest = [row for row in rows[MOST_ROWS - 1 :] if row.amount.currency == amount.currency]
        summed = total((row.amount for row in rest), amount.currency)
        rows = [*rows[: MOST_ROWS - 1], Row(f"{len(rest)} more bills", summed)]
    return (*rows, Row(TOGETHER, amount, kind="total"))


def _name(item: Open) -> str:
    return f"Bill {item.number}" if item.source_kind == "invoice" else item.number


def _services(session: Session, account: Account) -> tuple[str, ...]:
    """What the account pays for and would be without."""
    rows = session.scalars(
        select(Subscription.id)
        .where(
            Subscription.payer_account_id == account.id,
            Subscription.state != "ended",
            Subscription.id.in_(
                select(Entitlement.subscription_id).where(Entitlement.state != "revoked")
            ),
        )
        .order_by(Subscription.ordered_at, Subscription.id)
        .limit(5)
    ).all()
    found = (
        reading.timelines(session, or_(*(Subscription.id == key for key in rows))) if rows else []
    )
    return tuple(dict.fromkeys(one.phases[-1].name for one in found))


def _queue(
    session: Session, house: House, account: Account, letter: PastDueLetter, key: str
) -> None:
    now = house.clock.now()
    for reader in addressing.readers(session, account):
        notify.queue(session, letter, key, reader, house.links, now, account_id=account.id)
