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
from core.orders.provisioning import ByHand, Provisioner
from core.tax.register import VatRegister
from core.tax.service import OwnTable, TaxService
from flows.browse import Shelves
from flows.links import Links
from flows.show_page import PublishedPages
from invoices.billing.bounds import Bounds
from invoices.disputes import rules
from payments.dunning.schedule import Schedule
from payments.gateway import Gateway


@dataclass(frozen=True)
class CardRules:
    """How cards on file are charged without their owners."""

    #: How many days after each declined try the next one is made; then no more.
    retry_days: tuple[int, ...] = (3, 5, 7)
    #: So many days before AutoPay charges a card its owner is told how much.
    notice_days: int = 3
    #: So many days before the end of its month the owner of a card is told that it expires.
    expiry_days: int = 21


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
    #: What happens to an account that does not pay, and when.
    dunning: Schedule = field(default_factory=Schedule)
    #: Nobody works at the desk with a password alone.
    staff_need_second_step: bool = False
    cards: CardRules = field(default_factory=CardRules)
    #: How long a piece is kept for whoever waited for it, once it is back.
    offer_for: timedelta = timedelta(hours=4)
    #: When disputes are answered, and up to where by one person.
    disputes: rules.Rules = field(default_factory=rules.Rules)


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
    #: Begins ordered services.
    provisioner: Provisioner = field(default_factory=ByHand)
    shelves: Shelves = field(default_factory=Shelves)
    pages: PublishedPages = field(default_factory=PublishedPages)
