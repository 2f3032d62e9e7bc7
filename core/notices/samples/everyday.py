"""One letter of each kind, as Fernway would write it to Riley."""

from dataclasses import replace
from datetime import date, timedelta

from core.kernel.money import Money
from core.notices.letters import (
    BillLetter,
    ChargeFailedLetter,
    GiftCardLetter,
    InviteLetter,
    Letter,
    Letterhead,
    MethodLetter,
    OrderLetter,
    Plan,
    ReceiptLetter,
    RefundLetter,
    ResetLetter,
    Row,
    ServiceLetter,
    SoldCard,
    StatementLetter,
    VerifyLetter,
)
from core.notices.samples import cards, chargebacks, disputes, quotes, stock

HEAD = Letterhead(
    name="Fernway",
    legal_name="Fernway Broadband",
    address=("12 Harbor Lane", "Marrow Bay, OH 44001"),
    phone="(555) 010-0100",
    hours="eight to eight",
    email="billing@fernway.example.com",
    locale="en_US",
    time_zone="America/New_York",
)
TODAY = date(2026, 11, 17)
LINK = "http://localhost:8000/o/4ff20c2d8f2b4c3f9a0d5b1c7e6a9d31/7c1b0a9e8d7f6c5b4a39281706f5e4d3"
TOKEN_LINK = f"http://localhost:8000/account/reset/{'5e' * 32}"


def usd(minor: int) -> Money:
    """An amount in US dollars."""
    return Money(minor, "USD")


