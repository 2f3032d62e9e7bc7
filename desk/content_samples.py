"""What the component sheet shows of pages: one block of each kind, nothing from the database."""

from types import SimpleNamespace as Sample
from typing import Any

from cms_content import blocks
from cms_content.media import Picture
from core.kernel.money import Money
from web.content import words

_PICTURE = Picture("", 640, 480, drawn="img/scenes/counter.svg")


def context() -> dict[str, Any]:
    """All that the sheet's part on blocks asks for."""
    price, later = Money(12900, "USD"), Money(4500, "USD")
    return {
        "block": {
            "hero": blocks.Hero(
                title="Spring at the river", lede="A line that holds when it rains."
            ),
            "text": blocks.Words(),
            "picture": blocks.PictureBlock(caption="The counter in Ferry Street"),
            "video": blocks.Video(title="How a line is laid", href="https://video.example/line"),
            "prices": blocks.Prices(title="One speed to look at"),
            "offer": blocks.Offer(title="All at once"),
            "feature": blocks.Feature(title="Burrow", lede="Your files, safe underground."),
            "faq": blocks.Faq(title="What people ask"),
            "testimonial": blocks.Testimonial(
                quote="It was working before the kettle boiled.",
                who="Mara Hollis",
                what="Tarnbrook",
            ),
            "badges": blocks.Badges(
                title="What you can count on",
                items=(blocks.Badge(title="Held while you decide", text="For half an hour."),),
            ),
            "products": blocks.Products(title="On the shelf"),
        },
        "block_picture": _PICTURE,
        "block_words": words("Running text with **weight** and [a way on](/c/all)."),
        "block_questions": [
            ("What does it cost?", words("What the page says, and *nothing* more."))
        ],
        "block_columns": [
            Sample(
                name="River 100",
                figure="100",
                unit="Mb",
                note="20 Mb up",
                points=("A film in every room",),
                price=later,
                per="a month",
                href="#blocks",
            )
        ],
        "block_offer": {
            "parts": [],
            "pictures": ["img/products/router.svg"],
            "due_now": price,
            "again": [(later, "month", "River 100")],
            "saving": "You keep $20.00",
            "name": "Canopy",
            "text": "One router for the whole house.",
            "href": "#blocks",
            "sku": "CAN-1",
            "available": False,
            "tax_word": "before tax",
        },
    }
