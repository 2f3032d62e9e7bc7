"""Checkout on one page: who, where, how, the total, and off to the processor's page."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response
from wtforms.fields import SelectChoice

from cart import address as addresses
from cart import checkout as needs
from cart import lines, paying, pricing
from cart.checkout import CheckoutIncomplete, Details, Requirement, TotalChanged
from cart.models import Cart
from cart.paying import Chosen
from cart.priced import PricedCart
from cart.slots import SlotGone
from core.kernel.errors import ShopError
from core.kernel.money import Money
from core.ledger.gift_cards import GiftCardUnknown
from core.parties import accounts
from core.tax.service import Answers, NoTaxAnswer
from flows.place_order import Wish, place
from flows.taxing import with_taxes
from payments.gateway import GatewayError
from storefront import agreeing, basket, business, coming, comparing, shown, tendering
from storefront.forms import CheckoutForm
from web import carts, limits, packs
from web.access import Who, allow
from web.context import channel, house
from web.filters import sign
from web.flashes import say
from web.forms import read_minor
from web.login import person
from web.pages import page

checkout = Blueprint("checkout", __name__, template_folder="templates")

_NO_ANSWER = (
    "Our payment partner does not answer. Nothing was charged, and your things stay held. "
    "Try again in a minute."
)
_EMPTY = (
    "There is nothing in your cart any more. If you have just ordered, our mail tells you where "
    "your order is."
)
_PAYMENT = {
    "card": ("Card", "Visa, Mastercard, American Express, Discover"),
    "invoice": ("Bill", "We send a bill; you pay it within two weeks"),
}


@checkout.get("/checkout")
@allow(Who.EVERYBODY)
def show() -> str | Response:
    """The form, filled with what is known of the shopper."""
    mine = _cart()
    if mine is None:
        return redirect("/cart")
    form = CheckoutForm(data=_known(mine))
    return _page(mine, form, known=not _unmet(mine, form))


@checkout.post("/checkout")
@allow(Who.EVERYBODY)
@limits.limit("checkout")
def submit() -> str | Response | tuple[str, int]:
    """Work the sums out, or place the order and go to pay.

    The sums stand on a page that is got, so that the back button leads there from the payment page.
    """
    mine = _cart()
    if mine is None:
        say(_EMPTY, "warn")
        return redirect("/cart", 303)
    form = CheckoutForm(request.form)
    if request.form.get("step") == "country":
        return _page(mine, form, known=False)
    try:
        chosen = tendering.read(mine, form)
    except GiftCardUnknown as error:
        form.gift_card.errors = [str(error)]
        return _page(mine, form, known=not _unmet(mine, form)), 422
    if request.form.get("step") != "pay" or chosen != paying.chosen(mine):
        return _sums(mine, form, chosen)
    try:
        placed = place(house(), _wish(mine, form))
    except CheckoutIncomplete as error:
        ticks = all(item.code == "consent" for item in error.requirements)
        return _page(mine, form, known=ticks, unmet=error.requirements), 422
    except TotalChanged as error:
        return _page(mine, form, known=True, changed=(error.expected, error.actual)), 409
    except NoTaxAnswer as error:
        return _page(mine, form, known=False, problems=[str(error)]), 503
    except GatewayError:
        return _page(mine, form, known=True, problems=[_NO_ANSWER]), 503
    except tendering.REFUSED as error:
        return _page(mine, form, known=True, problems=[str(error)]), 409
    except ShopError as error:
        say(str(error), "warn")
        return redirect("/cart", 303)
    return redirect(placed.redirect_url or f"{house().links.order(placed.public_id)}/thanks", 303)


def _sums(mine: Cart, form: CheckoutForm, chosen: Chosen) -> Response | tuple[str, int]:
    """Keep what was filled in, and lead to the page with the sums."""
    business.ask_register(form)
    unmet = _unmet(mine, form)
    tendering.keep(mine, chosen)
    if unmet:
        return _page(mine, form, known=False, unmet=unmet), 422
    details = _details(mine, form)
    try:
        basket.keep_details(mine, details)
    except SlotGone as error:
        gone = Requirement(error.code, "slot", str(error))
        return _page(mine, form, known=False, unmet=[gone]), 422
    return redirect(f"/checkout?pay={details.payment_method}", 303)


def _cart() -> Cart | None:
    """This browser's cart, if there is something in it to be ordered."""
    with house().db.reading() as session:
        mine = carts.find(session)
        filled = mine is not None and lines.pieces(session, mine.public_id) > 0
    return mine if filled else None


