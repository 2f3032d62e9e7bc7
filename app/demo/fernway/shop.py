"""Fernway's shop: who bills, what is sold, what it costs, what is taxed where, how it is delivered."""

import tomllib
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.demo.fernway import delivered, numbered, trials
from cart import consents
from core.catalog.models import BUNDLE, BundleComponent, Category, Product, Variant
from core.kernel.money import to_micros
from core.ledger.chart import open_chart
from core.parties.models import Channel, LegalEntity
from core.prices.models import BundlePrice, Plan, Price, PriceList
from core.stock import levels
from core.stock.models import Location, StockLevel
from core.tax.models import TaxRate

ZONE = "America/New_York"
#: What the exchange does not begin by itself.
BY_A_PERSON = ("ADDR-8",)
_CATALOG = Path(__file__).with_name("catalog.toml")
#: State, its name, parts per million, and what it taxes. Elsewhere nothing is taxed.
_TAXES = (
    ("OH", "Ohio", 65_000, ("device", "phone", "backup")),
    ("IN", "Indiana", 70_000, ("device",)),
)
_LEAF = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 28" width="24" height="28">'
    '<path fill="#1f4d3a" d="M11 28C8 16 10 6 21 0c2 12-1 22-10 28z"/>'
    '<path fill="#e9a767" d="M10 28C11 19 8 12 1 9c0 9 3 15 9 19z"/></svg>'
)
_BRAND = {
    "print": {"wordmark": "Fernway", "mark": _LEAF},
    "phone": "555-0100",
    "hours": "seven to seven",
    "address": "1 Ferry Street, Tarnbrook, OH 43099",
    "email": "hello@fernway.example.com",
}


@dataclass(frozen=True)
class _Shelves:
    """What every product needs to know of the shop."""

    session: Session
    now: datetime
    prices: PriceList
    location: Location
    market: Location
    categories: Mapping[str, uuid.UUID]
    #: How many of a SKU the history takes from what came in.
    sold: Mapping[str, int]


def open_shop(
    session: Session, code: str, sold: Mapping[str, int], now: datetime
) -> tuple[LegalEntity, Channel]:
    """Put the shop into an empty database, selling on the channel ``code``."""
    entity = LegalEntity(
        code="fernway",
        name="Fernway Broadband",
        address=["1 Ferry Street", "Tarnbrook, OH 43099"],
        country="US",
        time_zone=ZONE,
        functional_currency="USD",
        tax_id="31-0000007",
        phone="555-0100",
        email="hello@fernway.example.com",
    )
    session.add(entity)
    session.flush()
    open_chart(session, entity.id)
    channel = Channel(
        code=code,
        name="Fernway",
        legal_entity_id=entity.id,
        currency="USD",
        locale="en_US",
        time_zone=ZONE,
        terms_days=14,
        brand=_BRAND,
    )
    session.add(channel)
    session.add_all(_taxes(entity.id, now.date()))
    session.flush()
    for code, mode, text, href in _CONSENTS:
        consents.put(session, channel, code, mode, text, href, "system", now)
    _stock_shelves(session, channel, sold, now)
    numbered.open_pools(session, now)
    delivered.offer(session, channel.id)
    trials.offer(session, now)
    return entity, channel


_CONSENTS = (
    ("terms", "stated", "By ordering you agree to our prices and terms.", "/terms"),
    ("privacy", "stated", "We keep what your order needs, and nothing else.", "/privacy"),
    ("news", "optional", "Write to me when there is a new plan or a better price.", ""),
)


def _taxes(entity_id: uuid.UUID, today: date) -> list[TaxRate]:
    return [
        TaxRate(
            legal_entity_id=entity_id,
            country="US",
            region=region,
            category=category,
            jurisdiction=name,
            name="Sales tax",
            rate_ppm=ppm,
            valid_from=date(today.year - 1, 1, 1),
        )
        for region, name, ppm, categories in _TAXES
        for category in categories
    ]


def pieces_of(sku: str) -> dict[str, int]:
    """What one of it takes from the shelves: itself, or the pieces of a bundle."""
    for row in _catalog()["bundle"]:
        if row["sku"] == sku:
            return {inside["sku"]: inside.get("quantity", 1) for inside in row["pieces"]}
    return {sku: 1}


@cache
def _catalog() -> dict[str, Any]:
    return tomllib.loads(_CATALOG.read_text(encoding="utf-8"))


