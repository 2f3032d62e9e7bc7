"""Issuing an order's invoice: number, ledger entry and place in the outbox in one transaction.

Rendering follows after the commit. Called by ``flows.issue_invoice``.
"""

import functools
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import Select, Uuid, bindparam, literal_column, select
from sqlalchemy.orm import Session

from core.catalog.models import BUNDLE
from core.kernel import crash, exchange
from core.kernel.clock import local_date
from core.kernel.money import MICROS, Money, extend, minor_digits
from core.ledger import business, items
from core.ledger.chart import CONTRACT_LIABILITY, GIFT_CARDS
from core.ledger.items import Open
from core.orders import naming, placing
from core.orders.deliveries import DELIVERY, GOODS
from core.orders.fulfilment_models import OrderChange
from core.orders.models import Order, OrderLine, OrderLineTax
from core.parties.models import Account, Channel, LegalEntity
from core.subscriptions.models import SubscriptionPhase
from invoices import terms, writing
from invoices.content import Charge, Content, Item, TaxPart
from invoices.document import Applied, Delivery, Kind
from invoices.earned import orders as earned
from invoices.models import Invoice
from invoices.terms import Terms
from invoices.why import Formula, Why
from invoices.wording import Printing
from invoices.words import Words, words

_GROUPS = ("bundle", "physical", "digital", "service", "plan", "delivery", "gift_card")
#: What a gift card sells is owed to whoever has it, and is no revenue to come.
_LEDGER_CODES = {"gift_card": GIFT_CARDS}


@dataclass(frozen=True)
class _Basis:
    """Everything that an order's invoice is made of."""

    order: Order
    lines: dict[OrderLine, list[OrderLineTax]]
    account: Account
    channel: Channel
    entity: LegalEntity
    deposits: list[Open]
    issue_date: date
    #: The first phase of each subscription that the order begins.
    phases: dict[uuid.UUID, uuid.UUID]
    #: The numbers that lines have; no keys, which are for nobody else who reads a bill.
    named: naming.Named
    #: Of the bill for what a change added: the change, and the days to pay where it is agreed otherwise.
    change_id: uuid.UUID | None = None
    days: int | None = None

    @property
    def terms(self) -> Terms:
        """What holds for the bill: of an order on terms the account's."""
        if self.days is not None:
            return Terms(days=self.days)
        if self.order.payment == "on_terms":
            return terms_of(self.account, self.channel)
        return Terms()

    @property
    def locale(self) -> str:
        """The account's, else the channel's."""
        return self.account.locale or self.channel.locale

    @functools.cached_property
    def _is_for_several(self) -> bool:
        places = [line.service_location for line in self.lines if line.service_location is not None]
        return any(place != places[0] for place in places)

    @property
    def goes_to(self) -> dict[str, Any] | None:
        """Where it goes: of what a change adds at one of several places, there."""
        goods = [line for line in self.lines if line.kind in (GOODS, DELIVERY)] or [*self.lines]
        if self.change_id is None or self._is_for_several:
            return self.order.shipping_address
        return goods[0].service_location or self.order.shipping_address

    def place_of(self, line: OrderLine) -> str:
        """Where a line goes or is used, of an order for several places."""
        place = line.service_location
        if place is None or not self._is_for_several:
            return ""
        return ", ".join(str(place[name]) for name in ("name", "line1", "city") if place.get(name))

    def parts(self) -> list[tuple[Open, Money]]:
        """How much of each of the order's deposits its invoice takes."""
        left, found = Money(self.order.due_now_minor, self.order.currency), []
        for item in self.deposits:
            part = min(left, item.open)
            if part.minor > 0:
                found.append((item, part))
                left -= part
        return found


def for_order(session: Session, order_id: uuid.UUID, printing: Printing, now: datetime) -> Invoice:
    """Issue an order's invoice and let it take the order's deposit; a second time answers the first.

    Goods, visits and the plan's first month are contract liability until they are delivered. What was given
    before is earned with it.
    """
    order = placing.lock(session, order_id)
    around = _around(session, order)
    if around.invoice_id is not None:
        return session.get_one(Invoice, around.invoice_id)
    return _issue(session, _basis(session, order, around, now), printing, now)


