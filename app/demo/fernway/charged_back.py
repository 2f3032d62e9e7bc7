"""Acts about chargebacks: a bank takes a payment back, the desk answers, the network decides."""

from dataclasses import dataclass

from sqlalchemy import select

from app.demo.fernway.people import BILLING_DESK, ROSA, SILAS, Person
from app.demo.fernway.scene import Act, Ago, Scene
from app.demo.fernway.till import chargeback_of
from core.orders.models import Order
from flows import answer_chargeback, hear_chargeback
from flows.answer_chargeback import Wish
from payments.chargebacks import ChargebackRow
from payments.models import Payment


@dataclass(frozen=True)
class ChargedBack:
    """The bank of somebody takes back what their first order cost."""

    when: Ago
    who: Person

    def happen(self, scene: Scene) -> None:
        """The processor tells of it."""
        scene.step("chargeback.opened", lambda: _hear(scene, self.who))


@dataclass(frozen=True)
class ChargebackAnswered:
    """The desk writes to the network, and lets it go."""

    when: Ago
    who: Person
    text: str

    def happen(self, scene: Scene) -> None:
        """As a draft first."""
        actor = scene.actor(BILLING_DESK)
        with scene.house.db.reading() as session:
            key = chargeback_of(_payment(scene, self.who))
            public_id = session.scalars(
                select(ChargebackRow.public_id).where(ChargebackRow.gateway_id == key)
            ).one()
        scene.step(
            "chargeback.evidence_kept",
            lambda: answer_chargeback.keep(scene.house, public_id, Wish(self.text), actor),
        )
        scene.step(
            "chargeback.evidence_sent",
            lambda: answer_chargeback.send(scene.house, public_id, actor),
        )


@dataclass(frozen=True)
class ChargebackWon:
    """The network has read it, and decides for the shop."""

    when: Ago
    who: Person

    def happen(self, scene: Scene) -> None:
        """The processor tells of it."""
        scene.step("chargeback.won", lambda: _hear(scene, self.who))


def _hear(scene: Scene, who: Person) -> None:
    assert hear_chargeback.hear(scene.house, chargeback_of(_payment(scene, who)))


def _payment(scene: Scene, who: Person) -> Payment:
    """What paid somebody's first order."""
    with scene.house.db.reading() as session:
        return session.scalars(
            select(Payment)
            .join(Order, Order.id == Payment.order_id)
            .where(Order.email == who.email)
            .order_by(Payment.captured_at)
            .limit(1)
        ).one()


#: One was answered and won, and one waits for an answer.
CHARGED_BACK: tuple[Act, ...] = (
    ChargedBack(Ago(30, "06:12"), SILAS),
    ChargebackAnswered(
        Ago(29, "11:05"),
        SILAS,
        "Mr Brandt ordered a year of his line on our pages and paid by card. Our fitter connected it four "
        "days later, and he signed for it. The line has carried his traffic on every day since; our log "
        "shows it. He had not written to us before he went to his bank.",
    ),
    ChargebackWon(Ago(16, "05:40"), SILAS),
    ChargedBack(Ago(2, "06:31"), ROSA),
)
