"""Staff keep the products of the shop: words, pictures, address, shown or not; all of it in the audit log.

The things with a SKU are in ``keep_things``, what they cost in ``keep_prices``.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms_content import media, redirects
from cms_content.fields import is_picture
from core.catalog import editing
from core.catalog.editing import Pictures, Words
from core.catalog.models import Product
from core.kernel import audit, idempotency
from core.kernel.errors import Invalid, NotFound, StaleState
from core.parties import accounts
from core.parties.models import Channel
from flows import keep_things
from flows.house import House
from flows.keep_things import NewThing, is_words

WRONG_SLUG = "Small letters, digits and hyphens, such as porch-camera."
MOST_PICTURES = 8
_LONGEST = {"name": 200, "summary": 300, "description": 5000}


def make(
    house: House,
    slug: str,
    words: Words,
    pictures: Sequence[str],
    thing: NewThing,
    actor: str,
    once: str,
) -> Product:
    """A product with its first thing, not shown yet. Asked again under the same name it answers the same.

    Raises Invalid, by field, and KeyReused.
    """
    words = _cleaned(words)
    micros = keep_things.check(thing)
    if not editing.is_slug(slug):
        raise Invalid({"slug": WRONG_SLUG})

    def work(session: Session) -> Product:
        now = house.clock.now()
        known = idempotency.begin(session, "product", once, f"{slug}|{thing.sku}"[:64], now)
        if known is not None:
            return editing.one(session, known.body["slug"])
        try:
            product = editing.make(session, slug, words, _chosen(session, pictures), now)
        except editing.TakenAlready as error:
            raise Invalid({"slug": str(error)}) from None
        except NotFound:
            raise Invalid({"category": "There is no such shelf."}) from None
        keep_things.put(session, house, product, thing, micros, actor)
        audit.write(session, now, actor, "product.made", ("product", slug))
        idempotency.finish(session, "product", once, 201, {"slug": slug})
        return product

    return house.db.run_tx(work)


def change(
    house: House,
    slug: str,
    words: Words,
    actor: str,
    seen: str | None = None,
    pictures: Sequence[str] | None = None,
) -> Product:
    """Other words, and other pictures where they are given.

    ``seen`` is the ``editing.mark`` of what somebody saw. Raises NotFound, Invalid, and StaleState.
    """

    def work(session: Session) -> Product:
        product = _in_hand(session, slug, seen)
        try:
            editing.change(session, product, _cleaned(words))
        except NotFound:
            raise Invalid({"category": "There is no such shelf."}) from None
        if pictures is not None:
            editing.illustrate(session, product, _chosen(session, pictures))
        audit.write(session, house.clock.now(), actor, "product.changed", ("product", slug))
        return product

    return house.db.run_tx(work)


def illustrate(
    house: House, slug: str, pictures: Sequence[str], actor: str, seen: str | None = None
) -> None:
    """Other pictures of the library, in their order. Raises NotFound, StaleState and Invalid."""

    def work(session: Session) -> None:
        product = _in_hand(session, slug, seen)
        editing.illustrate(session, product, _chosen(session, pictures))
        now, count = house.clock.now(), len(product.pictures)
        audit.write(session, now, actor, "product.illustrated", ("product", slug), pictures=count)

    house.db.run_tx(work)


def _chosen(session: Session, names: Sequence[str]) -> Pictures:
    """Pictures that are there, each once; the first as lists show it."""
    wanted = tuple(dict.fromkeys(names))
    found = media.resolve(session, [name for name in wanted if is_picture(name)])
    if not wanted or set(wanted) - set(found):
        raise Invalid({"pictures": "Choose a picture."})
    if len(wanted) > MOST_PICTURES:
        raise Invalid({"pictures": f"At most {MOST_PICTURES} pictures."})
    first = found[wanted[0]]
    return Pictures(wanted, first.drawn or first.sources[0][0])


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


def _in_hand(session: Session, slug: str, seen: str | None) -> Product:
    product = editing.one(session, slug, lock=True)
    if seen is not None and seen != editing.mark(product):
        raise StaleState("product", "changed")
    return product


def _cleaned(words: Words) -> Words:
    found: dict[str, str] = {}
    name, summary = " ".join(words.name.split()), " ".join(words.summary.split())
    description = words.description.strip().replace("\r\n", "\n")
    if not is_words(name, _LONGEST["name"]):
        found["name"] = "Say what it is called."
    if len(summary) > _LONGEST["summary"] or not summary.isprintable():
        found["summary"] = f"At most {_LONGEST['summary']} characters."
    plain = description.replace("\n", "")
    if len(description) > _LONGEST["description"] or not plain.isprintable():
        found["description"] = f"At most {_LONGEST['description']} characters."
    if found:
        raise Invalid(found)
    return replace(words, name=name, summary=summary, description=description)