def _stock_shelves(
    session: Session, channel: Channel, sold: Mapping[str, int], now: datetime
) -> None:
    catalog = _catalog()
    prices = PriceList(code="fernway-usd", currency="USD", channel_id=channel.id)
    where = {"country": "US", "region": "OH", "postal_prefix": "430"}
    location = Location(code="depot", name="The depot, 1 Ferry Street", **where)
    where = {"country": "US", "region": "IN", "postal_prefix": "46"}
    market = Location(code="market", name="The shop, 3 Market Square", priority=1, **where)
    rows = [
        Category(slug=row["slug"], name=row["name"], intro=row["intro"], position=position)
        for position, row in enumerate(catalog["category"], start=1)
    ]
    session.add_all([prices, location, market, *rows])
    session.flush()
    categories = {row.slug: row.id for row in rows}
    shelves = _Shelves(session, now, prices, location, market, categories, sold)
    for position, row in enumerate(catalog["product"], start=1):
        _put(shelves, row, position)
    session.flush()
    for row in catalog["bundle"]:
        _pack(shelves, row)
    for row in catalog["yearly"]:
        _sell_by_the_year(shelves, row)
    session.flush()


def _put(shelves: _Shelves, row: Mapping[str, Any], position: int) -> None:
    product = Product(
        slug=row["slug"],
        name=row["name"],
        summary=row["summary"],
        description=row["description"].strip(),
        facts=row["facts"],
        picture=row["picture"],
        pictures=[row["picture"]],
        category_id=shelves.categories[row["category"]],
        position=position * 10,
        created_at=shelves.now,
    )
    shelves.session.add(product)
    shelves.session.flush()
    for number, sold_as in enumerate(row["variants"], start=1):
        _offer(shelves, product, sold_as, number)


def _offer(shelves: _Shelves, product: Product, row: Mapping[str, Any], number: int) -> None:
    session = shelves.session
    variant = Variant(
        product_id=product.id,
        sku=row["sku"],
        name=row.get("name", product.name),
        kind=row["kind"],
        tax_category=row["tax"],
        position=number,
        weight_g=row.get("grams", 0),
        goes_by="visit" if row["kind"] == "service" else row.get("goes_by", "parcel"),
        quantity_step=row.get("step", 1),
        quantity_least=row.get("step", 1),
        quantity_most=row.get("most"),
    )
    session.add(variant)
    session.flush()
    if variant.kind == BUNDLE:
        return
    session.add(
        Price(
            price_list_id=shelves.prices.id,
            variant_id=variant.id,
            unit_price_micros=to_micros(row["price"]),
        )
    )
    if variant.kind == "plan":
        session.add(
            Plan(
                variant_id=variant.id,
                interval="month",
                family=row.get("family", ""),
                activation=row.get("activation", "by_hand"),
                features=row.get("features", []),
            )
        )
    if "stock" in row:
        there = row.get("market", 0)
        if there:
            levels.receive(session, variant.id, shelves.market.id, there, shelves.now)
        beyond = row.get("beyond", 0)
        # What may be sold before it is there comes in when the history says so.
        sold = 0 if beyond else Counter(shelves.sold)[variant.sku]
        came = row["stock"] - there + sold
        level_id = levels.receive(session, variant.id, shelves.location.id, came, shelves.now)
        level = session.get_one(StockLevel, level_id)
        level.low_at, level.backorder_limit = 5, beyond


def _variant(session: Session, sku: str) -> Variant:
    return session.scalars(select(Variant).where(Variant.sku == sku)).one()


def _pack(shelves: _Shelves, row: Mapping[str, Any]) -> None:
    """Put the pieces into a bundle, and its price on it."""
    session, bundle = shelves.session, _variant(shelves.session, row["sku"])
    for position, inside in enumerate(row["pieces"], start=1):
        piece = _variant(session, inside["sku"])
        session.add(
            BundleComponent(
                bundle_id=bundle.id,
                component_id=piece.id,
                component_kind=piece.kind,
                position=position,
                quantity=inside.get("quantity", 1),
                weight=inside["weight"],
            )
        )
    session.add_all(
        BundlePrice(
            price_list_id=shelves.prices.id,
            variant_id=bundle.id,
            charge_kind=kind,
            unit_price_micros=to_micros(price),
        )
        for kind, price in row["prices"].items()
    )


def _sell_by_the_year(shelves: _Shelves, row: Mapping[str, Any]) -> None:
    """A variant of a plan that is paid by the year, and else is as the one by the month."""
    session, monthly = shelves.session, _variant(shelves.session, row["of"])
    plan = session.scalars(select(Plan).where(Plan.variant_id == monthly.id)).one()
    variant = Variant(
        product_id=monthly.product_id,
        sku=row["sku"],
        name=f"{monthly.name}, by the year",
        kind=monthly.kind,
        tax_category=monthly.tax_category,
        position=monthly.position + 1,
    )
    session.add(variant)
    session.flush()
    session.add_all(
        [
            Price(
                price_list_id=shelves.prices.id,
                variant_id=variant.id,
                unit_price_micros=to_micros(row["price"]),
            ),
            Plan(
                variant_id=variant.id,
                interval="year",
                family=plan.family,
                activation=plan.activation,
                bills_on=plan.bills_on,
                features=plan.features,
            ),
        ]
    )
