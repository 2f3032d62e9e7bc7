"""Acts about placed orders: parcels, visits that were done, pieces cancelled and taken back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select

from app.demo.fernway.people import DESK, SECOND_DESK, Person
from app.demo.fernway.scene import Ago, Scene
from core.orders import placing
from core.orders.fulfilling import Tracking
from core.orders.fulfilment_models import Fulfilment
from core.orders.models import Order, OrderLine
from core.orders.screening import Rules
from core.parties import accounts
from flows import ask_return, change_order, screen_order, ship_order, take_back
from flows.change_order import ChangeWish
from flows.edits import Edits
from flows.ship_order import Done, Parcel
from flows.take_back import Asked


@dataclass(frozen=True)
class Sent:
    """The oldest order of theirs that waits goes out; ``pieces`` by SKU, all of its goods otherwise."""

    when: Ago
    who: Person
    carrier: str
    number: str
    pieces: Mapping[str, int] = field(default_factory=dict, hash=False)

    def happen(self, scene: Scene) -> None:
        """Staff pack and send it."""
        scene.step("order.shipped", lambda: self._send(scene))

    def _send(self, scene: Scene) -> None:
        order, chosen = waiting_goods(scene, self.who, self.pieces)
        way = Tracking(self.carrier, self.number)
        by = scene.actor(SECOND_DESK)
        ship_order.ship(scene.house, Parcel(order.public_id, chosen, way, by, "fernway"))


@dataclass(frozen=True)
class Screened:
    """From now on somebody looks at each order from this amount on before it goes out."""

    when: Ago
    amount_from: int

    def happen(self, scene: Scene) -> None:
        """The desk says so."""
        scene.step("order_checks.set", lambda: self._set(scene))

    def _set(self, scene: Scene) -> None:
        with scene.house.db.reading() as session:
            channel, _ = accounts.channel_by_code(session, scene.house.rules.channel)
        rules = Rules(amount_from=self.amount_from)
        screen_order.set_rules(scene.house, channel.id, rules, scene.actor(DESK))


@dataclass(frozen=True)
class Arrived:
    """The carrier says that their last parcel is where it should be."""

    when: Ago
    who: Person

    def happen(self, scene: Scene) -> None:
        """Its program tells the desk."""
        scene.step("order.delivered", lambda: self._note(scene))

    def _note(self, scene: Scene) -> None:
        with scene.house.db.reading() as session:
            public_id = session.scalars(
                select(Fulfilment.public_id)
                .join(Order, Order.id == Fulfilment.order_id)
                .where(Order.email == self.who.email, Fulfilment.kind == "parcel")
                .order_by(Fulfilment.at.desc())
            ).first()
        assert public_id is not None
        ship_order.arrived(scene.house, public_id, None, scene.actor(SECOND_DESK))


@dataclass(frozen=True)
class Visited:
    """Somebody was there: the visit of their order is done."""

    when: Ago
    who: Person

    def happen(self, scene: Scene) -> None:
        """Staff note it."""
        scene.step("order.provided", lambda: self._note(scene))

    def _note(self, scene: Scene) -> None:
        order, lines = _order(scene, self.who, _is_visit)
        done = {line.line_number: line.waiting for line in lines if _is_visit(line)}
        by = scene.actor(SECOND_DESK)
        ship_order.provide(scene.house, Done(order.public_id, done, by, "fernway-visit"))


@dataclass(frozen=True)
class Cancelled:
    """Pieces that have not left are given up."""

    when: Ago
    who: Person
    pieces: Mapping[str, int] = field(hash=False)
    reason: str
    note: str = ""

    def happen(self, scene: Scene) -> None:
        """Staff do it on the phone."""
        scene.step("order.cancelled", lambda: take_back.cancel(scene.house, self._asked(scene)))

    def _asked(self, scene: Scene) -> Asked:
        order, lines = _order(
            scene, self.who, lambda line: line.sku in self.pieces and line.waiting > 0
        )
        return _asked(scene, order, lines, self.pieces, self.reason, self.note)


@dataclass(frozen=True)
class Swapped:
    """Something of an order that waits is another thing now, by SKU."""

    when: Ago
    who: Person
    swaps: Mapping[str, str] = field(hash=False)
    note: str = ""

    def happen(self, scene: Scene) -> None:
        """They call; staff look at what it comes to, and do it."""
        scene.step("order.changed", lambda: self._change(scene))

    def _change(self, scene: Scene) -> None:
        order, lines = _order(
            scene, self.who, lambda line: line.sku in self.swaps and line.waiting > 0
        )
        swaps = {line.line_number: self.swaps[line.sku] for line in lines if line.sku in self.swaps}
        edits = Edits(swaps=swaps)
        _, plan = change_order.preview(scene.house, order.public_id, edits)
        more = ("changed_mind", "usual", scene.actor(DESK), "fernway-change", self.note)
        change_order.change(scene.house, ChangeWish(order.public_id, edits, plan.token, *more))


@dataclass(frozen=True)
class Returned:
    """Pieces come back; ``is_here`` False: they are still on their way."""

    when: Ago
    who: Person
    pieces: Mapping[str, int] = field(hash=False)
    reason: str
    note: str = ""
    is_here: bool = True

    def happen(self, scene: Scene) -> None:
        """Staff take them back, or tell where to send them."""
        act = "order.return_received" if self.is_here else "order.return_announced"
        scene.step(act, lambda: self._take(scene))

    def _take(self, scene: Scene) -> None:
        order, lines = _sent(scene, self)
        asked = _asked(scene, order, lines, self.pieces, self.reason, self.note)
        if self.is_here:
            restocked = {line.line_number: True for line in lines}
            take_back.take(scene.house, asked, restocked)
        else:
            take_back.announce(scene.house, asked)


@dataclass(frozen=True)
class ReturnAsked:
    """Somebody asks by their order's page whether pieces may come back; nobody has answered yet."""

    when: Ago
    who: Person
    pieces: Mapping[str, int] = field(hash=False)
    reason: str
    note: str = ""
    #: What they would like instead of money, by SKU.
    instead: Mapping[str, str] = field(default_factory=dict, hash=False)

    def happen(self, scene: Scene) -> None:
        """They open the link of the mail, and say why."""
        scene.step("order.return_asked", lambda: self._ask(scene))

    def _ask(self, scene: Scene) -> None:
        order, lines = _sent(scene, self)
        asked = _asked(scene, order, lines, self.pieces, self.reason, self.note)
        instead = {
            line.line_number: self.instead[line.sku] for line in lines if line.sku in self.instead
        }
        ask_return.ask(scene.house, replace(asked, actor="guest", instead=instead))


