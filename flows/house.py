"""What a flow works with: the database, the clock, the processor, and the shop's rules, as values."""

from dataclasses import dataclass, field
from datetime import timedelta

from cart.delivery import Delivery
from cart.quotes.approving import Limits
from core.hooks.reaching import Nowhere, Poster
from core.kernel.blobs import Blobs
from core.kernel.clock import Clock
from core.kernel.db import Database
from core.notices.sending import Sender
from core.tax.register import VatRegister
from core.tax.service import OwnTable, TaxService
from flows.browse import Shelves
from flows.links import Links
from invoices.billing.bounds import Bounds
from payments.gateway import Gateway


@dataclass(frozen=True)
class Rules:
    """What a merchant may set."""

    #: The channel that the pages of this installation sell on.
    channel: str
    #: How long a cart's line is held.
    hold_for: timedelta
    #: How long the processor's page stays open; 31 minutes at least.
    payment_for: timedelta
    #: How much longer than that the pieces are held.
    payment_grace: timedelta
    #: ``card``, and ``invoice`` where the shop sells on terms.
    payment_methods: tuple[str, ...]
    #: What no bill of services may be.
    bills: Bounds = field(default_factory=Bounds)
    #: Up to where one person may send a quote alone, and when its customer is reminded.
    quotes: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class House:
    """Wired once by the roof, passed to every flow."""

    db: Database
    clock: Clock
    gateway: Gateway
    blobs: Blobs
    sender: Sender
    delivery: Delivery
    links: Links
    rules: Rules
    #: Works out taxes.
    taxes: TaxService = field(default_factory=OwnTable)
    #: Says whether a VAT id is in use; None: its form alone counts.
    vat_register: VatRegister | None = None
    #: Sends webhooks to where staff say.
    poster: Poster = field(default_factory=Nowhere)
    shelves: Shelves = field(default_factory=Shelves)
