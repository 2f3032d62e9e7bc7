"""The shop that people see: shelves, cart, checkout, and the way back from paying."""

from flask import Blueprint

from storefront import (
    cart,
    checkout,
    claim,
    disputes,
    estimate,
    gift_cards,
    media,
    method,
    numbers,
    orders,
    pages,
    payment,
    quote,
    returns,
    seo,
    sharing,
    shop,
    trials,
    waiting,
)


def blueprints() -> list[Blueprint]:
    """The face's blueprints, for the roof to register."""
    return [
        shop.shop,
        cart.cart,
        estimate.estimate,
        sharing.shared,
        checkout.checkout,
        payment.payment,
        method.method,
        orders.orders,
        claim.claims,
        disputes.order_disputes,
        returns.returns,
        quote.quote,
        gift_cards.gift_cards,
        trials.trials,
        waiting.waiting,
        numbers.numbers,
        pages.pages,
        media.media_,
        seo.seo,
    ]
