"""Eighteen months at Fernway's: services, trials, a quote, and somebody who pays late; night after night, and
each month's end proves the books.

The clock goes over month ends, a leap day and three changes of the clocks. Each month names every event that
it brings; at the end each service was billed for exactly the days that it was served.
"""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import or_, select

from app import worker
from app.handlers import SCHEDULES
from cart.quotes.wanting import Wanted
from core.kernel import jobs
from core.kernel.clock import ManualClock
from core.kernel.jobs import Job
from core.ledger import items
from core.ledger.chart import RECEIVABLE
from core.parties.models import Account
from core.subscriptions import reading
from core.subscriptions.models import Subscription
from flows import (
    activate_service,
    change_service,
    keep_trial,
    record_usage,
    set_up_method,
    take_transfer,
)
from flows.hold_service import Asked
from flows.house import House
from flows.place_order import place
from flows.record_usage import Told
from flows.start_trial import Started
from flows.take_transfer import Transfer
from flows.verify import verify
from flows.wish_service import Wanted as Plan
from invoices.models import Invoice, InvoiceLine
from tests import serving
from tests.flows import robins_year
from tests.flows.robins_year import Robin
from tests.on_file import setup_of
from tests.paying import CARD, fill_cart, house, processor, sandbox, usd, wish
from tests.quoting import DEPOT, MILL, YARD, Quoting
from tests.sandbox_process import SandboxProcess
from tests.serving import Plans
from tests.trying import CARD_OFFER, FREE_OFFER, NO_CARD_OFFER, Trying, offer
from tests.world import ZONE, World

__all__ = ["house", "processor", "sandbox"]

BY = "user:kim"
#: A card is good for one trial.
OTHER_CARD = "5555555555554444"
#: What runs by the clock and is part of the story.
BY_NIGHT = {
    name: SCHEDULES[name]
    for name in (
        *("reconcile", "services", "bill", "trials", "statements", "remind_quotes"),
        *("card_payments", "tell_due"),
    )
}
BEGINS, ENDS = date(2026, 12, 1), date(2028, 5, 31)
#: Nights on which something is due, by day of the month; every month's last night comes with them.
NIGHTS = (1, 3, 7, 11, 12, 28, 29)


@dataclass
class Story:
    """The shop, who is in it, and what has been heard of it this month."""

    house: House
    clock: ManualClock
    world: World
    plans: Plans
    trying: Trying
    heard: int = 0
    months: dict[str, Counter[str]] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=dict)
    trials: dict[str, Started] = field(default_factory=dict)
    robin: Robin | None = None

    @property
    def today(self) -> date:
        return self.clock.now().astimezone(ZoneInfo(ZONE)).date()

    def asked(self, name: str) -> Asked:
        return Asked(self.services[name], BY)

    def night(self, day: date) -> None:
        """Five in the morning: everything that runs by the clock, and what follows from it."""
        self.trying.move_to(day, 5)
        self.house.db.run_tx(lambda session: jobs.tick(session, BY_NIGHT, self.clock.now()))
        self.settle()
        self.trying.move_to(day, 10)
        self.bank()

    def bank(self) -> None:
        """Everybody but Robin pays by bank when it is due."""
        for account_id, minor in self._due():
            with self.house.db.reading() as session:
                number = session.get_one(Account, account_id).number
            came = Transfer(f"T-{number}-{self.today}", usd(minor), self.today, number)
            take_transfer.record(self.house, self.world.legal_entity_id, came, "bank")
        self.settle()

    def _due(self) -> list[tuple[uuid.UUID, int]]:
        robins = self.robin.account.id if self.robin is not None else None
        with self.house.db.reading() as session:
            keys = session.scalars(select(Account.id).order_by(Account.id)).all()
            owed = items.owed_by(session, [key for key in keys if key != robins])
        due: Counter[uuid.UUID] = Counter()
        for item in owed:
            if item.ledger_code == RECEIVABLE and item.due_date and item.due_date <= self.today:
                due[item.account_id] += item.open.minor
        return sorted(due.items())

    def settle(self) -> None:
        """The worker does what is due, without a failure; what it heard of is written down."""
        worker.drain(self.house)
        with self.house.db.reading() as session:
            rows = session.scalars(select(Job).where(Job.id > self.heard).order_by(Job.id)).all()
        assert [row.last_error for row in rows if row.state != "done"] == []
        self.heard = rows[-1].id if rows else self.heard
        told = self.months.setdefault(f"{self.today:%Y-%m}", Counter())
        told.update(
            row.name
            for row in rows
            if row.handler != row.name
            and not row.key.endswith(f":{row.handler}")
            and not (row.name == "OpenItemsChanged" and row.key.startswith("due:"))
        )

    def month_ends(self) -> None:
        """Everything ties."""
        findings = verify(self.house.db, self.clock, blobs=self.house.blobs)
        assert [line for line in findings if not line.holds] == []