ORDER = OrderLetter(
    head=HEAD,
    name="Riley",
    number="O-10001",
    placed_on=TODAY,
    is_paid=True,
    rows=(
        Row("Wi-Fi 6 router × 2", usd(25800)),
        Row("Installation visit", usd(6000)),
        Row("River 100", usd(4500), "First month"),
        Row("Delivery, Standard delivery", usd(0)),
        Row("Sales tax, Ohio 6.5%", usd(1677), kind="part"),
        Row("Together", usd(37977), kind="total"),
    ),
    total=usd(37977),
    ships=True,
    visits=("Installation visit",),
    plans=(Plan("River 100", usd(4500), "month"),),
    address=("Riley Moreno", "4 Chestnut Row", "Marrow Bay, OH 44001"),
    link=LINK,
)
ORDER_ON_TERMS = replace(
    ORDER,
    name="",
    number="O-10002",
    is_paid=False,
    rows=(Row("Wi-Fi 6 router", usd(12900)), Row("Together", usd(12900), kind="total")),
    total=usd(12900),
    plans=(),
    visits=(),
)
BILL = BillLetter(
    head=HEAD,
    name="Riley",
    kind="invoice",
    number="118204",
    account_number="204187751",
    order_number="",
    issued_on=date(2026, 11, 9),
    due_on=date(2026, 11, 30),
    total=usd(7211),
    open=usd(7211),
    rows=(
        Row("River 100", usd(4500), "Nov 9 – Dec 8, 2026"),
        Row("River 100, from the day you changed", usd(826), "Oct 24 – Nov 8, 2026"),
        Row("Phone line, 555-0142", usd(800)),
        Row("Calls × 14", usd(70)),
        Row("Burrow backup, 1 TB", usd(900)),
        Row("Sales tax, Ohio 6.5%", usd(115), kind="part"),
        Row("To pay", usd(7211), kind="total"),
    ),
    link="http://localhost:8000/account/bills/4ff20c2d8f2b4c3f9a0d5b1c7e6a9d31",
    is_guest=False,
)
PAID_BILL = replace(
    BILL,
    open=usd(0),
    order_number="O-10001",
    rows=(
        *ORDER.rows[:-1],
        Row("Together", usd(37977)),
        Row("Paid", usd(-37977), kind="part"),
        Row("To pay", usd(0), kind="total"),
    ),
    total=usd(37977),
    is_guest=True,
    link=LINK,
)
CREDIT_MEMO = replace(
    BILL,
    kind="credit_memo",
    number="17",
    total=usd(2000),
    open=usd(2000),
    rows=(Row("Two days without internet", usd(2000)), Row("Credit", usd(2000), kind="total")),
)
FREE_BILL = replace(
    BILL, total=usd(0), open=usd(0), rows=(Row("To pay", usd(0), kind="total"),), name=""
)
RECEIPT = ReceiptLetter(
    head=HEAD,
    name="Riley",
    number="P-90418",
    account_number="204187751",
    amount=usd(125000),
    paid_on=TODAY,
    instrument="Visa ending 4242",
    settled=(
        Row("Bill 118204", usd(7211), "Settled"),
        Row("Bill 118311", usd(100000), "$234.50 still open"),
        Row("Kept for you", usd(17789)),
        Row("Together", usd(125000), kind="total"),
    ),
    kept=usd(17789),
    left=usd(23450),
    next_due=date(2026, 12, 1),
    link="http://localhost:8000/account/payments/4ff20c2d8f2b4c3f9a0d5b1c7e6a9d31",
)
REFUND = RefundLetter(
    head=HEAD,
    name="Riley",
    amount=usd(37977),
    refunded_on=TODAY,
    paid_on=TODAY,
    instrument="Visa ending 4242",
    reason="paid_too_late",
    payment_number="P-90419",
    link=LINK,
)
STATEMENT = StatementLetter(
    head=HEAD,
    name="Riley",
    number="S-100017",
    account_number="204187751",
    issued_on=date(2026, 12, 1),
    period_start=date(2026, 11, 1),
    period_end=date(2026, 11, 30),
    amount=usd(10450),
    overdue=usd(0),
    in_favour=usd(0),
    due_on=date(2026, 12, 14),
    dispute_by=date(2027, 1, 30),
    rows=(
        Row("Previous balance", usd(12000), "statement S-100009 of November 1, 2026"),
        Row("Payments", usd(-10000)),
        Row("Adjustments", usd(-500)),
        Row("New charges", usd(8950)),
        Row("Closing balance", usd(10450), kind="total"),
    ),
    link="http://localhost:8000/account/statements/4ff20c2d8f2b4c3f9a0d5b1c7e6a9d31",
    is_attached=True,
)
LATE_STATEMENT = replace(STATEMENT, overdue=usd(8711), due_on=None, is_attached=False)
STATEMENT_IN_FAVOUR = replace(
    STATEMENT,
    name="",
    amount=usd(0),
    due_on=None,
    in_favour=usd(1000),
    rows=(
        Row("Previous balance", usd(0), "this is the first statement"),
        Row("Payments", usd(-1000)),
        Row("Adjustments", usd(0)),
        Row("New charges", usd(0)),
        Row("Closing balance", usd(-1000), kind="total"),
    ),
)
GIFT_CARD = GiftCardLetter(
    head=HEAD,
    name="Riley",
    link=LINK,
    number="O-10001",
    cards=(SoldCard("7Q2M-0XKD-93TB-VH4C", usd(5000), LINK),),
    total=usd(5000),
)
METHOD = MethodLetter(
    head=HEAD,
    name="Riley",
    link="http://localhost:8000/account",
    account_number="204187751",
    instrument="Visa ending 4242",
    agreed="I allow Fernway to charge this card once a month from December 17, 2026.",
    agreed_on=TODAY,
)
CHARGE_FAILED = ChargeFailedLetter(
    head=HEAD,
    name="Riley",
    link="http://localhost:8000/account/pay?bill=4ff20c2d8f2b4c3f9a0d5b1c7e6a9d31",
    number="118204",
    account_number="204187751",
    amount=usd(4500),
    instrument="Visa ending 4242",
    reason="insufficient_funds",
    tried_on=TODAY,
    due_on=date(2026, 12, 1),
)
SERVICE = ServiceLetter(
    head=HEAD,
    name="Riley",
    link="http://localhost:8000/account/services/4ff20c2d8f2b4c3f9a0d5b1c7e6a9d31",
    what="started",
    service="River 100",
    place="4 Chestnut Row, Marrow Bay",
    account_number="204187751",
    on=TODAY,
    rows=(Row("River 100", usd(4500), "a month"),),
)
SERVICES = {
    "service-started": SERVICE,
    "service-plan": replace(SERVICE, what="plan", before="Stream 18"),
    "service-paused": replace(SERVICE, what="paused", until=date(2026, 12, 1), rows=()),
    "service-resting": replace(SERVICE, what="paused", rows=()),
    "service-resumed": replace(SERVICE, what="resumed"),
    "service-cancelled": replace(SERVICE, what="cancelled", until=date(2026, 12, 16), rows=()),
    "service-kept": replace(SERVICE, what="kept"),
    "service-payer": replace(SERVICE, what="payer", payer="June Alder"),
    "service-ended": replace(SERVICE, what="ended", rows=(), back=usd(1450), place=""),
}
RESET = ResetLetter(HEAD, "Riley", TOKEN_LINK, timedelta(hours=2))
INVITE = InviteLetter(HEAD, "Riley", TOKEN_LINK, timedelta(days=14), "Riley Moreno", "204187751")
VERIFY = VerifyLetter(HEAD, "Riley", TOKEN_LINK, "riley.moreno@example.com", timedelta(days=7))

ALL: dict[str, Letter] = {
    "order": ORDER,
    "order-on-terms": ORDER_ON_TERMS,
    "bill": BILL,
    "paid-bill": PAID_BILL,
    "credit-memo": CREDIT_MEMO,
    "free-bill": FREE_BILL,
    "receipt": RECEIPT,
    "refund": REFUND,
    "statement": STATEMENT,
    "late-statement": LATE_STATEMENT,
    "statement-in-favour": STATEMENT_IN_FAVOUR,
    "gift_card": GIFT_CARD,
    "method": METHOD,
    "charge_failed": CHARGE_FAILED,
    "charge-retried": replace(CHARGE_FAILED, next_on=date(2026, 11, 20)),
    **SERVICES,
    "reset": RESET,
    "invite": INVITE,
    "verify": VERIFY,
    **quotes.of(HEAD),
    **cards.of(HEAD),
    **disputes.of(HEAD),
    **chargebacks.of(HEAD),
    **stock.of(HEAD),
}
