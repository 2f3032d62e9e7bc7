"""What happened at Fernway's in the months before the demo opened.

Everything comes about in the real flows, at its own hour, and the nights in between bill, state, remind and
end what they would have. Each act may be asked for again and is done once, so that a seed that was
interrupted goes on where it stopped.

Bill days are kept in step: what was connected on yesterday's day of an earlier month is billed with last
night, so that there are runs to compare.
"""

from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.demo.fernway import shop
from app.demo.fernway.buying import BillsPaid, Ordered, Transferred
from app.demo.fernway.carded import AutoPayOn, CardKept, PaymentPlanned
from app.demo.fernway.charged_back import CHARGED_BACK
from app.demo.fernway.corrections import Credited, Drafted
from app.demo.fernway.disputes import DISPUTED
from app.demo.fernway.fetched import FETCHED
from app.demo.fernway.late import LATE
from app.demo.fernway.people import (
    ABEL,
    ALMA,
    BRAM,
    CORA,
    DESK,
    DORA,
    HANNE,
    IMKE,
    IVO,
    JONNA,
    JORY,
    JUNO,
    LENA,
    MARA,
    NELL,
    OTIS,
    PELL,
    PIET,
    ROSA,
    SANNA,
    SILAS,
    TESSA,
    VERA,
    WREN,
    place,
)
from app.demo.fernway.quoted import (
    QuoteAccepted,
    QuoteAsked,
    QuoteDeclined,
    QuoteMade,
    QuoteTalked,
)
from app.demo.fernway.scene import Act, Ago
from app.demo.fernway.sending import SENT
from app.demo.fernway.sent import (
    Screened,
)
from app.demo.fernway.served import Changed, Connected, Foreseen, Left, PaidBy, Rested, Used
from app.demo.fernway.shop import ZONE
from app.demo.fernway.trials import CARD_CODE, FREE_CODE, NO_CARD_CODE
from app.demo.fernway.tried import Called, Stopped, Tried
from cart.quotes.offer import Discount
from cart.quotes.wanting import Wanted
from core.kernel.money import to_micros

#: The history begins so many days before the seed: four months and some days.
DAYS = 135

_YARD = place("The yard", "2 Quay Street", "555-0169")
_SHED = place("The winter shed", "Lock Road, gate 3", "555-0169")
_MARKET = place("The bakery", "10 Market Square", "555-0144")
_MILL = place("The mill", "1 Mill Lane", "555-0145")
_STALL = place("The stall at the station", "Station Terrace", "555-0146")


def _line(micros: str, site: int = 0, months: int | None = None) -> Wanted:
    return Wanted(sku="BIZ-100", price_micros=to_micros(micros), term_months=months, site=site)


#: Terms are fourteen days and then the next business day: what was ordered eighteen days ago or earlier is
#: overdue, and what was ordered within the last two weeks is not due yet.
_BOUGHT: tuple[Act, ...] = (
    Ordered(Ago(27, "12:05"), NELL, {"KNOCK-1": 1, "CHIME-1": 1}, by="card"),
    Ordered(Ago(33, "08:41"), OTIS, {"CAN-SAT": 1, "CAB-5": 2}),
    Credited(
        Ago(1, "17:10"),
        OTIS,
        "CAB-5",
        1000,
        "returned",
        "One cable kit came back unopened. Thank you.",
    ),
    Ordered(Ago(11, "20:15"), ROSA, {"LOOK-2": 2}, by="card"),
    Drafted(
        Ago(4, "15:20"),
        OTIS,
        (
            ("Moving the socket in the workshop", "1.5", "48.00", "service"),
            ("Cable along the beam, by the meter", "24", "0.85", "device"),
            ("A courtesy for the second visit", "1", "-15.00", "service"),
        ),
    ),
    Ordered(Ago(1, "13:36"), NELL, {"EMB-1": 2, "CAB-15": 1}, by="card"),
    Ordered(Ago(1, "14:20"), OTIS, {"GIFT-50": 1}, by="card"),
    # This morning, where the demo opens later than that.
    Ordered(Ago(0, "06:52"), ROSA, {"DEW-1": 2, "CAB-5": 1}, by="card"),
)