@pytest.fixture
def story(house: House, clock: ManualClock, world: World, sandbox: SandboxProcess) -> Story:
    with house.db.transaction() as session:
        plans = serving.offer(session, world, clock.now())
        trying = Trying(house, clock, world, offer(session, world, clock.now()), sandbox)
    trying.move_to(BEGINS)
    return Story(house, clock, world, plans, trying)


# --- what people do -------------------------------------------------------------------------------


def _newest(story: Story) -> str:
    with story.house.db.reading() as session:
        query = select(Subscription.public_id).order_by(Subscription.ordered_at.desc())
        return session.scalars(query.limit(1)).one()


def riley_orders(story: Story) -> None:
    """A line and a backup on terms; the backup begins at once, the line when it is connected."""
    placed = place(story.house, wish(fill_cart(story.house, story.plans.brook.sku), "invoice"))
    assert placed.redirect_url is None
    story.settle()
    story.services["line"] = _newest(story)


def riley_is_connected(story: Story) -> None:
    activate_service.activate(story.house, story.asked("line"), story.today)


def riley_wants_more(story: Story) -> None:
    change_service.change(
        story.house, story.asked("line"), Plan(story.plans.stream.sku, 1, at_period_end=False)
    )


def riley_wants_less(story: Story) -> None:
    change_service.change(
        story.house, story.asked("line"), Plan(story.plans.brook.sku, 1, at_period_end=True)
    )


def riley_rests(story: Story) -> None:
    until = date(2027, 8, 10)
    change_service.pause(story.house, story.asked("line"), "away", "By the sea", until)


def riley_leaves(story: Story) -> None:
    change_service.end(story.house, story.asked("line"), "moving", "", at_period_end=True)


def june_orders(story: Story) -> None:
    """A backup that is metered: it begins with its order."""
    cart = fill_cart(story.house, story.plans.backup.sku)
    place(story.house, wish(cart, "invoice", email="june@example.com"))
    story.settle()
    story.services["backup"] = _newest(story)


def june_uses(story: Story, key: str, units: str, day: date, corrects: str | None = None) -> None:
    at = None if corrects else datetime.combine(day, time(12), ZoneInfo(ZONE)).astimezone(UTC)
    told = Told(story.services["backup"], "moved", key, Decimal(units), at, corrects)
    record_usage.record(story.house, told, "meter")


def try_(story: Story, name: str, code: str, card: str = CARD) -> None:
    started = story.trials[name] = story.trying.newcomer(code, name)
    if started.set_up is not None:
        url = set_up_method.begin(story.house, started.set_up)
        assert story.trying.sandbox is not None
        story.trying.sandbox.pay(url, card)
        set_up_method.settle(story.house, setup_of(story.house).id)


def cancel_trial(story: Story, name: str) -> None:
    keep_trial.cancel(story.house, story.trials[name].id, "by_portal")


def rowan_asks(story: Story) -> None:
    """A quote for three sites: a line each at a price of its own, for two years."""
    line = Wanted(sku=story.plans.stream.sku, price_micros=24_500_000, term_months=24)
    quoting = Quoting.ask(story.house, story.world, story.plans.stream.sku, 1)
    quoting.ready(*(replace(line, site=at) for at in range(3)), sites=(DEPOT, MILL, YARD))
    story.settle()
    placed = quoting.accept("terms")
    story.settle()
    with story.house.db.reading() as session:
        account_id = session.scalars(
            select(Invoice.payer_account_id).where(Invoice.order_id == placed.order_id)
        ).one()
        rows = reading.of_payer(session, account_id)
    places = {row.public_id: str((row.service_location or {})["name"]) for row in rows}
    assert sorted(places.values()) == ["The depot", "The mill", "The yard"]
    story.services |= {name: key for key, name in places.items()}


