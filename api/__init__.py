"""The programs' face: the JSON API under ``/api/v1``, and what the payment processor tells us."""

from flask import Blueprint

from api.carts import carts
from api.checkout import checkout
from api.desk_services import desk_services
from api.openapi import description
from api.orders import orders
from api.products import products
from api.services import services
from api.webhooks import webhooks


def blueprints() -> list[Blueprint]:
    """The face's blueprints, for the roof to register."""
    return [
        products,
        carts,
        checkout,
        orders,
        services,
        desk_services,
        description,
        webhooks,
    ]
