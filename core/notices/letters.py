"""What each mail says, as frozen facts: the one source of its plain text and of its HTML.

Filled by ``flows.notify``, put into words by ``core.notices.rendering``. Dates are local to the reader.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from core.kernel.money import Money


@dataclass(frozen=True)
class Mark:
    """A logo that goes with the mail itself: nothing is fetched, so nobody learns that it was opened.

    ``width`` and ``height`` as it is shown; ``sha256`` of its stored bytes, twice as fine.
    """

    sha256: str
    width: int
    height: int

    @property
    def content_id(self) -> str:
        """What the HTML calls it by."""
        return content_id(self.sha256)


def content_id(sha256: str) -> str:
    """The Content-ID of a picture within a mail."""
    return f"logo-{sha256[:16]}@mail"


@dataclass(frozen=True)
class Look:
    """What a brand sets on its mails: colours by name, light and dark, the families of type, the logo."""

    light: tuple[tuple[str, str], ...] = ()
    dark: tuple[tuple[str, str], ...] = ()
    heads: str = "Fraunces,Georgia,'Times New Roman',serif"
    text: str = "'Source Sans 3',-apple-system,'Segoe UI',Roboto,Arial,sans-serif"
    mark: Mark | None = None
    #: Does the shop's own leaf stand beside its name? Not beside another logo.
    leaf: bool = True


@dataclass(frozen=True)
class Letterhead:
    """Who writes, and in which language and zone the reader lives."""

    name: str
    legal_name: str
    address: tuple[str, ...]
    phone: str
    hours: str
    email: str
    locale: str
    time_zone: str
    look: Look = Look()


@dataclass(frozen=True)
class Row:
    """One row of a sum. ``kind``: ``line``, ``piece`` of a bundle, ``part`` of the sum such as tax, or
    ``total``."""

    name: str
    amount: Money
    note: str = ""
    kind: str = "line"


@dataclass(frozen=True)
class Letter:
    """A mail's facts. ``name`` is the reader's first name, ``link`` where its button leads; or empty."""

    TEMPLATE: ClassVar[str]

    head: Letterhead
    name: str
    link: str


@dataclass(frozen=True)
class Plan:
    """What an ordered plan costs ``every`` month or year, before tax."""

    name: str
    amount: Money
    every: str


@dataclass(frozen=True)
class OrderLetter(Letter):
    """Thank you for an order. ``visits`` are the names of services that need a day."""

    TEMPLATE: ClassVar[str] = "order"

    number: str
    placed_on: date
    is_paid: bool
    rows: tuple[Row, ...]
    total: Money
    ships: bool
    visits: tuple[str, ...]
    plans: tuple[Plan, ...]
    address: tuple[str, ...]
    #: Gift cards, credit and the rest, where it was not the card alone.
    paid_by: tuple[Row, ...] = ()
    #: Somebody looks at it first.
    is_held: bool = False


@dataclass(frozen=True)
class BillLetter(Letter):
    """An invoice or memo with its PDF. ``open`` is what the ledger says is still owed, or kept."""

    TEMPLATE: ClassVar[str] = "bill"

    kind: str
    number: str
    account_number: str
    order_number: str
    issued_on: date
    due_on: date | None
    total: Money
    open: Money
    rows: tuple[Row, ...]
    is_guest: bool
    #: Pays it without logging in; empty where nothing is asked.
    pay_link: str = ""


@dataclass(frozen=True)
class StatementLetter(Letter):
    """A period's statement. ``amount`` is what is to be paid, ``overdue`` how much of it is late;
    ``in_favour`` what is kept for the reader instead; both may be zero."""

    TEMPLATE: ClassVar[str] = "statement"

    number: str
    account_number: str
    issued_on: date
    period_start: date
    period_end: date
    amount: Money
    overdue: Money
    in_favour: Money
    due_on: date | None
    dispute_by: date
    rows: tuple[Row, ...]
    is_attached: bool


@dataclass(frozen=True)
class ReceiptLetter(Letter):
    """A payment came, and ``settled`` these. ``kept`` found no bill; ``left`` is all that is still owed."""

    TEMPLATE: ClassVar[str] = "receipt"

    number: str
    account_number: str
    amount: Money
    paid_on: date
    instrument: str
    settled: tuple[Row, ...]
    kept: Money
    left: Money
    next_due: date | None


@dataclass(frozen=True)
class RefundLetter(Letter):
    """Money goes back, and why: ``reason`` is the refund's code."""

    TEMPLATE: ClassVar[str] = "refund"

    amount: Money
    refunded_on: date
    paid_on: date
    instrument: str
    reason: str
    payment_number: str


@dataclass(frozen=True)
class MethodLetter(Letter):
    """A card is on file, with ``agreed``: the text word for word, for the reader to keep."""

    TEMPLATE: ClassVar[str] = "method"

    account_number: str
    instrument: str
    agreed: str
    agreed_on: date


@dataclass(frozen=True)
class ChargeFailedLetter(Letter):
    """Bills could not be charged to a card on file: ``reason`` is the bank's code, or ours.

    ``next_on`` is when it is tried again by itself, if it is.
    """

    TEMPLATE: ClassVar[str] = "charge_failed"

    number: str
    account_number: str
    amount: Money
    instrument: str
    reason: str
    tried_on: date
    due_on: date | None
    next_on: date | None = None


@dataclass(frozen=True)
class SoldCard:
    """A gift card as its buyer gets it; ``code`` in groups of four, ``link`` to the page that prints it."""

    code: str
    amount: Money
    link: str


@dataclass(frozen=True)
class GiftCardLetter(Letter):
    """The codes of bought gift cards. They are in this mail alone: what was sent is not kept."""

    TEMPLATE: ClassVar[str] = "gift_card"

    number: str
    cards: tuple[SoldCard, ...]
    total: Money


@dataclass(frozen=True)
class ServiceLetter(Letter):
    """Of a service: ``what`` is started, plan, quantity, paused, resumed, cancelled, kept, payer or
    ended.

    ``service`` is what it is now, ``before`` what it was; ``on`` is the first day of what is told, ``until``
    the last day of a pause, or of a service that ends. ``rows`` are what it costs from then on, before tax,
    each with how often. ``back`` is what a bill that was paid or sent gives back.
    """

    TEMPLATE: ClassVar[str] = "service"

    what: str
    service: str
    place: str
    account_number: str
    on: date
    until: date | None = None
    before: str = ""
    rows: tuple[Row, ...] = ()
    back: Money | None = None
    #: Who pays from now on.
    payer: str = ""


@dataclass(frozen=True)
class ResetLetter(Letter):
    """A link to choose another password."""

    TEMPLATE: ClassVar[str] = "reset"

    lasts: timedelta


@dataclass(frozen=True)
class InviteLetter(Letter):
    """A link to choose the first password. The account is the one that it opens, if any."""

    TEMPLATE: ClassVar[str] = "invite"

    lasts: timedelta
    account_name: str
    account_number: str


@dataclass(frozen=True)
class VerifyLetter(Letter):
    """Welcome, and a link that proves the address."""

    TEMPLATE: ClassVar[str] = "verify"

    email: str
    lasts: timedelta