def robin_orders(story: Story) -> None:
    assert story.trying.sandbox is not None
    story.robin = Robin.comes(story.house, story.clock, story.world, story.trying.sandbox)
    story.robin.orders(story.plans.stream.sku)
    story.settle()
    story.robin.service = story.services["robin"] = _newest(story)


def of_robin(act: Callable[[Robin], None]) -> Callable[[Story], None]:
    """Robin's own act, on a day of the story."""

    def do(story: Story) -> None:
        assert story.robin is not None
        act(story.robin)

    return do


def connect(story: Story, name: str) -> None:
    activate_service.activate(story.house, story.asked(name), story.today)


DAYS: dict[date, list[Callable[[Story], None]]] = {
    date(2026, 12, 3): [riley_orders, june_orders],
    date(2026, 12, 12): [
        lambda s: try_(s, "Ash Vale", CARD_OFFER),
        lambda s: try_(s, "May Thorn", NO_CARD_OFFER),
        lambda s: try_(s, "Sky Reed", FREE_OFFER),
    ],
    date(2027, 1, 5): [
        lambda s: try_(s, "Kit Marsh", CARD_OFFER, OTHER_CARD),
        lambda s: june_uses(s, "jan-1", "12.5", date(2027, 1, 4)),
    ],
    date(2027, 1, 14): [lambda s: cancel_trial(s, "Kit Marsh")],
    date(2027, 1, 31): [riley_is_connected],
    date(2027, 2, 1): [robin_orders],
    date(2027, 2, 9): [
        # Late for the period that ended on January 3, and a correction of what was billed.
        lambda s: june_uses(s, "dec-late", "30", date(2026, 12, 20)),
        lambda s: june_uses(s, "jan-1-corrected", "8.25", date(2027, 1, 4), "jan-1"),
    ],
    date(2027, 3, 10): [riley_wants_more],
    date(2027, 4, 20): [lambda s: s.trying.store(s.trials["Sky Reed"], "42")],
    date(2027, 7, 12): [riley_rests],
    date(2027, 9, 15): [rowan_asks],
    date(2027, 9, 29): [lambda s: connect(s, "The depot")],
    date(2027, 10, 31): [lambda s: connect(s, "The mill"), riley_wants_less],
    date(2027, 11, 7): [lambda s: connect(s, "The yard")],
    date(2028, 2, 29): [riley_leaves],
}


for _day, _acts in (robins_year.DAYS).items():
    DAYS.setdefault(_day, []).extend(of_robin(act) for act in _acts)


def live(story: Story) -> None:
    """Night after night, and what people do in the morning."""
    day = BEGINS
    while day <= ENDS:
        last = (day + timedelta(days=1)).day == 1
        if day.day in NIGHTS or last or day in DAYS:
            story.night(day)
        for act in DAYS.get(day, ()):
            act(story)
            story.settle()
        if last:
            story.month_ends()
        day += timedelta(days=1)


def billed(story: Story, name: str) -> list[tuple[str, str, str, int]]:
    """The lines of a service's bills and memos in their order: first and last day, cents before tax; what
    goes back is below zero. An order's line has no days yet."""
    with story.house.db.reading() as session:
        row = reading.by_public_id(session, story.services[name])
        phases = [phase.id for phase in reading.timeline(session, row.id).phases]
        charged = select(InvoiceLine.id).where(InvoiceLine.phase_id.in_(phases))
        rows = session.execute(
            select(Invoice, InvoiceLine)
            .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
            .where(or_(InvoiceLine.id.in_(charged), InvoiceLine.memo_of_id.in_(charged)))
            .order_by(Invoice.issued_at, Invoice.kind, Invoice.id, InvoiceLine.line_number)
        ).all()
    sign = {"invoice": 1, "credit_memo": -1}
    return [
        (
            f"{invoice.issue_date:%Y-%m-%d}",
            f"{line.period_start or ''}",
            f"{line.period_end or ''}",
            sign[invoice.kind] * line.net_minor,
        )
        for invoice, line in rows
    ]