_MARAS: tuple[Act, ...] = (
    Ordered(Ago(5, "10:12", months=4), MARA, {"CAN-100": 1, "VIS-INST": 1, "STR-18": 1}),
    Connected(Ago(1, "10:40", months=4), MARA, "STR-18"),
    BillsPaid(Ago(116, "19:20"), MARA),
    Ordered(Ago(5, "17:31", months=3), MARA, {"TEL-1": 1}),
    Connected(Ago(1, "09:15", months=3), MARA, "TEL-1"),
    BillsPaid(Ago(82, "18:02"), MARA),
    BillsPaid(Ago(52, "20:44"), MARA),
    Changed(Ago(47, "21:08"), MARA, "STR-18", "RIV-100"),
    Rested(Ago(27, "07:50"), MARA, "STR-18", 9, "A week and a half at my sister’s"),
    BillsPaid(Ago(20, "19:36"), MARA),
    Tried(Ago(24, "21:17"), MARA, CARD_CODE),
    Ordered(Ago(9, "18:47"), MARA, {"LOOK-1": 1}),
    Ordered(Ago(2, "09:28"), MARA, {"HAND-1": 1}),
)

_SERVED: tuple[Act, ...] = (
    # Otis: a line at home that will be a smaller one, and Burrow in the small size.
    Tried(Ago(1, "20:02", months=3), OTIS, FREE_CODE),
    Used(Ago(75, "04:00"), OTIS, "BUR-0", "otis-1", "41"),
    Used(Ago(45, "04:00"), OTIS, "BUR-0", "otis-2", "160"),
    Used(Ago(22, "04:00"), OTIS, "BUR-0", "otis-late", "130", late=46),
    Used(Ago(21, "04:00"), OTIS, "BUR-0", "otis-2-again", "61", corrects="otis-2"),
    Used(Ago(10, "04:00"), OTIS, "BUR-0", "otis-3", "64.2"),
    Used(Ago(0, "04:00"), OTIS, "BUR-0", "otis-4", "64.9"),
    Ordered(Ago(18, "16:30"), OTIS, {"RIV-100": 1, "VIS-REP": 1}),
    Connected(Ago(14, "11:30"), OTIS, "RIV-100"),
    Changed(Ago(3, "22:14"), OTIS, "RIV-100", "STR-18", at_period_end=True),
    BillsPaid(Ago(50, "17:03"), OTIS),
    BillsPaid(Ago(19, "17:41"), OTIS),
    # The boat yard: its line is its own, and Otis pays for it.
    Ordered(Ago(8, "08:10", months=3), TESSA, {"BIZ-100": 1, "SWI-8": 1}),
    Connected(Ago(1, "08:30", months=3), TESSA, "BIZ-100"),
    Transferred(Ago(86, "10:05"), TESSA),
    PaidBy(Ago(80, "09:44"), TESSA, "BIZ-100", OTIS),
    # A year ahead; on the way out; a bundle, connected yesterday; one that waits for the fitter.
    Ordered(Ago(44, "19:12"), SILAS, {"BRK-6-Y": 1}, by="card"),
    Connected(Ago(40, "14:05"), SILAS, "BRK-6-Y"),
    Ordered(Ago(56, "11:48"), HANNE, {"STR-18": 1}),
    Connected(Ago(51, "10:10"), HANNE, "STR-18"),
    Transferred(Ago(41, "09:30"), HANNE),
    Transferred(Ago(10, "09:31"), HANNE),
    Left(
        Ago(5, "15:02"), HANNE, "STR-18", "moving", "To Alderford in spring; will call from there"
    ),
    Ordered(Ago(5, "20:31"), SANNA, {"RIV-HOME": 1}, by="card"),
    Connected(Ago(1, "10:55"), SANNA, "RIV-100"),
    Ordered(Ago(2, "12:17"), JORY, {"STR-18": 1, "VIS-INST": 1, "CAN-100": 1}),
)

