"""What the component sheet shows of services, trials, tokens and quotes: nothing from the database."""

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace as Sample
from typing import Any

from cart.quotes import comparing
from cart.quotes.comparing import Cell, ComparedSum, Row
from core.kernel.money import Money
from core.parties.tokens import USER
from invoices.figures import figures
from web.documents import State
from web.tokens import form_for

MORNING = datetime(2026, 11, 3, 14, 10, tzinfo=UTC)
_PLACE = "The mill, 3 Weir Street"


def _usd(minor: int) -> Money:
    return Money(minor, "USD")


def _preview() -> Sample:
    """Another plan from today on, with a line that goes back."""
    said = [
        Sample(label="Sixteen of thirty-one days.", value="", is_sum=False),
        Sample(label="45.00 × 16 ÷ 31 = 23.2258, rounded", value="23.23", is_sum=False),
        Sample(label="What they cost", value="23.23", is_sum=True),
    ]
    back, new = _usd(-1497), _usd(2323)
    return Sample(
        lines=[
            Sample(name="Stream 18, given back", note="", days="", net=back, why=[]),
            Sample(name="River 100", note="", days="Nov 17 to Dec 2", net=new, why=said),
        ],
        taxes=[("Ohio, 6.5 %", _usd(54))],
        total=_usd(880),
        gives=None,
        due=_usd(880),
        to_pay=_usd(2377),
        back=_usd(1497),
        credit_used=_usd(0),
        parked="",
        new="River 100",
        is_today=True,
        on=date(2026, 11, 17),
        after=(_usd(4500), "a month"),
    )


def _service() -> Sample:
    rows = (
        (date(2026, 11, 17), None, "River 100", _usd(4500), ""),
        (date(2026, 8, 1), date(2026, 8, 20), "Rest", None, "Away for a while"),
        (date(2026, 3, 3), None, "Stream 18", _usd(2900), ""),
    )
    return Sample(
        name="River 100",
        place="8 Weir Cottages, Tarnbrook",
        price=_usd(4500),
        every="a month",
        state=State("go", "Running"),
        features=[
            Sample(name="Internet", state=State("go", "May be used")),
            Sample(name="Backup", state=State("bad", "Locked: a bill is late")),
        ],
        history=[
            Sample(on=on, until=until, what=what, price=price, note=note)
            for on, until, what, price, note in rows
        ],
        days=[
            Sample(on=date(2026, 11, 16), meter="Stored", said="7.5 GB"),
            Sample(on=date(2026, 11, 15), meter="Stored", said="6 GB"),
        ],
    )


def _trial_steps() -> list[Sample]:
    told = (
        ("Today, November 17", "It begins. Nothing is charged.", "now"),
        ("December 10", "We write to you what it will cost, and how to cancel.", ""),
        ("December 17", "Your card is charged $9.59, and each month from then on.", ""),
    )
    return [Sample(title=title, text=text, at=None, state=state) for title, text, state in told]


def _tokens() -> list[Sample]:
    return [
        Sample(
            name=name,
            beginning=f"cf_user_{beginning}",
            scopes=["See services, usage and trials", "See quotes"],
            made_at=MORNING,
            maker="Mara Hollis",
            last_used_on=used,
            expires_on=ends,
            state=state,
            revoke_href=href,
        )
        for name, beginning, used, ends, state, href in (
            ("Meter in the cellar", "x7Kq2", date(2026, 11, 16), None, State("go", "Works"), "#tokens"),
            ("Old phone", "Pm04a", None, date(2026, 10, 1), State("", "Ended"), ""),
        )
    ]  # fmt: skip


def _messages() -> list[Sample]:
    told = (
        ("Pat Rowan", False, ["Could you come in March?", "The depot has stairs."]),
        ("Ines Calder", True, ["We can, on the 9th."]),
    )
    return [Sample(author=who, ours=ours, at=MORNING, lines=said) for who, ours, said in told]


def _versions() -> dict[str, Any]:
    """Two versions of a quote: a line changed, one came, one went."""
    plan = Cell(Decimal(1), Decimal("149.00"), Decimal("149.00"), "For 24 months")
    visit, router = Decimal("60.00"), Decimal("129.00")
    before: list[Row] = [
        (_PLACE, "Business River", "BIZ-100", plan),
        (_PLACE, "Installation visit", "VIS-INST", Cell(Decimal(1), visit, visit)),
        (_PLACE, "Fixed address", "ADDR-1", Cell(Decimal(1), Decimal(4), Decimal(4))),
    ]
    after: list[Row] = [
        before[0],
        (_PLACE, "Installation visit", "VIS-INST", Cell(Decimal(2), visit, visit * 2)),
        (_PLACE, "Canopy mesh router", "CAN-100", Cell(Decimal(1), router, router)),
    ]
    sums = [Decimal(sum(row[3].amount for row in rows)) for rows in (before, after)]
    return {
        "before": Sample(number=1),
        "after": Sample(number=2),
        "lines": comparing.lines(before, after),
        "sums": [ComparedSum("Together", *sums)],
        "valid": (date(2026, 12, 1), date(2026, 12, 15)),
        "say": figures("USD", "en_US"),
    }


def _bundle() -> list[Sample]:
    """What is in a bundle, by itself and in it."""
    once = [
        ("Canopy mesh router", _usd(12900), _usd(6942)),
        ("Installation visit", _usd(6000), _usd(3228)),
    ]
    monthly = [("River 100", _usd(4500), _usd(4200))]
    return [
        Sample(head="Once", rows=once, sums=(_usd(18900), _usd(10170))),
        Sample(head="Each month", rows=monthly, sums=None),
    ]


def context() -> dict[str, Any]:
    """What ``desk/styleguide.html`` needs for these."""
    return {
        "preview": _preview(),
        "service": _service(),
        "trial_steps": _trial_steps(),
        "tokens": _tokens(),
        "token_form": form_for(USER),
        "messages": _messages(),
        "versions": _versions(),
        "bundle": _bundle(),
        "pieces": [
            Sample(name="Canopy mesh router", note="", amount=_usd(6942)),
            Sample(name="Installation visit", note="a fitter comes", amount=_usd(3228)),
        ],
    }
