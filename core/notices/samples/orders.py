"""One mail of each kind about a placed order, what is past due, and to the desk, as Fernway writes it."""

from dataclasses import replace
from datetime import date

from core.notices.hook_letters import HookOffLetter
from core.notices.letters import Letter
from core.notices.order_letters import (
    AllWellLetter,
    ApprovedLetter,
    BackOrderLetter,
    CollectedLetter,
    DeliveredLetter,
    OrderChangeLetter,
    Parcel,
    ParcelLetter,
    PayLinkLetter,
    ReadyLetter,
    Spot,
)
from core.notices.past_due_letters import PastDueLetter
from core.notices.samples.everyday import HEAD, LINK, TODAY, usd

TRACKING = "https://www.ups.com/track?tracknum=1Z999AA10123456784"
PARCEL = ParcelLetter(
    HEAD,
    "Riley",
    LINK,
    "O-10001",
    TODAY,
    Parcel("UPS", "1Z999AA10123456784", TRACKING, ("Wi-Fi 6 router × 2",)),
    ("Porch camera",),
    ("Riley Moreno", "4 Chestnut Row", "Marrow Bay, OH 44001"),
)
DELIVERED = DeliveredLetter(HEAD, "Riley", LINK, "O-10001", TODAY, PARCEL.parcel, PARCEL.following)
BACK_ORDER = BackOrderLetter(
    HEAD, "Riley", LINK, "O-10001", ("Wi-Fi 6 router × 2",), ("Porch camera",)
)
READY = ReadyLetter(
    HEAD,
    "Riley",
    LINK,
    "O-10001",
    ("Wi-Fi 6 router × 2",),
    Spot("Harbor Lane", "12 Harbor Lane, Marrow Bay, OH 44001", "Monday to Friday, 8 to 18"),
    ("Porch camera",),
)
CHANGE = OrderChangeLetter(
    HEAD,
    "Riley",
    LINK,
    "received",
    "O-10001",
    "O-10001-R1",
    TODAY,
    ("Wi-Fi 6 router",),
    usd(13739),
    "back",
    False,
    ("Fernway Broadband", "12 Harbor Lane"),
)
ALL: dict[str, Letter] = {
    "parcel": PARCEL,
    "parcel-bare": replace(PARCEL, name="", following=(), parcel=Parcel("", "", "", ("A lamp",))),
    "approved": ApprovedLetter(HEAD, "Riley", LINK, "O-10001", ("Wi-Fi 6 router × 2",)),
    "delivered": DELIVERED,
    "delivered-bare": replace(
        DELIVERED, name="", following=(), parcel=Parcel("", "", "", ("A lamp",))
    ),
    "back-order": BACK_ORDER,
    "back-order-bare": replace(BACK_ORDER, name="", following=(), is_fetched=True),
    "ready": READY,
    "ready-bare": replace(READY, name="", following=(), spot=Spot("Harbor Lane")),
    "collected": CollectedLetter(
        HEAD, "Riley", LINK, "O-10001", TODAY, READY.pieces, READY.spot, READY.following
    ),
    "all-well": AllWellLetter(HEAD, "Riley", LINK, "O-10001", ("Wi-Fi 6 router × 2",)),
    "received": CHANGE,
    "kept": replace(CHANGE, goes="kept"),
    "announced": replace(CHANGE, how="announced", goes=""),
    "changed": replace(
        CHANGE, how="changed", goes="more", pieces=("Wi-Fi 6 router",), added=("Mesh point × 2",)
    ),
    "exchange": replace(
        CHANGE, how="announced", goes="", added=("Wi-Fi 6 router, black",), sends="after"
    ),
    "exchanged": replace(CHANGE, goes="", added=("Wi-Fi 6 router, black",), sends="after"),
    "withdrawn": replace(CHANGE, how="withdrawn", goes=""),
    "cancelled": replace(CHANGE, how="cancelled", goes="owed", whole=True),
    "pay-link": PayLinkLetter(
        HEAD, "Riley", LINK, usd(9672), date(2026, 11, 18), ("Wi-Fi 6 router",)
    ),
}
PAST_DUE = PastDueLetter(
    HEAD,
    "Riley",
    LINK,
    "first",
    "204187751",
    usd(5352),
    date(2026, 11, 2),
    (),
    ("Stream 18",),
    date(2026, 12, 2),
)
#: What is not about one order.
OTHERS: dict[str, Letter] = {
    "past-due": PAST_DUE,
    "hook-off": HookOffLetter(
        HEAD,
        "",
        "http://localhost:8000/desk/webhooks/4ff20c2d8f2b4c3f9a0d5b1c7e6a9d31",
        "Warehouse",
        "https://warehouse.example.com/hooks",
        "503 Service Unavailable",
        5,
    ),
}