_TRIED: tuple[Act, ...] = (
    Tried(Ago(5, "19:05"), JUNO, NO_CARD_CODE),
    Tried(Ago(10, "13:22"), IVO, NO_CARD_CODE),
    Called(
        Ago(5, "11:10"),
        IVO,
        "reached",
        "Likes it. Asks what happens to the key when he moves house",
    ),
    Tried(Ago(12, "09:47"), BRAM, FREE_CODE),
    Used(Ago(3, "04:00"), BRAM, "BUR-0", "bram-1", "4.3"),
    Tried(Ago(41, "18:33"), CORA, CARD_CODE),
    Tried(Ago(50, "21:40"), PIET, CARD_CODE),
    Stopped(Ago(38, "08:15"), PIET),
    Tried(Ago(45, "16:20"), WREN, NO_CARD_CODE),
    Called(Ago(40, "10:40"), WREN, "no_answer", ""),
    Called(Ago(35, "17:25"), WREN, "reached", "Wants to think about it"),
    Called(Ago(24, "10:15"), WREN, "not_wanted", "Copies to a disk at her brother’s"),
    # A reading in kilobytes where gigabytes were meant: last night's bill was absurd and waits.
    Tried(Ago(1, "15:15", months=2), LENA, FREE_CODE),
    Used(Ago(45, "04:00"), LENA, "BUR-0", "lena-1", "6.2"),
    Used(Ago(8, "04:00"), LENA, "BUR-0", "lena-2", "8400000"),
)

_QUOTED: tuple[Act, ...] = (
    QuoteAsked(
        Ago(12, "11:26"),
        OTIS,
        "Fell Boat Yard",
        "BIZ-100",
        "A line in the yard is there; we want one more in each of these, and no calls at night.",
        (_YARD, _SHED),
    ),
    QuoteMade(Ago(10, "09:30"), OTIS, (_line("149.00"), _line("149.00", 1)), (_YARD, _SHED)),
    QuoteTalked(
        Ago(8, "20:11"), OTIS, "Would a year each make a difference? And the shed needs a switch."
    ),
    QuoteTalked(
        Ago(7, "10:02"),
        OTIS,
        "It does: 139 a month for twelve months. I put the switch in at the old price.",
        DESK,
    ),
    QuoteMade(
        Ago(6, "09:50"),
        OTIS,
        (
            _line("139.00", months=12),
            _line("139.00", 1, 12),
            Wanted(sku="SWI-8", price_micros=to_micros("64.00"), site=1),
        ),
        (_YARD, _SHED),
        note="Both lines on the same day; we bring the switch.",
        is_next=True,
    ),
    QuoteAsked(
        Ago(1, "16:10"),
        IMKE,
        "Hale Veterinary Practice",
        "BIZ-100",
        "The line must not fail while we operate. What happens when the power does?",
        (IMKE.address,),
    ),
    QuoteAsked(
        Ago(4, "12:40"),
        ALMA,
        "Tarnbrook School",
        "BIZ-100",
        "One line for the school and one for the gym, for two years.",
        (ALMA.address,),
        2,
    ),
    QuoteMade(
        Ago(1, "11:20"),
        ALMA,
        (Wanted(sku="BIZ-100", quantity=2, term_months=24), Wanted(sku="VIS-INST")),
        (ALMA.address,),
        discount=Discount(150_000, 0, "Schools pay less, and two years are agreed"),
        why="The same as we gave the school in Alderford.",
        is_sent=False,
    ),
    QuoteAsked(
        Ago(46, "08:05"),
        JONNA,
        "Weir Bakery",
        "BIZ-100",
        "Three places, one bill. We open at four, so come after ten.",
        (_MARKET, _MILL, _STALL),
    ),
    QuoteMade(
        Ago(44, "14:10"),
        JONNA,
        tuple(_line("129.00", site, 24) for site in range(3)),
        (_MARKET, _MILL, _STALL),
        why="Three lines for two years.",
        answer="Fine. Not below 129.",
    ),
    QuoteAccepted(Ago(41, "10:30"), JONNA, "Owner"),
    Connected(Ago(34, "11:00"), JONNA, "BIZ-100", "10 Market Square"),
    Connected(Ago(31, "13:20"), JONNA, "BIZ-100", "1 Mill Lane"),
    Transferred(Ago(29, "09:12"), JONNA),
    QuoteAsked(
        Ago(32, "17:55"),
        PELL,
        "Kiln Pottery",
        "KEEP-1",
        "For the kiln controller. Three of them, please.",
        (PELL.address,),
        3,
    ),
    QuoteMade(
        Ago(30, "10:25"),
        PELL,
        (Wanted(sku="KEEP-1", quantity=3, price_micros=to_micros("112.00")),),
        (PELL.address,),
    ),
    QuoteDeclined(Ago(24, "12:09"), PELL, "price", "We found them used for half of it."),
    QuoteAsked(
        Ago(53, "15:44"),
        DORA,
        "Riverside Camping",
        "CAN-SAT",
        "Wi-Fi for the meadow, eight poles.",
        (DORA.address,),
        8,
    ),
    QuoteMade(
        Ago(50, "11:05"),
        DORA,
        (Wanted(sku="CAN-SAT", quantity=8, price_micros=to_micros("84.00")),),
        (DORA.address,),
        valid_days=14,
    ),
)

