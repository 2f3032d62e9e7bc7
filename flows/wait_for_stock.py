"""Shoppers wait for what is gone: they ask, say by mail that it was they, and are offered a piece in turn.

What a stranger asks changes nothing but who is asked by mail, and every address gets the same answer.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import ClassVar
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from cart import lines
from cart.checkout import email_problem
from cart.models import Cart
from core.catalog.models import Product, Variant
from core.events import StockFreed
from core.kernel import audit, crash, jobs
from core.kernel.errors import Invalid, NotFound, ShopError
from core.kernel.ids import same_token
from core.notices import addressing, mails
from core.notices.figures import figures
from core.notices.letters import Letter, Letterhead
from core.notices.mails import NewMail
from core.notices.rendering import render
from core.notices.stock_letters import BackInStock, WaitAsked
from core.parties.models import Channel, LegalEntity
from core.stock import waiting
from core.stock.models import StockWait
from flows.house import House


@dataclass(eq=False)
class OfferOver(ShopError):
    """What was kept for them is not any more."""

    code: ClassVar[str] = "offer_over"
    text: ClassVar[str] = "It was kept for you for a while, and that is over."


@dataclass(frozen=True)
class Standing:
    """Somebody's place in the line, as its page shows it. ``ahead``: how many are before them."""

    wait: StockWait
    variant: Variant
    product: Product
    ahead: int


def wanted(session: Session, sku: str) -> tuple[Variant, Product]:
    """What can be waited for: a thing that is sold and counted. NotFound otherwise."""
    row = session.execute(
        select(Variant, Product)
        .join(Product, Product.id == Variant.product_id)
        .where(
            Variant.sku == sku,
            Variant.active,
            Product.active,
            or_(Variant.kind == "physical", Variant.numbered),
        )
    ).first()
    if row is None:
        raise NotFound("thing to wait for")
    return row[0], row[1]


def ask(house: House, channel: Channel, sku: str, email: str) -> None:
    """A mail asks whoever reads it whether they want to be told. Whoever is on the list already gets the same
    mail; nobody learns who is. Raises NotFound, and Invalid for what is no address."""
    problem = email_problem(email)
    if problem is not None:
        raise Invalid({"email": problem.replace("the receipt goes", "the news goes")})

    def work(session: Session) -> None:
        now = house.clock.now()
        variant, _ = wanted(session, sku)
        wait = waiting.ask(session, channel.id, variant.id, email, now)
        head = addressing.of_channel(session.get_one(LegalEntity, channel.legal_entity_id), channel)
        letter = WaitAsked(head, "", house.links.wait(wait.public_id), variant.name)
        # One a day for each thing, however often somebody presses the button.
        _queue(session, house, wait, letter, f"asked:{now:%Y%m%d}")

    house.db.run_tx(work)


def look(session: Session, house: House, public_id: str, token: str) -> Standing:
    """Their place in the line, for whoever has the link. NotFound for anybody else."""
    if not same_token(token, house.links.wait_token(public_id)):
        raise NotFound("place in the line")
    wait = session.scalar(select(StockWait).where(StockWait.public_id == public_id))
    if wait is None:
        raise NotFound("place in the line")
    variant, product = waiting.thing(session, wait.variant_id)
    return Standing(wait, variant, product, waiting.ahead(session, wait))


def confirm(house: House, public_id: str) -> None:
    """It was they: they are in the line, at its end. Again: no change. After an offer they let go, anew."""

    def work(session: Session) -> None:
        now, wait = house.clock.now(), waiting.lock(session, public_id)
        if waiting.confirm(session, wait, now) or waiting.wait_again(session, wait, now):
            # It may be back by now.
            jobs.record(session, StockFreed(str(wait.variant_id)), now)

    house.db.run_tx(work)


def leave(house: House, public_id: str, actor: str = "") -> None:
    """They hear no more; what was kept for them is for the next one. ``actor``: staff, in the audit log."""

    def work(session: Session) -> None:
        now, wait = house.clock.now(), waiting.lock(session, public_id)
        if waiting.leave(session, wait, now) and actor:
            subject = ("stock_wait", public_id)
            audit.write(session, now, actor, "stock_wait.removed", subject)

    house.db.run_tx(work)


def take(session: Session, house: House, cart: Cart, public_id: str, now: datetime) -> None:
    """Put the piece that is kept for them into a locked cart; nobody comes between. Raises OfferOver, and
    what ``lines.put`` raises."""
    wait = waiting.lock(session, public_id)
    if not waiting.take(session, wait, now):
        raise OfferOver
    variant = session.get_one(Variant, wait.variant_id)
    crash.point("wait.before_put")
    lines.put(session, cart, variant.sku, 1, house.rules.hold_for, now)


# --- offering, by a job -----------------------------------------------------------------------------


def offer(session: Session, house: House, variant_id: uuid.UUID) -> int:
    """Offer what is there of a thing to those who wait, in turn; says to how many."""
    now = house.clock.now()
    offered = waiting.offer(session, variant_id, now + house.rules.offer_for, now)
    for wait in offered:
        channel = session.get_one(Channel, wait.channel_id)
        entity = session.get_one(LegalEntity, channel.legal_entity_id)
        head = addressing.of_channel(entity, channel)
        variant = session.get_one(Variant, variant_id)
        assert wait.offered_until is not None
        link = house.links.wait(wait.public_id)
        letter = BackInStock(head, "", link, variant.name, _words(wait.offered_until, head))
        _queue(session, house, wait, letter, f"offer:{now.timestamp():.3f}")
    crash.point("offer.before_commit")
    return len(offered)


def _words(moment: datetime, head: Letterhead) -> str:
    """``Tuesday, November 17, 17:30``, on the shop's clock."""
    local = moment.astimezone(ZoneInfo(head.time_zone))
    return f"{figures(head.locale).week_day(local.date())}, {local:%H:%M}"


def offer_all(house: House) -> int:
    """The same for every thing that is waited for and there, or of which an offer's time is over."""
    with house.db.reading() as session:
        due = waiting.due(session, house.clock.now())
    return sum(house.db.run_tx(partial(_offer, house, key)) for key in due)


def _offer(house: House, variant_id: uuid.UUID, session: Session) -> int:
    return offer(session, house, variant_id)


def _queue(session: Session, house: House, wait: StockWait, letter: Letter, name: str) -> None:
    mail = NewMail(
        key=f"wait:{wait.id}:{name}",
        template=letter.TEMPLATE,
        to_address=wait.email,
        words=render(letter),
        domain=house.links.domain,
    )
    mails.queue(session, mail, house.clock.now())
