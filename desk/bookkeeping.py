"""Keeping the books: periods that close and reopen, and rates between currencies."""

import uuid
from decimal import InvalidOperation

from flask import Blueprint, redirect, request
from flask import Response as FileResponse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.kernel import sheet
from core.kernel.errors import ShopError
from core.kernel.sorting import Place
from core.ledger import periods, rates
from core.ledger.rates import CurrencyRate
from core.parties import accounts, users
from core.parties.roles import Role
from desk import lists
from desk.lists import Choice, Listing
from desk.money import TABS, actor
from desk.money_forms import CloseForm, RateForm, SureForm
from flows import keep_books
from web.access import Who, allow
from web.context import channel, house, today
from web.flashes import say
from web.pages import page

bookkeeping = Blueprint(
    "desk_bookkeeping", __name__, url_prefix="/desk", template_folder="templates"
)
LISTED = Listing(
    "/desk/rates",
    "rate",
    rates.SORTS,
    "-day",
    head=("day", "currency", "functional", "rate", "told_by"),
)


@bookkeeping.get("/periods")
@allow(Who.STAFF, roles=(Role.BILLING,))
def closed() -> str:
    """Through which day the books are closed, and who closed and reopened them."""
    return _periods(CloseForm(), request.args.get("seller", ""))


@bookkeeping.post("/periods")
@allow(Who.STAFF, roles=(Role.BILLING,))
def close() -> str | Response | tuple[str, int]:
    """Close everything up to a day."""
    form = CloseForm(request.form)
    with house().db.reading() as session:
        sellers = {row.code: row for row in accounts.legal_entities(session)}
    form.seller.choices = [(code, row.name) for code, row in sellers.items()]
    through = form.through.data if form.validate() else None
    if through is None:
        return _periods(form, form.seller.data or ""), 422
    try:
        keep_books.close(house(), sellers[str(form.seller.data)].id, through, actor())
    except ShopError as error:
        form.through.errors = [str(error)]
        return _periods(form, form.seller.data or ""), 422
    say(f"The books are closed through {through:%B %-d, %Y}.")
    return redirect(lists.address("/desk/periods", seller=str(form.seller.data)), 303)


@bookkeeping.post("/periods/<uuid:close_id>/reopen")
@allow(Who.STAFF, roles=(Role.BILLING,))
def reopen(close_id: uuid.UUID) -> str | Response | tuple[str, int]:
    """Take the last close back."""
    if not SureForm(request.form).validate():
        said = "Tick the box to say that you mean it."
        return _periods(CloseForm(), request.form.get("seller", ""), said), 422
    through = keep_books.reopen(house(), close_id, actor())
    say(f"What was closed through {through:%B %-d, %Y} is open again.", "warn")
    return redirect(lists.address("/desk/periods", seller=request.form.get("seller", "")), 303)


def _periods(form: CloseForm, seller: str, problem: str = "") -> str:
    with house().db.snapshot() as session:
        sellers = accounts.legal_entities(session)
        entity = next((row for row in sellers if row.code == seller), channel()[1])
        through = periods.closed_through(session, entity.id)
        rows = periods.history(session, entity.id)
        acted = [who for row in rows for who in (row.closed_by, row.reopened_by) if who]
        names = users.names(session, acted)
    form.seller.choices = [(row.code, row.name) for row in sellers]
    form.seller.data = entity.code
    return page(
        "desk/periods.html",
        tabs_=TABS,
        current_tab="/desk/periods",
        form=form,
        entity=entity,
        through=through,
        rows=[
            {
                "through": row.through_date,
                "closed_at": row.closed_at,
                "closed_by": names.get(row.closed_by, row.closed_by),
                "reopened_at": row.reopened_at,
                "reopened_by": names.get(row.reopened_by or "", row.reopened_by),
                "action": f"/desk/periods/{row.id}/reopen"
                if row.reopened_at is None and row.through_date == through
                else "",
            }
            for row in rows
        ],
        problem=problem,
    )


# --- rates ----------------------------------------------------------------------------------------


@bookkeeping.get("/rates")
@allow(Who.STAFF, roles=(Role.BILLING,))
def told() -> str:
    """The rates, the newest first, and a form for another."""
    own = channel()[1].functional_currency
    return _rates(RateForm(data={"on_date": today(), "functional": own}))


@bookkeeping.post("/rates")
@allow(Who.STAFF, roles=(Role.BILLING,))
def tell() -> str | Response | tuple[str, int]:
    """Another rate."""
    form = RateForm(request.form)
    if not form.validate() or form.on_date.data is None:
        return _rates(form), 422
    pair = ((form.currency.data or "").upper(), (form.functional.data or "").upper())
    try:
        keep_books.tell_rate(house(), pair, form.on_date.data, form.decimal(), actor())
    except (ValueError, InvalidOperation):
        form.rate.errors = ["A number above zero, and two currencies that differ."]
        return _rates(form), 422
    say(f"One {pair[0]} is {form.rate.data} {pair[1]} from {form.on_date.data:%B %-d, %Y}.")
    return redirect("/desk/rates", 303)


def _rates(form: RateForm) -> str:
    with house().db.snapshot() as session:
        asked = LISTED.asked(_currencies(session))
        rows, context = LISTED.page(session, asked, _found)
    return page(
        "desk/rates.html",
        tabs_=TABS,
        current_tab="/desk/rates",
        form=form,
        rates=rows,
        **context,
    )


@bookkeeping.get("/rates.csv")
@allow(Who.STAFF, roles=(Role.BILLING,))
def export_rates() -> FileResponse:
    """The rates as they are chosen, all of them."""
    with house().db.reading() as session:
        asked = LISTED.asked(_currencies(session))
    return LISTED.csv(asked, _found, lambda _, found: map(_cells, found))


def _currencies(session: Session) -> Choice:
    return Choice("currency", "Currency", [(one, one) for one in rates.currencies(session)])


def _found(session: Session, asked: lists.Asked, place: Place, limit: int) -> list[CurrencyRate]:
    return rates.listing(session, currency=asked["currency"], place=place, limit=limit)


def _cells(row: CurrencyRate) -> list[sheet.Cell]:
    return [
        sheet.day(row.on_date),
        sheet.code(row.currency),
        sheet.code(row.functional),
        sheet.code(row.rate),
        sheet.words(row.source),
    ]
