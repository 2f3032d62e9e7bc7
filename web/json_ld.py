"""What programs read on a page: products with price and availability as JSON-LD, in a block of data.

A browser runs nothing of a script whose type is no script's, so our policy lets it stand. What is written
into it cannot end it: every sign that HTML knows is escaped.
"""

import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from cms_content.media import Picture
from core.catalog.products import ProductDetail
from flows.browse import Offer, Shown
from web.context import channel, web_settings
from web.filters import static_address

_ESCAPED = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


def written(data: dict[str, Any]) -> Markup:
    """A block of data for the head of a page."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for sign, escaped in _ESCAPED.items():
        text = text.replace(sign, escaped)
    return Markup('<script type="application/ld+json">{}</script>').format(Markup(text))  # noqa: S704


def product(detail: ProductDetail, shown: Shown, pictures: Sequence[Picture]) -> Markup:
    """One product with what is offered of it, at the price and availability of this moment."""
    base, listed = web_settings().base_url, shown.product
    return written(
        {
            "@context": "https://schema.org",
            "@type": "Product",
            "name": listed.name,
            "description": detail.description or listed.summary,
            "image": [f"{base}{one.largest or static_address(one.drawn)}" for one in pictures],
            "sku": shown.offers[0].variant.sku,
            "category": detail.category_name or "",
            "brand": {"@type": "Brand", "name": channel()[0].name},
            "offers": _offers(shown.offers, f"{base}/p/{listed.slug}"),
        }
    )


def _offers(offers: Sequence[Offer], url: str) -> list[dict[str, Any]]:
    return [
        {
            "@type": "Offer",
            "url": url,
            "sku": offer.variant.sku,
            "price": str(offer.price.unit_price.decimal()),
            "priceCurrency": offer.price.unit_price.currency,
            "availability": f"https://schema.org/{_availability(offer)}",
        }
        for offer in offers
    ]


def _availability(offer: Offer) -> str:
    if offer.is_beyond and offer.outlook is not None:
        return "PreOrder" if offer.outlook.is_preorder else "BackOrder"
    return "InStock" if offer.available else "OutOfStock"
