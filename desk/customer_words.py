"""The page of one customer in words: its sections, each a few rows and the link to the whole list."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from cart.quotes import reading as quotes
from core.kernel.money import Money
from core.ledger.chart import CHART
from core.parties.models import Account
from desk import quote_shown, shown
from flows.see_customer import SHOWN, Customer
from payments import methods
from web.documents import State, bill_of

_NAMES = {code: name for code, name, _ in CHART}
_SERVICES = {
    "ordered": State("wait", "Waiting"),
    "active": State("go", "Running"),
    "paused": State("wait", "Resting"),
    "ended": State("", "Ended"),
}
_NOTICES = {
    "queued": State("wait", "Waits"),
    "sent": State("go", "Sent"),
    "failed": State("bad", "Failed"),
}
_KINDS = {
    "invoice": "Bill",
    "credit_memo": "Credit memo",
    "debit_memo": "Debit memo",
    "note": "Note",
}
_DISPUTES = {"open": "wait", "resolved": "go", "withdrawn": ""}


@dataclass(frozen=True)
class Section:
    """A few of a list: rows of (words, address or "", when, state or none, amount or none)."""

    title: str
    empty: str
    rows: Sequence[tuple[str, str, Any, State | None, Money | None]] = field(default_factory=list)
    #: Where the whole list is, in words too; empty where there is none.
    all_href: str = ""
    more: bool = False


def acts(account: Account) -> list[tuple[str, str]]:
    """What can be done for them: (address, words); the page leaves out what is not for one's role."""
    own = f"/desk/customers/{account.public_id}"
    return [
        (f"{own}/order", "Order for them"),
        (f"{own}/edit", "Change"),
        (f"/desk/terms/{account.number}", "Terms"),
        (f"{own}/pay-code", "Pay code"),
        (f"/desk/payments/cards/{account.number}", "Cards and AutoPay"),
        (f"/desk/money/accounts/{account.public_id}", "What is held"),
        (f"/desk/ledger/accounts/{account.public_id}", "In the ledger"),
    ]


def members(found: Customer) -> list[dict[str, Any]]:
    """Who may log in."""
    return [
        {
            "name": user.name,
            "email": user.email,
            "role": member.role,
            "since": member.created_at,
            "state": State("bad", "Shut out") if user.disabled_at else None,
        }
        for user, member in found.members
    ]


def balance(found: Customer) -> list[tuple[str, Money]]:
    """What they owe and what is held for them, by place and currency."""
    return [(_NAMES.get(one.ledger_code, one.ledger_code), one.amount) for one in found.positions]


def agreed(found: Customer) -> list[dict[str, Any]]:
    """What they ticked without having to, and whether it holds."""
    return [
        {
            "text": one.text,
            "version": one.version,
            "given_at": one.given_at,
            "withdrawn_at": one.withdrawn_at,
            "state": State("go", "Holds") if one.stands else State("bad", "Taken back"),
        }
        for one in found.agreed
    ]


def history(found: Customer) -> list[dict[str, Any]]:
    """The last acts on the account and what hangs on it."""
    return [
        {
            "at": entry.at,
            "act": entry.act.replace(".", " ").replace("_", " "),
            "about": entry.subject_kind,
            "who": found.names.get(entry.actor, entry.actor),
        }
        for entry in found.acts
    ]


def sections(found: Customer, today: date, now: datetime) -> list[Section]:
    """All lists, in the order in which one looks."""
    return [
        _orders(found),
        _services(found),
        _bills(found, today),
        _payments(found),
        _methods(found, today),
        _quotes(found, now),
        _disputes(found),
        _statements(found),
        _notices(found),
    ]


def _cut(title: str, empty: str, rows: list[Any], all_href: str = "") -> Section:
    return Section(title, empty, rows[:SHOWN], all_href if rows else "", len(rows) > SHOWN)


def _orders(found: Customer) -> Section:
    rows = [
        (
            row.number or "Being paid",
            f"/desk/orders/{row.public_id}",
            row.placed_at or row.created_at,
            shown.LIFECYCLE["cancelled"]
            if row.lifecycle == "cancelled"
            else shown.FULFILMENT[row.fulfilment],
            Money(row.worth_minor, row.currency),
        )
        for row in found.orders
    ]
    return _cut("Orders", "Nothing ordered yet.", rows, f"/desk/orders?q={found.account.number}")


def _services(found: Customer) -> Section:
    rows = []
    for row in found.services:
        timeline = found.timelines[row.id]
        name = timeline.label or timeline.phases[-1].name
        href = f"/desk/services/{row.public_id}"
        rows.append((name, href, row.activated_on or row.ordered_at, _SERVICES[row.state], None))
    every = f"/desk/services?q={found.account.number}"
    return _cut("Services", "No service.", rows, every)


def _bills(found: Customer, today: date) -> Section:
    rows = [
        (
            f"{_KINDS.get(row.kind, 'Paper')} {row.number}",
            f"/desk/invoices/{row.public_id}",
            row.issue_date,
            bill_of(row, found.open_items.get(row.id), today).state,
            Money(row.total_minor, row.currency),
        )
        for row in found.bills
    ]
    return _cut("Bills", "Nothing billed yet.", rows, f"/desk/invoices?q={found.account.number}")


def _payments(found: Customer) -> Section:
    rows = [
        (
            f"{row.number}, {row.instrument}",
            f"/desk/payments/{row.public_id}",
            row.captured_at,
            State("go", "Received"),
            Money(row.amount_minor, row.currency),
        )
        for row in found.payments
    ]
    return _cut("Payments", "Nothing paid yet.", rows, f"/desk/payments?q={found.account.number}")


def _methods(found: Customer, today: date) -> Section:
    auto = found.autopay.payment_method_id if found.autopay is not None else None

    def state(row: Any) -> State | None:
        if methods.is_lapsed(row, today):
            return State("bad", "Expired")
        return State("go", "Pays by itself") if row.id == auto else None

    rows = [(methods.label(row), "", row.created_at, state(row), None) for row in found.methods]
    return _cut("Cards on file", "No card on file.", rows)


def _quotes(found: Customer, now: datetime) -> Section:
    rows = [
        (
            row.number,
            f"/desk/quotes/{row.public_id}",
            row.requested_at,
            quote_shown.STATES[quotes.state_of(row, now)],
            Money(row.value_minor, row.currency) if row.value_minor else None,
        )
        for row in found.quotes
    ]
    return _cut("Quotes", "No quote.", rows, f"/desk/quotes?q={found.account.number}")


def _disputes(found: Customer) -> Section:
    rows = [
        (
            f"{row.dispute.number} on {row.invoice.number}",
            f"/desk/disputes/{row.dispute.public_id}",
            row.dispute.opened_at,
            State(_DISPUTES.get(row.dispute.state, ""), row.dispute.state.capitalize()),
            Money(row.dispute.amount_minor, row.dispute.currency),
        )
        for row in found.disputes
    ]
    return _cut("Disputes", "Nothing disputed.", rows, f"/desk/disputes?q={found.account.number}")


def _statements(found: Customer) -> Section:
    rows = [
        (
            row.number,
            f"/desk/statements/{row.public_id}",
            row.issue_date,
            None,
            Money(row.closing_minor, row.currency),
        )
        for row in found.statements
    ]
    every = f"/desk/statements?q={found.account.number}"
    return _cut("Statements", "No statement yet.", rows, every)


def _notices(found: Customer) -> Section:
    rows = [
        (f"{row.subject}, to {row.to_address}", "", row.created_at, _NOTICES[row.state], None)
        for row in found.notices
    ]
    return _cut("Mails sent", "No mail yet.", rows)
