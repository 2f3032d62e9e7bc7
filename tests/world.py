"""A small shop for tests: Fernway Broadband with a router, a camera, a visit and a plan to sell."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from cart.delivery_models import DeliveryMethod
from core.catalog.models import Category, Product, Variant
from core.kernel.money import to_micros
from core.ledger.chart import open_chart
from core.parties.models import Account, Channel, LegalEntity, User
from core.prices.models import Plan, Price, PriceList
from core.stock.models import Location, StockLevel, StockMovement
from core.tax.models import TaxRate

ZONE = "America/New_York"
#: A Tuesday afternoon at Fernway's.
NOW = datetime(2026, 11, 17, 14, 11, tzinfo=ZoneInfo(ZONE))
#: 6.5 %
OHIO_PPM = 65_000
TAXED = ("device", "phone", "backup")
ADDRESS = {
    "name": "Riley Moreno",
    "line1": "4 Chestnut Row",
    "line2": "",
    "city": "Marrow Bay",
    "region": "OH",
    "postal_code": "44001",
    "country": "US",
}


@dataclass(frozen=True)
class Goods:
    """One variant that the shop sells. ``level_id`` is None where nothing is counted."""

    product_id: uuid.UUID
    variant_id: uuid.UUID
    slug: str
    sku: str
    unit_price_micros: int
    level_id: uuid.UUID | None


@dataclass(frozen=True)
class World:
    """The keys of what ``build`` put into the database."""

    legal_entity_id: uuid.UUID
    channel_id: uuid.UUID
    price_list_id: uuid.UUID
    location_id: uuid.UUID
    router: Goods
    camera: Goods
    visit: Goods
    plan: Goods


def build(session: Session, now: datetime) -> World:
    """Put Fernway into an empty database."""
    entity = LegalEntity(
        code="fernway",
        name="Fernway Broadband",
        address=["12 Harbor Lane", "Marrow Bay, OH 44001"],
        country="US",
        time_zone=ZONE,
        functional_currency="USD",
        tax_id="34-0000001",
        phone="(555) 010-0100",
        email="billing@fernway.example.com",
    )
    session.add(entity)
    session.flush()
    open_chart(session, entity.id)
    channel = Channel(
        code="web",
        name="Fernway Broadband",
        legal_entity_id=entity.id,
        currency="USD",
        locale="en_US",
        time_zone=ZONE,
        brand={"phone": "(555) 010-0100", "address": "12 Harbor Lane", "hours": "8 to 8"},
    )
    location = Location(code="harbor", name="Harbor Lane")
    session.add_all([channel, location])
    session.flush()
    prices = PriceList(code="web-usd", currency="USD", channel_id=channel.id)
    session.add(prices)
    session.add_all(_tax_rates(entity.id))
    session.add_all(_delivery(channel.id))
    session.flush()
    shelf = _Shelf(session, now, prices.id, location.id)
    devices = shelf.category("devices", "Devices", 1)
    services = shelf.category("services", "Services", 2)
    return World(
        legal_entity_id=entity.id,
        channel_id=channel.id,
        price_list_id=prices.id,
        location_id=location.id,
        router=shelf.put(devices, "FW-RT-6", "Wi-Fi 6 router", "physical", "device", "129.00", 27),
        camera=shelf.put(devices, "FW-CAM-1", "Porch camera", "physical", "device", "59.00", 4),
        visit=shelf.put(
            services, "FW-VISIT", "Installation visit", "service", "service", "60.00", None
        ),
        plan=shelf.put(services, "FW-RIVER-100", "River 100", "plan", "internet", "45.00", None),
    )


def account(
    session: Session, world: World, now: datetime, *, name: str = "Riley Moreno", number: str = ""
) -> Account:
    """A person's account with Fernway."""
    made = Account(
        number=number or f"{uuid.uuid4().int % 10**9:09d}",
        legal_entity_id=world.legal_entity_id,
        channel_id=world.channel_id,
        name=name,
        email=f"{name.lower().replace(' ', '.')}@example.com",
        currency="USD",
        time_zone=ZONE,
        billing_address=ADDRESS | {"name": name},
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made


def user(session: Session, now: datetime, *, email: str, name: str = "Riley Moreno") -> User:
    """Somebody who can log in, once a password is set."""
    made = User(email=email, name=name, email_verified_at=now, created_at=now)
    session.add(made)
    session.flush()
    return made


def _tax_rates(entity_id: uuid.UUID) -> list[TaxRate]:
    return [
        TaxRate(
            legal_entity_id=entity_id,
            country="US",
            region="OH",
            category=category,
            jurisdiction="Ohio",
            name="Sales tax",
            rate_ppm=OHIO_PPM,
            valid_from=date(2020, 1, 1),
        )
        for category in TAXED
    ]


def _delivery(channel_id: uuid.UUID) -> list[DeliveryMethod]:
    return [
        DeliveryMethod(
            channel_id=channel_id,
            country="US",
            code="standard",
            name="Standard delivery",
            description="Two to four working days",
            price_minor=690,
            free_from_minor=5000,
        )
    ]


@dataclass(frozen=True)
class _Shelf:
    session: Session
    now: datetime
    price_list_id: uuid.UUID
    location_id: uuid.UUID

    def category(self, slug: str, name: str, position: int) -> uuid.UUID:
        made = Category(slug=slug, name=name, position=position)
        self.session.add(made)
        self.session.flush()
        return made.id

    def put(
        self,
        category_id: uuid.UUID,
        sku: str,
        name: str,
        kind: str,
        tax_category: str,
        price: str,
        pieces: int | None,
    ) -> Goods:
        product = Product(
            slug=name.lower().replace(" ", "-"),
            name=name,
            summary=f"{name} from Fernway",
            picture="img/products/router.svg",
            category_id=category_id,
            created_at=self.now,
        )
        self.session.add(product)
        self.session.flush()
        variant = Variant(
            product_id=product.id, sku=sku, name=name, kind=kind, tax_category=tax_category
        )
        self.session.add(variant)
        self.session.flush()
        micros = to_micros(price)
        self.session.add(
            Price(price_list_id=self.price_list_id, variant_id=variant.id, unit_price_micros=micros)
        )
        if kind == "plan":
            self.session.add(Plan(variant_id=variant.id, interval="month"))
        level = self._stock(variant.id, pieces) if pieces is not None else None
        self.session.flush()
        return Goods(product.id, variant.id, product.slug, sku, micros, level)

    def _stock(self, variant_id: uuid.UUID, pieces: int) -> uuid.UUID:
        level = StockLevel(location_id=self.location_id, variant_id=variant_id, on_hand=pieces)
        self.session.add(level)
        self.session.flush()
        self.session.add(
            StockMovement(
                level_id=level.id,
                kind="received",
                on_hand=pieces,
                reference="opening",
                at=self.now,
            )
        )
        return level.id
