"""What Fernway's customers disputed: one in each state.

Answered without a credit, taken back, talked about and late, credited and sent back to the card that paid,
waiting for a second person, and one of yesterday with a photo.
"""

from app.demo.fernway.disputed import (
    DisputeAnswered,
    Disputed,
    DisputeTakenBack,
    DisputeTalked,
)
from app.demo.fernway.people import MARA, NELL, OTIS, SILAS, SUPPORT_DESK
from app.demo.fernway.scene import Act, Ago

DISPUTED: tuple[Act, ...] = (
    Disputed(
        Ago(60, "18:20"),
        MARA,
        "VIS-INST",
        "courtesy",
        "The fitter came an hour late and I had taken the morning off.",
        1500,
    ),
    DisputeAnswered(
        Ago(57, "10:10"),
        MARA,
        0,
        "We are sorry about the wait. The visit was done in the agreed half day, so its price stands; "
        "we have told the fitters to call ahead.",
    ),
    Disputed(Ago(34, "19:41"), MARA, "TEL-1", "duplicate", "Is the number not part of the line?"),
    DisputeTakenBack(Ago(34, "19:58"), MARA),
    Disputed(
        Ago(22, "09:03"),
        NELL,
        "KNOCK-1",
        "overcharge",
        "Your shop window said 20 less on the day I ordered.",
        2000,
        "refund",
    ),
    DisputeAnswered(
        Ago(20, "14:25"),
        NELL,
        2000,
        "You are right: the sale had begun on that day. The 20.00 goes back to your card.",
    ),
    Disputed(
        Ago(13, "20:36"),
        OTIS,
        "CAN-SAT",
        "overcharge",
        "The box was opened before, so I want the price of a used one.",
        3000,
    ),
    DisputeTalked(
        Ago(12, "10:15"),
        OTIS,
        "Could you send us a photo of the seal, and of the number on its back?",
        SUPPORT_DESK,
    ),
    DisputeTalked(
        Ago(11, "21:40"),
        OTIS,
        "The seal is gone, I threw the foil away. The number ends in 7-3310.",
    ),
    Disputed(
        Ago(4, "17:12"),
        SILAS,
        "BRK-6-Y",
        "not_received",
        "No connection for five weeks of the year I have paid for, whatever the fitter says.",
        11000,
        "refund",
    ),
    DisputeAnswered(
        Ago(2, "11:35"),
        SILAS,
        11000,
        "Our log shows the same five weeks, and more that were bad. We credit 110.00.",
        waits=True,
    ),
    Disputed(
        Ago(1, "17:36"),
        MARA,
        "HAND-1",
        "not_received",
        "It came like this. The handset does not light up.",
        with_picture=True,
    ),
)
