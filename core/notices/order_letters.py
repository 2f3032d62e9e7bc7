"""What the mails about placed orders say: a parcel is on its way, pieces are cancelled or come back."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from core.kernel.money import Money
from core.notices.letters import Letter


@dataclass(frozen=True)
class Parcel:
    """A parcel that is on its way. ``tracking_link`` and ``tracking_number`` may be empty."""

    carrier: str
    tracking_number: str
    tracking_link: str
    pieces: tuple[str, ...]


@dataclass(frozen=True)
class ParcelLetter(Letter):
    """A parcel left. ``following`` are the pieces that come later."""

    TEMPLATE: ClassVar[str] = "parcel"

    number: str
    sent_on: date
    parcel: Parcel
    following: tuple[str, ...]
    address: tuple[str, ...]


@dataclass(frozen=True)
class ApprovedLetter(Letter):
    """An order that was checked goes on."""

    TEMPLATE: ClassVar[str] = "approved"

    number: str
    pieces: tuple[str, ...]


@dataclass(frozen=True)
class DeliveredLetter(Letter):
    """A parcel has arrived. ``following`` are the pieces that come later."""

    TEMPLATE: ClassVar[str] = "delivered"

    number: str
    on: date
    parcel: Parcel
    following: tuple[str, ...]


@dataclass(frozen=True)
class BackOrderLetter(Letter):
    """Pieces that were sold before they were there have come. ``following`` still wait; ``is_fetched``: they
    are set ready, not sent."""

    TEMPLATE: ClassVar[str] = "back_order"

    number: str
    pieces: tuple[str, ...]
    following: tuple[str, ...] = ()
    is_fetched: bool = False


@dataclass(frozen=True)
class Spot:
    """Where something is fetched; all but the name may be empty."""

    name: str
    address: str = ""
    hours: str = ""


@dataclass(frozen=True)
class ReadyLetter(Letter):
    """Goods lie ready to be fetched. ``following`` are the pieces that come later."""

    TEMPLATE: ClassVar[str] = "ready"

    number: str
    pieces: tuple[str, ...]
    spot: Spot
    following: tuple[str, ...] = ()


@dataclass(frozen=True)
class CollectedLetter(Letter):
    """Goods were fetched. ``following`` are the pieces that come later."""

    TEMPLATE: ClassVar[str] = "collected"

    number: str
    on: date
    pieces: tuple[str, ...]
    spot: Spot
    following: tuple[str, ...] = ()


@dataclass(frozen=True)
class AllWellLetter(Letter):
    """Some days after all of an order has arrived: was all well, and what to do when it was not."""

    TEMPLATE: ClassVar[str] = "all_well"

    number: str
    pieces: tuple[str, ...]


@dataclass(frozen=True)
class PayLinkLetter(Letter):
    """An order that was taken on the phone waits to be paid, by the link, until ``until``."""

    TEMPLATE: ClassVar[str] = "pay_link"

    amount: Money
    until: date
    pieces: tuple[str, ...]


@dataclass(frozen=True)
class OrderChangeLetter(Letter):
    """Of pieces: ``how`` is cancelled, asked (to come back), declined, announced, received, withdrawn, or
    changed: then ``pieces`` do not come any more.

    ``amount`` is what the memos credited, less what was added; ``goes``: back to how it was paid, kept as
    credit, off the bill (owed), to be paid (more), or nowhere. ``answer``: why it was declined. ``added``
    comes instead; ``sends``: after the return is here, or before.
    """

    TEMPLATE: ClassVar[str] = "order_change"

    how: str
    number: str
    return_number: str
    on: date
    pieces: tuple[str, ...]
    amount: Money
    goes: str
    whole: bool
    send_to: tuple[str, ...]
    answer: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    sends: str = ""