def for_change(
    session: Session,
    change: OrderChange,
    printing: Printing,
    now: datetime,
    days: int | None = None,
) -> Invoice:
    """Issue the bill for what a change added to its order; a second time answers the first.

    Its terms are the order's: of one that was paid at once it is due at once. ``days``: due after so many.
    """
    known = session.scalar(select(Invoice).where(Invoice.order_change_id == change.id))
    if known is not None:
        return known
    order = placing.lock(session, change.order_id)
    around = _around(session, order)
    basis = _basis(session, order, around, now, change.id)
    return _issue(session, replace(basis, days=days), printing, now)


def _issue(session: Session, basis: _Basis, printing: Printing, now: datetime) -> Invoice:
    content = _content(basis, printing)
    with exchange.opened(session):
        invoice = writing.write(session, content, printing, now)
        crash.point("issue.written")
        _post(session, invoice, content, basis, now)
        if any(line.fulfilled and earned.is_given(line) for line in basis.lines):
            earned.settle(session, basis.order, now)
        writing.tell(session, invoice, "system", now)
    crash.point("issue.before_commit")
    return invoice


class _Around(NamedTuple):
    """What stands around an order, read in one question once the order is locked."""

    account: Account
    channel: Channel
    entity: LegalEntity
    invoice_id: uuid.UUID | None
    has_deposits: bool


def _around(session: Session, order: Order) -> _Around:
    keys = {
        "order": order.id,
        "payer": order.payer_account_id,
        "channel": order.channel_id,
        "entity": order.legal_entity_id,
    }
    return _Around(*session.execute(_query(), keys).one())


def _basis(
    session: Session,
    order: Order,
    around: _Around,
    now: datetime,
    change_id: uuid.UUID | None = None,
) -> _Basis:
    every = placing.lines_with_taxes(session, order.id)
    lines = {line: taxes for line, taxes in every.items() if line.change_id == change_id}
    has_deposits = around.has_deposits and change_id is None
    return _Basis(
        order,
        lines,
        around.account,
        around.channel,
        around.entity,
        items.held_for_order(session, order.id) if has_deposits else [],
        local_date(now, around.entity.time_zone),
        _phases(session, lines),
        naming.named(session, order, list(lines), secrets=False),
        change_id,
    )


def _phases(session: Session, lines: Iterable[OrderLine]) -> dict[uuid.UUID, uuid.UUID]:
    begun = [line.subscription_id for line in lines if line.subscription_id is not None]
    if not begun:
        return {}
    rows = session.execute(
        select(SubscriptionPhase.subscription_id, SubscriptionPhase.id).where(
            SubscriptionPhase.subscription_id.in_(begun), SubscriptionPhase.number == 0
        )
    )
    return {row.subscription_id: row.id for row in rows}


@functools.cache
def _query() -> Select[Account, Channel, LegalEntity, uuid.UUID | None, bool]:
    order = bindparam("order", type_=Uuid())
    # In the very words of the partial index: with a bound value it is planned anew for each bill.
    is_invoice = Invoice.kind == literal_column("'invoice'")
    as_placed = Invoice.order_change_id.is_(None)
    issued = select(Invoice.id).where(Invoice.order_id == order, is_invoice, as_placed)
    return (
        select(Account, Channel, LegalEntity, issued.scalar_subquery(), items.is_held_for(order))
        .select_from(Account)
        .join(Channel, Channel.id == bindparam("channel"))
        .join(LegalEntity, LegalEntity.id == bindparam("entity"))
        .where(Account.id == bindparam("payer"))
    )


def terms_of(account: Account, channel: Channel) -> Terms:
    """The terms that hold for an account: its own, else its channel's."""
    own, general = (account.terms, account.terms_days), (channel.terms, channel.terms_days)
    return terms.holding(own, general)


def _content(basis: _Basis, printing: Printing) -> Content:
    order, country = basis.order, basis.entity.country
    holding = basis.terms
    said = words(basis.locale)
    parents = {line.id: line.line_number for line in basis.lines}
    return Content(
        kind=Kind.INVOICE,
        entity=basis.entity,
        channel=basis.channel,
        payer=basis.account,
        currency=order.currency,
        issue_date=basis.issue_date,
        due_date=terms.due_date(holding, basis.issue_date, country),
        terms=holding,
        discount_until=terms.discount_until(holding, basis.issue_date, country),
        items=[_item(basis, line, taxes, parents) for line, taxes in basis.lines.items()],
        service_account_id=order.service_account_id,
        applied=[
            Applied(_applied_words(said, item), part.decimal(), item.effective_date)
            for item, part in basis.parts()
        ],
        order_id=order.id,
        order_number=order.number or "",
        order_change_id=basis.change_id,
        purchase_order=order.purchase_order or "",
        cost_centre=order.cost_centre or "",
        deliver_to=_delivery(basis.goes_to, printing),
    )


