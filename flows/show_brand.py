"""A brand kit on the shop's stationery: how a mail and a bill would look, and publishing it for all three.

The sample's customer is invented: whoever tries colours sees nobody's bill.
"""

import base64
import hashlib
import uuid
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from cms_content import brand, media
from cms_content.brand import Kit, Mailed, Marks
from cms_content.models import BrandKit
from core.kernel import blobs, pictures
from core.kernel.clock import local_date
from core.kernel.errors import NotFound
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.kernel.pictures import Picture
from core.ledger.chart import REVENUE
from core.notices import addressing, rendering
from core.notices.letters import Letterhead, ReceiptLetter, Row
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
#: So wide and so high at most a logo is shown in a mail, and so many times finer it is sent.
_IN_MAILS = (220, 40)
_FINER = 2


def marks(house: House, kit: Kit) -> tuple[Marks, Picture | None]:
    """The logo for documents and for mails, and the bytes of the second, which are not stored yet.

    A drawing is vector, which mail programs do not show: a mail has the name alone then.
    """
    if not kit.logo:
        return Marks(), None
    if kit.logo.startswith(media.DRAWN):
        return Marks(media.drawing(kit.logo)), None
    with house.db.reading() as session:
        found = media.smallest(session, kit.logo.removeprefix(media.UPLOADED))
    if found is None:
        return Marks(), None
    whole = Picture(house.blobs.get(found.sha256), found.media_type, found.width, found.height)
    small = pictures.reencode(
        whole.data, max_bytes=len(whole.data), max_pixels=50_000_000, max_side=_MARK_SIDE
    )
    mailed = pictures.as_png(whole, *(_FINER * side for side in _IN_MAILS))
    return Marks(_data(small), _on_paper(mailed)), mailed


def _data(picture: Picture) -> str:
    return f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode()}"


def _on_paper(picture: Picture) -> Mailed:
    """As large as it is shown: half as many points as it has, so that it is sharp on every screen."""
    width, height = (max(1, side // _FINER) for side in (picture.width, picture.height))
    return Mailed(hashlib.sha256(picture.data).hexdigest(), width, height)


def publish(house: House, channel_id: uuid.UUID, revision: int, actor: str) -> BrandKit:
    """Let shop, mails and documents look like the draft. Raises StaleState, Invalid, NotFound."""
    with house.db.reading() as session:
        row = brand.draft(session, channel_id)
        if row is None:
            raise NotFound("brand kit")
        found, mailed = marks(house, brand.read(row.content))
    if mailed is not None:
        house.blobs.put(mailed.data)
    now = house.clock.now()

    def work(session: Session) -> BrandKit:
        if found.mailed is not None and mailed is not None:
            sha256 = found.mailed.sha256
            blobs.note(session, sha256, len(mailed.data), mailed.media_type, now)
        return brand.publish(session, channel_id, revision, found, actor, now)

    return house.db.run_tx(work)


def with_kit(session: Session, channel: Channel, kit: Kit, found: Marks) -> dict[str, Any]:
    """The channel's brand as it would be."""
    return {**channel.brand, "kit": brand.told(session, kit, 0, found)}


def sample_mail(house: House, channel: Channel, entity: LegalEntity, kit: Kit) -> str:
    """A mail as it would look, with the logo written into the page."""
    found, mailed = marks(house, kit)
    with house.db.reading() as session:
        wanted = with_kit(session, channel, kit, found)
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
    html = rendering.render(letter).html
    if mailed is None or head.look.mark is None:
        return html
    return html.replace(f"cid:{head.look.mark.content_id}", _data(mailed))


def inline(house: House, head: Letterhead, html: str) -> str:
    """A mail's page with its published logo written into it."""
    mark = head.look.mark
    if mark is None:
        return html
    data = base64.b64encode(house.blobs.get(mark.sha256)).decode()
    return html.replace(f"cid:{mark.content_id}", f"data:image/png;base64,{data}")


def sample_bill(house: House, channel: Channel, entity: LegalEntity, kit: Kit) -> bytes:
    """A bill as it would look, for somebody who is invented. Raises PdfsUnavailable."""
    found, _ = marks(house, kit)
    with house.db.reading() as session:
        wanted = with_kit(session, channel, kit, found)
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
