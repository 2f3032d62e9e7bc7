"""Gift cards and credit at checkout: what the form says, what is kept on the cart, what would be taken.

The form has a field for a code, a tick for the own credit, and a button at each card to take it off.
"""

from dataclasses import replace

from flask import request

from cart import paying
from cart.models import Cart
from cart.paying import Chosen
from cart.priced import PricedCart
from core.catalog.models import GIFT_CARD
from core.kernel.money import total
from core.ledger import gift_cards
from core.ledger.gift_cards import GiftCardUnknown
from core.ledger.splitting import TenderTooSmall
from core.orders import placing
from core.parties import accounts
from flows.choose_tenders import ByCredit, ByGiftCard, GiftCardForGiftCard, Part, Payer, Paying
from storefront.forms import CheckoutForm
from web import tenders
from web.context import channel, house
from web.login import person
from web.tenders import Parts

#: What may stand against paying like that when the order is placed.
REFUSED = (GiftCardUnknown, GiftCardForGiftCard, TenderTooSmall)


def read(mine: Cart, form: CheckoutForm) -> Chosen:
    """What the form chooses: a new card, the credit, or a card taken off. Raises GiftCardUnknown."""
    kept = paying.chosen(mine)
    dropped = request.form.get("drop", "")
    cards = tuple(card for card in kept.gift_cards if card != dropped)
    code = (form.gift_card.data or "").strip()
    if code:
        with house().db.reading() as session:
            held = gift_cards.by_code(session, code, mine.legal_entity_id, mine.currency)
        if held.available.minor <= 0 and held.card.public_id not in cards:
            raise GiftCardUnknown
        if held.card.public_id not in cards:
            cards = (*cards, held.card.public_id)
    use_credit = bool(form.use_credit.data) and person() is not None
    return replace(kept, gift_cards=cards, use_credit=use_credit)


def keep(mine: Cart, chosen: Chosen) -> None:
    """Keep it on the cart, if it is not there already."""
    if chosen == paying.chosen(mine):
        return
    house().db.run_tx(lambda session: paying.choose(session, mine.public_id, chosen))


def wanted(chosen: Chosen) -> Paying:
    """Gift cards first, then the credit."""
    parts: list[Part] = [ByGiftCard("", card=card) for card in chosen.gift_cards]
    if chosen.use_credit:
        parts.append(ByCredit())
    return Paying(tuple(parts))


def shown(
    mine: Cart, form: CheckoutForm, priced: PricedCart, *, by_bill: bool, exact: bool
) -> Parts:
    """What would be taken of what is due now; before the sums are known, only what there is."""
    who, chosen = person(), paying.chosen(mine)
    if who is None:
        del form.use_credit
        if not chosen.gift_cards:
            return Parts((), priced.due_now, priced.due_now - priced.due_now)
    goods = total((line.net for line in priced.lines if line.kind == GIFT_CARD), mine.currency)
    with house().db.snapshot() as session:
        own = accounts.buying_account(session, who.key, channel()[1].id) if who else None
        begun = placing.of_cart(session, mine.id) if mine.state == "checking_out" else None
        parts = tenders.parts(
            session,
            Payer(mine.legal_entity_id, own.id if own else None, begun.id if begun else None),
            priced.due_now,
            wanted(chosen) if exact else Paying(),
            rest="terms" if by_bill else "card",
            gift_goods=goods,
        )
    if who is not None and not parts.credit and not chosen.use_credit:
        del form.use_credit
    return parts
