"""Orders to be changed and exchanged in tests: how they are bought, looked at, and held against the books."""

import uuid
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from cart import lines as cart_lines
from cart.quotes.wanting import Wanted
from core.catalog.models import Variant
from core.kernel.jobs import Job
from core.kernel.money import Money, to_micros
from core.ledger import items
from core.orders.fulfilling import Tracking
from core.orders.fulfilment_models import OrderChange, OrderChangeMemo
from core.orders.models import Order, OrderLine
from core.parties.models import Channel
from core.prices.models import Price
from core.stock.models import StockLevel, StockMovement
from flows import change_order, ship_order
from flows.change_order import ChangeWish
from flows.edits import Edits
from flows.house import House
from flows.place_order import Placed, place
from flows.plan_change import Plan
from flows.ship_order import Parcel
from flows.verify import verify
from invoices.models import Invoice
from payments.models import Payment
from tests.paying import CARD, come_back, drain, wish
from tests.quoting import DEPOT, MILL, Quoting
from tests.sandbox_process import SandboxProcess
from tests.world import World

UPS = Tracking("UPS", "1Z999AA10123456784")


def every(house: House, model: Any, *where: Any) -> Any:
    with house.db.reading() as session:
        return session.scalars(select(model).where(*where)).all()


def variant(
    house: House, world: World, sku: str, price: str, pieces: int, of: str = "router"
) -> uuid.UUID:
    """Another variant of a product of the small shop, with its pieces on the shelf; its level."""
    now = house.clock.now()
    with house.db.transaction() as session:
        made = Variant(
            product_id=getattr(world, of).product_id,
            sku=sku,
            name=f"Wi-Fi 6 router, {sku}",
            kind="physical",
            tax_category="device",
        )
        session.add(made)
        session.flush()
        session.add(
            Price(
                price_list_id=world.price_list_id,
                variant_id=made.id,
                unit_price_micros=to_micros(price),
            )
        )
        level = StockLevel(location_id=world.location_id, variant_id=made.id, on_hand=pieces)
        session.add(level)
        session.flush()
        session.add(
            StockMovement(
                level_id=level.id,
                kind="received",
                on_hand=pieces,
                allocated=0,
                reference="test",
                at=now,
            )
        )
        return level.id


def cart_of(house: House, pieces: dict[str, int]) -> str:
    now = house.clock.now()

    def work(session: Any) -> str:
        cart = cart_lines.open_cart(session, session.scalars(select(Channel)).one(), now)
        for sku, count in pieces.items():
            cart_lines.add(session, cart, sku, count, house.rules.hold_for, now)
        return cart.public_id

    return house.db.run_tx(work)


def bought(house: House, sandbox: SandboxProcess, pieces: dict[str, int]) -> Order:
    """An order that was paid by card, with its bill."""
    placed = place(house, wish(cart_of(house, pieces)))
    assert placed.redirect_url is not None
    sandbox.pay(placed.redirect_url, CARD)
    assert come_back(house, placed) == "succeeded"
    drain(house)
    return order_of(house, placed)


def on_terms(house: House, pieces: dict[str, int]) -> Order:
    """An order by bill, not billed yet."""
    return order_of(house, place(house, wish(cart_of(house, pieces), "invoice")))


def to_two_places(
    house: House, world: World, other: dict[str, str] = MILL, goods: str = "FW-RT-6"
) -> Order:
    """An order by bill of two pieces for the depot and two for another place, as a quote makes it."""
    quoting = Quoting.ask(house, world).ready(
        Wanted(sku=goods, site=0, quantity=2),
        Wanted(sku=goods, site=1, quantity=2),
        sites=(DEPOT, other),
        payment="terms",
    )
    quoting.accept()
    drain(house)
    version = quoting.version().id
    return next(one for one in quoting.orders() if one.quote_version_id == version)


def order_of(house: House, placed: Placed | Order) -> Order:
    key = placed.order_id if isinstance(placed, Placed) else placed.id
    (found,) = every(house, Order, Order.id == key)
    assert isinstance(found, Order)
    return found


def lines_of(house: House, order: Order) -> list[OrderLine]:
    found = every(house, OrderLine, OrderLine.order_id == order.id)
    return sorted(found, key=lambda line: line.line_number)


def number(house: House, order: Order, sku: str) -> int:
    """The line that a thing was ordered by first."""
    return next(line.line_number for line in lines_of(house, order) if line.sku == sku)


def level(house: House, level_id: uuid.UUID | None) -> tuple[int, int, int]:
    (found,) = every(house, StockLevel, StockLevel.id == level_id)
    return found.on_hand, found.allocated, found.held


def ship(house: House, order: Order, pieces: dict[int, int], once: str = "p1") -> None:
    ship_order.ship(house, Parcel(order.public_id, pieces, UPS, "user:ada", once))


def seen(house: House, order: Order, edits: Edits, **more: Any) -> tuple[Plan, ChangeWish]:
    """The plan as somebody looks at it, and the wish to have it so."""
    _, plan = change_order.preview(house, order.public_id, edits)
    made = ChangeWish(order.public_id, edits, plan.token, "changed_mind", "usual", "user:ada", "s1")
    return plan, replace(made, **more)


def changed(house: House, order: Order, edits: Edits, **more: Any) -> tuple[Plan, OrderChange]:
    """Look at it and do it."""
    plan, made = seen(house, order, edits, **more)
    return plan, change_order.change(house, made)


def posted(house: House, change: OrderChange) -> tuple[Money, Money]:
    """What the documents of a change gave back, and billed."""
    with house.db.reading() as session:
        currency = session.get_one(Order, change.order_id).currency
        memos = select(OrderChangeMemo.memo_id).where(OrderChangeMemo.change_id == change.id)
        back = session.scalar(select(func.sum(Invoice.total_minor)).where(Invoice.id.in_(memos)))
        more = session.scalar(
            select(func.sum(Invoice.total_minor)).where(Invoice.order_change_id == change.id)
        )
    return Money(int(back or 0), currency), Money(int(more or 0), currency)


def owed(house: House, order: Order) -> int:
    """What is open of the order's bills."""
    with house.db.reading() as session:
        keys = session.scalars(select(Invoice.id).where(Invoice.order_id == order.id)).all()
        found = items.of_sources(session, list(keys)).values()
    return sum(item.open.minor for item in found if item.side == "debit")


def paid_back(house: House, order: Order) -> int:
    """What went back to the card that paid the order."""
    (payment,) = every(house, Payment, Payment.order_id == order.id)
    return house.gateway.get_payment(payment.gateway_id).amount_refunded.minor


def assert_sound(house: House) -> None:
    """All work is done, and the books prove themselves."""
    drain(house)
    assert [job.last_error for job in every(house, Job) if job.state != "done"] == []
    found = verify(house.db, house.clock, blobs=house.blobs)
    assert [finding for finding in found if not finding.holds] == []
