"""Gift cards for whoever has one: what is left on it, and the page that prints it."""

from flask import Blueprint, request

from core.kernel.errors import NotFound
from core.kernel.ids import same_token
from core.ledger import gift_cards as cards
from core.ledger import gift_codes
from core.ledger.gift_cards import GiftCardUnknown, Held
from storefront.forms import GiftCardForm
from web import limits
from web.access import Guard, Who, allow
from web.context import channel, house
from web.pages import page

gift_cards = Blueprint("gift_cards", __name__, template_folder="templates")


@gift_cards.get("/gift-card")
@allow(Who.EVERYBODY)
def ask() -> str:
    """The form for a code."""
    return page("storefront/gift_card.html", form=GiftCardForm(), held=None)


@gift_cards.post("/gift-card")
@allow(Who.EVERYBODY)
@limits.limit("gift_card")
def answer() -> str | tuple[str, int]:
    """What is left on the card. What is no card, or none any more, is answered in one way."""
    form = GiftCardForm(request.form)
    try:
        held = _asked(form.code.data or "")
    except GiftCardUnknown as error:
        form.code.errors = [str(error)]
        return page("storefront/gift_card.html", form=form, held=None), 422
    return page("storefront/gift_card.html", form=GiftCardForm(), held=held)


def _asked(code: str) -> Held:
    found, entity = channel()
    with house().db.snapshot() as session:
        held = cards.by_code(session, code, entity.id, found.currency)
    if not held.balance:
        raise GiftCardUnknown
    return held


@gift_cards.get("/gift-card/<public_id>/<token>")
@allow(Who.EVERYBODY, Guard.NONE)
def printed(public_id: str, token: str) -> str:
    """The card with its code, to be printed, for whoever has the link of its mail."""
    links = house().links
    if not same_token(token, links.gift_card_token(public_id)):
        raise NotFound("gift card")
    with house().db.snapshot() as session:
        held = cards.by_public_id(session, public_id)
    code = gift_codes.code_of(links.secret, public_id)
    if held.card.state != "live" or gift_codes.hash_of(code) != held.card.code_hash:
        raise NotFound("gift card")
    return page("storefront/gift_card_print.html", held=held, code=gift_codes.spaced(code))
