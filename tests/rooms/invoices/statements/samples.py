"""Statements to print: Mara's, a firm's with several service accounts, and ones of any size."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from invoices.document import scan_line
from invoices.statements.document import (
    Age,
    Composition,
    Moved,
    Movement,
    Section,
    StatementDocument,
)
from invoices.statements.rolling import Kind
from tests.rooms.invoices.documents import MARA, SELLER

LABELS = (
    "Not yet due",
    "1 to 30 days late",
    "31 to 60 days late",
    "61 to 90 days late",
    "Over 90 days late",
)
ZERO = Decimal("0.00")


def ages(*amounts: str) -> tuple[Age, ...]:
    """What is owed, by age."""
    return tuple(Age(label, Decimal(each)) for label, each in zip(LABELS, amounts, strict=True))


def movement(kind: Kind, day: int, what: str, number: str, amount: str, posting: int, **more: Any):
    """One entry of November."""
    made = Movement(kind, date(2026, 11, day), what, number, Decimal(amount), posting)
    return replace(made, **more)


def section(name: str, number: str, movements: tuple[Movement, ...], place: str = "") -> Section:
    """What happened for one service account, with its sums."""
    sums = {kind: sum((m.amount for m in movements if m.kind is kind), ZERO) for kind in Kind}
    paid, adjusted, charged = (sums[kind] for kind in Kind)
    return Section(name, number, paid, adjusted, charged, movements, place)


MARAS = section(
    "Mara Hollis",
    "204187751",
    (
        movement(
            Kind.CHARGE,
            9,
            "Bill",
            "118204",
            "72.11",
            412,
            detail="River 100 and 5 more",
            due=date(2026, 11, 30),
        ),
        movement(Kind.PAYMENT, 12, "Payment", "P-10044", "-100.00", 431, detail="Visa ending 4242"),
        movement(Kind.ADJUSTMENT, 20, "Credit memo", "C-1042", "-5.00", 466),
        movement(Kind.CHARGE, 24, "Bill", "118311", "17.39", 480, detail="Knock doorbell"),
    ),
    "8 Weir Cottages",
)
STATEMENT = StatementDocument(
    number="S-100017",
    issue_date=date(2026, 12, 1),
    period_start=date(2026, 11, 1),
    period_end=date(2026, 11, 30),
    currency="USD",
    seller=SELLER,
    buyer=MARA,
    opening=Decimal("120.00"),
    moved=ZERO,
    payments=Decimal("-100.00"),
    adjustments=Decimal("-5.00"),
    charges=Decimal("89.50"),
    closing=Decimal("104.50"),
    composition=Composition(Decimal("109.50"), ZERO, Decimal("5.00"), ZERO),
    sections=(MARAS,),
    cutoff=502,
    ageing=ages("17.39", "92.11", "0.00", "0.00", "0.00"),
    deposits=Decimal("55.60"),
    amount_due=Decimal("104.50"),
    overdue=Decimal("87.11"),
    previous_number="S-100009",
    previous_date=date(2026, 11, 1),
    dispute_by=date(2027, 1, 30),
    pay_url="https://fernway.example.com/account/statements/7Q2M4KXD91",
    scan_line=scan_line(204187751, 0, 10450),
)
SETTLED = replace(
    STATEMENT,
    opening=ZERO,
    payments=Decimal("-94.50"),
    closing=Decimal("-10.00"),
    composition=Composition(ZERO, ZERO, ZERO, Decimal("10.00")),
    sections=(
        replace(
            MARAS,
            payments=Decimal("-94.50"),
            movements=tuple(
                replace(each, amount=Decimal("-94.50")) if each.kind is Kind.PAYMENT else each
                for each in MARAS.movements
            ),
        ),
    ),
    ageing=ages(*["0.00"] * 5),
    deposits=ZERO,
    amount_due=ZERO,
    overdue=ZERO,
    pay_url=None,
    scan_line=None,
)
FIRM = replace(
    STATEMENT,
    number="S-100018",
    buyer=replace(MARA, name="Pike & Daughters, Boats", account_number="700300100"),
    opening=Decimal("300.00"),
    moved=Decimal("12.00"),
    payments=Decimal("-300.00"),
    adjustments=Decimal("0.00"),
    charges=Decimal("135.00"),
    closing=Decimal("147.00"),
    composition=Composition(Decimal("147.00"), ZERO, ZERO, ZERO),
    ageing=ages("147.00", "0.00", "0.00", "0.00", "0.00"),
    deposits=ZERO,
    amount_due=Decimal("147.00"),
    overdue=ZERO,
    due_date=date(2026, 12, 14),
    moves=(Moved("The dry dock", "700300103", Decimal("12.00")),),
    sections=(
        section(
            "Pike & Daughters, Boats",
            "700300100",
            (movement(Kind.PAYMENT, 3, "Payment", "P-10031", "-300.00", 401),),
            "1 Quay",
        ),
        section(
            "The boatyard",
            "700300101",
            (movement(Kind.CHARGE, 9, "Bill", "118205", "90.00", 413, due=date(2026, 12, 14)),),
            "2 Quay",
        ),
        section(
            "The chandlery",
            "700300102",
            (movement(Kind.CHARGE, 9, "Bill", "118206", "45.00", 414, is_late=True),),
            "5 Quay",
        ),
    ),
    scan_line=scan_line(700300100, 0, 14700),
)


def many(count: int) -> StatementDocument:
    """A statement of so many movements, payments and charges in turn."""
    movements = tuple(
        Movement(
            Kind.CHARGE if at % 2 else Kind.PAYMENT,
            date(2026, 11, 1) + timedelta(days=at * 30 // (count + 1)),
            "Bill" if at % 2 else "Payment",
            f"{100_000 + at}",
            Decimal(at % 97 + 1) if at % 2 else -Decimal(at % 89 + 1),
            at,
        )
        for at in range(1, count + 1)
    )
    movements = tuple(replace(m, amount=m.amount.quantize(ZERO)) for m in movements)
    whole = section("Mara Hollis", "204187751", movements)
    closing = STATEMENT.opening + whole.change
    owed = max(closing, ZERO)
    return replace(
        STATEMENT,
        sections=(whole,),
        payments=whole.payments,
        adjustments=whole.adjustments,
        charges=whole.charges,
        closing=closing,
        composition=Composition(owed, ZERO, ZERO, owed - closing),
        ageing=ages(str(owed), "0.00", "0.00", "0.00", "0.00"),
        amount_due=owed,
        overdue=ZERO,
        scan_line=scan_line(204187751, 0, int(owed * 100)),
    )