#: Mara's second card is good until the end of the month in which the demo opens.
_CARDED: tuple[Act, ...] = (
    CardKept(Ago(3, "20:26"), MARA),
    PaymentPlanned(Ago(1, "20:31"), MARA, 6),
    # AutoPay that pays each month.
    Ordered(Ago(64, "18:20"), VERA, {"STR-18": 1, "CAN-100": 1}),
    Connected(Ago(60, "09:50"), VERA, "STR-18"),
    CardKept(Ago(58, "19:14"), VERA),
    AutoPayOn(Ago(58, "19:31"), VERA),
    # AutoPay whose card is declined; it is tried again by the schedule.
    Ordered(Ago(28, "12:44"), ABEL, {"STR-18": 1, "VIS-INST": 1}),
    Connected(Ago(24, "15:15"), ABEL, "STR-18"),
    CardKept(Ago(7, "21:02"), ABEL),
    AutoPayOn(Ago(7, "21:20"), ABEL),
)

#: The exchange sets one address by itself, and leaves eight of them to a person.
_PROVISIONED: tuple[Act, ...] = (
    Ordered(Ago(9, "19:22"), HANNE, {"ADDR-1": 1}, by="card"),
    Ordered(Ago(1, "14:08"), SILAS, {"ADDR-8": 1}, by="card"),
)

#: A large order by a guest: somebody looks at it before it goes out.
_HELD: tuple[Act, ...] = (
    Screened(Ago(1, "16:45"), 75_000),
    Ordered(Ago(1, "17:38"), ROSA, {"KEEP-1": 4, "SWI-8": 6}, by="card"),
)

_LOOKED: tuple[Act, ...] = (Foreseen(Ago(1, "16:42"), 30),)
_ALL: tuple[Act, ...] = (
    *_BOUGHT,
    *_MARAS,
    *_SERVED,
    *_TRIED,
    *_QUOTED,
    *SENT,
    *FETCHED,
    *_PROVISIONED,
    *_CARDED,
    *DISPUTED,
    *CHARGED_BACK,
    *LATE,
    *_HELD,
    *_LOOKED,
)


def opens_on(began: datetime) -> date:
    """The day on which the demo opens whose history began at that moment."""
    return (began + timedelta(days=DAYS)).astimezone(ZoneInfo(ZONE)).date()


def acts(began: datetime) -> list[tuple[datetime, Act]]:
    """Everything that happened, with its moment, the earliest first."""
    opens = opens_on(began)
    return sorted(((act.when.moment(opens), act) for act in _ALL), key=lambda one: one[0])


def sold() -> dict[str, int]:
    """How many of each SKU the history takes from the shelves."""
    pieces: Counter[str] = Counter()
    for act in _ALL:
        if isinstance(act, Ordered):
            for sku, quantity in act.pieces.items():
                for piece, count in shop.pieces_of(sku).items():
                    pieces[piece] += count * quantity
    return dict(pieces)
