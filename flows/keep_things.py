"""Staff keep the things that the shop sells under a SKU; all of it in the audit log."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from cart.goods import MOST_OF_ONE
from core.catalog import editing
from core.catalog.limits import Limits
from core.catalog.models import BUNDLE, GIFT_CARD, KINDS, Product, Variant
from core.kernel import audit, idempotency
from core.kernel.errors import Invalid
from core.kernel.money import to_micros
from core.parties import accounts
from core.prices import plans, setting
from core.prices.models import PriceList
from core.prices.plans import Terms
from core.stock import places
from flows.house import House

INTERVALS, ACTIVATIONS = ("month", "year"), ("by_hand", "at_once", "by_system")
WRONG_PRICE = "A price such as 129.00."
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_MOST_FEATURES = 12
_HEAVIEST = 10_000_000
_GOES_BY = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")


@dataclass(frozen=True)
class NewThing:
    """A thing to be sold under a SKU; ``price`` of one, as it is written: ``129.00``.

    A plan has its terms. A bundle has neither price nor pieces yet, see ``keep_prices``. What a gift card
    costs is what it is worth.
    """

    sku: str
    name: str
    kind: str
    tax_category: str
    price: str
    plan: Terms | None = None


def add(house: House, slug: str, thing: NewThing, actor: str, once: str) -> Variant:
    """Another thing of a product, at its price. Raises NotFound, Invalid and KeyReused."""
    micros = check(thing)

    def work(session: Session) -> Variant:
        now = house.clock.now()
        product = editing.one(session, slug, lock=True)
        known = idempotency.begin(session, "variant", once, f"{slug}|{thing.sku}"[:64], now)
        if known is not None:
            return editing.variant(session, known.body["sku"])
        row = put(session, house, product, thing, micros, actor)
        idempotency.finish(session, "variant", once, 201, {"sku": thing.sku})
        return row

    return house.db.run_tx(work)


def change(
    house: House,
    sku: str,
    actor: str,
    *,
    name: str | None = None,
    price: str | None = None,
    active: bool | None = None,
    limits: Limits | None = None,
    weight_g: int | None = None,
    goes_by: str | None = None,
) -> Variant:
    """Another name or price of a thing, how many are bought at once, what it weighs and how it is delivered,
    or whether it can be bought; what is None stays.

    What is in carts is priced anew at checkout; what was ordered keeps its price. Raises NotFound and
    Invalid.
    """
    micros = micros_of(price) if price is not None else None
    if name is not None and not is_words(name, 200):
        raise Invalid({"name": "Say what it is called."})
    _check_delivered(limits, weight_g, goes_by)

    def work(session: Session) -> Variant:
        now, row = house.clock.now(), editing.variant(session, sku, lock=True)
        if micros is not None and row.kind == BUNDLE:
            raise Invalid({"price": "A bundle has a price for each of its charge kinds."})
        detail: dict[str, Any] = {}
        if name is not None and name != row.name:
            row.name, detail["name"] = " ".join(name.split()), True
        if active is not None and active != row.active:
            row.active, detail["active"] = active, active
        detail |= _delivered(row, limits, weight_g, goes_by)
        if micros is not None:
            before = setting.set_price(session, _book(session, house), row.id, micros)
            detail |= {"price_before": before, "price": micros}
        session.flush()
        audit.write(session, now, actor, "variant.changed", ("variant", sku), **detail)
        return row

    return house.db.run_tx(work)


def _check_delivered(limits: Limits | None, weight_g: int | None, goes_by: str | None) -> None:
    if limits is not None:
        check_limits(limits)
    if weight_g is not None and not 0 <= weight_g <= _HEAVIEST:
        raise Invalid({"weight": "From nothing to 10,000 kilograms."})
    if goes_by is not None and not _GOES_BY.fullmatch(goes_by):
        raise Invalid({"goes_by": "Small letters, digits and hyphens, such as parcel."})


def _delivered(
    row: Variant, limits: Limits | None, weight_g: int | None, goes_by: str | None
) -> dict[str, Any]:
    """How many are bought at once, what it weighs, how it goes; answers what was changed."""
    detail: dict[str, Any] = {}
    before = Limits.of(row)
    if limits is not None and limits != before:
        row.quantity_step, row.quantity_least = limits.step, limits.least
        row.quantity_most = limits.most
        detail |= {"limits_before": vars(before), "limits": vars(limits)}
    if weight_g is not None and weight_g != row.weight_g:
        row.weight_g, detail["weight_g"] = weight_g, weight_g
    if goes_by is not None and goes_by != row.goes_by:
        row.goes_by, detail["goes_by"] = goes_by, goes_by
    return detail


def check_limits(limits: Limits) -> None:
    """Raises Invalid, by field, for limits by which nothing can be bought."""
    found: dict[str, str] = {}
    for name in ("step", "least", "most"):
        value = getattr(limits, name)
        if value is not None and not 1 <= value <= MOST_OF_ONE:
            found[f"quantity_{name}"] = f"A number from 1 to {MOST_OF_ONE}."
    if not found and not limits.largest(MOST_OF_ONE):
        found["quantity_most"] = "By these numbers nothing could be bought at all."
    if found:
        raise Invalid(found)


def _book(session: Session, house: House) -> PriceList:
    channel, _ = accounts.channel_by_code(session, house.rules.channel)
    return setting.base_list(session, channel.id, channel.currency)


def put(
    session: Session, house: House, product: Product, thing: NewThing, micros: int, actor: str
) -> Variant:
    """Sell a thing that was checked. Raises Invalid for a SKU that is taken."""
    try:
        row = editing.add_variant(
            session, product, thing.sku, thing.name, thing.kind, thing.tax_category
        )
    except editing.TakenAlready as error:
        raise Invalid({"sku": str(error)}) from None
    if row.kind != BUNDLE:
        setting.set_price(session, _book(session, house), row.id, micros)
    if thing.plan is not None:
        plans.begin(session, row.id, thing.plan)
    if row.kind == "physical":
        places.open_levels(session, row.id)
    now = house.clock.now()
    audit.write(session, now, actor, "variant.made", ("variant", row.sku), price=micros)
    return row


def check(thing: NewThing) -> int:
    """Answers its price in millionths; 0 for a bundle. Raises Invalid by field."""
    found: dict[str, str] = {}
    if not editing.is_sku(thing.sku):
        found["sku"] = "Capitals, digits, hyphens and points, such as CAM-2."
    if not is_words(thing.name, 200):
        found["variant_name"] = "Say what it is called."
    if thing.kind not in KINDS:
        found["kind"] = "Choose one of these."
    if not is_words(thing.tax_category, 40):
        found["tax_category"] = "Say what it is taxed as."
    if thing.kind == GIFT_CARD and thing.tax_category != GIFT_CARD:
        found["tax_category"] = "A gift card is taxed when it is used: choose gift_card."
    found |= _check_plan(thing)
    micros = 0
    if thing.kind != BUNDLE:
        try:
            micros = micros_of(thing.price)
        except Invalid as error:
            found |= error.fields_
        if thing.kind == GIFT_CARD and not micros and "price" not in found:
            found["price"] = "It is worth what it costs: more than nothing."
    elif thing.price.strip():
        found["price"] = "A bundle has a price for each of its charge kinds, set with its pieces."
    if found:
        raise Invalid(found)
    return micros


def _check_plan(thing: NewThing) -> dict[str, str]:
    plan = thing.plan
    if (thing.kind == "plan") != (plan is not None):
        return {"kind": "A plan says how often it is paid; nothing else does."}
    found: dict[str, str] = {}
    if plan is None:
        return found
    if plan.interval not in INTERVALS:
        found["interval"] = "By the month or by the year."
    if plan.activation not in ACTIVATIONS:
        found["activation"] = "Choose one of these."
    if plan.family and not _NAME.fullmatch(plan.family):
        found["family"] = "Small letters, digits and hyphens, such as line."
    if len(plan.features) > _MOST_FEATURES or not all(map(_NAME.fullmatch, plan.features)):
        found["features"] = "Small letters, digits and hyphens, such as internet."
    return found


def micros_of(text: str) -> int:
    """A price as it is written, in millionths. Raises Invalid."""
    try:
        micros = to_micros(text.strip())
    except ValueError:
        micros = -1
    if not 0 <= micros <= 10**14:
        raise Invalid({"price": WRONG_PRICE})
    return micros


def is_words(text: str, longest: int) -> bool:
    """Is there something to read, on one line, not too long?"""
    return bool(text.strip()) and len(text) <= longest and text.isprintable()
