"""Acts about disputes: a line is disputed, both sides talk, it is answered, or taken back."""

import io
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw
from sqlalchemy import select

from app.demo.fernway.people import BILLING_DESK, Person
from app.demo.fernway.scene import Ago, Scene
from core.kernel.money import Money
from core.orders.models import OrderLine
from core.parties.models import User
from flows import open_dispute, resolve_dispute, talk_about_dispute
from flows.open_dispute import Asked, Author
from flows.resolve_dispute import Answer
from invoices.disputes import reading
from invoices.models import Invoice, InvoiceLine

Side = Literal["customer", "staff"]


@dataclass(frozen=True)
class Disputed:
    """A line of the first bill that has this SKU; so much of it in minor units, all of it otherwise."""

    when: Ago
    who: Person
    sku: str
    reason: str
    text: str
    minor: int | None = None
    wish: str = "keep"
    with_picture: bool = False

    def happen(self, scene: Scene) -> None:
        """On the bill's page, once."""
        scene.step("dispute.opened", lambda: self._open(scene))

    def _open(self, scene: Scene) -> None:
        account = scene.account(self.who)
        with scene.house.db.reading() as session:
            bill, number = session.execute(
                select(Invoice.public_id, InvoiceLine.line_number)
                .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
                .join(OrderLine, OrderLine.id == InvoiceLine.order_line_id)
                .where(
                    Invoice.payer_account_id == account.id,
                    Invoice.kind == "invoice",
                    OrderLine.sku == self.sku,
                )
                .order_by(Invoice.issued_at)
            ).first() or ("", 0)
        amount = Money(self.minor, account.currency) if self.minor is not None else None
        files = [_picture()] if self.with_picture else []
        asked = Asked(bill, number, self.reason, amount, self.text, files, self.wish)
        open_dispute.open_one(scene.house, asked, _author(scene, self.who, "customer"), None)


@dataclass(frozen=True)
class DisputeTalked:
    """One side writes about somebody's last dispute; the desk's, when ``by`` is of the staff."""

    when: Ago
    who: Person
    text: str
    by: Person | None = None

    def happen(self, scene: Scene) -> None:
        """Once."""
        scene.step("dispute.message", lambda: self._write(scene))

    def _write(self, scene: Scene) -> None:
        author = _author(scene, self.by or self.who, "staff" if self.by else "customer")
        talk_about_dispute.write(scene.house, _last(scene, self.who), author, self.text, None)


@dataclass(frozen=True)
class DisputeTakenBack:
    """Somebody was wrong about their last dispute."""

    when: Ago
    who: Person

    def happen(self, scene: Scene) -> None:
        """Once."""
        actor = _author(scene, self.who, "customer").actor
        scene.step(
            "dispute.withdrawn",
            lambda: talk_about_dispute.withdraw(scene.house, _last(scene, self.who), actor, None),
        )


@dataclass(frozen=True)
class DisputeAnswered:
    """Somebody's last dispute is answered with a credit of so much, taxes included.

    Over the limit it waits for a second person.
    """

    when: Ago
    who: Person
    minor: int
    text: str
    by: Person = BILLING_DESK
    waits: bool = False

    def happen(self, scene: Scene) -> None:
        """Once."""
        act = "dispute.proposed" if self.waits else "dispute.resolved"
        scene.step(act, lambda: self._answer(scene))

    def _answer(self, scene: Scene) -> None:
        credit = Money(self.minor, scene.account(self.who).currency)
        answer, author = Answer(credit, self.text), _author(scene, self.by, "staff")
        resolve_dispute.decide(scene.house, _last(scene, self.who), answer, author)


def _last(scene: Scene, who: Person) -> str:
    """Somebody's dispute that was opened last."""
    account = scene.account(who)
    with scene.house.db.reading() as session:
        (row,) = reading.of_accounts(session, [account.id], limit=1)
    return row.dispute.public_id


def _author(scene: Scene, who: Person, side: Side) -> Author:
    """Whoever speaks; a guest has no log-in."""
    with scene.house.db.reading() as session:
        key = session.scalar(select(User.id).where(User.email == who.email))
    return Author(side, who.name, f"user:{key}" if key is not None else "guest", key)


def _picture() -> bytes:
    """A photo as somebody takes it of a parcel whose corner was crushed: drawn, so that it is ours."""
    image = Image.new("RGB", (960, 720), (92, 84, 74))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 520, 960, 720), fill=(70, 62, 54))
    draw.polygon([(190, 250), (560, 190), (800, 280), (430, 350)], fill=(203, 170, 120))
    draw.polygon([(190, 250), (430, 350), (430, 620), (190, 500)], fill=(170, 136, 90))
    draw.polygon([(430, 350), (800, 280), (800, 430), (700, 560), (430, 620)], fill=(186, 152, 103))
    draw.polygon([(800, 430), (700, 560), (748, 470)], fill=(120, 92, 60))
    draw.polygon([(370, 220), (470, 205), (700, 300), (600, 318)], fill=(222, 205, 168))
    draw.line([(748, 470), (690, 440), (720, 500), (660, 500)], fill=(96, 72, 46), width=6)
    draw.rectangle((250, 380, 350, 450), fill=(236, 230, 216))
    for place in range(4):
        draw.line([(260, 394 + place * 14), (338, 394 + place * 14)], fill=(90, 84, 76), width=3)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()
