"""A brand kit on the shop's stationery: how a mail and a bill would look, and publishing it for all three.

The sample's customer is invented: whoever tries colours sees nobody's bill.
"""

import base64
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from cms_content import brand, media
from cms_content.brand import Kit
from cms_content.models import BrandKit
from core.kernel import pictures
from core.kernel.clock import local_date
from core.kernel.errors import NotFound
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger.chart import REVENUE
from core.notices import addressing, rendering
from core.notices.letters import ReceiptLetter, Row
from core.parties.models import Account, Channel, LegalEntity
from flows.correct_invoice import printing
from flows.house import House
from invoices import pdf, theme, wording
from invoices.content import Content, Item
from invoices.document import Kind
from invoices.why import Formula, Why
from invoices.wording import Name

#: A mark in print is small.
_MARK_SIDE = 240


def mark(house: House, kit: Kit) -> str:
    """The logo as documents carry it within themselves; empty where there is none."""
    if not kit.logo:
        return ""
    if kit.logo.startswith(media.DRAWN):
        return media.drawing(kit.logo)
    with house.db.reading() as session:
        found = media.smallest(session, kit.logo.removeprefix(media.UPLOADED))
    if found is None:
        return ""
    data = house.blobs.get(found.sha256)
    small = pictures.reencode(data, max_bytes=len(data), max_pixels=50_000_000, max_side=_MARK_SIDE)
    return f"data:{small.media_type};base64,{base64.b64encode(small.data).decode()}"


def publish(house: House, channel_id: Any, revision: int, actor: str) -> BrandKit:
    """Let shop, mails and documents look like the draft. Raises StaleState, Invalid, NotFound."""
    with house.db.reading() as session:
        row = brand.draft(session, channel_id)
        if row is None:
            raise NotFound("brand kit")
        drawn = mark(house, brand.read(row.content))
    now = house.clock.now()
    return house.db.run_tx(
        lambda session: brand.publish(session, channel_id, revision, drawn, actor, now)
    )


def with_kit(session: Session, channel: Channel, kit: Kit, drawn: str) -> dict[str, Any]:
    """The channel's brand as it would be."""
    return {**channel.brand, "kit": brand.told(session, kit, 0, drawn)}


def sample_mail(house: House, channel: Channel, entity: LegalEntity, kit: Kit) -> str:
    """A mail as it would look."""
    with house.db.reading() as session:
        wanted = with_kit(session, channel, kit, "")
    head = addressing.of_channel(entity, channel, wanted)
    amount = Money(4500, channel.currency)
    letter = ReceiptLetter(
        head=head,
        name="Sam",
        link=house.links.base_url,
        number="R-1001",
        account_number="123456789",
        amount=amount,
        paid_on=local_date(house.clock.now(), channel.time_zone),
        instrument="Visa ending 4242",
        settled=(Row("Bill 1001", amount),),
        kept=Money.zero(channel.currency),
        left=Money.zero(channel.currency),
        next_due=None,
    )
    return rendering.render(letter).html


def sample_bill(house: House, channel: Channel, entity: LegalEntity, kit: Kit) -> bytes:
    """A bill as it would look, for somebody who is invented. Raises PdfsUnavailable."""
    drawn = mark(house, kit)
    with house.db.reading() as session:
        wanted = with_kit(session, channel, kit, drawn)
    today = local_date(house.clock.now(), channel.time_zone)
    document = wording.document(_content(channel, entity, today), Name(), printing(house.links))
    return pdf.render(document, theme=replace(theme.of_brand(wanted))).bytes


def _content(channel: Channel, entity: LegalEntity, today: date) -> Content:
    payer = Account(
        id=new_id(),
        number="123456789",
        kind="person",
        name="Sam Sample",
        currency=channel.currency,
        time_zone=channel.time_zone,
        billing_address={
            "name": "Sam Sample",
            "line1": "1 Example Street",
            "city": "Exampleton",
            "region": "",
            "postal_code": "00000",
            "country": entity.country,
        },
    )
    return Content(
        kind=Kind.INVOICE,
        entity=entity,
        channel=channel,
        payer=payer,
        currency=channel.currency,
        issue_date=today,
        due_date=today + timedelta(days=channel.terms_days),
        items=[_item(1, "A month of something", 4500), _item(2, "A thing for the house", 12900)],
        service_account_id=payer.id,
    )


def _item(number: int, name: str, minor: int) -> Item:
    price = Decimal(minor) / 100
    return Item(
        line_number=number,
        name=name,
        net_minor=minor,
        quantity=Decimal(1),
        unit_price_micros=minor * 10_000,
        ledger_code=REVENUE,
        why=Why(Formula.QUANTITY, price, quantity=Decimal(1), unit_price=price, residue=Decimal(0)),
    )
