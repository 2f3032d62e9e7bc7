"""Paying bills: choose, see the sum, go to the processor's page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel.errors import NotFound, ShopError
from core.kernel.money import Money, total
from core.ledger import items
from core.parties import accounts
from flows import account, early_payment, pay_amount
from flows.choose_tenders import Paying
from flows.pay_amount import MOST_BILLS, AllocationChanged, AmountWish
from flows.pay_bill import BillsChanged, PayWish, TooManyBills
from flows.pay_bill import pay as begin
from invoices import reading
from payments import reading as payments
from payments.gateway import GatewayError
from portal import amounts, shown, tendering
from portal.amounts import Typed
from portal.tendering import Tendered
from web import limits, paging
from web.access import Who, allow
from web.context import channel, house
from web.flashes import say
from web.forms import read_minor
from web.login import own_accounts, person
from web.pages import page

pay = Blueprint("pay", __name__, url_prefix="/account", template_folder="templates")

PAGE_SIZE = 50
_NO_ANSWER = "Our payment partner does not answer. Nothing was charged. Try again in a minute."


@pay.get("/pay")
@allow(Who.CUSTOMER)
def choose() -> str:
    """Which bills; those named in the address are ticked, all of the page when none is."""
    return _page(_asked(request.args.getlist("bill")))


@pay.post("/pay")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def go() -> str | Response | tuple[str, int]:
    """Add up, on a page that the back button can lead to; or begin to pay."""
    chosen = request.form.getlist("bill") or request.args.getlist("bill")
    asked = _asked(chosen)
    if "expected_total" in request.form and not chosen:
        return _page(asked, none=True, problems=["Choose at least one bill."]), 422
    typed, tendered, step = asked.typed(), tendering.read(), request.form.get("step")
    if typed.error:
        return _page(asked, tendered=tendered, typed=typed), 422
    if step == "sum" and not tendered.anything and not typed.text:
        return redirect(f"/account/pay?{urlencode([('bill', one) for one in chosen])}", 303)
    if step in ("sum", "amount") or tendered.is_new:
        code = 422 if tendered.error else 200
        return _page(asked, tendered=tendered, typed=typed), code
    if typed.text and not typed.is_shown:
        changed = [str(AllocationChanged())] if typed.shown else []
        shown_ = _page(asked, problems=changed, tendered=tendered, typed=typed)
        return shown_, 409 if changed else 200
    return _go(asked, tendered, typed)


def _go(asked: "Asked", tendered: Tendered, typed: Typed) -> str | Response | tuple[str, int]:
    try:
        url = _begin(asked, tendered.paying, typed)
    except NotFound:
        raise
    except BillsChanged as error:
        shown_ = (error.expected, error.actual)
        return _page(asked, changed=shown_, tendered=tendered), 409
    except GatewayError:
        return _page(asked, problems=[_NO_ANSWER], tendered=tendered, typed=typed), 503
    except ShopError as error:
        return _page(asked, problems=[str(error)], tendered=tendered, typed=typed), 409
    if url is None:
        say("Thank you, it is paid. What paid it stands on each bill.")
    return redirect(url or "/account", 303)


def _begin(asked: "Asked", paying: Paying, typed: Typed) -> str | None:
    who = person()
    assert who is not None
    _check_own(set(asked.chosen) - {row.public_id for row, _ in asked.rows})
    if typed.amount is not None and asked.account_id is not None:
        wish = AmountWish(
            asked.account_id,
            typed.amount,
            f"user:{who.key}",
            typed.shown,
            asked.named,
            paying,
        )
        return pay_amount.pay(house(), wish)
    if asked.following is not None and not asked.chosen:
        raise TooManyBills
    wanted = [row for row, _ in asked.rows if not asked.chosen or row.public_id in asked.chosen]
    currency = wanted[0].currency if wanted else "USD"
    expected = read_minor(request.form.get("expected_total"), currency)
    return begin(house(), PayWish(who.key, [row.id for row in wanted], expected, paying))


def _check_own(public_ids: set[str]) -> None:
    """What is not open may have been paid meanwhile. NotFound when it was never theirs."""
    ids = [row.id for row in own_accounts()]
    with house().db.reading() as session:
        for public_id in public_ids:
            reading.one(session, public_id, ids)


@dataclass(frozen=True)
class Asked:
    """The open bills of a page, the earliest due first, and those chosen by their public ids."""

    rows: Sequence[tuple[Any, Any]]
    chosen: Sequence[str]
    following: str | None
    is_first: bool

    @property
    def account_id(self) -> Any:
        """The one account that all of them are of, in one currency; None for several."""
        keys = {(item.account_id, item.open.currency) for _, item in self.rows}
        return next(iter(keys))[0] if len(keys) == 1 else None

    @property
    def currency(self) -> str:
        """Of the first of them."""
        return str(self.rows[0][1].open.currency) if self.rows else channel()[0].currency

    @property
    def named(self) -> Sequence[Any]:
        """What the payer chose by name: nothing where all of the page is ticked."""
        named = [row.id for row, _ in self.rows if row.public_id in self.chosen]
        return named if len(named) < len(self.rows) else ()

    def typed(self) -> Typed:
        """Another amount, as the form says."""
        return amounts.read(self.account_id, self.currency, self.named)


def _asked(chosen: Sequence[str]) -> Asked:
    """A page of what can be paid, and what was chosen from other pages."""
    who = person()
    assert who is not None
    after = paging.read_day(request.args.get("after"))
    with house().db.snapshot() as session:
        ids = [row.id for row in accounts.payable_by(session, who.key)]
        found = account.payable(session, ids, after=after, limit=PAGE_SIZE + 1)
        owed = [*found[:PAGE_SIZE], *_elsewhere(session, ids, chosen, found[:PAGE_SIZE])]
        owed.sort(key=lambda item: (item.due_date or item.effective_date, item.id))
        owed = early_payment.asked(session, house(), owed)
        bills = {row.id: row for row in reading.some(session, [item.source_id for item in owed])}
    last = found[PAGE_SIZE - 1] if len(found) > PAGE_SIZE else None
    following = (
        paging.write(last.due_date or last.effective_date, last.id) if last is not None else None
    )
    rows = [(bills[item.source_id], item) for item in owed if item.source_id in bills]
    return Asked(rows, chosen, following, after is None)


def _elsewhere(session: Any, ids: Any, chosen: Sequence[str], shown_: Sequence[Any]) -> list[Any]:
    """Chosen bills that do not stand on the page."""
    keys = reading.open_keys(session, chosen[:MOST_BILLS], ids) - {one.source_id for one in shown_}
    found = items.of_sources(session, list(keys)).values()
    return [one for one in found if one.open.minor > 0 and not one.is_history]


def _page(
    asked: Asked,
    *,
    none: bool = False,
    problems: Sequence[str] = (),
    changed: tuple[Money, Money] | None = None,
    tendered: Tendered | None = None,
    typed: Typed | None = None,
) -> str:
    tendered, rows = tendered or Tendered(), asked.rows
    ticked = [
        item
        for row, item in rows
        if not none and (not asked.chosen or row.public_id in asked.chosen)
    ]
    currency = ticked[0].open.currency if ticked else asked.currency
    sum_ = total((item.open for item in ticked if item.open.currency == currency), currency)
    plan = typed.plan if typed is not None else None
    pays = plan.amount - plan.credit if plan is not None else sum_
    with house().db.reading() as session:
        underway = payments.underway(session, [row.id for row in own_accounts()])
    return page(
        "portal/pay.html",
        bills=[shown.bill(row, item, printed=False, chosen=item in ticked) for row, item in rows],
        total=sum_,
        tendered=tendered,
        parts=tendering.shown(tendered, ticked, pays),
        credit=plan.credit if plan is not None else Money.zero(currency),
        another=amounts.words(typed or Typed()) if asked.account_id is not None else None,
        action="/account/pay",
        expected_total=str(sum_.minor),
        problems=problems,
        changed=changed,
        page=paging.links("/account/pay", "after", asked.following, asked.is_first),
        pending=[
            (
                f"{operation.currency} {Money(operation.amount_minor, operation.currency).decimal()}",
                "If you have finished it, it shows here in a moment.",
            )
            for operation in underway
        ],
    )
