"""The shelf: every product once, whatever the page's size; one query a page, however much stands there."""

import itertools
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.orm import Session

from core.catalog import products
from core.catalog.models import Category, Product, Variant
from core.catalog.products import ListedProduct, UnknownSku
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import NotFound
from core.parties.models import Channel
from core.prices.models import Price
from flows import browse
from tests.world import World

numbers = itertools.count(1)


def stand(
    session: Session,
    clock: ManualClock,
    position: int = 0,
    *,
    variants: Sequence[bool] = (True,),
    active: bool = True,
    category_id: uuid.UUID | None = None,
) -> str:
    """Put a product on the shelf, with variants that are sold or not; answers its slug."""
    number = next(numbers)
    product = Product(
        id=uuid.uuid4(),  # in no order of time
        slug=f"thing-{number}",
        name=f"Thing {number}",
        picture="img/products/router.svg",
        category_id=category_id,
        position=position,
        active=active,
        facts=[["Weight", "310 g"], ["Ports", 4]],
        created_at=clock.now(),
    )
    session.add(product)
    session.flush()
    session.add_all(
        Variant(
            product_id=product.id,
            sku=f"SKU-{number}-{place}",
            name=f"Thing {number}.{place}",
            kind="physical",
            tax_category="device",
            position=-place,
            active=sold,
        )
        for place, sold in enumerate(variants)
    )
    session.flush()
    return product.slug


def walk(session: Session, size: int, category: str | None = None) -> list[list[ListedProduct]]:
    """All pages as a cursor walks them."""
    pages: list[list[ListedProduct]] = []
    after = None
    while page := products.listing(session, category_slug=category, after=after, limit=size):
        pages.append(page)
        after = (page[-1].position, page[-1].id)
    return pages


@contextmanager
def counting(session: Session) -> Iterator[list[str]]:
    """The statements that are run meanwhile."""
    seen: list[str] = []

    def listen(conn, cursor, statement, parameters, context, many) -> None:
        seen.append(statement)

    event.listen(session.get_bind(), "before_cursor_execute", listen)
    try:
        yield seen
    finally:
        event.remove(session.get_bind(), "before_cursor_execute", listen)


# --- walking the shelf ----------------------------------------------------------------------------

THINGS = st.lists(
    st.tuples(
        st.integers(-1, 2),  # position, often the same
        st.lists(st.booleans(), max_size=3),  # its variants: sold or not
        st.booleans(),  # is the product active
    ),
    max_size=9,
)


def test_a_cursor_meets_every_product_once_for_any_size_of_page(
    db: Database, world: World, clock: ManualClock
):
    with Session(db.engine, expire_on_commit=False) as session:

        @given(THINGS, st.integers(1, 8))
        @settings(max_examples=40)
        def check(things, size) -> None:
            with session.begin():
                session.query(Product).update({"active": False})
                rows = [
                    (position, stand(session, clock, position, variants=sold, active=active))
                    for position, sold, active in things
                ]
                shown = [
                    slug
                    for (_, slug), (_, sold, active) in zip(rows, things, strict=True)
                    if active and any(sold)
                ]
                pages = walk(session, size)
                met = [product.slug for page in pages for product in page]
                places = [(product.position, product.id) for page in pages for product in page]
                assert sorted(met) == sorted(shown)
                assert places == sorted(places)
                assert all(len(page) == size for page in pages[:-1])
                session.rollback()

        check()


def test_what_cannot_be_bought_never_ends_the_shelf_early(
    db: Database, world: World, clock: ManualClock
):
    """A product without a variant, or without a price, takes nobody's place."""
    with db.transaction() as session:
        session.query(Product).update({"active": False})
        slugs = [
            stand(session, clock, variants=(position % 3 != 1,), position=position)
            for position in range(9)
        ]
        for position in range(0, 9, 2):
            variant = (
                products.detail(session, slugs[position]).listed if position % 3 != 1 else None
            )
            if variant:
                session.add(
                    Price(
                        price_list_id=world.price_list_id,
                        variant_id=variant.variants[0].id,
                        unit_price_micros=1_000_000,
                    )
                )
    met: list[str] = []
    after = None
    with db.reading() as session:
        channel = session.get_one(Channel, world.channel_id)
        for _ in range(9):
            page = browse.Shelves().page(session, channel, clock.now(), after=after, limit=2)
            met += [shown.product.slug for shown in page.products]
            after = page.after
            if after is None:
                break
    assert met == [slugs[position] for position in (0, 2, 6, 8)]


