"""Paying bills: choose, see the sum, go to the processor's page."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from core.kernel.errors import NotFound, ShopError
from core.kernel.money import Money, total
from core.ledger import items
from core.parties import accounts
from flows import early_payment
from flows.choose_tenders import Paying
from flows.pay_bill import BillsChanged, PayWish
from flows.pay_bill import pay as begin
from invoices import reading
from payments import reading as payments
from payments.gateway import GatewayError
from portal import shown, tendering
from portal.tendering import Tendered
from web import limits
from web.access import Who, allow
from web.context import channel, house
from web.flashes import say
from web.forms import read_minor
from web.login import own_accounts, person
from web.pages import page

pay = Blueprint("pay", __name__, url_prefix="/account", template_folder="templates")

_NO_ANSWER = "Our payment partner does not answer. Nothing was charged. Try again in a minute."


@pay.get("/pay")
@allow(Who.CUSTOMER)
def choose() -> str:
    """Which bills; those named in the address are ticked, all when none is."""
    return _page(request.args.getlist("bill"))


@pay.post("/pay")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def go() -> str | Response | tuple[str, int]:
    """Add up, on a page that the back button can lead to; or begin to pay."""
    chosen = request.form.getlist("bill") or request.args.getlist("bill")
    if "expected_total" in request.form and not chosen:
        return _page(["none"], problems=["Choose at least one bill."]), 422
    tendered = tendering.read()
    adding_up = request.form.get("step") == "sum"
    if adding_up and not tendered.anything:
        return redirect(f"/account/pay?{urlencode([('bill', one) for one in chosen])}", 303)
    if adding_up or tendered.is_new:
        return _page(chosen, tendered=tendered), 422 if tendered.error else 200
    try:
        url = _begin(chosen, tendered.paying)
    except NotFound:
        raise
    except BillsChanged as error:
        shown_ = (error.expected, error.actual)
        return _page(chosen, changed=shown_, tendered=tendered), 409
    except GatewayError:
        return _page(chosen, problems=[_NO_ANSWER], tendered=tendered), 503
    except ShopError as error:
        return _page(chosen, problems=[str(error)], tendered=tendered), 409
    if url is None:
        say("Thank you, it is paid. What paid it stands on each bill.")
    return redirect(url or "/account", 303)


def _begin(chosen: Sequence[str], paying: Paying) -> str | None:
    who = person()
    assert who is not None
    rows = [row for row, _ in _open_bills()]
    _check_own(set(chosen) - {row.public_id for row in rows})
    wanted = [row for row in rows if not chosen or row.public_id in chosen]
    currency = wanted[0].currency if wanted else "USD"
    expected = read_minor(request.form.get("expected_total"), currency)
    return begin(house(), PayWish(who.key, [row.id for row in wanted], expected, paying))


def _check_own(public_ids: set[str]) -> None:
    """What is not open may have been paid meanwhile. NotFound when it was never theirs."""
    ids = [row.id for row in own_accounts()]
    with house().db.reading() as session:
        for public_id in public_ids:
            reading.one(session, public_id, ids)


def _open_bills() -> list[tuple[Any, Any]]:
    """What can be paid, the earliest due first: (invoice, open item)."""
    who = person()
    assert who is not None
    with house().db.snapshot() as session:
        ids = [row.id for row in accounts.payable_by(session, who.key)]
        owed = [item for item in items.owed_by(session, ids) if not item.is_history]
        owed = early_payment.asked(session, house(), owed)
        found = {row.id: row for row in reading.some(session, [item.source_id for item in owed])}
    return [(found[item.source_id], item) for item in owed if item.source_id in found]


def _page(
    chosen: Sequence[str],
    *,
    problems: Sequence[str] = (),
    changed: tuple[Money, Money] | None = None,
    tendered: Tendered | None = None,
) -> str:
    tendered = tendered or Tendered()
    rows = _open_bills()
    ticked = [item for row, item in rows if not chosen or row.public_id in chosen]
    currency = ticked[0].open.currency if ticked else channel()[0].currency
    sum_ = total((item.open for item in ticked if item.open.currency == currency), currency)
    with house().db.reading() as session:
        underway = payments.underway(session, [row.id for row in own_accounts()])
    return page(
        "portal/pay.html",
        bills=[shown.bill(row, item, printed=False, chosen=item in ticked) for row, item in rows],
        total=sum_,
        tendered=tendered,
        parts=tendering.shown(tendered, ticked, sum_),
        action="/account/pay",
        expected_total=str(sum_.minor),
        problems=problems,
        changed=changed,
        guest=False,
        pending=[
            (
                f"{operation.currency} {Money(operation.amount_minor, operation.currency).decimal()}",
                "If you have finished it, it shows here in a moment.",
            )
            for operation in underway
        ],
    )
