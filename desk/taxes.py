"""Taxes: the report of a month or quarter, as a page and as CSV, and the table of rates."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from core.kernel import sheet
from core.kernel.errors import Invalid, ShopError
from core.kernel.money import Money, total
from core.kernel.sorting import Place
from core.parties.models import LegalEntity
from core.parties.roles import Role
from core.tax import rates
from core.tax.models import TaxRate
from desk import lists
from desk.lists import Listing
from desk.tax_forms import EndForm, RateForm
from invoices import tax_report
from invoices.tax_report import Period, Report, Row
from web.access import Who, allow
from web.context import house, today
from web.documents import State
from web.flashes import say
from web.login import person
from web.pages import page, show_errors

taxes = Blueprint("desk_taxes", __name__, url_prefix="/desk", template_folder="templates")
#: So many years back a report can be chosen.
YEARS = 3
TABS = [
    ("Report", "/desk/tax", None),
    ("Rates", "/desk/tax/rates", None),
    ("Certificates", "/desk/tax/certificates", None),
]
LISTED = Listing(
    "/desk/tax/rates",
    "rate",
    rates.SORTS,
    "-from",
    head=(
        "place",
        "jurisdiction",
        "tax",
        "category",
        "percent",
        "kind",
        "seller",
        "from",
        "through",
        "state",
    ),
    file_name="tax-rates",
)
_HEAD = (
    "legal_entity",
    "period",
    "currency",
    "jurisdiction",
    "tax",
    "rate_percent",
    "taxable_base",
    "base_credited",
    "exempt_base",
    "reverse_charge_base",
    "tax_charged",
    "tax_credited",
    "tax_due",
)


# --- the report -----------------------------------------------------------------------------------


@taxes.get("/tax")
@allow(Who.STAFF, roles=(Role.BILLING,))
def report() -> str:
    """What is owed to whom for a month or quarter, tied to the ledger."""
    days = _period()
    with house().db.snapshot() as session:
        sellers = rates.sellers(session)
        seller = _seller(sellers)
        found = tax_report.report(session, seller.id, days)
    return page(
        "desk/tax.html",
        tabs_=TABS,
        current_tab="/desk/tax",
        periods=[(one.code, _words(one)) for one in _periods()],
        period=days.code,
        period_words=_words(days),
        sellers=[(row.code, row.name) for row in sellers],
        seller=seller.code,
        sheets=[_sheet(found, currency) for currency in found.ties],
        export_href=f"/desk/tax.csv?period={days.code}&seller={seller.code}",
    )


def _sheet(found: Report, currency: str) -> dict[str, Any]:
    rows, tie = found.rows[currency], found.ties[currency]
    names = ("taxable", "credited", "exempt", "reverse_charge", "tax", "tax_credited", "tax_due")
    return {
        "currency": currency,
        "rows": rows,
        "rates": {row.rate_ppm: percent(row.rate_ppm) for row in rows},
        "sums": [total((getattr(row, name) for row in rows), currency) for name in names],
        "tie": tie,
        "state": State("bad", "Does not tie") if tie.difference else State("go", "Ties"),
    }


@taxes.get("/tax.csv")
@allow(Who.STAFF, roles=(Role.BILLING,))
def export() -> Response:
    """The same rows as a file; the same bytes each time."""
    days = _period()
    with house().db.snapshot() as session:
        seller = _seller(rates.sellers(session))
        found = tax_report.report(session, seller.id, days)
    data = b"".join(sheet.pieces(_HEAD, _cells(seller, days, found)))
    name = f"tax-{seller.code}-{days.code}.csv"
    return Response(
        data,
        mimetype="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )


def _cells(seller: LegalEntity, days: Period, found: Report) -> Iterator[list[sheet.Cell]]:
    for currency, rows in found.rows.items():
        for row in rows:
            yield [
                sheet.words(seller.code),
                sheet.code(days.code),
                sheet.code(currency),
                sheet.words(row.jurisdiction),
                sheet.words(row.name),
                sheet.code(percent(row.rate_ppm)),
                *(sheet.amount(amount) for amount in _amounts(row)),
            ]


def _amounts(row: Row) -> list[Money]:
    bases = [row.taxable, row.credited, row.exempt, row.reverse_charge]
    return [*bases, row.tax, row.tax_credited, row.tax_due]


def percent(ppm: int) -> str:
    """``6.5`` for 65000."""
    whole, rest = divmod(ppm, 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")


def _period() -> Period:
    chosen = tax_report.period(request.args.get("period", ""))
    return chosen or tax_report.month(today().year, today().month)


def _periods() -> list[Period]:
    """This month and those before it, each quarter after its last month; the newest first."""
    now, found = today(), []
    for year in range(now.year, now.year - YEARS, -1):
        for number in range(12, 0, -1):
            if date(year, number, 1) > now:
                continue
            if number % 3 == 0:
                found.append(tax_report.quarter(year, number // 3))
            found.append(tax_report.month(year, number))
    return found


def _words(days: Period) -> str:
    if "Q" in days.code:
        return f"Quarter {days.code[-1]} of {days.code[:4]}"
    return f"{days.first:%B %Y}"


def _seller(sellers: Sequence[LegalEntity]) -> LegalEntity:
    code = request.args.get("seller", "")
    return next((row for row in sellers if row.code == code), sellers[0])


# --- the table of rates ---------------------------------------------------------------------------


@taxes.get("/tax/rates")
@allow(Who.STAFF, roles=(Role.BILLING,))
def listed() -> str:
    """The rates, and a form for another one."""
    return _rates(RateForm(data={"valid_from": today()}))


@taxes.post("/tax/rates")
@allow(Who.STAFF, roles=(Role.BILLING,))
def add() -> str | AnyResponse | tuple[str, int]:
    """Another rate, for each of its categories."""
    form = RateForm(request.form)
    with house().db.reading() as session:
        sellers = rates.sellers(session)
    form.offer(sellers)
    if not form.validate():
        return _rates(form), 422
    try:
        new = form.wanted(sellers)
        house().db.run_tx(
            lambda session: len(rates.add(session, new, actor(), house().clock.now()))
        )
    except Invalid as error:
        show_errors(form, error)
        return _rates(form), 422
    except ShopError as error:
        return _rates(form, [str(error)]), 409
    say(f"{new.name} holds from {new.valid_from:%B %-d, %Y}.")
    return redirect("/desk/tax/rates", 303)


@taxes.get("/tax/rates/<uuid:rate_id>/end")
@allow(Who.STAFF, roles=(Role.BILLING,))
def ask_end(rate_id: uuid.UUID) -> str:
    """Ask for its last day."""
    with house().db.reading() as session:
        rate = rates.one(session, rate_id)
    return _end(rate, EndForm(data={"last": rate.valid_to or today()}))


@taxes.post("/tax/rates/<uuid:rate_id>/end")
@allow(Who.STAFF, roles=(Role.BILLING,))
def end(rate_id: uuid.UUID) -> str | AnyResponse | tuple[str, int]:
    """Set its last day."""
    form = EndForm(request.form)
    with house().db.reading() as session:
        rate = rates.one(session, rate_id)
    last = form.last.data if form.validate() else None
    if not isinstance(last, date):
        return _end(rate, form), 422

    def write(session: Session) -> None:
        rates.end(session, rates.one(session, rate_id), last, actor(), house().clock.now())

    try:
        house().db.run_tx(write)
    except Invalid as error:
        show_errors(form, error)
        return _end(rate, form), 422
    say(f"{rate.name} on {rate.category} is charged until {last:%B %-d, %Y}.")
    return redirect("/desk/tax/rates", 303)


def actor() -> str:
    """Who does it, for the audit log."""
    who = person()
    assert who is not None
    return f"user:{who.key}"


def _rates(form: RateForm, problems: Sequence[str] = ()) -> str:
    with house().db.snapshot() as session:
        rows, context = LISTED.page(session, LISTED.asked(), _found)
        form.offer(rates.sellers(session))
    return page(
        "desk/tax_rates.html",
        tabs_=TABS,
        current_tab="/desk/tax/rates",
        rates=[_row(*row) for row in rows],
        form=form,
        problems=problems,
        **context,
    )


@taxes.get("/tax/rates.csv")
@allow(Who.STAFF, roles=(Role.BILLING,))
def export_rates() -> Response:
    """The table of rates as it is chosen, all of it."""
    return LISTED.csv(LISTED.asked(), _found, lambda _, rows: (_rate_cells(*row) for row in rows))


def _found(
    session: Session, asked: lists.Asked, place: Place, limit: int
) -> Sequence[tuple[TaxRate, LegalEntity]]:
    return rates.listing(session, words=asked.words, place=place, limit=limit)


def _rate_cells(rate: TaxRate, seller: LegalEntity) -> list[sheet.Cell]:
    drawn = _row(rate, seller)
    texts = ("place", "jurisdiction", "name", "category", "percent", "kind", "seller")
    return [
        *(sheet.words(drawn[name]) for name in texts),
        sheet.day(rate.valid_from),
        sheet.day(rate.valid_to),
        sheet.words(drawn["state"].text),
    ]


def _row(rate: TaxRate, seller: LegalEntity) -> dict[str, Any]:
    if rate.valid_to is not None and rate.valid_to < today():
        state = State("", "Ended")
    elif rate.valid_from > today():
        state = State("wait", "Later")
    else:
        state = State("go", "Charged")
    kinds = [("compound", rate.compound), ("in prices", rate.inclusive)]
    return {
        "place": " ".join(part for part in (rate.country, rate.region) if part),
        "jurisdiction": rate.jurisdiction,
        "name": rate.name,
        "category": rate.category,
        "percent": percent(rate.rate_ppm),
        "kind": ", ".join(word for word, is_so in kinds if is_so),
        "first": rate.valid_from,
        "last": rate.valid_to,
        "state": state,
        "seller": seller.name,
        "end_href": f"/desk/tax/rates/{rate.id}/end" if state.text != "Ended" else "",
    }


def _end(rate: TaxRate, form: EndForm) -> str:
    return page(
        "desk/tax_rate_end.html",
        form=form,
        rate={
            "name": rate.name,
            "jurisdiction": rate.jurisdiction,
            "category": rate.category,
            "percent": percent(rate.rate_ppm),
            "first": rate.valid_from,
        },
        action=f"/desk/tax/rates/{rate.id}/end",
    )
