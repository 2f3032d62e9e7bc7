"""Acts of goods that are picked up at the depot, and of those that were sold before they were there."""

from dataclasses import dataclass

from sqlalchemy import select

from app.demo.fernway.buying import Ordered
from app.demo.fernway.people import BRAM, CORA, DESK, IVO, JUNO, SECOND_DESK, Person
from app.demo.fernway.scene import Act, Ago, Scene
from app.demo.fernway.sent import Sent, waiting_goods
from core.catalog.models import Variant
from core.orders.models import Order
from core.orders.pickup_models import PickUp
from core.stock.adjusting import Adjustment
from core.stock.models import Location, StockLevel
from flows import adjust_stock, pick_up
from flows.pick_up import Pieces


@dataclass(frozen=True)
class SetReady:
    """All goods of their oldest order that waits lie ready at the depot."""

    when: Ago
    who: Person

    def happen(self, scene: Scene) -> None:
        """Staff lay them out, and the customer is told."""
        scene.step("order.set_ready", lambda: self._set(scene))

    def _set(self, scene: Scene) -> None:
        order, pieces = waiting_goods(scene, self.who)
        by = scene.actor(SECOND_DESK)
        pick_up.set_ready(scene.house, Pieces(order.public_id, pieces, by, "fernway"))


@dataclass(frozen=True)
class Collected:
    """They come for what lies ready."""

    when: Ago
    who: Person

    def happen(self, scene: Scene) -> None:
        """Staff hand it over."""
        scene.step("order.handed_over", lambda: self._hand_over(scene))

    def _hand_over(self, scene: Scene) -> None:
        with scene.house.db.reading() as session:
            public_id = session.scalars(
                select(PickUp.public_id)
                .join(Order, Order.id == PickUp.order_id)
                .where(Order.email == self.who.email, PickUp.state == "ready")
            ).one()
        pick_up.hand_over(scene.house, public_id, scene.actor(SECOND_DESK))


@dataclass(frozen=True)
class CameIn:
    """So many pieces of a thing come to the depot; whoever waits for them gets them."""

    when: Ago
    sku: str
    pieces: int
    note: str

    def happen(self, scene: Scene) -> None:
        """Staff count them in."""
        scene.step("stock.adjusted", lambda: self._count(scene))

    def _count(self, scene: Scene) -> None:
        with scene.house.db.reading() as session:
            level_id = session.scalars(
                select(StockLevel.id)
                .join(Variant, Variant.id == StockLevel.variant_id)
                .join(Location, Location.id == StockLevel.location_id)
                .where(Variant.sku == self.sku, Location.code == "depot")
            ).one()
        asked = Adjustment(level_id, "received", self.pieces, note=self.note)
        once = f"fernway-{self.sku}-{self.when.days}"
        adjust_stock.adjust(scene.house, asked, scene.actor(DESK), once)


#: Bram has been for his things, and Cora's lie there. Of the pairs of handsets none were left: Ivo's came a
#: week later and went out, Juno's is still awaited.
FETCHED: tuple[Act, ...] = (
    Ordered(Ago(6, "18:12"), BRAM, {"CHIME-1": 1, "CAB-5": 1}, by="card", way="pick-up"),
    SetReady(Ago(5, "09:24"), BRAM),
    Collected(Ago(3, "17:06"), BRAM),
    Ordered(Ago(2, "13:41"), CORA, {"HAND-1": 1, "EMB-1": 2}, by="card", way="pick-up"),
    SetReady(Ago(1, "16:28"), CORA),
    Ordered(Ago(12, "12:21"), IVO, {"HAND-2": 2}, by="card"),
    Ordered(Ago(7, "20:33"), JUNO, {"HAND-2": 1}, by="card"),
    CameIn(Ago(6, "10:14"), "HAND-2", 2, "Two of twelve; the maker sends the others later"),
    Sent(Ago(5, "10:07"), IVO, "USPS", "9400136206213391781162"),
)