#: By service: day of the document, first and last day that a line is for, and its amount before tax.
BILLED = """
# line
2026-12-03 - - 19.00
2027-02-28 2027-02-28 2027-03-30 19.00
2027-03-10 2027-02-28 2027-03-30 -12.87
2027-03-10 2027-03-10 2027-03-30 19.65
2027-03-31 2027-03-31 2027-04-29 29.00
2027-04-30 2027-04-30 2027-05-30 29.00
2027-05-31 2027-05-31 2027-06-29 29.00
2027-06-30 2027-06-30 2027-07-30 29.00
2027-07-12 2027-06-30 2027-07-30 -17.77
2027-07-31 2027-07-31 2027-08-30 19.65
2027-08-31 2027-08-31 2027-09-29 29.00
2027-09-30 2027-09-30 2027-10-30 29.00
2027-10-31 2027-10-31 2027-11-29 29.00
2027-11-30 2027-11-30 2027-12-30 19.00
2027-12-31 2027-12-31 2028-01-30 19.00
2028-01-31 2028-01-31 2028-02-28 19.00
2028-02-29 2028-02-29 2028-03-30 19.00
# backup
2026-12-03 - - 9.00
2027-01-03 2027-01-03 2027-02-02 9.00
2027-02-03 2027-02-03 2027-03-02 9.00
2027-02-03 2027-01-03 2027-02-02 0.75
2027-02-11 2027-01-03 2027-02-02 -0.42
2027-02-11 2026-12-03 2027-01-02 2.50
2027-03-03 2027-03-03 2027-04-02 9.00
2027-04-03 2027-04-03 2027-05-02 9.00
2027-05-03 2027-05-03 2027-06-02 9.00
2027-06-03 2027-06-03 2027-07-02 9.00
2027-07-03 2027-07-03 2027-08-02 9.00
2027-08-03 2027-08-03 2027-09-02 9.00
2027-09-03 2027-09-03 2027-10-02 9.00
2027-10-03 2027-10-03 2027-11-02 9.00
2027-11-03 2027-11-03 2027-12-02 9.00
2027-12-03 2027-12-03 2028-01-02 9.00
2028-01-03 2028-01-03 2028-02-02 9.00
2028-02-03 2028-02-03 2028-03-02 9.00
2028-03-03 2028-03-03 2028-04-02 9.00
2028-04-03 2028-04-03 2028-05-02 9.00
2028-05-03 2028-05-03 2028-06-02 9.00
# The depot
2027-09-15 - - 24.50
2027-10-29 2027-10-29 2027-11-28 24.50
2027-11-29 2027-11-29 2027-12-28 24.50
2027-12-29 2027-12-29 2028-01-28 24.50
2028-01-29 2028-01-29 2028-02-28 24.50
2028-02-29 2028-02-29 2028-03-28 24.50
2028-03-29 2028-03-29 2028-04-28 24.50
2028-04-29 2028-04-29 2028-05-28 24.50
2028-05-29 2028-05-29 2028-06-28 24.50
# The mill
2027-09-15 - - 24.50
2027-11-30 2027-11-30 2027-12-30 24.50
2027-12-31 2027-12-31 2028-01-30 24.50
2028-01-31 2028-01-31 2028-02-28 24.50
2028-02-29 2028-02-29 2028-03-30 24.50
2028-03-31 2028-03-31 2028-04-29 24.50
2028-04-30 2028-04-30 2028-05-30 24.50
2028-05-31 2028-05-31 2028-06-29 24.50
# The yard
2027-09-15 - - 24.50
2027-12-07 2027-12-07 2028-01-06 24.50
2028-01-07 2028-01-07 2028-02-06 24.50
2028-02-07 2028-02-07 2028-03-06 24.50
2028-03-07 2028-03-07 2028-04-06 24.50
2028-04-07 2028-04-07 2028-05-06 24.50
2028-05-07 2028-05-07 2028-06-06 24.50
# robin
2027-02-01 - - 29.00
2027-03-03 2027-03-03 2027-04-02 29.00
2027-03-22 2027-03-03 2027-04-02 -19.00
2027-04-03 2027-04-03 2027-05-02 29.00
2027-04-12 2027-04-03 2027-05-02 -5.00
2027-05-03 2027-05-03 2027-06-02 29.00
2027-06-03 2027-06-03 2027-07-02 29.00
2027-06-11 2027-05-03 2027-06-02 -29.00
2027-07-03 2027-07-03 2027-08-02 29.00
"""
#: How often each event came, month by month from the first, but that nights look for something to bill, and
#: tell of what is due: that depends on how many there are.
HEARD = """
OrderPlaced              2   .   1   .   .   .   .   .   .   1   .   .   .   .   .   .   .   .
InvoiceIssued            5   3   6   7   5   5   5   5   3   4   4   5   6   6   5   5   5   5
DocumentStored           5   3   6   7   5   5   5   5   3   4   4   5   6   6   5   5   5   5
OpenItemsChanged         4   4   9  12  11  10  12   9   6   8   7   9  10  11   9   9   9   8
SubscriptionActivated    4   2   1   .   .   .   .   .   .   1   1   1   .   .   .   .   .   .
SubscriptionEnded        1   .   1   .   .   .   .   .   1   .   .   .   .   .   .   1   .   .
TrialStarted             3   1   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .
TrialEnded               1   1   1   .   .   1   .   .   .   .   .   .   .   .   .   .   .   .
MethodStored             1   1   1   1   .   .   .   .   .   .   .   .   .   .   .   .   .   .
InboundReceived          5   8  17  13   6   6   8   7   3   3   3   3   3   3   3   3   3   3
LinkAsked                3   1   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .   .
NoticeQueued            19  11  20  19  15  11  16  13  10  14  10  10  11  11  11  11   9   9
StatementMade            .   2   2   4   4   4   5   4   4   3   4   4   4   4   4   4   4   3
StatementStored          .   2   2   4   4   4   5   4   4   3   4   4   4   4   4   4   4   3
SubscriptionChanged      .   1   .   1   .   .   .   2   1   .   1   .   .   .   1   .   .   .
ChargeWanted             .   1   1   1   1   1   1   1   1   1   1   1   1   1   1   1   1   1
CaseMoved                4   2   5   9   4   4   2   4   4   4   4   4   6   6   6   6   4   4
AutoPayMoved             .   .   1   2   .   .   1   .   .   .   .   .   .   .   .   .   .   .
PaymentApplied           .   1   1   1   2   2   2   2   1   1   1   1   1   1   1   1   1   1
QuoteRequested           .   .   .   .   .   .   .   .   .   1   .   .   .   .   .   .   .   .
QuoteSent                .   .   .   .   .   .   .   .   .   1   .   .   .   .   .   .   .   .
QuoteStored              .   .   .   .   .   .   .   .   .   1   .   .   .   .   .   .   .   .
QuoteClosed              .   .   .   .   .   .   .   .   .   1   .   .   .   .   .   .   .   .
ChargeFailed             .   .   3   2   .   .   .   .   .   .   .   .   .   .   .   .   .   .
CreditToRefund           .   .   .   .   .   .   1   .   .   .   .   .   .   .   .   .   .   .
DisputeClosed            .   .   .   .   1   .   1   .   .   .   .   .   .   .   .   .   .   .
DisputeOpened            .   .   .   .   1   .   1   .   .   .   .   .   .   .   .   .   .   .
RefundMade               .   .   .   .   .   .   1   .   .   .   .   .   .   .   .   .   .   .
ScheduledPaymentDue      .   .   3   2   1   1   1   .   .   .   .   .   .   .   .   .   .   .
"""


