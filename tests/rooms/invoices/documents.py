"""Documents to print: three of Fernway's by name, and as many others as there are seeds."""

import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from core.kernel.money import minor_digits
from invoices.document import (
    Applied,
    Buyer,
    Delivery,
    InvoiceDocument,
    Kind,
    Line,
    Preceding,
    Reason,
    Seller,
    TaxSubtotal,
    Totals,
    scan_line,
)
from invoices.theme import Theme

FERNWAY = Theme(
    wordmark="Fernway",
    mark=(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 28" width="24" height="28">'
        '<path fill="#1f4d3a" d="M11 28C8 16 10 6 21 0c2 12-1 22-10 28z"/>'
        '<path fill="#e9a767" d="M10 28C11 19 8 12 1 9c0 9 3 15 9 19z"/></svg>'
    ),
)
SELLER = Seller(
    name="Fernway Broadband",
    address=("1 Ferry Street", "Tarnbrook, OH 43099"),
    tax_id="34-5550100",
    phone="555-0100",
    email="help@fernway.example.com",
    remit_to=("Fernway Payments", "PO Box 1100", "Tarnbrook, OH 43099"),
)
MARA = Buyer(
    name="Mara Hollis",
    address=("8 Weir Cottages", "Tarnbrook, OH 43099"),
    account_number="204 187 751",
    email="mara.hollis@example.com",
)
THIS_PERIOD = (date(2026, 11, 9), date(2026, 12, 8))
LAST_PERIOD = (date(2026, 10, 24), date(2026, 11, 8))


def line(number: int, name: str, net: str, **more: Any) -> Line:
    """A line, its period given as one pair."""
    start, end = more.pop("period", (None, None))
    return Line(number, name, Decimal(net), period_start=start, period_end=end, **more)


WHY_THE_CHANGE = (
    Reason("You changed from Stream 18 to River 100 on Saturday, October 24."),
    Reason("Days in the period", "31"),
    Reason("Days of River, the 24th and November 8 included", "16"),
    Reason("45.00 × 16 ÷ 31 = 23.2258, rounded", "23.23"),
    Reason("29.00 × 16 ÷ 31 = 14.9677, given back", "−14.97"),
    Reason("What the change cost", "8.26", is_sum=True),
)
BILL = InvoiceDocument(
    kind=Kind.INVOICE,
    number="118204",
    issue_date=date(2026, 11, 9),
    due_date=date(2026, 11, 30),
    currency="USD",
    seller=SELLER,
    buyer=MARA,
    lines=(
        line(1, "River 100", "45.00", group="Internet", period=THIS_PERIOD),
        line(
            2,
            "River 100, from the day you changed",
            "23.23",
            group="Internet",
            period=LAST_PERIOD,
            why=WHY_THE_CHANGE,
        ),
        line(3, "Stream 18, given back", "-14.97", group="Internet", period=LAST_PERIOD),
        line(4, "Phone line", "8.00", group="Phone, 555-0142", period=THIS_PERIOD),
        line(
            5,
            "Calls",
            "0.70",
            group="Phone, 555-0142",
            quantity=Decimal(14),
            unit="minutes",
            unit_price=Decimal("0.05"),
            period=LAST_PERIOD,
        ),
        line(6, "Burrow, 1 TB", "9.00", group="Backup", period=THIS_PERIOD),
    ),
    tax_breakdown=(
        TaxSubtotal("Ohio", "telecom", Decimal("6.5"), Decimal("17.70"), Decimal("1.15")),
    ),
    totals=Totals(*(Decimal(each) for each in ("70.96", "1.15", "72.11", "0.00", "72.11"))),
    period_start=THIS_PERIOD[0],
    period_end=THIS_PERIOD[1],
    dispute_by=date(2027, 1, 8),
    message="Your line may drop for a minute on November 21, between two and four in the morning.",
    pay_url="https://pay.fernway.example.com/b/7Q2M-4KXD-91",
    scan_line=scan_line(204187751, 118204, 7211),
)
PAID = InvoiceDocument(
    kind=Kind.INVOICE,
    number="118311",
    issue_date=date(2026, 11, 17),
    currency="USD",
    seller=SELLER,
    buyer=MARA,
    order_number="F-20417",
    deliver_to=Delivery(MARA.name, MARA.address),
    lines=(
        line(1, "River start bundle", "102.60", sku="BDL-RIVER"),
        line(2, "River 100, first month", "38.00", parent_no=1),
        line(3, "Otter router", "55.60", parent_no=1, sku="RTR-OTTER"),
        line(4, "Installation visit", "9.00", parent_no=1),
    ),
    tax_breakdown=(
        TaxSubtotal("Ohio", "goods", Decimal("6.5"), Decimal("84.77"), Decimal("5.51")),
    ),
    applied=(Applied("Visa ending 4242", Decimal("113.11"), date(2026, 11, 17)),),
    totals=Totals(
        *(Decimal(each) for each in ("102.60", "5.51", "113.11", "113.11", "0.00", "5.00"))
    ),
)
MEMO = InvoiceDocument(
    kind=Kind.CREDIT_MEMO,
    number="C-1042",
    issue_date=date(2026, 11, 20),
    currency="USD",
    seller=SELLER,
    buyer=MARA,
    lines=(line(1, "River 100, from the day you changed", "23.23"),),
    totals=Totals(*(Decimal(each) for each in ("23.23", "0.00", "23.23", "0.00", "23.23"))),
    preceding=(Preceding("118204", date(2026, 11, 9)),),
    notes=("The change was ours, so it costs nothing.",),
)