def _known(mine: Cart) -> dict[str, Any]:
    who, own = person(), None
    address: dict[str, Any] = dict(mine.shipping_address or {})
    email = mine.email or (who.email if who is not None else "")
    if who is not None:
        with house().db.reading() as session:
            own = accounts.buying_account(session, who.key, channel()[0].legal_entity_id)
        if own is not None and not address:
            address = dict(own.billing_address or {})
        address.setdefault("name", who.name)
    methods = house().rules.payment_methods
    wanted = request.args.get("pay", "")
    return {
        **address,
        "email": email,
        "vat_id": mine.vat_id or (own.vat_id if own is not None else "") or "",
        "purchase_order": (mine.answers or {}).get("purchase_order", ""),
        "cost_centre": (mine.answers or {}).get("cost_centre", ""),
        "shipping_method": mine.shipping_method,
        "payment_method": wanted if wanted in methods else methods[0],
        "use_credit": paying.chosen(mine).use_credit,
    }


def _details(mine: Cart, form: CheckoutForm) -> Details:
    raw = {name: form[name].data for name in addresses.FIELDS if name in form}
    return Details(
        email=(form.email.data or "").strip(),
        shipping_address=addresses.clean({**raw, "country": business.country(form)}),
        shipping_method=form.shipping_method.data or None,
        payment_method=form.payment_method.data or "",
        vat_id=business.vat_id(form),
        purchase_order=" ".join((form.purchase_order.data or "").split()),
        cost_centre=" ".join((form.cost_centre.data or "").split()),
        consents=agreeing.ticked(),
        ways=coming.ways(mine),
        slot=coming.slot(mine),
    )


def _wish(mine: Cart, form: CheckoutForm) -> Wish:
    who = person()
    return Wish(
        cart_id=mine.public_id,
        details=_details(mine, form),
        user_id=who.key if who is not None else None,
        expected_total=read_minor(form.expected_total.data, mine.currency),
        paying=tendering.wanted(paying.chosen(mine)),
        ip=request.remote_addr or "",
    )


def _unmet(mine: Cart, form: CheckoutForm) -> list[Requirement]:
    details, ways = _details(mine, form), house().rules.payment_methods
    wanted = business.needs_purchase_order(mine)
    return needs.requirements(_priced(mine, details), details, ways, needs_purchase_order=wanted)


def _priced(mine: Cart, details: Details | None, *, exact: bool = False) -> PricedCart:
    """With ``exact`` by whoever works out taxes, else by our own table."""
    found, entity = channel()
    known = business.known(mine, details.vat_id if details else "")

    def price(answers: Answers | None) -> PricedCart:
        with house().db.snapshot() as session:
            return pricing.price(
                session,
                mine,
                found,
                entity,
                house().delivery,
                house().clock.now(),
                place=dict(details.shipping_address) if details else None,
                method_code=details.shipping_method if details else None,
                more_ways=details.ways if details else None,
                known=known,
                answers=answers,
            )

    return with_taxes(house(), price) if exact else price(None)


