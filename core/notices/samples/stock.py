"""Letters about stock, one of each."""

from core.notices.letters import Letter, Letterhead
from core.notices.stock_letters import BackInStock, LowStock, WaitAsked

_LINK = "https://shop.fernway.example/w/5f0c/1b2c"


def of(head: Letterhead) -> dict[str, Letter]:
    return {
        "wait-asked": WaitAsked(head, "", _LINK, "Porch camera"),
        "back-in-stock": BackInStock(
            head, "", _LINK, "Porch camera", "Tuesday, November 17, 17:30"
        ),
        "low-stock": LowStock(head, "", _LINK, "Porch camera", "FW-CAM-1", "Harbor Lane", 3, 5),
    }