def _told() -> dict[str, list[tuple[str, str, str, int]]]:
    found: dict[str, list[tuple[str, str, str, int]]] = {}
    name = ""
    for line in BILLED.strip().splitlines():
        if line.startswith("# "):
            name = line.removeprefix("# ")
            continue
        made, first, last, amount = line.split()
        first, last = first.strip("-"), last.strip("-")
        found.setdefault(name, []).append((made, first, last, int(Decimal(amount) * 100)))
    return found


def _heard() -> dict[str, list[int]]:
    rows = (line.split() for line in HEARD.strip().splitlines())
    return {name: [0 if count == "." else int(count) for count in counts] for name, *counts in rows}


def test_eighteen_months_of_services_trials_a_quote_and_late_payments_tie_every_month(
    story: Story,
):
    live(story)
    assert {name: billed(story, name) for name in story.services} == _told()
    names = {name for told in story.months.values() for name in told} - {"BillChunkPlanned"}
    heard = {name: [told[name] for told in story.months.values()] for name in names}
    assert heard == _heard()
    states = {name: story.trying.trial(one).state for name, one in story.trials.items()}
    assert states == {
        "Ash Vale": "converted",
        "May Thorn": "lapsed",
        "Sky Reed": "converted",
        "Kit Marsh": "cancelled",
    }
    assert story.robin is not None
    assert story.robin.told() == robins_year.told()
    assert (story.robin.open(), story.robin.payments()) == ([0] * 6, [2_400, 2_900, 2_900, 2_900])
    assert story.robin.refunds() == [2_900]
