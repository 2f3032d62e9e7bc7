"""What a change of a placed order would do: pieces given up, goods added, another delivery, and what the
difference comes to. Reads only; ``change_order`` shows it, and posts exactly this.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from sqlalchemy.orm import Session

from cart import additions, ordered, pricing
from cart import address as addresses
from cart.additions import ChangeRefused, Wanted
from cart.delivery import Choice
from cart.priced import PricedLine
from core.catalog.models import BUNDLE
from core.kernel.errors import Invalid
from core.kernel.money import Money, total
from core.orders import fulfilling, grouping, placing
from core.orders.drafting import NewLine
from core.orders.fulfilling import Some, TooManyPieces, WrongKind
from core.orders.models import Order, OrderLine
from core.tax.service import Answers
from flows import take_back, worth
from flows.house import House
from flows.plan_delivery import Delivered, delivered
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
        "{sku} is a bundle, and taxes are others there. Give it up and add it again with the new address."
    )
    line: int
    sku: str


@dataclass(frozen=True)
class Edits:
    """One change set. By line number: how many it shall be (without what was cancelled), and what instead of
    all pieces that wait; what is added by SKU; another address (``cart.address``) and way of delivery."""

    quantities: Mapping[int, int] = field(default_factory=dict)
    swaps: Mapping[int, str] = field(default_factory=dict)
    added: Mapping[str, int] = field(default_factory=dict)
    address: Mapping[str, str] | None = None
    method: str | None = None


@dataclass(frozen=True)
class Row:
    """A line before and after: how many, and what that comes to with tax. ``line`` 0: it is added."""

    line: int
    sku: str
    name: str
    before: int
    after: int
    was: Money
    will: Money


@dataclass(frozen=True)
class Plan:
    """What would be done: in this order, and to the cent."""

    lines: Sequence[OrderLine]

    removed: Sequence[Worth]
    added: Sequence[NewLine]
    address: dict[str, str] | None
    #: How it goes then, and further deliveries by how they go; None: as before.
    method: str | None
    further: Mapping[str, str]
    currency: str
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
            found.append(Row(line.line_number, line.sku, line.name, has, after, was, will))
        found += [
            Row(0, one.sku, one.name, 0, one.quantity, zero, amount_of(one, self.currency))
            for one in self.added
        ]
        return found

    @property
    def token(self) -> str:
        """Names exactly this plan for the order as it is: the difference, and a digest of all of it."""
        said = [
            self.seen,
            [[one.line.line_number, one.quantity, one.amount.minor] for one in self.removed],
            [
                [one.sku, one.quantity, one.taxed.net_minor, one.taxed.tax_minor]
                for line in self.added
                for one in line.counted
            ],
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
class _Planning:
    """One change set being worked out."""

    session: Session
    house: House
    order: Order
    edits: Edits
    answers: Answers

    def plan(self) -> Plan:
        """All of it."""
        lines = placing.lines_of(self.session, self.order.id)
        removed, wanted = self._pieces(lines)
        place, moves = self._place()
        if moves:
            apart = self._taxed_apart(lines, removed, place)
            removed, wanted = _merged(removed, apart), [*wanted, *map(_again, apart)]
        if not (removed or wanted or moves or self._other_way):
            raise NothingChanges
        how = Delivered()
        goods: list[PricedLine] = []
        if wanted or moves or self._other_way:
            additions.at_one_place(lines)
            goods = additions.priced(self.session, self.order, wanted, self.house.clock)
            how = delivered(self._tax, lines, removed, goods, place, self.edits.method)
        elif removed:
            pieces = {some.line.line_number: some.quantity for some in removed}
            removed = take_back.to_cancel(lines, pieces)
        removed = [*removed, *(Some(line, line.waiting) for line in how.given_up)]
        added = self._taxed(goods, how.billed, place)
        left = worth.left(self.session, self.order)
        return Plan(
            lines=lines,
            removed=worth.foresee(self.session, self.order, removed),
            added=added,
            address=dict(place) if moves else None,
            method=how.method,
            further=how.further,
            currency=self.order.currency,
            left={line.line_number: left[line.id] for line in lines if line.id in left},
            seen="|".join(
                f"{line.line_number}:{line.quantity}:{line.fulfilled}:{line.cancelled}:{line.returned}"
                for line in lines
            ),
        )

    # --- pieces -----------------------------------------------------------------------------------

    def _pieces(self, lines: Sequence[OrderLine]) -> tuple[list[Some], list[Wanted]]:
        """What is given up and what is added, by what was typed."""
        removed: list[Some] = []
        wanted: list[Wanted] = []
        known = {one.line.line_number: one for one in grouping.standing(lines)}
        for number in sorted({*self.edits.quantities, *self.edits.swaps}):
            standing = known.get(number)
            if standing is None or standing.line.kind == "delivery":
                raise TooManyPieces(number, "", "change", 0, 0)
            line, counted = standing.line, standing.counted
            if any(one.kind not in ("physical", "service") for one in counted):
                raise WrongKind(number, line.sku, "change")
            has = pieces_of(standing)
            swap = self.edits.swaps.get(number)
            if swap is not None:
                waits = min(one.waiting * line.quantity // one.quantity for one in counted)
                if not waits:
                    raise TooManyPieces(number, line.sku, "change", has, 0)
                if swap == line.sku:
                    continue
                removed += _given_up(standing.line, counted, waits)
                price = additions.agreed(self.session, self.order, line, swap, self.house.clock)
                wanted.append(Wanted(swap, waits, price, line.price_trace))
                continue
            change = self.edits.quantities[number] - has
            if change < 0:
                removed += _given_up(standing.line, counted, -change)
            elif change:
                price = None if line.kind == BUNDLE else line.unit_price_micros
                wanted.append(Wanted(line.sku, change, price, line.price_trace))
        wanted += [Wanted(sku, many) for sku, many in self.edits.added.items() if many]
        return removed, wanted

    # --- the place --------------------------------------------------------------------------------

    def _place(self) -> tuple[Mapping[str, str], bool]:
        """Where it goes, and whether that is new."""
        before = self.order.shipping_address or {}
        if self.edits.address is None:
            return before, False
        after = dict(self.edits.address)
        wrong = addresses.problems(after)
        if wrong:
            raise Invalid({f"address.{name}": text for name, text in wrong.items()})
        return after, after != before

    @property
    def _tax(self) -> TaxGoods:
        return TaxGoods(self.session, self.house, self.order, self.answers)

    @property
    def _other_way(self) -> bool:
        return self.edits.method not in (None, self.order.shipping_method)

    def _taxed_apart(
        self, lines: Sequence[OrderLine], removed: Sequence[Some], place: Mapping[str, str]
    ) -> list[Some]:
        """Goods that wait and are taxed otherwise at the new place: they are billed anew, at their price."""
        gone = {one.line.id: one.quantity for one in removed}
        kept = [
            Some(line, line.waiting - gone.get(line.id, 0))
            for line in lines
            if line.kind == "physical" and line.waiting > gone.get(line.id, 0)
        ]
        before = self._tax.which(kept, self.order.shipping_address or {})
        after = self._tax.which(kept, place)
        apart = [one for one, was, is_ in zip(kept, before, after, strict=True) if was != is_]
        for one in apart:
            if one.line.parent_id is not None:
                raise TaxedApart(one.line.line_number, one.line.sku)
        return apart

    # --- taxes ------------------------------------------------------------------------------------

    def _taxed(
        self, goods: Sequence[PricedLine], ways: Mapping[str, Choice], place: Mapping[str, str]
    ) -> list[NewLine]:
        """What is added, as lines of the order with their taxes: those of one bill."""
        counted = [one for line in goods for one in line.counted]
        asked = [(one.net.minor, one.tax_category) for one in counted]
        asked += [(way.price.minor, way.tax_category) for way in ways.values()]
        if not asked:
            return []
        where = pricing.taxed_at(dict(place), list(ways.values()), [one.kind for one in counted])
        taxed = iter(self._tax.of(asked, where))
        found = [ordered.new_line(line, taxed, dict(place)) for line in goods]
        return [*found, *(ordered.new_delivery(way, next(taxed)) for way in ways.values())]


def pieces_of(standing: grouping.Standing) -> int:
    """How many of a line there are without what was cancelled: of a bundle, how many are whole."""
    line = standing.line
    return min(
        (one.quantity - one.cancelled) * line.quantity // one.quantity for one in standing.counted
    )


def _given_up(line: OrderLine, counted: Sequence[OrderLine], many: int) -> list[Some]:
    """So many of a line, or of a bundle's pieces as many as belong to them. Raises TooManyPieces."""
    found = [Some(one, one.quantity * many // line.quantity) for one in counted]
    for some in found:
        if some.quantity > some.line.waiting:
            possible = min(one.waiting * line.quantity // one.quantity for one in counted)
            raise TooManyPieces(line.line_number, line.sku, "cancel", many, possible)
    return found


def _again(some: Some) -> Wanted:
    """The same at the price that it has."""
    line = some.line
    return Wanted(line.sku, some.quantity, line.unit_price_micros, line.price_trace)


def _merged(one: Sequence[Some], more: Sequence[Some]) -> list[Some]:
    """Pieces of the same line together."""
    found: dict[int, Some] = {}
    for some in (*one, *more):
        known = found.get(some.line.line_number)
        quantity = some.quantity + (known.quantity if known else 0)
        found[some.line.line_number] = Some(some.line, quantity)
    return [found[number] for number in sorted(found)]
