"""What a document is made of, before it has a number: parties, lines with their taxes, terms.

``issue``, ``drafts`` and ``memos`` each make a ``Content``; ``wording`` makes the frozen document of it and
``writing`` its rows, so that all three agree. Pure; amounts are integers of the minor unit.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from core.kernel.money import Money
from core.ledger.chart import CONTRACT_LIABILITY
from core.orders.models import OrderLineTax
from core.parties.models import Account, Channel, LegalEntity
from core.tax.arithmetic import Taxed
from invoices.document import Applied, Delivery, Kind
from invoices.models import Invoice, InvoiceLineTax
from invoices.terms import Terms
from invoices.why import Why

_TAX_NAMED = ("jurisdiction", "name", "rate_ppm", "base_minor", "amount_minor", "inclusive")
_TAX_COLUMNS = tuple(
    column.key
    for column in InvoiceLineTax.__table__.columns
    if column.key not in ("invoice_line_id", "position")
)


@dataclass(frozen=True)
class TaxPart:
    """One tax on one line, as the line's row keeps it; ``more`` are its further columns."""

    jurisdiction: str
    name: str
    rate_ppm: int
    base_minor: int
    amount_minor: int
    inclusive: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def relief(self) -> str:
        """``exempt`` or ``reverse_charge``: nothing is charged."""
        return str(self.more.get("relief", ""))

    @property
    def reference(self) -> str:
        """The certificate or VAT id that says so."""
        return str(self.more.get("reference", ""))

    @classmethod
    def of(cls, row: InvoiceLineTax | OrderLineTax) -> "TaxPart":
        """As a row has it, of an order or of another document."""
        kept = {name: getattr(row, name) for name in _TAX_COLUMNS}
        named = {name: kept.pop(name) for name in _TAX_NAMED}
        return cls(**named, more=kept)

    @classmethod
    def reckoned(cls, one: Taxed) -> "TaxPart":
        """As it was just worked out."""
        tax = one.tax
        return cls(
            tax.jurisdiction,
            tax.name,
            tax.rate_ppm,
            one.base_minor,
            one.amount_minor,
            tax.inclusive,
            {"compound": tax.compound, "relief": tax.relief, "reference": tax.reference},
        )


@dataclass(frozen=True)
class Charge:
    """What a line of a service bills: a period of a phase (counted from 0), or its usage of a meter.

    ``rated_minor`` is the amount at the plan's own price, with the tax that it contains and before relief.
    """

    key: str
    phase_id: uuid.UUID
    period_index: int
    rated_minor: int
    meter_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Item:
    """One line. A bundle is a line that others name as ``parent``: its amounts are their sums, and only
    they count. ``cost_minor``, ``sale_price_minor`` and ``ledger_code`` are for staff."""

    line_number: int
    name: str
    net_minor: int
    taxes: tuple[TaxPart, ...] = ()
    sku: str = ""
    quantity: Decimal = Decimal(1)
    unit_price_micros: int = 0
    ledger_code: str = CONTRACT_LIABILITY
    tax_category: str = ""
    group: str = ""
    description: str = ""
    unit: str = ""
    period_start: date | None = None
    period_end: date | None = None
    parent: int | None = None
    order_line_id: uuid.UUID | None = None
    memo_of_id: uuid.UUID | None = None
    cost_minor: int | None = None
    sale_price_minor: int | None = None
    why: Why | None = None
    priced_each: bool = True  # quantity and unit price say something
    prints_sku: bool = True
    charge: Charge | None = None
    #: Of a credit for days that are not used: what it takes back, at the plan's own price.
    repaired_minor: int | None = None

    @cached_property
    def tax_minor(self) -> int:
        """All taxes of the line."""
        return sum(part.amount_minor for part in self.taxes)

    @cached_property
    def contained_minor(self) -> int:
        """The tax that its price contains."""
        return sum(part.amount_minor for part in self.taxes if part.inclusive)


@dataclass(frozen=True)
class Content:
    """Everything a document says but its number."""

    kind: Kind
    entity: LegalEntity
    channel: Channel
    payer: Account
    currency: str
    issue_date: date
    due_date: date | None
    items: Sequence[Item]
    service_account_id: uuid.UUID
    terms: Terms | None = None
    discount_until: date | None = None
    applied: Sequence[Applied] = ()
    order_id: uuid.UUID | None = None
    order_number: str = ""
    order_change_id: uuid.UUID | None = None
    deliver_to: Delivery | None = None
    purchase_order: str = ""
    cost_centre: str = ""
    message: str = ""
    notes: Sequence[str] = ()
    corrects: Invoice | None = None
    reason: str = ""
    made_of: str | None = None

    @property
    def locale(self) -> str:
        """The account's, else the channel's."""
        return (self.payer.locale or self.channel.locale).replace("_", "-")

    @cached_property
    def bundles(self) -> frozenset[int]:
        """The lines that only show the sum of their pieces."""
        return frozenset(item.parent for item in self.items if item.parent is not None)

    @cached_property
    def counted(self) -> list[Item]:
        """The lines that count."""
        return [item for item in self.items if item.line_number not in self.bundles]

    @cached_property
    def net_minor(self) -> int:
        """Without any tax."""
        return sum(item.net_minor for item in self.counted)

    @cached_property
    def tax_minor(self) -> int:
        """All taxes, contained or on top."""
        return sum(item.tax_minor for item in self.counted)

    @property
    def total_minor(self) -> int:
        """What it comes to."""
        return self.net_minor + self.tax_minor

    @cached_property
    def applied_minor(self) -> int:
        """What is taken off at issue."""
        return sum(self.money(part.amount).minor for part in self.applied)

    def money(self, amount: Decimal) -> Money:
        """A decimal of the document's currency."""
        return Money.parse(str(amount), self.currency)

    def decimal(self, minor: int) -> Decimal:
        """Minor units as the document shows them."""
        return Money(minor, self.currency).decimal()

    @property
    def nets(self) -> list[tuple[str, Money]]:
        """Net amounts by the ledger account that they stand on."""
        sums: dict[str, int] = {}
        for item in self.counted:
            sums[item.ledger_code] = sums.get(item.ledger_code, 0) + item.net_minor
        return [(code, Money(minor, self.currency)) for code, minor in sums.items()]


def bundled(items: Sequence[Item]) -> list[Item]:
    """The lines, each bundle with the sums of its pieces."""
    sums: dict[int, int] = {}
    for item in items:
        if item.parent is not None:
            sums[item.parent] = sums.get(item.parent, 0) + item.net_minor
    return [
        replace(item, net_minor=sums[item.line_number], taxes=(), why=None)
        if item.line_number in sums
        else item
        for item in items
    ]
