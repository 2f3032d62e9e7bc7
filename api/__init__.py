"""The programs' face: the JSON API under ``/api/v1``, and what the payment processor tells us."""

from flask import Blueprint

from api.carts import carts
from api.checkout import checkout
from api.openapi import description
from api.orders import orders
from api.products import products
from api.webhooks import webhooks


def blueprints() -> list[Blueprint]:
    """The face's blueprints, for the roof to register."""
    return [products, carts, checkout, orders, description, webhooks]
