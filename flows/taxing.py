"""Taxes where another machine may have to be asked: a tax service, and the register of VAT ids.

Both are asked while no transaction is held; what the register says is kept.
"""

from collections.abc import Callable
from typing import TypeVar

from core.parties.models import Account
from core.tax import rates, register, vat_ids
from core.tax.buyers import Known
from core.tax.register import Verdict
from core.tax.service import Answers, NoTaxAnswer, Unanswered
from core.tax.vat_ids import EU, WrongVatId
from flows.house import House

T = TypeVar("T")
#: So many questions may one piece of work have: a bill for many places has one for each.
MOST_QUESTIONS = 500


def with_taxes(house: House, work: Callable[[Answers], T]) -> T:
    """Do ``work``, which opens its own transaction and needs taxes; again, with each answer it lacked.

    Raises NoTaxAnswer when the service does not answer and nothing stands in for it.
    """
    answers = Answers(house.taxes)
    for _ in range(MOST_QUESTIONS):
        try:
            return work(answers)
        except Unanswered as missing:
            question = missing.question
        answers.ask(question)
    raise NoTaxAnswer


def ask_register(house: House, text: str) -> Verdict | None:
    """Ask the register about a VAT id, unless its last answer still counts; hold no transaction.

    None where there is nothing to ask: the register is switched off, the id is empty, has not its form,
    or is of a country that the register does not know; or nobody here sells from the EU.
    """
    try:
        number = vat_ids.normal(text) if text.strip() else ""
    except WrongVatId:
        return None
    if house.vat_register is None or vat_ids.country_of(number) not in EU:
        return None
    now = house.clock.now()
    with house.db.reading() as session:
        if not any(seller.country in EU for seller in rates.sellers(session)):
            return None
        last = register.last(session, number)
    if last is not None and register.is_fresh(last, now):
        return Verdict(last.outcome, last.name, last.reference)
    verdict = house.vat_register.check(number)
    house.db.run_tx(lambda session: register.note(session, number, verdict, house.clock.now()))
    return verdict


def asks_vat_id(country: str) -> bool:
    """Does a shop in this country ask businesses for a VAT id?"""
    return country in EU or country in ("GB", "CH", "NO")


def known(
    house: House, account: Account | None, vat_id: str = "", *, is_guest: bool = False
) -> Known:
    """Who buys, for taxes: with ``vat_id`` as they typed it, else the account's own, which a guest has
    not. An id that has not its form counts as none."""
    own = account.vat_id if account is not None and not is_guest else None
    text = vat_id.strip() or own or ""
    try:
        number = vat_ids.normal(text) if text else ""
    except WrongVatId:
        number = ""
    return Known(
        account.id if account is not None else None, number, house.vat_register is not None
    )