def long_invoice(rows: int) -> InvoiceDocument:
    """An invoice of many plain lines."""
    lines = tuple(
        line(
            number,
            f"Hanging heart holder {number}",
            str(Decimal(number % 97 + 1) * Decimal("2.55")),
            quantity=Decimal(number % 97 + 1),
            unit_price=Decimal("2.55"),
            sku=f"85{number:04d}A",
        )
        for number in range(1, rows + 1)
    )
    total = sum((each.net for each in lines), Decimal(0))
    zero = Decimal("0.00")
    return replace(
        BILL,
        lines=lines,
        tax_breakdown=(),
        totals=Totals(total, zero, total, zero, total),
        message="",
    )


NAMES = (
    "Mara Hollis",
    "Łucja Wiśniewska-Żółć",
    "Ødegård & Søn <import>",
    "Ελένη Παπαδοπούλου",
    "Анна Щербакова",
    "Nguyễn Thị Hạnh",
    "A firm whose name is long enough that it has to go over to a second line of its address",
)
PLACES = (("USD", "en-US"), ("GBP", "en-GB"), ("EUR", "de-DE"), ("JPY", "ja-JP"), ("KWD", "ar-KW"))
GROUPS = ("", "Internet", "Phone, 555-0142", "Backup", "Delivery of November 14")
KINDS = (Kind.INVOICE, Kind.INVOICE, Kind.DEBIT_MEMO, Kind.CREDIT_MEMO, Kind.NOTE)


