"""The programs' face: the JSON API under ``/api/v1``, and what the payment processor tells us."""

from flask import Blueprint

from api.cards import cards
from api.carts import carts
from api.checkout import checkout
from api.checkout_terms import checkout_terms
from api.claims import claims
from api.consents import consents
from api.content import content
from api.desk_back_orders import desk_back_orders
from api.desk_billing import desk_billing
from api.desk_cards import desk_cards
from api.desk_changes import desk_changes
from api.desk_chargebacks import desk_chargebacks
from api.desk_checks import desk_checks
from api.desk_delivery import desk_delivery
from api.desk_disputes import desk_disputes
from api.desk_goods import desk_goods
from api.desk_hooks import desk_hooks
from api.desk_media import desk_media
from api.desk_numbers import desk_numbers
from api.desk_orders import desk_orders
from api.desk_pick_ups import desk_pick_ups
from api.desk_prices import desk_prices
from api.desk_products import desk_products
from api.desk_provisioning import desk_provisioning
from api.desk_quotes import desk_quotes
from api.desk_services import desk_services
from api.desk_stock import desk_stock
from api.desk_transfers import desk_transfers
from api.desk_trials import desk_trials
from api.disputes import disputes
from api.numbers import numbers
from api.openapi import description
from api.orders import orders
from api.past_due import desk_past_due, past_due
from api.products import products
from api.quotes import quotes
from api.scheduled import scheduled_payments
from api.services import services
from api.shared_carts import shared_carts
from api.stock_waits import stock_waits
from api.trials import trials
from api.webhooks import webhooks


def blueprints() -> list[Blueprint]:
    """The face's blueprints, for the roof to register."""
    return [
        products,
        carts,
        shared_carts,
        checkout,
        checkout_terms,
        desk_delivery,
        claims,
        consents,
        orders,
        content,
        services,
        trials,
        quotes,
        cards,
        scheduled_payments,
        desk_cards,
        disputes,
        desk_services,
        desk_quotes,
        desk_disputes,
        desk_chargebacks,
        desk_back_orders,
        desk_billing,
        desk_hooks,
        desk_media,
        desk_provisioning,
        desk_trials,
        past_due,
        desk_past_due,
        desk_orders,
        desk_pick_ups,
        desk_goods,
        desk_changes,
        desk_checks,
        desk_stock,
        desk_transfers,
        stock_waits,
        numbers,
        desk_numbers,
        desk_prices,
        desk_products,
        description,
        webhooks,
    ]
