"""Staff keep what the shop sells: products, things with a SKU, prices; all of it in the audit log."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms_content import redirects
from core.catalog import editing
from core.catalog.editing import MADE_HERE, Words
from core.catalog.models import Product, Variant
from core.kernel import audit, idempotency
from core.kernel.errors import Invalid, NotFound, StaleState
from core.kernel.money import to_micros
from core.parties import accounts
from core.parties.models import Channel
from core.prices import setting
from core.prices.models import PriceList
from core.stock import places
from flows.house import House

WRONG_SLUG = "Small letters, digits and hyphens, such as porch-camera."
_LONGEST = {"name": 200, "summary": 300, "description": 5000}


@dataclass(frozen=True)
class NewThing:
    """A thing to be sold under a SKU; ``price`` of one, as it is written: ``129.00``."""

    sku: str
    name: str
    kind: str
    tax_category: str
    price: str


def make(
    house: House,
    slug: str,
    words: Words,
    thing: NewThing,
    pictures: Collection[str],
    actor: str,
    once: str,
) -> Product:
    """A product with its first thing, not shown yet. Asked again under the same name it answers the same.

    Raises Invalid, by field, and KeyReused.
    """
    words = _cleaned(words, pictures)
    micros = _checked(thing)
    if not editing.is_slug(slug):
        raise Invalid({"slug": WRONG_SLUG})

    def work(session: Session) -> Product:
        now = house.clock.now()
        known = idempotency.begin(session, "product", once, f"{slug}|{thing.sku}"[:64], now)
        if known is not None:
            return editing.one(session, known.body["slug"])
        try:
            product = editing.make(session, slug, words, now)
        except editing.TakenAlready as error:
            raise Invalid({"slug": str(error)}) from None
        except NotFound:
            raise Invalid({"category": "There is no such shelf."}) from None
        _add(session, house, product, thing, micros, actor)
        audit.write(session, now, actor, "product.made", ("product", slug))
        idempotency.finish(session, "product", once, 201, {"slug": slug})
        return product

    return house.db.run_tx(work)


def change(
    house: House,
    slug: str,
    words: Words,
    pictures: Collection[str],
    actor: str,
    seen: str | None = None,
) -> Product:
    """Other words. ``seen`` is the ``editing.mark`` of what somebody saw.

    Raises NotFound, Invalid, and StaleState.
    """

    def work(session: Session) -> Product:
        product = _in_hand(session, slug, seen)
        cleaned = _cleaned(words, {*pictures, product.picture})
        try:
            editing.change(session, product, cleaned)
        except NotFound:
            raise Invalid({"category": "There is no such shelf."}) from None
        audit.write(session, house.clock.now(), actor, "product.changed", ("product", slug))
        return product

    return house.db.run_tx(work)


def move(house: House, slug: str, to: str, actor: str) -> None:
    """Show it at another address; whoever comes by the old one is led on. Moving it back is the same again.

    Raises NotFound, and Invalid for an address that is none or taken.
    """
    if not editing.is_slug(to):
        raise Invalid({"slug": WRONG_SLUG})

    def work(session: Session) -> None:
        now = house.clock.now()
        channel = accounts.channel_by_code(session, house.rules.channel)[0]
        session.execute(select(Channel.id).where(Channel.id == channel.id).with_for_update())
        product = editing.one(session, slug, lock=True)
        if to == slug:
            return
        try:
            editing.move(session, product, to)
        except editing.TakenAlready as error:
            raise Invalid({"slug": str(error)}) from None
        redirects.moved(session, channel.id, path_of(slug), path_of(to), actor, now)
        audit.write(session, now, actor, "product.moved", ("product", to), was=slug)

    house.db.run_tx(work)


def path_of(slug: str) -> str:
    """Where a product is shown."""
    return f"/p/{slug}"


def publish(house: House, slug: str, shown: bool, actor: str, seen: str | None = None) -> Product:
    """Show it in the shop, or archive it: then nobody finds or buys it any more.

    Raises NotFound, StaleState, and Invalid for one of whose things nothing has a price.
    """

    def work(session: Session) -> Product:
        product = _in_hand(session, slug, seen)
        product.active = shown
        act = "product.published" if shown else "product.archived"
        audit.write(session, house.clock.now(), actor, act, ("product", slug))
        session.flush()
        return product

    return house.db.run_tx(work)


def add(house: House, slug: str, thing: NewThing, actor: str, once: str) -> Variant:
    """Another thing of a product, at its price. Raises NotFound, Invalid and KeyReused."""
    micros = _checked(thing)

    def work(session: Session) -> Variant:
        now = house.clock.now()
        product = editing.one(session, slug, lock=True)
        known = idempotency.begin(session, "variant", once, f"{slug}|{thing.sku}"[:64], now)
        if known is not None:
            return editing.variant(session, known.body["sku"])
        row = _add(session, house, product, thing, micros, actor)
        idempotency.finish(session, "variant", once, 201, {"sku": thing.sku})
        return row

    return house.db.run_tx(work)


def change_thing(
    house: House,
    sku: str,
    actor: str,
    *,
    name: str | None = None,
    price: str | None = None,
    active: bool | None = None,
) -> Variant:
    """Another name or price of a thing, or whether it can be bought; what is None stays.

    What is in carts is priced anew at checkout; what was ordered keeps its price. Raises NotFound and
    Invalid.
    """
    micros = _micros(price) if price is not None else None
    if name is not None and not _is_words(name, 200):
        raise Invalid({"name": "Say what it is called."})

    def work(session: Session) -> Variant:
        now, row = house.clock.now(), editing.variant(session, sku, lock=True)
        if micros is not None and row.kind == "bundle":
            raise Invalid({"price": "A bundle has a price for each of its charge kinds."})
        detail: dict[str, Any] = {}
        if name is not None and name != row.name:
            row.name, detail["name"] = " ".join(name.split()), True
        if active is not None and active != row.active:
            row.active, detail["active"] = active, active
        if micros is not None:
            before = setting.set_price(session, _book(session, house), row.id, micros)
            detail |= {"price_before": before, "price": micros}
        session.flush()
        audit.write(session, now, actor, "variant.changed", ("variant", sku), **detail)
        return row

    return house.db.run_tx(work)


def _in_hand(session: Session, slug: str, seen: str | None) -> Product:
    product = editing.one(session, slug, lock=True)
    if seen is not None and seen != editing.mark(product):
        raise StaleState("product", "changed")
    return product


def _book(session: Session, house: House) -> PriceList:
    channel, _ = accounts.channel_by_code(session, house.rules.channel)
    return setting.base_list(session, channel.id, channel.currency)


def _add(
    session: Session, house: House, product: Product, thing: NewThing, micros: int, actor: str
) -> Variant:
    try:
        row = editing.add_variant(
            session, product, thing.sku, thing.name, thing.kind, thing.tax_category
        )
    except editing.TakenAlready as error:
        raise Invalid({"sku": str(error)}) from None
    setting.set_price(session, _book(session, house), row.id, micros)
    if row.kind == "physical":
        places.open_levels(session, row.id)
    now = house.clock.now()
    audit.write(session, now, actor, "variant.made", ("variant", row.sku), price=micros)
    return row


def _cleaned(words: Words, pictures: Collection[str]) -> Words:
    found: dict[str, str] = {}
    name, summary = " ".join(words.name.split()), " ".join(words.summary.split())
    description = words.description.strip().replace("\r\n", "\n")
    if not _is_words(name, _LONGEST["name"]):
        found["name"] = "Say what it is called."
    if len(summary) > _LONGEST["summary"] or not summary.isprintable():
        found["summary"] = f"At most {_LONGEST['summary']} characters."
    plain = description.replace("\n", "")
    if len(description) > _LONGEST["description"] or not plain.isprintable():
        found["description"] = f"At most {_LONGEST['description']} characters."
    if words.picture not in pictures:
        found["picture"] = "Choose a picture."
    if found:
        raise Invalid(found)
    return replace(words, name=name, summary=summary, description=description)


def _checked(thing: NewThing) -> int:
    found: dict[str, str] = {}
    if not editing.is_sku(thing.sku):
        found["sku"] = "Capitals, digits, hyphens and points, such as CAM-2."
    if not _is_words(thing.name, 200):
        found["variant_name"] = "Say what it is called."
    if thing.kind not in MADE_HERE:
        found["kind"] = "A thing that is sent, a download, or work."
    if not _is_words(thing.tax_category, 40):
        found["tax_category"] = "Say what it is taxed as."
    try:
        micros = _micros(thing.price)
    except Invalid as error:
        found, micros = found | error.fields_, 0
    if found:
        raise Invalid(found)
    return micros


def _micros(text: str) -> int:
    try:
        micros = to_micros(text.strip())
    except ValueError:
        micros = -1
    if not 0 <= micros <= 10**14:
        raise Invalid({"price": "A price such as 129.00."})
    return micros


def _is_words(text: str, longest: int) -> bool:
    return bool(text.strip()) and len(text) <= longest and text.isprintable()
