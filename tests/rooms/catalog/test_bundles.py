"""What the database refuses of bundles: one in another, a gift card in one, and to become one afterwards."""

import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.catalog import bundles
from core.catalog.models import BundleComponent, Product, Variant
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.prices.models import BundlePrice
from tests import packs
from tests.world import Goods, World

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def home(db: Database, world: World, clock: ManualClock) -> Goods:
    return db.run_tx(lambda session: packs.home(session, world, clock.now()))


def variant(session: Session, kind: str) -> uuid.UUID:
    """Something else to sell."""
    sku = uuid.uuid4().hex
    product = Product(slug=sku, name=sku, picture="", created_at=NOW)
    session.add(product)
    session.flush()
    made = Variant(product_id=product.id, sku=sku, name=sku, kind=kind, tax_category="")
    session.add(made)
    session.flush()
    return made.id


def inside(bundle_id: uuid.UUID, component_id: uuid.UUID, kind: str, **more) -> BundleComponent:
    return BundleComponent(
        **{
            "bundle_id": bundle_id,
            "component_id": component_id,
            "component_kind": kind,
            "weight": 1,
            **more,
        }
    )


@pytest.mark.parametrize("kind", ["bundle", "gift_card"])
@pytest.mark.parametrize("lie", [False, True])
def test_a_bundle_holds_no_bundle_and_no_gift_card(kind, lie, db: Database, home: Goods):
    """Not under a false name either."""
    other = db.run_tx(lambda session: variant(session, kind))
    with pytest.raises(IntegrityError), db.transaction() as session:
        session.add(inside(home.variant_id, other, "physical" if lie else kind))


def test_only_a_bundle_holds_pieces(db: Database, world: World):
    with pytest.raises(IntegrityError), db.transaction() as session:
        session.add(inside(world.router.variant_id, world.camera.variant_id, "physical"))


@pytest.mark.parametrize("whose", ["piece", "bundle"])
def test_what_is_in_a_bundle_or_is_one_stays_what_it_is(
    whose, db: Database, world: World, home: Goods
):
    key, kind = {
        "piece": (world.visit.variant_id, "bundle"),
        "bundle": (home.variant_id, "physical"),
    }[whose]
    with pytest.raises(IntegrityError), db.transaction() as session:
        session.execute(update(Variant).where(Variant.id == key).values(kind=kind))


@pytest.mark.parametrize(
    "what, values",
    [
        ("camera", {"quantity": 0}),
        ("camera", {"quantity": 100}),
        ("camera", {"weight": -1}),
        ("router", {}),
    ],
)
def test_a_piece_comes_once_a_few_times_and_with_a_weight(
    what, values, db: Database, world: World, home: Goods
):
    goods = getattr(world, what)
    with pytest.raises(IntegrityError), db.transaction() as session:
        session.add(inside(home.variant_id, goods.variant_id, "physical", **values))


def test_only_a_bundle_has_prices_by_charge_kind_and_one_of_each(
    db: Database, world: World, home: Goods
):
    for goods, kind in ((world.router, "one_off"), (home, "one_off"), (home, "weekly")):
        with pytest.raises(IntegrityError), db.transaction() as session:
            session.add(
                BundlePrice(
                    price_list_id=world.price_list_id,
                    variant_id=goods.variant_id,
                    charge_kind=kind,
                    unit_price_micros=1,
                )
            )


def test_pieces_are_read_in_their_order_with_their_own_tax_category(
    db: Database, world: World, clock: ManualClock, home: Goods
):
    def work(session: Session) -> Goods:
        pieces = [
            packs.Inside(world.visit, 2, 7, tax_category="installation"),
            packs.Inside(world.camera, 3),
        ]
        return packs.pack(session, world, clock.now(), pieces, {"one_off": "9.00"}, sku="FW-2")

    other = db.run_tx(work)
    with db.reading() as session:
        found = bundles.components(session, [home.variant_id, other.variant_id])
    assert [one.sku for one in found[home.variant_id]] == ["FW-RT-6", "FW-VISIT", "FW-RIVER-100"]
    assert [(one.sku, one.quantity, one.weight) for one in found[other.variant_id]] == [
        ("FW-VISIT", 2, 7),
        ("FW-CAM-1", 3, 1),
    ]
    assert [one.tax_category for one in found[other.variant_id]] == ["installation", "device"]
    assert [one.tax_category for one in found[home.variant_id]] == ["device", "service", "internet"]
