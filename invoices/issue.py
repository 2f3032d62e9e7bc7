"""Issuing an order's invoice: number, ledger entry and place in the outbox in one transaction.

Rendering follows after the commit. Called by ``flows.issue_invoice``.
"""

import functools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from core.kernel import crash
from core.kernel.clock import local_date
from core.kernel.money import MICROS, Money, minor_digits
from core.ledger import business, items
from core.ledger.chart import CONTRACT_LIABILITY, GIFT_CARDS
from core.ledger.items import Open
from core.orders import placing
from core.orders.models import Order, OrderLine, OrderLineTax
from core.parties.models import Account, Channel, LegalEntity
from invoices import terms, writing
from invoices.content import Content, Item, TaxPart
from invoices.document import Applied, Delivery, Kind
from invoices.models import Invoice
from invoices.terms import Terms
from invoices.why import Formula, Why
from invoices.wording import Printing
from invoices.words import Words, words

_GROUPS = ("physical", "digital", "service", "plan", "delivery", "gift_card")
#: What a gift card sells is owed to whoever has it, and is no revenue to come.
_LEDGER_CODES = {"gift_card": GIFT_CARDS}


@dataclass(frozen=True)
class _Basis:
    """Everything that an order's invoice is made of."""

    order: Order
    lines: Sequence[OrderLine]
    taxes: dict[uuid.UUID, list[OrderLineTax]]
    account: Account
    channel: Channel
    entity: LegalEntity
    deposits: list[Open]
    issue_date: date

    @property
    def locale(self) -> str:
        """The account's, else the channel's."""
        return self.account.locale or self.channel.locale

    @functools.cached_property
    def _is_for_several(self) -> bool:
        places = [line.service_location for line in self.lines if line.service_location is not None]
        return any(place != places[0] for place in places)

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

    Goods, visits and the plan's first month are contract liability until they are delivered.
    """
    order = placing.lock(session, order_id)
    existing = session.scalar(_existing(), {"order": order_id})
    if existing is not None:
        return existing
    basis = _basis(session, order, now)
    content = _content(basis, printing)
    invoice = writing.write(session, content, printing, now)
    crash.point("issue.written")
    _post(session, invoice, content, basis, now)
    writing.tell(session, invoice, "system", now)
    crash.point("issue.before_commit")
    return invoice


def _basis(session: Session, order: Order, now: datetime) -> _Basis:
    whose = {
        "payer": order.payer_account_id,
        "channel": order.channel_id,
        "entity": order.legal_entity_id,
    }
    account, channel, entity = session.execute(_parties(), whose).one()
    return _Basis(
        order,
        placing.lines_of(session, order.id),
        placing.taxes_of(session, order.id),
        account,
        channel,
        entity,
        items.held_for_order(session, order.id),
        local_date(now, entity.time_zone),
    )


@functools.cache
def _existing() -> Select[Invoice]:
    return select(Invoice).where(Invoice.order_id == bindparam("order"), Invoice.kind == "invoice")


@functools.cache
def _parties() -> Select[Account, Channel, LegalEntity]:
    return (
        select(Account, Channel, LegalEntity)
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
    holding = terms_of(basis.account, basis.channel) if order.payment == "on_terms" else Terms()
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
        items=[_item(basis, line, parents) for line in basis.lines],
        service_account_id=order.service_account_id,
        applied=[
            Applied(_applied_words(said, item), part.decimal(), item.effective_date)
            for item, part in basis.parts()
        ],
        order_id=order.id,
        order_number=order.number or "",
        deliver_to=_delivery(order, printing),
    )


def _applied_words(said: Words, item: Open) -> str:
    """A payment is thanked for; credit and a gift card say which they were."""
    if item.source_kind == "payment":
        return said.your_payment.format(item.number)
    return item.number if item.source_kind == "gift_card" else said.your_credit.format(item.number)


def _item(basis: _Basis, line: OrderLine, parents: dict[uuid.UUID, int]) -> Item:
    group = getattr(words(basis.locale), line.kind) if line.kind in _GROUPS else ""
    taxes = tuple(TaxPart.of(tax) for tax in basis.taxes.get(line.id, []))
    less = any(part.relief and part.inclusive for part in taxes)
    return Item(
        line_number=line.line_number,
        name=line.name,
        description=_about(basis, line, less=less),
        priced_each=not less,
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
    )


def _about(basis: _Basis, line: OrderLine, *, less: bool) -> str:
    """The small words under a line: its place, where the order has several, and that its price is less."""
    place = basis.place_of(line)
    said = words(basis.locale).price_without_tax if less else ""
    return ", ".join(part for part in (place, said) if part)


def _why(basis: _Basis, line: OrderLine, contained: int) -> Why:
    """Price times quantity as ordered, and what rounding left of it."""
    amount = Money(line.net_minor + contained, basis.order.currency).decimal()
    price, quantity = Decimal(line.unit_price_micros) / MICROS, Decimal(line.quantity)
    places = Decimal(1).scaleb(-minor_digits(basis.order.currency))
    residue = price * quantity - amount
    return Why(
        Formula.QUANTITY,
        amount,
        quantity=quantity,
        unit_price=price,
        residue=residue if abs(residue) < places else Decimal(0),
        source=str((line.price_trace or {}).get("list", "")),
    )


def _delivery(order: Order, printing: Printing) -> Delivery | None:
    if not order.shipping_address:
        return None
    name = str(order.shipping_address.get("name", ""))
    return Delivery(name=name, address=printing.postal(order.shipping_address))


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
