"""The home page of a shop that has not written one yet: its shelves, its first bundle, what it promises."""

from collections.abc import Sequence
from typing import Any

from core.parties.models import Channel
from flows.browse import Shown
from web import packs
from web.cards import card

_SHELF = 8


def contents(channel: Channel, products: Sequence[Shown]) -> dict[str, Any]:
    """Everything that the template asks for."""
    goods = [item for item in products if item.offers[0].variant.kind == "physical"]
    return {
        "bundle": _bundle(channel, products),
        "shelf": [card(item) for item in (goods or list(products))[:_SHELF]],
        "shelf_count": len(products),
    }


def _bundle(channel: Channel, products: Sequence[Shown]) -> dict[str, Any] | None:
    """The first bundle that can be had."""
    for item in products:
        offer = item.offers[0]
        if offer.bundle is not None and offer.available:
            return {
                **packs.contents(offer.bundle),
                "name": item.product.name,
                "text": item.product.summary,
                "href": f"/p/{item.product.slug}",
                "sku": offer.variant.sku,
                "available": True,
                "tax_word": "tax included" if channel.prices_include_tax else "before tax",
            }
    return None
