"""What stands on the home page: words of the channel's brand, plans and the first things on the shelf."""

from collections.abc import Sequence
from typing import Any

from core.parties.models import Channel
from flows.browse import Shown
from storefront import packs, shown

_SHELF = 8


def contents(channel: Channel, products: Sequence[Shown]) -> dict[str, Any]:
    """Everything that the home page's template asks for."""
    brand = channel.brand
    plans = [item for item in products if _fact(item, brand, "speed")]
    goods = [item for item in products if item.offers[0].variant.kind == "physical"]
    return {
        "hero": {
            "title": brand.get("hero_title", channel.name),
            "lede": brand.get("hero_lede", ""),
            "picture": "img/scenes/hero.svg",
        },
        "plans": [_plan(item, brand) for item in plans],
        "plans_note": brand.get("plans_note", ""),
        "bundle": _bundle(channel, products),
        "shelf": [shown.card(item) for item in goods[:_SHELF]],
        "shelf_count": len(products),
        "shelf_href": "/c/all",
        "feature": brand.get("feature"),
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
                "tax_word": "tax included" if channel.prices_include_tax else "before tax",
            }
    return None


def _fact(item: Shown, brand: dict[str, Any], name: str) -> Any:
    return brand.get("plans", {}).get(item.product.slug, {}).get(name)


def _plan(item: Shown, brand: dict[str, Any]) -> dict[str, Any]:
    price = item.offers[0].price
    return {
        "name": item.product.name.rstrip(" 0123456789"),
        "speed": _fact(item, brand, "speed"),
        "unit": _fact(item, brand, "unit") or "Mb",
        "upload": _fact(item, brand, "upload") or "",
        "points": _fact(item, brand, "points") or [],
        "price": price.unit_price,
        "per": "a month",
        "href": f"/p/{item.product.slug}",
    }
