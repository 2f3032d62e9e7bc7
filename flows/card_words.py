"""What the owner of a card agrees to, word for word. Every text has a version; what was agreed is kept."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.notices import addressing
from core.notices.figures import figures
from core.parties.models import Account
from flows.house import House
from payments import methods
from payments.models import PaymentMethod

VERSION = "2026-11"
_NEW_CARD = "the card that I put on file now"


def on_file(session: Session, account: Account) -> str:
    """A card is kept, and charged when its owner says so."""
    shop, number = _names(session, account)
    return (
        f"{shop} keeps this card on file for account {number}. It is charged only when I say so: when I"
        " start AutoPay with it, plan a payment with it, or let it pay for a service. I can take it off"
        " file in my account."
    )


def autopay(session: Session, house: House, account: Account, method: PaymentMethod) -> str:
    """Everything that is due is charged, until it is stopped."""
    shop, number = _names(session, account)
    days = house.rules.cards.notice_days
    ahead = "1 day" if days == 1 else f"{days} days"
    return (
        f"{shop} may charge {methods.label(method)} for account {number}: whenever bills are due,"
        " everything that is due by then and that I do not dispute, until I stop it."
        f" {shop} writes to me {ahead} before each charge or earlier, with the amount and the day. A charge"
        " that my bank declines may be tried again on later days. I can stop AutoPay at any time in my"
        f" account, or by calling or writing to {shop}."
    )


def scheduled(
    session: Session,
    account: Account,
    method: PaymentMethod,
    what: Money | Sequence[str] | None,
    on: date,
) -> str:
    """One charge on one day: of an amount, of certain bills, or of everything (None)."""
    shop, number = _names(session, account)
    say = figures(account.locale)
    if what is None:
        wanted = "everything that I owe on that day and do not dispute"
    elif isinstance(what, Money):
        wanted = f"{say.money(what)}, or what I owe on that day if that is less"
    else:
        one = "bill" if len(what) == 1 else "bills"
        wanted = f"what is open then of {one} {', '.join(what)}"
    return (
        f"{shop} may charge {methods.label(method)} once for account {number}, on {say.day(on)}: {wanted}."
        " A charge that my bank declines may be tried again on later days. I can change or cancel this in"
        " my account until it is made."
    )


def instead(
    session: Session,
    account: Account,
    old: PaymentMethod,
    new: PaymentMethod | None,
    uses: Sequence[str],
) -> str:
    """Another card takes a card's place in all that it is charged for."""
    shop, number = _names(session, account)
    card = methods.label(new) if new else _NEW_CARD
    listed = "; ".join(uses) if uses else "nothing at present"
    return (
        f"{shop} may charge {card} in place of {methods.label(old)}, for account {number}: {listed}."
        " What was declined and is still owed is tried again at once. All else that I agreed to for these"
        " stays as it is."
    )


def _names(session: Session, account: Account) -> tuple[str, str]:
    number = account.number
    spaced = " ".join(number[place : place + 3] for place in range(0, len(number), 3))
    return addressing.of_account(session, account).name, spaced
