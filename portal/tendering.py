"""Gift cards and credit on the pay page: what the form says, and what would be taken.

The codes stay in the form that carries them; nothing is kept until something is paid.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request

from core.kernel.money import Money
from core.ledger import gift_cards, gift_codes
from core.ledger.gift_cards import GiftCardUnknown
from core.ledger.items import Open
from flows.choose_tenders import Payer, Paying, usual
from web import tenders
from web.context import channel, house
from web.tenders import Parts

#: More cards than this are not put together in one payment.
_MOST_CARDS = 10


@dataclass(frozen=True)
class Tendered:
    """What the payer chose: the codes so far, the own credit; ``error`` stands at the field."""

    codes: tuple[str, ...] = ()
    use_credit: bool = False
    #: It is not what the sums that were shown are made of.
    is_new: bool = False
    #: What was typed, and what is wrong with it.
    typed: str = ""
    error: str = ""

    @property
    def anything(self) -> bool:
        """Is there anything to show but the plain sum?"""
        return bool(self.codes or self.use_credit or self.is_new or self.error)

    @property
    def paying(self) -> Paying:
        """Gift cards first, then the credit."""
        return usual(self.codes, use_credit=self.use_credit)

    @property
    def cards(self) -> list[tuple[str, str]]:
        """(code, what the card is called) of those chosen."""
        return [(code, f"Gift card ending {gift_codes.normal(code)[-4:]}") for code in self.codes]


def read() -> Tendered:
    """What the form chooses; a code that is not known is told at its field."""
    kept, dropped = request.form.getlist("kept"), request.form.get("drop", "")
    codes = [code for code in kept if code != dropped][:_MOST_CARDS]
    use_credit = "use_credit" in request.form
    is_new = bool(dropped) or use_credit != ("credit_shown" in request.form)
    typed = request.form.get("gift_card", "").strip()
    if not typed:
        return Tendered(tuple(codes), use_credit, is_new)
    found, entity = channel()
    try:
        with house().db.reading() as session:
            held = gift_cards.by_code(session, typed, entity.id, found.currency)
        if held.available.minor <= 0:
            raise GiftCardUnknown
    except GiftCardUnknown as error:
        return Tendered(tuple(codes), use_credit, True, typed[:40], str(error))
    code = gift_codes.normal(typed)
    return Tendered(tuple(dict.fromkeys([*codes, code])), use_credit, True)


def shown(tendered: Tendered, ticked: Sequence[Open], amount: Money) -> Parts:
    """What would be taken of the chosen bills."""
    account_id = ticked[0].account_id if ticked else None
    with house().db.snapshot() as session:
        payer = Payer(channel()[1].id, account_id)
        return tenders.parts(session, payer, amount, tendered.paying)