def waiting_goods(
    scene: Scene, who: Person, pieces: Mapping[str, int] | None = None
) -> tuple[Order, dict[int, int]]:
    """Their oldest order that has goods to give, and how many by line; ``pieces`` by SKU, else all."""
    order, lines = _order(scene, who, lambda line: _is_goods(line) and line.waiting > 0)
    wanted = {
        line.line_number: pieces.get(line.sku, 0) if pieces else line.waiting
        for line in lines
        if _is_goods(line)
    }
    return order, {number: count for number, count in wanted.items() if count}


def _is_goods(line: OrderLine) -> bool:
    return line.kind == "physical"


def _is_visit(line: OrderLine) -> bool:
    return line.kind == "service" and line.waiting > 0


def _sent(scene: Scene, back: "Returned | ReturnAsked") -> tuple[Order, Sequence[OrderLine]]:
    """The order whose pieces were sent and are to come back."""
    return _order(scene, back.who, lambda line: line.sku in back.pieces and line.fulfilled > 0)


def _order(
    scene: Scene, who: Person, has: Callable[[OrderLine], bool]
) -> tuple[Order, Sequence[OrderLine]]:
    """The oldest placed order of somebody that has such a line."""
    with scene.house.db.reading() as session:
        orders = session.scalars(
            select(Order)
            .where(Order.email == who.email, Order.number.is_not(None))
            .order_by(Order.placed_at)
        ).all()
        for order in orders:
            lines = placing.lines_of(session, order.id)
            if any(has(line) for line in lines):
                return order, lines
    raise LookupError(f"no order of {who.name} fits")


def _asked(
    scene: Scene,
    order: Order,
    lines: Sequence[OrderLine],
    pieces: Mapping[str, int],
    reason: str,
    note: str,
) -> Asked:
    chosen = {line.line_number: pieces[line.sku] for line in lines if line.sku in pieces}
    by = scene.actor(DESK)
    return Asked(order.public_id, chosen, reason, "usual", by, f"fernway-{reason}", note)
