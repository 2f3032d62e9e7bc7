"""What delivery and tax come to at a place, in the cart: a country and a code are enough."""

from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from cart import address as addresses
from cart import formats, lines
from cart.models import Cart
from cart.priced import PricedCart
from core.kernel.errors import ShopError
from storefront import business
from storefront.forms import EstimateForm
from web import carts, limits
from web.access import Who, allow
from web.context import channel, countries, house
from web.flashes import say
from web.pages import page

estimate = Blueprint("estimate", __name__, template_folder="templates")


@estimate.post("/cart/place")
@allow(Who.EVERYBODY)
@limits.limit("cart")
def work_out() -> Response | tuple[str, int]:
    """Remember the place; the cart's page then says what it comes to there."""
    form = EstimateForm(request.form)
    place = addresses.clean(
        {"country": business.country(form), "postal_code": form.postal_code.data}
    )
    if problem := _problem(place):
        prepare(form)
        form.postal_code.errors = [problem]
        return page("storefront/estimate.html", form=form), 422
    place["region"] = formats.region_of(place["country"], place["postal_code"])
    try:
        house().db.run_tx(lambda session: _keep(session, carts.ready_to_fill(session), place))
    except ShopError as error:
        say(str(error), "warn")
    return redirect("/cart#sums", 303)


def _keep(session: Any, mine: Cart, place: dict[str, str]) -> None:
    before = mine.shipping_address or {}
    if all(before.get(name) == place[name] for name in ("country", "postal_code")):
        return
    who = {name: before.get(name, "") for name in ("name", "phone")}
    lines.set_details(session, mine, house().clock.now(), shipping_address=place | who)


def _problem(place: dict[str, str]) -> str:
    """What is wrong with the code; empty when it tells the place."""
    known = formats.of(place["country"])
    if place["country"] not in countries():
        return "We do not deliver to this place."
    if not known.postal:
        return ""
    wrong = addresses.problems(place).get("postal_code", "")
    if wrong or place["country"] != "US":
        return wrong
    found = formats.region_of("US", place["postal_code"])
    return "" if found else "There is no such ZIP code."


def prepare(form: EstimateForm) -> None:
    """Give the form its countries, and call the code what it is called there."""
    business.offer_places(form)


def form_of(mine: Cart | None) -> EstimateForm:
    """Filled with what is known."""
    place = (mine.shipping_address if mine is not None else None) or {}
    form = EstimateForm(
        data={"country": place.get("country") or channel()[1].country, **_code(place)}
    )
    prepare(form)
    return form


def _code(place: dict[str, Any]) -> dict[str, str]:
    return {"postal_code": str(place.get("postal_code") or "")}


def where(mine: Cart | None, priced: PricedCart | None) -> str:
    """The place that the sums are for, in words; empty when it is not known."""
    place = (mine.shipping_address if mine is not None else None) or {}
    if priced is None or not priced.tax_known:
        return ""
    parts = (place.get("city"), place.get("region"), place.get("postal_code"))
    return " ".join(str(part) for part in parts if part) or str(place["country"])