def _applied_words(said: Words, item: Open) -> str:
    """A payment is thanked for; credit and a gift card say which they were."""
    if item.source_kind == "payment":
        return said.your_payment.format(item.number)
    return item.number if item.source_kind == "gift_card" else said.your_credit.format(item.number)


def _item(
    basis: _Basis, line: OrderLine, rows: list[OrderLineTax], parents: dict[uuid.UUID, int]
) -> Item:
    said = words(basis.locale)
    group = getattr(said, line.kind) if line.kind in _GROUPS else ""
    if line.charge_kind == "yearly":
        group = said.plan_year
    is_piece = line.parent_id is not None
    taxes = tuple(TaxPart.of(tax) for tax in rows)
    less = any(part.relief and part.inclusive for part in taxes)
    return Item(
        line_number=line.line_number,
        name=line.name,
        description=_about(basis, line, group, less=less),
        priced_each=not less and not is_piece,
        net_minor=line.net_minor,
        taxes=taxes,
        sku=line.sku,
        prints_sku=line.kind != "delivery",
        quantity=Decimal(line.quantity),
        unit_price_micros=line.unit_price_micros,
        tax_category=line.tax_category,
        group=group,
        parent=parents[line.parent_id] if line.parent_id is not None else None,
        order_line_id=line.id,
        ledger_code=_LEDGER_CODES.get(line.kind, CONTRACT_LIABILITY),
        cost_minor=line.cost_minor,
        sale_price_minor=line.sale_price_minor,
        why=_why(basis, line, sum(tax.amount_minor for tax in taxes if tax.inclusive)),
        charge=_charge(basis, line),
    )


def _charge(basis: _Basis, line: OrderLine) -> Charge | None:
    """A plan's line is the first period of its service, which begins later."""
    if line.subscription_id is None or line.period_index is None:
        return None
    phase_id = basis.phases[line.subscription_id]
    rated = extend(line.unit_price_micros, line.quantity, basis.order.currency)
    key = f"{phase_id.hex}/{line.period_index}/0"
    return Charge(key, phase_id, line.period_index, rated.minor)


def _about(basis: _Basis, line: OrderLine, group: str, *, less: bool) -> str:
    """The small words under a line: its numbers; its place, where the order has several; how often a bundle's
    piece is charged; and that its price is less."""
    said = [*basis.named.get(line.id, ()), basis.place_of(line)]
    if less:
        said.append(words(basis.locale).price_without_tax)
    elif line.parent_id is not None and line.charge_kind != "one_off":
        said.append(group)
    return ", ".join(part for part in said if part)


def _why(basis: _Basis, line: OrderLine, contained: int) -> Why | None:
    """Price times quantity as ordered, or a piece's share of its bundle, and what rounding left of it."""
    if line.kind == BUNDLE:
        return None
    trace, currency = line.price_trace or {}, basis.order.currency
    amount = Money(line.net_minor + contained, currency).decimal()
    price, quantity = Decimal(line.unit_price_micros) / MICROS, Decimal(line.quantity)
    places = Decimal(1).scaleb(-minor_digits(currency))
    why = Why(Formula.QUANTITY, amount, quantity=quantity, unit_price=price)
    exact = price * quantity
    if line.parent_id is not None:
        of = Money(int(trace["of_minor"]), currency).decimal()
        weight, of_weight = Decimal(trace["weight"]), Decimal(trace["of_weight"])
        why = Why(Formula.SHARE, amount, of=of, weight=weight, of_weight=of_weight)
        exact = (of * weight / of_weight).quantize(places / MICROS)
    residue = exact - amount
    return replace(
        why,
        residue=residue if abs(residue) < places else Decimal(0),
        source=str(trace.get("list", "")),
    )


def _delivery(place: dict[str, Any] | None, printing: Printing) -> Delivery | None:
    if not place:
        return None
    return Delivery(name=str(place.get("name", "")), address=printing.postal(place))


def _post(
    session: Session, invoice: Invoice, content: Content, basis: _Basis, now: datetime
) -> None:
    told = writing.for_the_ledger(invoice, content)
    item_id = business.charge(session, told, now)
    if item_id is None:
        return
    for item, part in basis.parts():
        owed = items.get(session, item_id)
        business.use_credit(session, item, owed, part, basis.issue_date, now)
