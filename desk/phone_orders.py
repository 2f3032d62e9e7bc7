"""Ordering for a customer on the phone: what they want, where it goes, on terms or with a link to pay."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response
from wtforms import Form, HiddenField, IntegerField, RadioField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, NumberRange

from cart import address
from cart.checkout import CheckoutIncomplete, Details, TotalChanged
from cart.priced import Also
from cart.slots import SlotGone
from core.catalog import editing
from core.kernel.errors import NotFound, ShopError
from core.kernel.money import Money
from core.parties import accounts
from core.parties.roles import Role
from desk.money import actor
from flows import phone_order
from flows.phone_order import OnThePhone
from payments.gateway import GatewayError
from web.access import Who, allow
from web.context import channel, house
from web.filters import sign, slot_words
from web.flashes import say
from web.pages import page
from web.place_forms import PlaceForm

phone_orders = Blueprint(
    "desk_phone_orders", __name__, url_prefix="/desk", template_folder="templates"
)
_ROLES = (Role.SALES, Role.SUPPORT)
_MOST = 999
Answer = str | Response | tuple[str, int]


class ThingForm(Form):
    """Something they want."""

    sku = StringField("SKU", [InputRequired("Say what they want.")])
    quantity = IntegerField(
        "How many",
        [InputRequired("How many?"), NumberRange(0, _MOST, message=f"At most {_MOST}.")],
        default=1,
    )


class WhereForm(PlaceForm):
    """Where it goes and how it is paid. What is missing the flow says."""

    name = StringField("Who it is for")
    phone = StringField("Phone, for the driver")
    email = StringField("E-mail", description="The order and its link go there.")
    country = StringField("Country")
    shipping_method = SelectField("Delivery", choices=[], validate_choice=False)
    slot = SelectField("Time of the visit", choices=[], validate_choice=False)
    purchase_order = StringField("Their own order number")
    cost_centre = StringField("Cost centre")
    payment_method = RadioField(
        "How they pay",
        choices=[
            SelectChoice("invoice", "On terms: the bill comes by mail"),
            SelectChoice("card", "By card: they get a link and pay on the processor’s page"),
        ],
        default="invoice",
    )
    expected_total = HiddenField()

    def details(self) -> Details:
        """As it was typed."""
        raw = {part: self[part].data for part in address.FIELDS}
        return Details(
            (self.email.data or "").strip(),
            address.clean(raw),
            self.shipping_method.data or None,
            self.payment_method.data or "",
            purchase_order=" ".join((self.purchase_order.data or "").split()),
            cost_centre=" ".join((self.cost_centre.data or "").split()),
            ways=_ways(),
            slot=(self.slot.data or "")[:32],
        )


def _ways() -> dict[str, str]:
    """How further deliveries go, by what goes that way."""
    found = request.form.items()
    return {name[4:24]: way[:40] for name, way in found if name.startswith("way-") and way}


@phone_orders.get("/customers/<public_id>/order")
@allow(Who.STAFF, roles=_ROLES)
def ask(public_id: str) -> str:
    """What they want first."""
    return _first_page(public_id, ThingForm())


@phone_orders.post("/customers/<public_id>/order")
@allow(Who.STAFF, roles=_ROLES)
def begin(public_id: str) -> Answer:
    """Open a cart for them."""
    form = ThingForm(request.form)
    if not form.validate():
        return _first_page(public_id, form), 422
    try:
        sku, quantity = (form.sku.data or "").strip(), int(form.quantity.data or 0)
        cart_id = phone_order.begin(house(), public_id, sku, quantity, actor())
    except NotFound as error:
        if error.what == "account":
            raise
        form.sku.errors = [str(error)]
        return _first_page(public_id, form), 422
    except ShopError as error:
        form.sku.errors = [str(error)]
        return _first_page(public_id, form), 422
    return redirect(f"/desk/phone-orders/{cart_id}", 303)


def _first_page(public_id: str, form: ThingForm) -> str:
    with house().db.reading() as session:
        account = accounts.by_public_id(session, public_id)
        known = _things(session)
    return page("desk/phone_order_new.html", customer=account, form=form, known=known)


def _things(session: Any) -> list[tuple[str, str]]:
    """What can be typed, with its name."""
    rows = editing.page(session, active=True, limit=200)
    found = editing.variants_of(session, [row.id for row in rows])
    return sorted((one.sku, one.name) for some in found.values() for one in some if one.active)


@phone_orders.get("/phone-orders/<cart_id>")
@allow(Who.STAFF, roles=_ROLES)
def show(cart_id: str) -> str | Response:
    """What is in it, what it comes to, where it goes."""
    found = phone_order.see(house(), cart_id)
    if found.cart.state != "open":
        say("This order is placed already.", "warn")
        return redirect(f"/desk/customers/{found.account.public_id}")
    return _page(found, _filled(found), ThingForm())


@phone_orders.post("/phone-orders/<cart_id>/lines")
@allow(Who.STAFF, roles=_ROLES)
def put(cart_id: str) -> Answer:
    """Something more."""
    form = ThingForm(request.form)
    if form.validate():
        try:
            sku, quantity = (form.sku.data or "").strip(), int(form.quantity.data or 0)
            phone_order.put(house(), cart_id, sku, quantity)
            return redirect(f"/desk/phone-orders/{cart_id}", 303)
        except NotFound:
            raise
        except ShopError as error:
            form.sku.errors = [*form.sku.errors, str(error)]
    found = phone_order.see(house(), cart_id)
    return _page(found, _filled(found), form), 422


@phone_orders.post("/phone-orders/<cart_id>/lines/<line_id>")
@allow(Who.STAFF, roles=_ROLES)
def change(cart_id: str, line_id: str) -> Answer:
    """Another number of something, or none."""
    text = request.form.get("quantity", "").strip()
    try:
        quantity = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else -1
        if quantity < 0:
            say("How many? A whole number.", "warn")
        else:
            phone_order.set_quantity(house(), cart_id, line_id, quantity)
    except NotFound:
        raise
    except ShopError as error:
        say(str(error), "warn")
    return redirect(f"/desk/phone-orders/{cart_id}", 303)


@phone_orders.post("/phone-orders/<cart_id>")
@allow(Who.STAFF, roles=_ROLES)
def place(cart_id: str) -> Answer:
    """Work the sums out for the place, or order it."""
    form = WhereForm(request.form)
    details = form.details()
    found = phone_order.see(house(), cart_id, details)
    if details.shipping_method not in [one.code for one in found.priced.methods]:
        details = replace(details, shipping_method=None)
    if request.form.get("step") != "order":
        try:
            phone_order.keep(house(), cart_id, details)
        except SlotGone as error:
            form.slot.errors = [str(error)]
            return _page(found, form, ThingForm()), 409
        return redirect(f"/desk/phone-orders/{cart_id}", 303)
    seen = _expected(form, found)
    try:
        placed = phone_order.order(house(), cart_id, details, seen, actor())
    except CheckoutIncomplete as error:
        also = []
        for one in error.requirements:
            name = one.field.rpartition(".")[2]
            if name in form and not one.field.startswith("ways."):
                form[name].errors = [*form[name].errors, one.text]
            else:
                also.append(one.text)
        return _page(found, form, ThingForm(), also), 422
    except TotalChanged as error:
        also = [
            f"It comes to {sign(error.actual)} now, not {sign(error.expected)}. Tell them first."
        ]
        return _page(found, form, ThingForm(), also), 409
    except GatewayError:
        also = ["The processor does not answer. Nothing was charged; try again in a minute."]
        return _page(found, form, ThingForm(), also), 503
    except ShopError as error:
        return _page(found, form, ThingForm(), [str(error)]), 422
    if placed.redirect_url is None:
        say("Ordered. The customer has a mail with everything, and the bill follows.")
    else:
        hours = phone_order.LINK_FOR.seconds // 3600
        say(f"Held for them for {hours} hours: they have a mail with the link to pay.")
    return redirect(f"/desk/orders/{placed.public_id}", 303)


def _expected(form: WhereForm, found: OnThePhone) -> Money:
    text = form.expected_total.data or ""
    minor = int(text) if text.isascii() and text.isdigit() and len(text) < 13 else 0
    return Money(minor, found.cart.currency)


def _filled(found: OnThePhone) -> WhereForm:
    place_ = {part: (found.cart.shipping_address or {}).get(part) or "" for part in address.FIELDS}
    place_["country"] = place_["country"] or channel()[1].country
    return WhereForm(
        data=place_
        | {
            "email": found.cart.email or found.account.email or "",
            "shipping_method": found.cart.shipping_method
            or (found.priced.method.code if found.priced.method else ""),
            "slot": found.chosen.public_id if found.chosen is not None else "",
            "purchase_order": (found.cart.answers or {}).get("purchase_order", ""),
            "cost_centre": (found.cart.answers or {}).get("cost_centre", ""),
        }
    )


def _page(
    found: OnThePhone, form: WhereForm, thing: ThingForm, also: list[str] | None = None
) -> str:
    priced = found.priced
    form.shipping_method.choices = [
        SelectChoice(one.code, f"{one.name}, {sign(one.price)}") for one in priced.methods
    ]
    if found.times:
        times = [SelectChoice(one.public_id, slot_words(one)) for one in found.times]
        form.slot.choices = [SelectChoice("", "We call them to agree on a day"), *times]
    else:
        del form.slot
    form.expected_total.data = str(priced.due_now.minor)
    with house().db.reading() as session:
        known = _things(session)
    return page(
        "desk/phone_order.html",
        customer=found.account,
        cart_id=found.cart.public_id,
        lines=[
            {
                "name": line.name,
                "sku": line.sku,
                "quantity": line.quantity,
                "total": line.net,
                "lapsed": line.lapsed,
                "held_until": line.held_until,
                "action": f"/desk/phone-orders/{found.cart.public_id}/lines/{line.public_id}",
            }
            for line in priced.lines
        ],
        deliveries=priced.chosen,
        also_ways=[_also(one) for one in priced.also],
        needs_number=found.account.needs_purchase_order,
        tax=priced.tax if priced.tax_known else None,
        due_now=priced.due_now,
        form=form,
        thing=thing,
        known=known,
        also=also or [],
    )


def _also(one: Also) -> dict[str, Any]:
    """A further delivery with its ways."""
    return {
        "name": f"way-{one.goes_by}",
        "legend": ", ".join(one.names),
        "options": [(way.code, f"{way.name}, {sign(way.price)}") for way in one.methods],
        "chosen": one.method.code if one.method is not None else "",
    }
