"""What a change of a placed order would do: pieces given up, goods added, another delivery, and what the
difference comes to. Reads only; ``change_order`` shows it, and posts exactly this.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from cart import additions, ordered
from cart import address as addresses
from cart.additions import ChangeRefused, Wanted
from cart.priced import PricedLine, Recurring
from core.catalog.models import BUNDLE
from core.kernel.errors import Invalid
from core.kernel.money import Money, total
from core.orders import fulfilling, placing
from core.orders import places as spots
from core.orders.drafting import NewLine
from core.orders.fulfilling import Some
from core.orders.models import Order, OrderLine
from core.orders.places import Place
from core.tax.service import Answers
from flows import plan_delivery, plan_pieces, take_back, worth
from flows.edits import Edits
from flows.house import House
from flows.plan_delivery import Delivered
from flows.plan_pieces import again, merged, place_of
from flows.tax_goods import TaxGoods
from flows.worth import Worth


@dataclass(eq=False)
class NothingChanges(ChangeRefused):
    """The order is like that already."""

    code: ClassVar[str] = "nothing_changes"
    text: ClassVar[str] = (
        "Nothing of the order would be another. Change a number, a thing or a place."
    )


@dataclass(eq=False)
class TaxedApart(ChangeRefused):
    """Part of a bundle cannot move to a place with other taxes: its price is one for all of it."""

    code: ClassVar[str] = "bundle_taxed_apart"
    text: ClassVar[str] = (
        "{sku} is a bundle, and taxes are others there. Give it up and add it again there."
    )
    line: int
    sku: str


@dataclass(frozen=True)
class Row:
    """A line before and after: how many, and what that comes to with tax. ``line`` 0: it is added.
    ``place``: where it goes, of an order for several places."""

    line: int
    sku: str
    name: str
    before: int
    after: int
    was: Money
    will: Money
    place: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Plan:
    """What would be done: in this order, and to the cent."""

    lines: Sequence[OrderLine]
    removed: Sequence[Worth]
    added: Sequence[NewLine]
    #: Whose address and way are another; its new address.
    place: Place
    address: dict[str, str] | None
    #: How what goes there goes then, and further deliveries by how they go; None: as before.
    method: str | None
    further: Mapping[str, str]
    currency: str
    #: What what is added is charged again, before tax.
    recurring: Sequence[Recurring]
    #: What is left of each line on its bill, with its taxes, by line number: before.
    left: Mapping[int, Money]
    seen: str

    @property
    def back(self) -> Money:
        """What is credited, with tax."""
        return total((one.amount for one in self.removed), self.currency)

    @property
    def more(self) -> Money:
        """What is billed, with tax."""
        return total((amount_of(line, self.currency) for line in self.added), self.currency)

    @property
    def difference(self) -> Money:
        """Above zero: to pay; below: to give back."""
        return self.more - self.back

    @property
    def amount(self) -> Money:
        """The difference without its sign."""
        return max(self.difference, -self.difference)

    @property
    def tax(self) -> Money:
        """How much of the difference is tax."""
        more = sum(one.taxed.tax_minor for line in self.added for one in line.counted)
        back = sum(part.amount_minor for one in self.removed for part in one.taxes)
        return Money(more - back, self.currency)

    @property
    def rows(self) -> list[Row]:
        """Each line that counts, and what is added: before and after."""
        gone, zero = {one.line.id: one for one in self.removed}, Money.zero(self.currency)
        found = []
        for line in self.lines:
            has, one = line.quantity - line.cancelled, gone.get(line.id)
            if line.kind == BUNDLE or not has:
                continue
            was = self.left.get(line.line_number, zero)
            after, will = (has - one.quantity, was - one.amount) if one else (has, was)
            counts = (has, after, was, will)
            at = line.service_location if self.place.is_own else None
            found.append(Row(line.line_number, line.sku, line.name, *counts, at))
        for new in self.added:
            at = new.service_location if self.place.is_own else None
            counts = (0, new.quantity, zero, amount_of(new, self.currency))
            found.append(Row(0, new.sku, new.name, *counts, at))
        return found

    @property
    def token(self) -> str:
        """Names exactly this plan for the order as it is: the difference, and a digest of all of it."""
        said = [
            self.seen,
            [[one.line.line_number, one.quantity, one.amount.minor] for one in self.removed],
            [
                [
                    one.sku,
                    one.quantity,
                    one.taxed.net_minor,
                    one.taxed.tax_minor,
                    one.charge_kind,
                ]
                for line in self.added
                for one in line.counted
            ],
            [line.service_location for line in self.added] if self.place.is_own else None,
            self.address,
            [self.method, dict(self.further)],
        ]
        digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
        return f"{self.difference.minor}.{digest[:32]}"


def amount_of(line: NewLine, currency: str) -> Money:
    """What an added line comes to with its taxes."""
    minor = sum(one.taxed.net_minor + one.taxed.tax_minor for one in line.counted)
    return Money(minor, currency)


def plan(session: Session, house: House, order: Order, edits: Edits, answers: Answers) -> Plan:
    """Work the change set out for the order as it is.

    Raises OrderNotOpen, OrderHeld, SeveralPlaces, NothingChanges, TooManyPieces, WrongKind, UnknownSku,
    NoPrice, NotAdded, NoWayThere, TaxedApart and Invalid; Unanswered when a tax service has to be asked
    outside.
    """
    fulfilling.is_open(order)
    if order.is_held:
        raise fulfilling.OrderHeld(order.number or "")
    return _Planning(session, house, order, edits, answers).plan()


@dataclass(frozen=True)
class _Part:
    """What is done at one of the order's places."""

    removed: Sequence[Some] = ()
    added: Sequence[NewLine] = ()
    recurring: Sequence[Recurring] = ()
    how: Delivered = field(default_factory=Delivered)


