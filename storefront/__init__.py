"""The shop that people see: shelves, cart, checkout, and the way back from paying."""

from flask import Blueprint

from storefront import cart, checkout, gift_cards, orders, pages, payment, quote, shop


def blueprints() -> list[Blueprint]:
    """The face's blueprints, for the roof to register."""
    return [
        shop.shop,
        cart.cart,
        checkout.checkout,
        payment.payment,
        orders.orders,
        quote.quote,
        gift_cards.gift_cards,
        pages.pages,
    ]
