"""What goes out of Fernway's orders, comes back, and is changed before it left."""

from app.demo.fernway.people import MARA, NELL, OTIS, ROSA, SANNA, TESSA
from app.demo.fernway.scene import Act, Ago
from app.demo.fernway.sent import Arrived, Cancelled, ReturnAsked, Returned, Sent, Swapped, Visited

#: What was ordered goes out on the next day, mostly; what was ordered yesterday still waits.
SENT: tuple[Act, ...] = (
    Sent(Ago(4, "10:31", months=4), MARA, "UPS", "1Z4F07A20391774410"),
    Visited(Ago(1, "10:52", months=4), MARA),
    Sent(Ago(7, "09:44", months=3), TESSA, "UPS", "1Z4F07A20391802216"),
    Sent(Ago(32, "11:02"), OTIS, "USPS", "9400136206213391775528"),
    Arrived(Ago(29, "14:12"), OTIS),
    Sent(Ago(26, "10:15"), NELL, "UPS", "1Z4F07A20391866107"),
    Arrived(Ago(24, "11:37"), NELL),
    Returned(
        Ago(15, "16:05"), NELL, {"CHIME-1": 1}, "changed_mind", "Unopened; the bell is loud enough"
    ),
    Visited(Ago(14, "11:46"), OTIS),
    Sent(Ago(10, "14:03"), ROSA, "USPS", "9400136206213391778840", {"LOOK-2": 1}),
    Sent(Ago(8, "09:41"), MARA, "UPS", "1Z4F07A20391913390"),
    Sent(Ago(4, "11:20"), SANNA, "UPS", "1Z4F07A20391930418"),
    Visited(Ago(1, "11:12"), SANNA),
    Returned(
        Ago(2, "18:22"),
        MARA,
        {"LOOK-1": 1},
        "not_as_described",
        "Sees the street, not the door",
        is_here=False,
    ),
    ReturnAsked(
        Ago(1, "20:12"),
        ROSA,
        {"LOOK-2": 1},
        "damaged",
        "The glass has a crack; I have a picture.",
        {"LOOK-2": "LOOK-2"},
    ),
    Sent(Ago(1, "10:06"), MARA, "DHL", "3318804192"),
    Cancelled(Ago(1, "15:31"), NELL, {"EMB-1": 1}, "ordered_twice", "One plug is enough"),
    Swapped(Ago(0, "06:58"), NELL, {"CAB-15": "CAB-5"}, "Measured again: the short cable will do"),
)