@dataclass(frozen=True)
class _Planning:
    """One change set being worked out."""

    session: Session
    house: House
    order: Order
    edits: Edits
    answers: Answers

    def plan(self) -> Plan:
        """All of it, place by place."""
        lines = placing.lines_of(self.session, self.order.id)
        every = spots.of(self.order, lines)
        found = plan_pieces.pieces(
            self.session, self.order, lines, every, self.edits, self.house.clock
        )
        at, address = self._moved(every)
        removed = found.removed
        other_way = self._goes_otherwise(every[at], self.edits.method)
        if not (removed or found.wanted or address is not None or other_way):
            raise NothingChanges
        parts = [
            self._part(
                place,
                [one for one in removed if place.goes([one.line.line_number])],
                found.wanted.get(number, ()),
                address if number == at else None,
                self.edits.method if number == at else None,
            )
            for number, place in enumerate(every)
        ]
        left = worth.left(self.session, self.order)
        given_up = [some for part in parts for some in part.removed]
        return Plan(
            lines=lines,
            removed=worth.foresee(self.session, self.order, given_up),
            added=[line for part in parts for line in part.added],
            place=every[at],
            address=dict(address) if address is not None else None,
            method=parts[at].how.method,
            further=parts[at].how.further,
            currency=self.order.currency,
            recurring=[again for part in parts for again in part.recurring],
            left={line.line_number: left[line.id] for line in lines if line.id in left},
            seen="|".join(
                f"{line.line_number}:{line.quantity}:{line.fulfilled}:{line.cancelled}:{line.returned}"
                for line in lines
            ),
        )

    def _part(
        self,
        place: Place,
        removed: Sequence[Some],
        wanted: Sequence[Wanted],
        address: Mapping[str, str] | None,
        method: str | None,
    ) -> _Part:
        """One of the places; its deliveries are reckoned anew only where goods are added, or go elsewhere."""
        to = address if address is not None else place.address
        priced = additions.priced(self.session, self.order, wanted, self.house.clock)
        how, moves = Delivered(), address is not None or self._goes_otherwise(place, method)
        if moves:
            apart = self._taxed_apart(place, removed, priced, to, method)
            removed, anew = merged(removed, apart), [again(one) for one in apart]
            priced += additions.priced(self.session, self.order, anew, self.house.clock)
        if moves or any(line.ships for line in priced):
            how = plan_delivery.delivered(self._tax, place, removed, priced, to, method)
            removed = [*removed, *(Some(line, line.waiting) for line in how.given_up)]
        elif removed:
            pieces = {some.line.line_number: some.quantity for some in removed}
            removed = take_back.to_cancel(place.lines, pieces)
        added = self._taxed(place, priced, how, to)
        if place.is_own:
            added = [_going_to(line, to) for line in added]
        return _Part(removed, added, [again for line in priced for again in line.recurring], how)

    # --- the place --------------------------------------------------------------------------------

    def _moved(self, every: Sequence[Place]) -> tuple[int, Mapping[str, str] | None]:
        """Whose address and way are told, and the address where it is new."""
        after = self.edits.address
        if after is None and self.edits.method is None:
            return 0, None
        at = place_of(every, self.edits.place, "another address" if after else "another delivery")
        if after is None:
            return at, None
        wrong = addresses.problems(dict(after))
        if wrong:
            raise Invalid({f"address.{name}": text for name, text in wrong.items()})
        return at, None if spots.is_same(after, every[at].address) else after

    @property
    def _tax(self) -> TaxGoods:
        return TaxGoods(self.session, self.house, self.order, self.answers)

    def _goes_otherwise(self, place: Place, method: str | None) -> bool:
        return method not in (None, plan_delivery.going(self.order, place)[0])

    def _taxed_apart(
        self,
        place: Place,
        removed: Sequence[Some],
        priced: Sequence[PricedLine],
        to: Mapping[str, Any],
        method: str | None,
    ) -> list[Some]:
        """Goods that wait and are taxed otherwise at the new address, or by the new way: they are billed anew
        at their price. ``priced`` goes there with them."""
        gone = {one.line.id: one.quantity for one in removed}
        kept = [
            Some(line, line.waiting - gone.get(line.id, 0))
            for line in place.lines
            if line.kind == "physical" and line.waiting > gone.get(line.id, 0)
        ]
        was = plan_delivery.taxed_at(self._tax, place, place.address)
        now = plan_delivery.taxed_then(self._tax, place, kept, priced, to, method)
        before, after = self._tax.which(kept, was), self._tax.which(kept, now)
        apart = [one for one, was, is_ in zip(kept, before, after, strict=True) if was != is_]
        for one in apart:
            if one.line.parent_id is not None:
                raise TaxedApart(one.line.line_number, one.line.sku)
        return apart

    # --- taxes ------------------------------------------------------------------------------------

    def _taxed(
        self, place: Place, goods: Sequence[PricedLine], how: Delivered, to: Mapping[str, Any]
    ) -> list[NewLine]:
        """What is added at a place, as lines of the order with their taxes there."""
        counted, ways = [one for line in goods for one in line.counted], how.billed
        asked = [(one.net.minor, one.tax_category) for one in counted]
        asked += [(way.price.minor, way.tax_category) for way in ways.values()]
        if not asked:
            return []
        kinds = [one.kind for one in counted]
        where = plan_delivery.taxed_at(self._tax, place, to, kinds, how.ways.values())
        taxed = iter(self._tax.of(asked, where))
        found = [ordered.new_line(line, taxed, dict(to)) for line in goods]
        return [*found, *(ordered.new_delivery(way, next(taxed)) for way in ways.values())]


def _going_to(line: NewLine, address: Mapping[str, Any]) -> NewLine:
    """A line that carries its own place, and its pieces."""
    pieces = [_going_to(piece, address) for piece in line.pieces]
    return replace(line, service_location=dict(address), pieces=pieces)
