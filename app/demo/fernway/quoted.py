"""Acts about quotes: asked for, written, approved and sent, talked about, accepted, declined."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select

from app.demo.fernway.people import DESK, SECOND_DESK, Person
from app.demo.fernway.scene import Ago, Scene
from cart.quotes import drafting
from cart.quotes.models import Quote, QuoteVersion
from cart.quotes.offer import Discount, Offer
from cart.quotes.wanting import Wanted
from flows import accept_quote, ask_quote, draft_quote, send_quote, talk_about_quote
from flows.accept_quote import Answer
from flows.ask_quote import Contact
from flows.draft_quote import Draft

Places = Sequence[dict[str, str]]
NOTHING_OFF = Discount()


def _quote(scene: Scene, who: Person) -> Quote:
    """Somebody's quote; nobody asked for two."""
    with scene.house.db.reading() as session:
        return session.scalars(select(Quote).where(Quote.email == who.email)).one()


def _version(scene: Scene, who: Person) -> QuoteVersion:
    quote = _quote(scene, who)
    with scene.house.db.reading() as session:
        return drafting.latest(session, quote.id)


@dataclass(frozen=True)
class QuoteAsked:
    """A customer asks what something would cost at their places."""

    when: Ago
    who: Person
    company: str
    sku: str
    message: str
    places: Places = field(hash=False)
    quantity: int = 1

    def happen(self, scene: Scene) -> None:
        """From a product's page."""
        contact = Contact(
            name=self.who.name,
            email=self.who.email,
            company=self.company,
            phone=self.who.address["phone"],
            message=self.message,
            sites=tuple(self.places),
            user_id=scene.user_id(self.who) if self.who.account_number else None,
        )
        scene.step(
            "quote.requested",
            lambda: ask_quote.of_product(scene.house, self.sku, self.quantity, contact),
        )


@dataclass(frozen=True)
class QuoteMade:
    """Ines writes a version; above the limits she asks for a second person, who approves it before it is
    sent. ``is_sent`` False: it waits for that."""

    when: Ago
    who: Person
    wanted: Sequence[Wanted]
    places: Places = field(hash=False)
    discount: Discount = NOTHING_OFF
    valid_days: int = 30
    note: str = ""
    why: str = ""
    answer: str = ""
    is_next: bool = False
    is_sent: bool = True

    def happen(self, scene: Scene) -> None:
        """Each step at its own minute."""
        house, ines = scene.house, scene.actor(DESK)
        key = _quote(scene, self.who).public_id
        if self.is_next:
            scene.step("quote.version_begun", lambda: draft_quote.another(house, key, ines))
        else:
            mine = scene.user_id(DESK)
            scene.step("quote.owner", lambda: draft_quote.take_over(house, key, mine, ines))
        scene.step("quote.changed", lambda: self._write(scene, key, ines))
        if self.why:
            scene.step("quote.approval_asked", lambda: self._ask(scene, key, ines))
        if not self.is_sent:
            return
        if self.why:
            scene.step("quote.approved", lambda: self._approve(scene, key))
        scene.step("quote.sent", lambda: self._send(scene, key, ines))

    def _revision(self, scene: Scene) -> int:
        return _version(scene, self.who).revision

    def _write(self, scene: Scene, key: str, by: str) -> None:
        offer = Offer(
            sites=tuple(self.places),
            discount=self.discount,
            valid_through=scene.today + timedelta(days=self.valid_days),
            delivery_method="standard",
            note=self.note,
        )
        draft_quote.change(scene.house, key, Draft(self.wanted, offer), self._revision(scene), by)

    def _ask(self, scene: Scene, key: str, by: str) -> None:
        send_quote.ask_approval(scene.house, key, self._revision(scene), self.why, by)

    def _approve(self, scene: Scene, key: str) -> None:
        send_quote.decide(
            scene.house,
            key,
            self._revision(scene),
            approved=True,
            answer=self.answer,
            actor=scene.actor(SECOND_DESK),
        )

    def _send(self, scene: Scene, key: str, by: str) -> None:
        send_quote.send(scene.house, key, self._revision(scene), by)


@dataclass(frozen=True)
class QuoteTalked:
    """Customer or house writes about it."""

    when: Ago
    who: Person
    text: str
    by: Person | None = None

    def happen(self, scene: Scene) -> None:
        """``by`` None: the customer."""
        author = self.by or self.who
        side = "staff" if author.is_staff else "customer"
        knows = author.is_staff or author.account_number
        key = _quote(scene, self.who).public_id
        scene.step(
            "quote.message",
            lambda: talk_about_quote.write(
                scene.house,
                key,
                side,
                self.text,
                author=author.name,
                user_id=scene.user_id(author) if knows else None,
            ),
        )


@dataclass(frozen=True)
class QuoteAccepted:
    """The customer accepts the version that was sent, and pays by bill."""

    when: Ago
    who: Person
    role: str

    def happen(self, scene: Scene) -> None:
        """Pressed twice it is one order."""
        version = _version(scene, self.who)
        key = _quote(scene, self.who).public_id
        accept_quote.accept(
            scene.house,
            Answer(key, version.number, self.who.name, self.role, True, "terms", "192.0.2.44"),
        )


@dataclass(frozen=True)
class QuoteDeclined:
    """The customer says no, and why."""

    when: Ago
    who: Person
    reason: str
    note: str

    def happen(self, scene: Scene) -> None:
        """By the link of the mail."""
        version = _version(scene, self.who)
        key = _quote(scene, self.who).public_id
        scene.step(
            "quote.declined",
            lambda: accept_quote.decline(
                scene.house, key, version.number, self.reason, self.note, self.who.name
            ),
        )
