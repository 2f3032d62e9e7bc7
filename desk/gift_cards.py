"""Gift cards: the list, one with what happened to it, taking an unused one back and voiding one."""

from typing import Any

from flask import Blueprint, redirect, request
from flask import Response as FlaskResponse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.kernel import sheet
from core.kernel.errors import ShopError
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.ledger import gift_cards as cards
from core.ledger.gift_cards import Held
from core.orders.models import Order
from core.parties.models import Account
from core.parties.roles import Role
from desk import shown
from desk.gift_card_forms import FORFEIT, VoidForm
from desk.lists import Asked, Choice, Listing
from desk.money import actor
from flows import keep_gift_cards
from payments.gateway import GatewayError
from web.access import Who, allow
from web.context import house
from web.documents import State
from web.flashes import say
from web.pages import page

gift_cards = Blueprint("desk_gift_cards", __name__, url_prefix="/desk", template_folder="templates")
_ACTS = {
    "sold": "Sold",
    "used": "Used",
    "given_back": "Given back to it",
    "returned": "Taken back unused",
    "voided": "Voided",
}
_NO_ANSWER = (
    "The card has ended. The processor does not answer; the refund goes on as soon as it does."
)


LISTED = Listing(
    "/desk/gift-cards",
    "gift card",
    cards.SORTS,
    "-sold",
    (Choice("state", "State", [("live", "Can be used"), ("void", "Ended")], is_tabs=True),),
    head=("ends_with", "sold", "state", "currency", "worth", "balance", "reserved"),
)


@gift_cards.get("/gift-cards")
@allow(Who.STAFF, roles=(Role.SALES, Role.BILLING, Role.SUPPORT))
def listed() -> str:
    """Gift cards, the newest first; looked for by their last four characters."""
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
    return page(
        "desk/gift_cards.html",
        gift_cards=[_row(held) for held in rows],
        **LISTED.tabs("state", asked, None),
        **context,
    )


def _found(session: Session, asked: Asked, place: Place, limit: int) -> list[Held]:
    return cards.listing(
        session, last_four=asked.words, state=asked["state"], place=place, limit=limit
    )


@gift_cards.get("/gift-cards.csv")
@allow(Who.STAFF, roles=(Role.SALES, Role.BILLING, Role.SUPPORT))
def export() -> FlaskResponse:
    """The list as it is chosen, all of it; a code's last four characters are all that anybody can read."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: map(_cells, rows))


def _cells(held: Held) -> list[sheet.Cell]:
    return [
        sheet.code(held.card.last_four),
        sheet.moment(held.card.created_at),
        sheet.words(_state(held).text),
        sheet.code(held.card.currency),
        sheet.amount(Money(held.card.worth_minor, held.card.currency)),
        sheet.amount(held.balance),
        sheet.amount(held.reserved),
    ]


def _row(held: Held) -> dict[str, Any]:
    return {
        "name": held.label,
        "href": f"/desk/gift-cards/{held.card.public_id}",
        "at": held.card.created_at,
        "worth": Money(held.card.worth_minor, held.card.currency),
        "balance": held.balance,
        "reserved": held.reserved,
        "state": _state(held),
    }


def _state(held: Held) -> State:
    if held.card.state == "void":
        return State("bad", "Ended")
    if not held.balance:
        return State("", "Used up")
    unused = held.balance.minor == held.card.worth_minor
    return State("go", "Unused" if unused else "In use")


@gift_cards.get("/gift-cards/<public_id>")
@allow(Who.STAFF, roles=(Role.SALES, Role.BILLING, Role.SUPPORT))
def one(public_id: str) -> str:
    """One card with everything that happened to it."""
    return _show(public_id, VoidForm())


@gift_cards.post("/gift-cards/<public_id>/void")
@allow(Who.STAFF, roles=(Role.BILLING,))
def void(public_id: str) -> str | Response | tuple[str, int]:
    """End it, with a reason."""
    form = VoidForm(request.form)
    if not form.validate():
        return _show(public_id, form), 422
    try:
        forfeit = form.to.data == FORFEIT
        reason = (form.reason.data or "").strip()
        keep_gift_cards.void(house(), public_id, reason, actor(), forfeit=forfeit)
    except ShopError as error:
        say(str(error), "warn")
    else:
        say("The card has ended.")
    return redirect(f"/desk/gift-cards/{public_id}", 303)


@gift_cards.post("/gift-cards/<public_id>/take-back")
@allow(Who.STAFF, roles=(Role.BILLING,))
def take_back(public_id: str) -> Response:
    """End an unused one and give its price back as it was paid."""
    try:
        keep_gift_cards.refund_unused(house(), public_id, actor())
    except GatewayError:
        say(_NO_ANSWER, "warn")
    except ShopError as error:
        say(str(error), "warn")
    else:
        say("Taken back: its price goes back to what paid for it.")
    return redirect(f"/desk/gift-cards/{public_id}", 303)


def _show(public_id: str, form: VoidForm) -> str:
    with house().db.snapshot() as session:
        held = cards.by_public_id(session, public_id)
        account = session.get_one(Account, held.card.account_id)
        order = session.get_one(Order, held.card.order_id)
        entries = cards.entries_of(session, held.card.id)
    live = held.card.state == "live"
    return page(
        "desk/gift_card.html",
        gift_card=_row(held),
        facts=[
            ("Bought by", account.name),
            ("Account", account.number),
            ("With order", order.number or ""),
            ("Reserved", f"{held.reserved.decimal()} {held.reserved.currency}"),
            *([("Ended because", held.card.void_reason or "")] if not live else []),
        ],
        order_href=f"/desk/orders/{order.public_id}",
        entries=[
            (_ACTS[row.kind], row.posted_at, Money(row.amount_minor, held.card.currency))
            for row in entries
        ],
        form=form,
        action=f"/desk/gift-cards/{public_id}",
        may_end=live and not held.reserved,
        may_take_back=live and not held.reserved and held.balance == _row(held)["worth"],
        events=shown.moments(("Sold", held.card.created_at), ("Ended", held.card.voided_at)),
    )
