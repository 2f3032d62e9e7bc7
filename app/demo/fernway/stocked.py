"""What stands in the stock when Fernway opens its door: who waits for what is gone, what is on its way."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.demo.fernway import numbered
from cart import hold_policies
from cart.hold_policies import Terms
from core.catalog.models import Variant
from core.parties import accounts
from core.stock import transfers, waiting
from core.stock.models import StockLevel
from core.stock.transfers import Sending


def fill(session: Session, channel_code: str, now: datetime) -> None:
    """Two people wait for the camera that is gone, and one has only asked; cables are on their way to the
    market; one customer may have one hub; numbers rest; the handsets that are awaited have a day."""
    channel, _ = accounts.channel_by_code(session, channel_code)
    camera, hub = _variant(session, "LOOK-2"), _variant(session, "HUB-1")
    for hours, who in ((70, "nell"), (41, "rosa"), (3, "otis")):
        when = now - timedelta(hours=hours)
        wait = waiting.ask(session, channel.id, camera.id, f"{who}@example.com", when)
        if who != "otis":
            waiting.confirm(session, wait, when + timedelta(minutes=6))
    sent = now - timedelta(hours=5)
    transfers.send(session, Sending("CAB-5", "depot", "market", 5, "For Saturday"), "system", sent)
    numbered.fill(session, now)
    level = session.scalars(
        select(StockLevel).where(StockLevel.variant_id == _variant(session, "HAND-2").id)
    ).one()
    level.expected_on = (now + timedelta(days=6)).date()
    hold_policies.put(session, hub.product_id, "", None, Terms(15, most_for_one=1))


def _variant(session: Session, sku: str) -> Variant:
    return session.scalars(select(Variant).where(Variant.sku == sku)).one()