def seeded(seed: int) -> InvoiceDocument:
    """A document that adds up, of a kind, size and content that follow from the seed."""
    dice = random.Random(seed)
    currency, locale = dice.choice(PLACES)
    kind = dice.choice(KINDS)
    step = Decimal(1).scaleb(-minor_digits(currency))
    lines = _lines(dice, step, kind)
    parents = {each.parent_no for each in lines}
    total = sum((each.net for each in lines if each.line_no not in parents), Decimal(0))
    taxes = _taxes(dice, total, step) if total > 0 else ()
    delivery = step * dice.choice((0, 0, 500))
    tax = sum((each.amount for each in taxes), Decimal(0))
    on_top = sum((each.amount for each in taxes if not each.inclusive), Decimal(0))
    gross = total + delivery + on_top
    applied = _applied(dice, gross, step) if kind is Kind.INVOICE and gross > 0 else ()
    taken = sum((each.amount for each in applied), Decimal(0))
    issued = date(2026, 1, 1) + timedelta(days=dice.randrange(700))
    number = f"{dice.randrange(10**8)}"
    owing = kind in (Kind.INVOICE, Kind.DEBIT_MEMO) and gross > taken
    return InvoiceDocument(
        kind=kind,
        number=number,
        issue_date=issued,
        due_date=dice.choice((None, issued + timedelta(days=21))),
        currency=currency,
        locale=locale,
        seller=replace(SELLER, website=dice.choice(("", "fernway.example.com"))),
        buyer=replace(MARA, name=dice.choice(NAMES), address=MARA.address[: dice.randrange(3)]),
        lines=lines,
        tax_breakdown=taxes,
        applied=applied,
        totals=Totals(total, tax, gross, taken, gross - taken, delivery),
        order_number=dice.choice(("", "F-20417")),
        terms=dice.choice(("", "14 days net")),
        deliver_to=dice.choice((None, Delivery(MARA.name, MARA.address, service=True))),
        dispute_by=dice.choice((None, issued + timedelta(days=60))),
        preceding=(Preceding("118204"),) if kind is Kind.CREDIT_MEMO else (),
        notes=dice.choice(((), ("Kept for the record.",))),
        message=dice.choice(("", "Thank you for ten years with us. " * dice.randrange(1, 6))),
        pay_url="https://pay.fernway.example.com/b/7Q2M-4KXD-91" if owing else None,
        scan_line=scan_line(204187751, int(number), int(gross / step)) if owing else None,
        imported=dice.random() < 0.1,
        draft=dice.random() < 0.1,
    )


def _lines(dice: random.Random, step: Decimal, kind: Kind) -> tuple[Line, ...]:
    lines: list[Line] = []
    for _ in range(dice.choice((1, 1, 2, 3, 4, 8, 12, 30, 90))):
        number = len(lines) + 1
        net = step * (0 if kind is Kind.NOTE else dice.randrange(-900, 90000))
        group, name = dice.choice(GROUPS), " ".join(["Hanging heart"] * dice.randrange(1, 6))
        why = WHY_THE_CHANGE[: dice.choice((0, 0, 0, 1, 6))]
        period = dice.choice(((None, None), THIS_PERIOD))
        plain = line(number, name, str(net), group=group, why=why, period=period)
        if dice.random() < 0.5:
            plain = replace(plain, quantity=Decimal(dice.randrange(2, 40)), unit_price=step / 2)
        lines.append(replace(plain, description=dice.choice(("", "In fir green"))))
        if dice.random() < 0.1:
            first = step * 7
            lines.append(line(number + 1, "A piece", str(first), parent_no=number, group=group))
            rest = str(net - first)
            lines.append(line(number + 2, "A piece", rest, parent_no=number, group=group))
    return tuple(lines)


def _taxes(dice: random.Random, base: Decimal, step: Decimal) -> tuple[TaxSubtotal, ...]:
    rates = dice.choice(((), ("6.5",), ("20", "0")))
    inclusive = dice.random() < 0.3
    return tuple(
        TaxSubtotal(
            dice.choice(("Ohio", "")),
            "S",
            Decimal(rate),
            base,
            (base * Decimal(rate) / 100).quantize(step, ROUND_HALF_UP),
            inclusive,
        )
        for rate in rates
    )


def _applied(dice: random.Random, gross: Decimal, step: Decimal) -> tuple[Applied, ...]:
    part = (gross / 3).quantize(step, ROUND_HALF_UP)
    return dice.choice(
        (
            (),
            (Applied("Visa ending 4242", gross, date(2026, 11, 17)),),
            (Applied("Deposit", part, date(2026, 11, 1)), Applied("Credit C-1042", part)),
        )
    )