def _page(
    mine: Cart,
    form: CheckoutForm,
    *,
    known: bool,
    unmet: Sequence[Requirement] = (),
    changed: tuple[Money, Money] | None = None,
    problems: Sequence[str] = (),
) -> str:
    details = _details(mine, form)
    exact = known and all(item.code == "consent" for item in unmet)
    try:
        priced = _priced(mine, details if exact else None, exact=exact)
    except NoTaxAnswer as error:
        exact, problems, priced = False, [*problems, str(error)], _priced(mine, None)
    _offer(form, priced)
    business.offer(form)
    form.expected_total.data = str(priced.due_now.minor) if exact else ""
    by_bill = form.payment_method.data == "invoice"
    parts = tendering.shown(mine, form, priced, by_bill=by_bill, exact=exact)
    told = [*problems, *_put_errors(form, unmet)]
    agreed = details.consents if request.method == "POST" else agreeing.kept(mine)
    wrong = {item.field: "Tick this to order." for item in unmet if item.code == "consent"}
    if parts.problem and not problems:
        told.append(parts.problem)
    return page(
        "storefront/checkout.html",
        form=form,
        problems=told,
        changed=changed,
        compared=comparing.changes(request.form.get("seen", ""), priced) if changed else [],
        seen=comparing.seen(priced) if exact else "",
        cart={
            "lines": [
                {
                    "name": line.name,
                    "quantity": line.quantity,
                    "total": line.net,
                    "pieces": packs.pieces(line.shares),
                }
                for line in priced.lines
            ],
            "held_until": priced.held_until,
            "number": mine.public_id[:4].upper(),
        },
        shipping_asides={m.code: _price_words(m.price) for m in priced.methods},
        shipping_notes={m.code: m.description for m in priced.methods},
        payment_notes={code: _PAYMENT[code][1] for code in house().rules.payment_methods},
        totals=shown.totals(priced) if exact else _inexact(priced),
        due_now=priced.due_now if exact else priced.goods + priced.delivery,
        due_note=shown.contained(priced),
        due_word="Due now" if exact else "Together" if priced.tax_included else "Before tax",
        recurring=shown.recurring(priced.recurring),
        needs_address=priced.ships,
        needs_number=business.needs_purchase_order(mine),
        vat_note=business.note(form, priced, details.shipping_address["country"]) if exact else "",
        known=exact,
        by_bill=by_bill,
        parts=parts,
        deliveries=coming.deliveries(priced, unmet),
        times=coming.times(mine, priced, details.shipping_address, details.slot or "", unmet),
        consents=agreeing.rows(agreeing.asked(), agreed, wrong),
        signed_in=person() is not None,
        cart_href="/cart",
        login_href="/account/login?next=/checkout",
    )


def _inexact(priced: PricedCart) -> list[tuple[Any, ...]]:
    rows = [row for row in shown.totals(priced) if row[2] != "tax"]
    if priced.tax_included:
        return rows
    return [*rows, ("Sales tax", None, "tax", "Worked out from your address")]


def _price_words(price: Money) -> str:
    return sign(price) if price else "free"


def _offer(form: CheckoutForm, priced: PricedCart) -> None:
    """Put the choices of this cart into the form; a way that is not offered is dropped."""
    if not priced.ships:
        del form.shipping_method
    else:
        form.shipping_method.choices = [SelectChoice(m.code, m.name) for m in priced.methods]
        chosen = priced.method.code if priced.method else None
        if form.shipping_method.data not in [m.code for m in priced.methods]:
            form.shipping_method.data = chosen
    methods = house().rules.payment_methods
    form.payment_method.choices = [SelectChoice(code, _PAYMENT[code][0]) for code in methods]
    if form.payment_method.data not in methods:
        form.payment_method.data = methods[0]


def _put_errors(form: CheckoutForm, unmet: Sequence[Requirement]) -> list[str]:
    """Errors next to their fields; what has no field is answered for the top of the page."""
    others = []
    for item in unmet:
        name = item.field.rpartition(".")[2]
        if item.code == "consent" or item.field == "slot" or item.field.startswith("ways."):
            continue
        if name in form:
            form[name].errors = [*form[name].errors, item.text]
        else:
            others.append(item.text)
    return others
