"""The bill of a payer, before it has a number: a document for each seller, currency and way of being charged.

Nothing is written here. ``issuing`` writes what ``compose`` makes, and a preview shows it.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.calendar import Period
from core.kernel.clock import local_date
from core.kernel.errors import ShopError
from core.ledger.chart import CONTRACT_LIABILITY, REVENUE
from core.orders import naming
from core.parties.models import Account, Channel, LegalEntity
from core.subscriptions.timeline import NEVER
from core.tax.arithmetic import TaxedLine
from core.tax.service import Answers
from invoices import content, terms
from invoices.billing import changed, taxing
from invoices.billing.comparing import Charge
from invoices.billing.taxing import Asked, Seller, Table
from invoices.billing.terms import TRIAL
from invoices.content import Content, Item, TaxPart
from invoices.document import Delivery, Kind
from invoices.issue import terms_of
from invoices.terms import Terms
from invoices.wording import Printing
from invoices.words import Words, first_few, words


@dataclass(eq=False)
class NobodyBills(ShopError):
    """An account or service without a channel: nobody says who bills it."""

    code: ClassVar[str] = "nobody_bills"
    text: ClassVar[str] = "Account {number} has no channel, so nobody bills it."
    number: str


@dataclass
class Ground:
    """What every bill of a run stands on: printing, taxes, and who sells where."""

    printing: Printing
    table: Table
    now: datetime
    #: For a preview: the day that it looks at, where that lies ahead.
    not_before: date = date.min
    #: The numbers that services have, as far as they were read; no keys.
    numbers: dict[uuid.UUID, tuple[str, ...]] = field(default_factory=dict)
    _channels: dict[uuid.UUID, tuple[Channel, LegalEntity]] | None = None

    def seller(self, session: Session, channel_id: uuid.UUID) -> tuple[Channel, LegalEntity]:
        """A channel and who bills for it."""
        if self._channels is None:
            rows = session.execute(
                select(Channel, LegalEntity).join(
                    LegalEntity, LegalEntity.id == Channel.legal_entity_id
                )
            )
            self._channels = {channel.id: (channel, entity) for channel, entity in rows}
            for one in {one for pair in self._channels.values() for one in pair}:
                session.expunge(one)  # they outlive this transaction, also when it is rolled back
        return self._channels[channel_id]

    def read_numbers(self, session: Session, charges: Iterable[Charge]) -> None:
        """Which numbers the services of these charges have now. Nothing is asked where none are sold so."""
        numbered = sorted({one.timeline.id for one in charges if one.timeline.is_numbered})
        if numbered:
            nothing: tuple[str, ...] = ()
            self.numbers |= dict.fromkeys(numbered, nothing) | naming.of_services(session, numbered)

    def day(self, entity: LegalEntity) -> date:
        """The day of issue: today where the seller is."""
        return max(local_date(self.now, entity.time_zone), self.not_before)


@dataclass(frozen=True)
class Bill:
    """One invoice to be, and the card on file that it is charged to, if that was agreed."""

    content: Content
    method_id: uuid.UUID | None


def compose(
    session: Session, ground: Ground, payer: Account, charges: Sequence[Charge], answers: Answers
) -> list[Bill]:
    """The invoices of some charges. Raises NobodyBills, and Unanswered when a tax service must be asked."""
    unread = [charge for charge in charges if charge.timeline.id not in ground.numbers]
    ground.read_numbers(session, unread)
    groups: dict[tuple[uuid.UUID | None, str, uuid.UUID | None], list[Charge]] = {}
    for charge in charges:
        service = charge.timeline
        sold_on = service.channel_id or payer.channel_id
        key = (sold_on, service.currency, service.payment_method_id)
        groups.setdefault(key, []).append(charge)
    found = []
    for (channel_id, currency, method_id), mine in groups.items():
        if channel_id is None:
            raise NobodyBills(payer.number)
        channel, entity = ground.seller(session, channel_id)
        seller = Seller(entity, currency, channel.prices_include_tax, ground.day(entity))
        lines = taxing.taxed(
            session, ground.table, answers, seller, payer, [_asked(charge) for charge in mine]
        )
        made = _content(ground, payer, channel, seller, mine, lines, is_charged=bool(method_id))
        found.append(Bill(made, method_id))
    return found


def _asked(charge: Charge) -> Asked:
    return Asked(
        charge.change.amount.minor, charge.phase.tax_category, charge.timeline.service_location
    )


def _content(
    ground: Ground,
    payer: Account,
    channel: Channel,
    seller: Seller,
    charges: Sequence[Charge],
    lines: Sequence[TaxedLine],
    *,
    is_charged: bool,
) -> Content:
    entity, today = seller.entity, seller.on
    holding = Terms() if is_charged else terms_of(payer, channel)
    said = words(payer.locale or channel.locale)
    services = {charge.timeline.service_account_id for charge in charges}
    made = Content(
        kind=Kind.INVOICE,
        entity=entity,
        channel=channel,
        payer=payer,
        currency=seller.currency,
        issue_date=today,
        due_date=terms.due_date(holding, today, entity.country),
        terms=holding,
        discount_until=terms.discount_until(holding, today, entity.country),
        items=[
            _item(number, charge, line, said, ground)
            for number, (charge, line) in enumerate(zip(charges, lines, strict=True), start=1)
        ],
        service_account_id=services.pop() if len(services) == 1 else payer.id,
        deliver_to=_served_at(charges, ground.printing),
    )
    made = replace(made, notes=changed.notes(charges, made.currency, made.locale))
    return made if made.total_minor else replace(made, due_date=None)


def _served_at(charges: Sequence[Charge], printing: Printing) -> Delivery | None:
    """The one place that all of it is served at."""
    places = [charge.timeline.service_location for charge in charges]
    if places[0] is None or any(place != places[0] for place in places):
        return None
    name = str(places[0].get("name", ""))
    return Delivery(name=name, address=printing.postal(places[0]), service=True)


def _item(number: int, charge: Charge, line: TaxedLine, said: Words, ground: Ground) -> Item:
    change, phase, metered = charge.change, charge.phase, charge.metered
    days = _days(charge)
    parts = tuple(map(TaxPart.reckoned, line.taxes))
    less = any(part.relief and part.inclusive for part in parts)
    item = Item(
        line_number=number,
        name=phase.name,
        net_minor=line.net_minor,
        taxes=parts,
        sku=phase.sku,
        quantity=Decimal(phase.quantity),
        unit_price_micros=phase.unit_price_micros,
        ledger_code=CONTRACT_LIABILITY,
        tax_category=phase.tax_category,
        group=said.services,
        description=" · ".join(_described(charge, said, ground, less=less)),
        period_start=days.start,
        period_end=None if days.end == NEVER else days.last,
        priced_each=not less,
        why=change.why,
        charge=content.Charge(
            charge.charge_key,
            phase.id,
            charge.index,
            change.amount.minor,
            metered.meter_id if metered else None,
        ),
    )
    if metered is None:
        return item
    return replace(
        item,
        name=f"{phase.name}: {metered.name}",
        quantity=charge.units,
        unit=metered.unit,
        unit_price_micros=0,
        priced_each=False,
        ledger_code=REVENUE,  # it was used already
        group=said.usage,
    )


def _days(charge: Charge) -> Period:
    """What the line says it is for; a trial's is all of it, whatever its periods."""
    if charge.phase.kind != TRIAL or charge.metered is not None:
        return charge.served
    return next(days for phase, days in charge.timeline.spans() if phase.id == charge.phase.id)


def _described(charge: Charge, said: Words, ground: Ground, *, less: bool) -> Iterator[str]:
    """Its numbers; what its owner calls the service, else where it is; what is special about the price."""
    service = charge.timeline
    if numbers := ground.numbers.get(service.id):
        yield first_few(numbers, said)
    if service.label:
        yield service.label
    elif service.service_location:
        yield from ground.printing.postal(service.service_location)[:1]
    if charge.phase.kind == TRIAL and charge.metered is None:
        yield said.trial
    if less:
        yield said.price_without_tax
