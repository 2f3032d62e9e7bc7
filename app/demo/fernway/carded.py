"""Acts about cards on file: one is kept, AutoPay is turned on, a payment is planned."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.demo.fernway.people import Person
from app.demo.fernway.scene import Ago, Scene
from flows import manage_cards, run_autopay, schedule_payment, set_up_method
from flows.schedule_payment import Wish
from payments import autopay, methods, scheduled
from payments.models import Authorisation, PaymentMethod, PaymentOperation

#: Out of a range that is kept for examples.
_FROM = "192.0.2.24"


def _kept(session: Session, scene: Scene, who: Person) -> PaymentMethod:
    """The card that somebody put on file from their account."""
    return session.scalars(
        select(PaymentMethod)
        .join(Authorisation, Authorisation.payment_method_id == PaymentMethod.id)
        .where(
            Authorisation.account_id == scene.account(who).id,
            Authorisation.purpose == methods.ON_FILE,
        )
    ).one()


@dataclass(frozen=True)
class CardKept:
    """Somebody puts a card on file, from their account."""

    when: Ago
    who: Person

    def happen(self, scene: Scene) -> None:
        """Go to the processor's page, unless that is done, and come back."""
        house, account = scene.house, scene.account(self.who)
        with house.db.reading() as session:
            operation = _visit(session, scene, self.who)
            wish = manage_cards.card_to_keep(
                session, account, scene.user_id(self.who), _FROM, "/account/cards"
            )
        if operation is None:
            set_up_method.begin(house, wish)
            with house.db.reading() as session:
                operation = _visit(session, scene, self.who)
        assert operation is not None  # it was begun
        set_up_method.settle(house, operation.id)


def _visit(session: Session, scene: Scene, who: Person) -> PaymentOperation | None:
    """The visit in which somebody puts that card on file; nobody makes two."""
    rows = session.scalars(
        select(PaymentOperation).where(
            PaymentOperation.account_id == scene.account(who).id, PaymentOperation.kind == "setup"
        )
    )
    return next((row for row in rows if row.request["consent"]["purpose"] == methods.ON_FILE), None)


@dataclass(frozen=True)
class AutoPayOn:
    """Somebody turns AutoPay on with the card that they keep."""

    when: Ago
    who: Person

    def happen(self, scene: Scene) -> None:
        """Agree to it, unless that is done."""
        account = scene.account(self.who)
        with scene.house.db.reading() as session:
            method, ever = _kept(session, scene, self.who), autopay.of_account(session, account.id)
        if not ever:
            run_autopay.start(scene.house, method.id, scene.user_id(self.who), _FROM)


@dataclass(frozen=True)
class PaymentPlanned:
    """Somebody plans to pay everything that is open, so many days later."""

    when: Ago
    who: Person
    days: int

    def happen(self, scene: Scene) -> None:
        """Plan it, unless that is done."""
        account = scene.account(self.who)
        user_id, on = scene.user_id(self.who), scene.today + timedelta(days=self.days)
        with scene.house.db.reading() as session:
            cards = methods.of_account(session, account.id)
            there = scheduled.listing(session, [account.id], limit=1)
        if there:
            return
        method = next(card for card in cards if not methods.is_lapsed(card, on))
        wish = Wish(account.id, user_id, method.public_id, "balance", on, _FROM)
        schedule_payment.plan(scene.house, wish)