def test_a_category_shows_its_own(db: Database, world: World, clock: ManualClock):
    with db.transaction() as session:
        category = Category(slug="phones", name="Phones")
        session.add(category)
        session.flush()
        slugs = [stand(session, clock, place, category_id=category.id) for place in range(3)]
        stand(session, clock, 1)
    with db.reading() as session:
        pages = walk(session, 2, "phones")
        assert [[product.slug for product in page] for page in pages] == [slugs[:2], slugs[2:]]
        assert {product.category_slug for page in pages for product in page} == {"phones"}
        assert walk(session, 2, "nothing-of-this-name") == []


def test_a_product_lists_the_variants_that_are_sold_in_their_order(
    db: Database, world: World, clock: ManualClock
):
    with db.transaction() as session:
        slug = stand(session, clock, -5, variants=(True, False, True))
    with db.reading() as session:
        (first,) = products.listing(session, limit=1)
        found = products.detail(session, slug)
    names = [variant.name[-1] for variant in first.variants]
    assert (first.slug, names) == (slug, ["2", "0"])
    assert found.listed == first
    assert found.facts == (("Weight", "310 g"), ("Ports", "4"))


@pytest.mark.parametrize("many", [1, 12])
def test_a_page_costs_one_query_and_a_shelf_with_prices_three(
    many: int, db: Database, world: World, clock: ManualClock
):
    with db.transaction() as session:
        for _ in range(many):
            stand(session, clock, variants=(True, True))
    with db.reading() as session:
        channel = session.get_one(Channel, world.channel_id)
        with counting(session) as listed:
            assert len(products.listing(session, limit=50)) == 4 + many
        with counting(session) as shown:
            assert len(browse.Shelves().page(session, channel, clock.now()).products) == 4
        with counting(session) as one:
            browse.Shelves().product(session, channel, clock.now(), "wi-fi-6-router")
    assert (len(listed), len(shown), len(one)) == (1, 3, 3)


# --- one product, one SKU -------------------------------------------------------------------------


def test_what_is_not_sold_is_not_found(db: Database, world: World, clock: ManualClock):
    with db.transaction() as session:
        gone = stand(session, clock, active=False)
        empty = stand(session, clock, variants=(False,))
        skus = session.query(Variant.sku, Product.slug).join(Product).all()
    with db.reading() as session:
        for slug in (gone, empty, "never-was"):
            with pytest.raises(NotFound):
                products.detail(session, slug)
        assert products.variant(session, world.router.sku).id == world.router.variant_id
        for sku in [sku for sku, slug in skus if slug in (gone, empty)] + ["FW-NEVER"]:
            with pytest.raises(UnknownSku) as unknown:
                products.variant(session, sku)
            assert unknown.value.facts() == {"sku": sku}


def test_what_has_no_price_here_is_not_shown(db: Database, world: World, clock: ManualClock):
    with db.transaction() as session:
        slug = stand(session, clock)
    with db.reading() as session:
        channel = session.get_one(Channel, world.channel_id)
        with pytest.raises(NotFound):
            browse.Shelves().product(session, channel, clock.now(), slug)


def test_a_shelf_says_what_can_be_had(db: Database, world: World, clock: ManualClock):
    with db.reading() as session:
        channel = session.get_one(Channel, world.channel_id)
        shown = browse.Shelves().page(session, channel, clock.now()).products
    pieces = {one.product.slug: one.offers[0].pieces for one in shown}
    assert pieces == {
        "wi-fi-6-router": 27,
        "porch-camera": 4,
        "installation-visit": None,
        "river-100": None,
    }
    assert all(one.offers[0].available for one in shown)


def test_goods_that_never_came_in_are_shown_and_cannot_be_had(
    db: Database, world: World, clock: ManualClock
):
    with db.transaction() as session:
        slug = stand(session, clock)
        listed = products.detail(session, slug).listed
        session.add(
            Price(
                price_list_id=world.price_list_id,
                variant_id=listed.variants[0].id,
                unit_price_micros=1_000_000,
            )
        )
    with db.reading() as session:
        channel = session.get_one(Channel, world.channel_id)
        _, shown = browse.Shelves().product(session, channel, clock.now(), slug)
    assert (shown.offers[0].pieces, shown.offers[0].available) == (0, False)


# --- shelves and pictures -------------------------------------------------------------------------


def test_categories_stand_in_their_order(db: Database, world: World):
    with db.reading() as session:
        assert [one.slug for one in products.categories(session)] == ["devices", "services"]
        assert products.category(session, "devices").name == "Devices"
        with pytest.raises(NotFound):
            products.category(session, "attic")


def test_each_variant_has_its_products_picture(db: Database, world: World):
    keys = [world.router.variant_id, world.visit.variant_id]
    with db.reading() as session:
        found = products.pictures(session, keys)
    assert found == {
        world.router.variant_id: ("wi-fi-6-router", "img/products/router.svg"),
        world.visit.variant_id: ("installation-visit", "img/products/router.svg"),
    }
