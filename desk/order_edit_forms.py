"""The desk's form by which a placed order becomes another: what was typed, as a change set."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request
from wtforms import HiddenField, SelectField, StringField
from wtforms.fields import SelectChoice

from cart import address
from core.orders import grouping
from core.orders.grouping import Standing
from core.orders.models import Order, OrderLine
from core.orders.places import Place
from desk.order_forms import CancelForm
from flows import plan_delivery
from flows.edits import Added, Edits
from web import csrf, order_words, place_forms
from web.place_forms import PlaceForm

#: So many things can be added in one set.
_MORE = 3
_MOST = 10_000
_NOT_TYPED = (csrf.FIELD, "once", "step", "token")


class EditForm(CancelForm, PlaceForm):
    """Where it goes, why it is changed, and where money goes."""

    name = StringField("Who it is for")
    phone = StringField("Phone, for the driver")
    country = StringField("Country")
    place = SelectField("Another address or delivery for", choices=[], validate_choice=False)
    method = SelectField("Delivery", choices=[], validate_choice=False)
    token = HiddenField()

    def fit(
        self,
        order: Order,
        spots: Sequence[Place],
        lines: Sequence[OrderLine],
        ways: Sequence[tuple[str, str]],
    ) -> None:
        """Offer the order's places and ways, and the fields that its country has."""
        if len(spots) > 1:
            self.place.choices = [SelectChoice("", "None of them"), *_choices(spots)]
            self.method.choices = [SelectChoice("", "As it is"), *_shown(ways)]
        else:
            del self.place
            self.method.choices = _shown(_ways(_usual(order, spots), lines, ways))
        place_forms.fit(self, (self.country.data or "").upper())


def blank(order: Order, spots: Sequence[Place]) -> dict[str, Any]:
    """What the form says at first: of an order for several places no address, until one is chosen."""
    if len(spots) > 1:
        return {"country": (order.shipping_address or {}).get("country", "")}
    return {"method": _usual(order, spots), **_address(order, spots)}


def _address(order: Order, spots: Sequence[Place]) -> Mapping[str, Any]:
    """Where it goes: to the only one of its places that is left."""
    return spots[0].address if spots else order.shipping_address or {}


def _usual(order: Order, spots: Sequence[Place]) -> str | None:
    """How it goes there."""
    return plan_delivery.going(order, spots[0])[0] if spots else order.shipping_method


def _choices(spots: Sequence[Place]) -> list[SelectChoice]:
    return [SelectChoice(str(one.line), order_words.place(one.address)) for one in spots]


def _shown(ways: Sequence[tuple[str, str]]) -> list[SelectChoice]:
    return [SelectChoice(*way) for way in ways]


def _ways(
    own: str | None, lines: Sequence[OrderLine], ways: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """The ways to choose from; how the order goes is one of them, though it may not be offered any more."""
    if own is None:
        return [("", "None yet"), *ways]
    if own in dict(ways):
        return list(ways)
    names = [line.name for line in lines if line.sku == f"delivery:{own}"]
    return [(own, names[0] if names else own), *ways]


# --- what was typed -------------------------------------------------------------------------------


def changeable(lines: Sequence[OrderLine]) -> list[Standing]:
    """The lines of which there can be more, fewer or another."""
    return [
        one
        for one in grouping.standing(lines)
        if one.left and all(line.kind in ("physical", "service") for line in one.counted)
    ]


def edits(
    order: Order,
    spots: Sequence[Place],
    lines: Sequence[OrderLine],
    form: EditForm,
    wrong: dict[str, str],
) -> Edits:
    """The change set; what cannot be read stands in ``wrong``."""
    quantities: dict[int, int] = {}
    swaps: dict[int, str] = {}
    for one in changeable(lines):
        number = one.line.line_number
        swap = _typed(f"swap-{number}")
        if swap:
            swaps[number] = swap
        elif _typed(f"quantity-{number}"):
            quantities[number] = _count(f"quantity-{number}", wrong)
    added = [
        Added(sku, _count(f"many-{at}", wrong) if _typed(f"many-{at}") else 1, _line(f"at-{at}"))
        for at in range(1, _MORE + 1)
        if (sku := _typed(f"sku-{at}"))
    ]
    to = address.clean({part: form[part].data for part in address.FIELDS if part in form})
    way = form.method.data or None
    if len(spots) > 1:
        is_new = any(to[part] for part in to if part != "country")
        return Edits(quantities, swaps, added, to if is_new else None, way, _line("place"))
    was = dict(_address(order, spots))
    is_new = bool(was) and to != address.clean(was)
    return Edits(quantities, swaps, added, to if is_new else None, way)


def typed() -> Sequence[tuple[str, str]]:
    """All that was typed, by field: how a form that is sent twice is known again."""
    kept = {name: text for name, text in request.form.items() if name not in _NOT_TYPED}
    return tuple(sorted(kept.items()))


def _typed(name: str) -> str:
    return request.form.get(name, "").strip()[:60]


def _line(name: str) -> int | None:
    """The line that a chosen place is named by."""
    text = _typed(name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def _count(name: str, wrong: dict[str, str]) -> int:
    text = _typed(name)
    if not (text.isascii() and text.isdigit()) or len(text) > 7 or int(text) > _MOST:
        wrong[name] = "A whole number, please."
        return 0
    return int(text)


def field_of(sku: str) -> str:
    """Where something that is not sold was typed."""
    return next(
        (name for name, text in request.form.items() if text.strip() == sku and "-" in name),
        "sku-1",
    )


# --- what stands there ----------------------------------------------------------------------------


def row(one: Standing, wrong: Mapping[str, str]) -> dict[str, Any]:
    """A line with what was typed for it."""
    number, has = one.line.line_number, one.left
    quantity, swap = f"quantity-{number}", f"swap-{number}"
    return {
        "number": number,
        "sku": one.line.sku,
        "name": one.line.name,
        "has": has,
        "quantity": _typed(quantity) if request.method == "POST" else str(has),
        "swap": _typed(swap),
        "can_swap": one.line.kind != "service",
        "quantity_error": wrong.get(quantity, ""),
        "swap_error": wrong.get(swap, ""),
    }


def more(spots: Sequence[Place], wrong: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows for something more; of an order for several places each asks where it goes."""
    offered = [(str(one.line), order_words.place(one.address)) for one in spots]
    return [
        {
            "at": at,
            "sku": _typed(f"sku-{at}"),
            "many": _typed(f"many-{at}"),
            "place": _typed(f"at-{at}"),
            "places": [("", "Choose where"), *offered] if len(spots) > 1 else [],
            "error": wrong.get(f"sku-{at}") or wrong.get(f"many-{at}") or "",
        }
        for at in range(1, _MORE + 1)
    ]
