"""What a shopper chose to pay with before the card: gift cards and credit, kept on the cart.

A gift card stands here by its public id, so no code is kept. Called by the checkout page.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from cart import lines
from cart.models import Cart

#: More cards than this are not put together at one checkout.
MOST_CARDS = 10


@dataclass(frozen=True)
class Chosen:
    """Gift cards by their public ids, in the order in which they were given; and the own credit."""

    gift_cards: tuple[str, ...] = ()
    use_credit: bool = False

    @property
    def anything(self) -> bool:
        """Is there anything that pays before the card?"""
        return self.use_credit or bool(self.gift_cards)


def chosen(cart: Cart) -> Chosen:
    """What is kept on the cart."""
    kept = cart.paying or {}
    return Chosen(tuple(kept.get("gift_cards", ())), bool(kept.get("use_credit", False)))


def choose(session: Session, cart_public_id: str, wanted: Chosen) -> None:
    """Keep it on the cart."""
    cart = lines.lock(session, cart_public_id)
    kept = {"gift_cards": list(wanted.gift_cards[:MOST_CARDS]), "use_credit": wanted.use_credit}
    cart.paying = kept if wanted.anything else None
    session.flush()
