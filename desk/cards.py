"""Cards at the desk: payments that are planned or were declined, and an account's cards. Reads only."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from core.kernel import sheet
from core.kernel.money import Money
from core.kernel.sorting import Place
from core.parties import accounts, users
from core.parties.models import Account
from core.parties.roles import Role
from desk.lists import Asked, Choice, Listing
from flows import see_cards
from payments import autopay, methods, scheduled
from payments.automatic_models import ScheduledPayment
from payments.models import PaymentMethod
from web import wallet
from web.access import Who, allow
from web.context import house
from web.documents import State
from web.pages import page

BASE = "/desk/payments/planned"
cards = Blueprint("desk_cards", __name__, url_prefix="/desk/payments", template_folder="templates")
_SEE = (Role.BILLING, Role.SUPPORT)
#: Tab by tab: its words and the states that it shows.
_TABS = {
    "declined": ("Declined", ("waiting", "failed", "retrying")),
    "planned": ("Planned", ("planned",)),
    "made": ("Made", ("paid",)),
}
LISTED = Listing(
    BASE,
    "payment",
    scheduled.SORTS,
    "-written",
    (Choice("tab", "State", [(key, text) for key, (text, _) in _TABS.items()], is_tabs=True),),
    head=(
        "what",
        "day",
        "customer",
        "account",
        "card",
        "state",
        "code",
        "declined",
        "amount",
        "currency",
    ),
    file_name="planned-payments",
)
Found = tuple[ScheduledPayment, Account, PaymentMethod]


@cards.get("/planned")
@allow(Who.STAFF, roles=_SEE)
def listed() -> str:
    """Payments that are made without their payer, the last written first."""
    asked = LISTED.asked()
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, asked, _found)
        drawn = _drawn(session, rows)
        counts = scheduled.counts(session)
    by_tab = {key: sum(counts.get(one, 0) for one in states) for key, (_, states) in _TABS.items()}
    every = {"": sum(counts.values())}
    return page(
        "desk/planned.html",
        payments=drawn,
        **LISTED.tabs("tab", asked, by_tab | every),
        **context,
    )


@cards.get("/planned.csv")
@allow(Who.STAFF, roles=_SEE)
def export() -> Response:
    """The list as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, _cells)


def _found(session: Session, asked: Asked, place: Place, limit: int) -> list[Found]:
    states = _TABS[asked["tab"]][1] if asked["tab"] else ()
    return scheduled.with_accounts(
        session, states=states, words=asked.words, place=place, limit=limit
    )


def _drawn(session: Session, rows: Sequence[Found]) -> list[dict[str, Any]]:
    taken = scheduled.taken(session, [row for row, _, _ in rows])
    return [_row(row, who, card, taken.get(row.id)) for row, who, card in rows]


def _cells(session: Session, rows: Sequence[Found]) -> Iterator[list[sheet.Cell]]:
    for (_, who, _), drawn in zip(rows, _drawn(session, rows), strict=True):
        amount = drawn["amount"]
        yield [
            sheet.words(drawn["title"]),
            sheet.day(drawn["on"]),
            sheet.words(who.name),
            sheet.code(who.number),
            sheet.words(drawn["card"]),
            sheet.words(drawn["state"].text),
            sheet.words(drawn["code"]),
            sheet.code(drawn["tries"]),
            sheet.amount(amount) if amount is not None else sheet.EMPTY,
            sheet.code(amount.currency if amount is not None else ""),
        ]


def _row(
    row: ScheduledPayment, who: Account, card: PaymentMethod, taken: Money | None
) -> dict[str, Any]:
    minor = row.noticed_minor if row.origin == "autopay" else row.amount_minor
    amount = taken or (Money(minor, row.currency) if minor else None)
    seen = see_cards.Planned(row, card, (), amount)
    drawn = wallet.payment(seen, BASE)
    return drawn | {
        "customer": who.name,
        "customer_href": f"/desk/payments/cards/{who.number}",
        "created": row.created_at,
    }


@cards.get("/planned/<public_id>")
@allow(Who.STAFF, roles=_SEE)
def one(public_id: str) -> str:
    """One payment: what it is for, what was agreed, every try with the bank's code."""
    with house().db.snapshot() as session:
        row = scheduled.one(session, public_id)
        who = session.get_one(Account, row.account_id)
        told = see_cards.told(session, house(), who, row)
        names = users.names(session, {row.created_by})
    given = told.agreed
    return page(
        "desk/planned_one.html",
        payment=wallet.payment(told.planned, BASE),
        customer=who.name,
        customer_href=f"/desk/payments/cards/{who.number}",
        facts=[
            ("Account", who.number),
            ("Planned by", names.get(row.created_by, row.created_by)),
            ("Told ahead", "Yes" if row.noticed_at is not None else "No"),
            ("Declined", f"{row.tries} time{'s' if row.tries != 1 else ''}"),
            *([("Bank’s code", row.failure.replace("_", " ").capitalize())] if row.failure else []),
        ],
        agreed=given.text if given is not None else "",
        given=_given(given) if given is not None else "",
        given_at=given.agreed_at if given is not None else None,
        tries=[
            wallet.attempt(each) | {"amount": Money(each.amount_minor, each.currency)}
            for each in told.tries
        ],
    )


def _given(given: Any) -> str:
    ended = " It has ended." if given.ended_at is not None else ""
    return f"Version {given.text_version}, from {given.address}.{ended}"


@cards.get("/cards/<account_number>")
@allow(Who.STAFF, roles=_SEE)
def of_account(account_number: str) -> str:
    """The cards of an account, its AutoPay with what was agreed, and its payments."""
    with house().db.snapshot() as session:
        who = accounts.by_number(session, account_number)
        seen = see_cards.wallet(session, house(), who)
        rules = autopay.of_account(session, who.id)
        lately = scheduled.listing(session, [who.id], limit=20)
        drawn = see_cards.planned(session, house(), who, lately)
        names = {card.id: methods.label(card) for card in methods.ever_of(session, who.id)}
    agreed = seen.agreed
    return page(
        "desk/cards.html",
        account={
            "name": who.name,
            "number": who.number,
            "href": f"/desk/customers/{who.public_id}",
        },
        cards=[wallet.card(card, seen) for card in seen.cards],
        rules=[
            {
                "card": names.get(rule.payment_method_id, ""),
                "since": rule.started_at,
                "until": rule.stopped_at,
                "by": rule.stopped_by or rule.started_by,
                "state": State("go", "On") if rule.state == "active" else State("", "Stopped"),
            }
            for rule in rules
        ],
        agreed=agreed.text if agreed is not None else "",
        given=_given(agreed) if agreed is not None else "",
        given_at=agreed.agreed_at if agreed is not None else None,
        payments=[wallet.payment(each, BASE) for each in drawn],
    )
