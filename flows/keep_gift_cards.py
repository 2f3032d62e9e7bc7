"""What the desk does with gift cards: an unused one goes back to the buyer's money, a lost one is voided."""

from sqlalchemy.orm import Session

from core.kernel import audit, crash
from core.kernel.clock import local_date
from core.kernel.money import Money
from core.ledger import gift_cards
from core.ledger.tender_models import GiftCard
from core.parties.models import LegalEntity
from flows.give_back import Back, give_back
from flows.house import House


def refund_unused(house: House, public_id: str, actor: str) -> None:
    """End an unused card and give its worth back as the order that bought it was paid, cards first.

    Raises NotFound, GiftCardUsed, GiftCardInUse, StaleState, RefundTooMuch, or a GatewayError; asked again
    it goes on from there.
    """
    card = house.db.run_tx(lambda session: _take_back(session, house, public_id, actor))
    crash.point("gift_card.taken_back")
    give_back(
        house,
        Back(
            order_id=card.order_id,
            amount=Money(card.worth_minor, card.currency),
            key=f"gift-card-{card.id.hex}",
            reason="gift_card_returned",
            from_sources=(card.id,),
            actor=actor,
        ),
    )


def _take_back(session: Session, house: House, public_id: str, actor: str) -> GiftCard:
    card = gift_cards.by_public_id(session, public_id).card
    if not gift_cards.was_returned(session, card.id):
        now = house.clock.now()
        entity = session.get_one(LegalEntity, card.legal_entity_id)
        gift_cards.take_back(session, card.id, local_date(now, entity.time_zone), now)
        audit.write(session, now, actor, "gift_card.returned", ("gift_card", public_id))
    return card


def void(house: House, public_id: str, reason: str, actor: str, *, forfeit: bool) -> None:
    """End a card, with a reason: what is left becomes its buyer's credit, or nobody's.

    Raises NotFound, GiftCardInUse, StaleState.
    """

    def write(session: Session) -> None:
        now, card = house.clock.now(), gift_cards.by_public_id(session, public_id).card
        entity = session.get_one(LegalEntity, card.legal_entity_id)
        today = local_date(now, entity.time_zone)
        gift_cards.void(session, card.id, reason, today, now, forfeit=forfeit)
        subject = ("gift_card", public_id)
        audit.write(session, now, actor, "gift_card.voided", subject, reason=reason)

    house.db.run_tx(write)
