"""Every list of the desk, as a table of it says: sorts, filters, pages, and the same rows as a file."""

import csv
import importlib
import io
import pkgutil
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import desk
from core.kernel.ids import new_public_id
from core.kernel.money import Money
from core.ledger import items, rates, writeoffs
from core.ledger.models import OpenItem
from core.tax import exemptions
from core.tax.exemptions import NewExemption
from desk import lists
from desk.lists import Listing
from payments.chargebacks import ChargebackRow
from payments.models import Payment
from tests.rooms.web.growing import Growing
from tests.rooms.web.names import Names
from tests.rooms.web.stage import KIM, Browser, Stage
from web.access import roles_of

#: A list: its address | its sorts, each with the column of its file that it goes by (``-``: none) | its
#: filters, ``q`` where words are looked for; and below, the columns of its file.
TABLE = """
/desk/audit | written=- | q actor subject since through
    at actor name act subject_kind subject_id detail seal_number
/desk/bill-runs | started=started upto=up_to | kind
    up_to kind state started accounts parked currency billed credited
/desk/chargebacks | opened=opened amount=amount | q state
    payment customer account card reason state evidence_until opened currency amount fee
/desk/content | address=- name=name | q kind
    name read_at kind for language state has_draft changed
/desk/content/banners | from=from | q
    says language state from until leads_to
/desk/content/media | uploaded=uploaded name=name | q kind state
    kind name shows width height uploaded
/desk/content/redirects | address=gone followed=followed | q
    gone leads_to for_good followed last_followed
/desk/customers | created=since name=name number=number | q kind
    number name kind email since currency external_ref
/desk/disputes | answer=answer_by opened=opened amount=disputed | q tab reason
    number state outcome reason customer account bill line currency disputed credited opened answer_by
    closed
/desk/drafts | changed=changed | q state
    customer account first_line lines state changed
/desk/gift-cards | sold=sold worth=worth | q state
    ends_with sold state currency worth balance reserved
/desk/invoices | issued=issued due=due total=- | q kind
    number kind issued due state customer account currency total open
/desk/jobs | made=id | q state
    id kind key state tries made due finished error
/desk/keys | made=made name=name | q
    name begins_with scopes made_by made last_used ends state
/desk/orders | placed=placed due=worth | q state fulfilment
    number placed state payment fulfilment customer account email currency due_now worth
/desk/parked | parked=parked upto=up_to | q state
    account customer why said state up_to parked
/desk/past-due | since=since next=next_on | q state age
    account name past_due currency since days state next_step next_on
/desk/payments | captured=captured amount=amount | q
    number captured customer account method processor_id currency amount applied
/desk/payments/planned | written=- day=day | q tab
    what day customer account card state code declined amount currency
/desk/pick-ups | ready=ready | q
    order customer email location ready pieces
/desk/products | shelf=- name=product | q state
    product address skus state price_from currency
/desk/provisioning | asked=asked began=began | q state
    order sku service customer account state tries trouble asked next_try began reference
/desk/quotes | changed=- asked=asked value=value | q tab owner
    number state name company email owner currency value asked closed
/desk/quotes/approvals | waits=asked | q
    version customer currency value why asked_by asked
/desk/rates | day=day | currency
    day currency functional rate told_by
/desk/reconciler | ended=ended | state
    ended asked_for looked_at found mended no_answer state
/desk/returns | asked=asked | q state
    number order customer asked reason state
/desk/services | ordered=- ends=ends_on | q state plan
    id plan quantity state customer account paid_by_account since ends_on next_bill next_amount price
    interval currency
/desk/staff | email=email name=name since=since | q
    name email roles state second_step since
/desk/statements | dated=dated balance=balance | q
    number dated from through customer account currency before paid_adjusted charges balance
/desk/stock | sku=sku on-hand=on_hand | q state
    sku name product location on_hand allocated held backorder_limit available low_at
/desk/stock/back-orders | since=since sku=sku | q state
    sku name order email location since waiting can_be_released
/desk/stock/holds | until=until pieces=pieces | q
    sku name pieces for until
/desk/stock/numbers | sku=sku made=made | q
    sku name kind chosen days_at_rest free reserved assigned quarantined withdrawn made
/desk/stock/transfers | sent=sent pieces=pieces | q state
    sku name from to sent pieces arrived lost state note
/desk/stock/waits | asked=asked sku=sku | q state
    sku name email state asked confirmed kept_until
/desk/tax/certificates | from=from ends=taxed_again_from | q state
    certificate customer account places on from taxed_again_from state
/desk/tax/rates | from=from tax=tax | q
    place jurisdiction tax category percent kind seller from through state
/desk/to-check | held=held due=due_now | q state reason
    order state held why customer account email currency due_now decided
/desk/trials | asked=asked_at ends=ends_on | q kind state
    trial plan kind state account name email asked_at starts_on ends_on first_bill_before_tax currency
/desk/trials/follow-ups | due=due | q
    due name phone email plan account
/desk/webhooks | added=added name=name | q
    name address told_of state waiting taken not_taken added
/desk/webhooks/<hook> | made=made | state
    message what made state tries last_try
/desk/write-offs | asked=asked amount=amount | state
    bill currency amount why asked_by asked decided_by state
"""
#: Tables that nobody looks through: what belongs to one thing, and settings of a handful of rows.
PARTS = {
    "_rows",
    "number",
    "bill_run",
    "content_page",
    "ledger_open",
    "mails",
    "past_due_case",
    "reconciler_round",
    "segments",
    "stock_level",
    "styleguide",
    "trial_offers",
}


@dataclass(frozen=True)
class Line:
    """A line of the table."""

    path: str
    sorts: dict[str, str]
    filters: tuple[str, ...]
    columns: tuple[str, ...]


def _read() -> Iterator[Line]:
    joined = re.sub(r"\n    ", " | ", TABLE.strip()).splitlines()
    for path, sorts, filters, *columns in (line.split(" | ") for line in joined):
        by = dict(one.split("=") for one in sorts.split())
        yield Line(path, by, tuple(filters.split()), tuple(" ".join(columns).split()))


LINES = tuple(_read())


def _listings() -> dict[str, Listing]:
    """Every list that the desk's modules tell of."""
    return {
        f"{one.path}/<hook>" if one.noun == "delivery" else one.path: one
        for module in pkgutil.iter_modules(desk.__path__, "desk.")
        for one in vars(importlib.import_module(module.name)).values()
        if isinstance(one, Listing)
    }


def test_the_table_says_what_the_lists_say():
    found = _listings()
    assert {line.path for line in LINES} == set(found)
    for line in LINES:
        one = found[line.path]
        assert tuple(line.sorts) == tuple(one.sorts.columns), line.path
        assert line.columns == tuple(one.head), line.path
        told = {*(choice.name for choice in one.choices), *one.texts}
        assert told <= set(line.filters), line.path


def test_what_has_rows_or_pages_is_a_list_or_a_part_of_something():
    """A table with pages, without a file beside it, is named here on purpose."""
    folder = Path(desk.__file__).parent / "templates" / "desk"
    without = {
        file.stem
        for file in folder.glob("*.html")
        if re.search(r"data-rows|pager\(", text := file.read_text("utf-8"))
        and "export_href" not in text
    }
    assert without == PARTS


def test_a_file_is_for_whom_its_list_is_for(one_stage: Stage):
    flask = one_stage.shop.app
    adapter = flask.url_map.bind("")

    def roles(path: str) -> object:
        endpoint, _ = adapter.match(path.replace("<hook>", "0"), method="GET")
        return roles_of(flask.view_functions[endpoint])

    for path, one in _listings().items():
        file = one.file or f"{one.path}.csv"
        if one.noun == "delivery":
            file = f"{path}/sent.csv"
        assert roles(path) == roles(file), path


# --- a shop that has something for each -----------------------------------------------------------


@dataclass(frozen=True)
class Desk:
    """Kim in front of it."""

    kim: Browser
    hook: str

    def page(self, path: str, **query: str) -> str:
        answer = self.kim.get(lists.address(self.at(path), **query))
        assert answer.status_code == 200, (path, query)
        return answer.get_data(as_text=True)

    def rows(self, path: str, **query: str) -> list[dict[str, str]]:
        answer = self.kim.get(lists.address(self.file(path), **query))
        assert answer.status_code == 200, (path, query)
        assert answer.headers["Content-Disposition"].startswith("attachment")
        return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))

    def at(self, path: str) -> str:
        return path.replace("<hook>", self.hook)

    def file(self, path: str) -> str:
        if "<hook>" in path:
            return f"{self.at(path)}/sent.csv"
        return _listings()[path].file or f"{path}.csv"


_FILLED: dict[int, Desk] = {}


def _filled(stage: Stage) -> Desk:
    """The stage with something in every list, filled once however many tests ask."""
    if id(stage) not in _FILLED:
        _FILLED[id(stage)] = _fill(stage)
    return _FILLED[id(stage)]


def _fill(stage: Stage) -> Desk:
    growing = Growing(stage)
    growing.grow(3)
    for _ in range(3):
        for name in (
            "gift_card",
            "draft",
            "order_return",
            "provisioning",
            "held_order",
            "round",
            "transfer",
            "wait",
            "pool",
            "back_order",
            "pick_up",
        ):
            Names(stage)[name]
    with stage.db.transaction() as session:
        _books(session, growing.account, stage.clock.now())
    return Desk(stage.browser(KIM), growing.hooks[0])


def _books(session: Session, account_id: uuid.UUID, now: datetime) -> None:
    """What only the books' people do: write-offs, rates, certificates; and what a card network does."""
    day: date = now.date()
    owed = items.open_now(session, OpenItem.account_id == account_id)
    (payment, *_) = session.scalars(select(Payment).where(Payment.account_id == account_id))
    for number, item in enumerate(owed[:3], 1):
        writeoffs.request(
            session, item, Money(100 * number, item.open.currency), "=gone", "user:x", now
        )
        on = day - timedelta(days=number)
        rates.tell(session, ("EUR", "USD"), on, Decimal("1.1"), "by hand", now)
        ends = on + timedelta(days=90) if number > 1 else None
        new = NewExemption(account_id, new_public_id()[:8], (), (), on, ends)
        exemptions.enter(session, new, "system", now)
        session.add(
            ChargebackRow(
                gateway_id=new_public_id(),
                payment_id=payment.id,
                currency="USD",
                amount_minor=100 * number,
                state="open",
                opened_at=now - timedelta(days=number),
                heard_at=now,
            )
        )


def test_a_file_has_every_row_in_the_order_of_its_list(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    filled = _filled(stage)
    for line in LINES:
        monkeypatch.undo()
        every = filled.rows(line.path)
        assert len(every) > 1, line.path
        assert tuple(every[0]) == line.columns, line.path
        monkeypatch.setattr(lists, "CHUNK", len(every) // 3 + 1)  # read as pages are
        for sort, column in line.sorts.items():
            up = filled.rows(line.path, sort=sort)
            assert _same(up, every), (line.path, sort)
            assert filled.rows(line.path, sort=f"-{sort}") == up[::-1], (line.path, sort)
            if column != "-":
                values = [_value(row[column]) for row in up]
                assert values == sorted(values), (line.path, sort)


def _same(some: list[dict[str, str]], others: list[dict[str, str]]) -> bool:
    return sorted(map(repr, some)) == sorted(map(repr, others))


def _value(cell: str) -> tuple[bool, float, str]:
    """A cell as lists compare it: nothing is behind everything."""
    try:
        return (not cell, float(cell), "")
    except ValueError:
        return (not cell, 0, cell.lower())


def test_a_page_and_its_file_choose_the_same_and_tell_what_there_is_not(one_stage: Stage):
    filled, found = _filled(one_stage), _listings()
    for line in LINES:
        page = filled.page(line.path)
        for sort in line.sorts:
            assert re.search(rf'href="[^"]*[?;&]sort=-?{sort}"', page), (line.path, sort)
        choices = {
            name: _values(page, name)
            for name in line.filters
            if name != "q" and name not in found[line.path].texts
        }
        for name, values in choices.items():
            assert values, (line.path, name)
            _choose_the_same(filled, line, {name: values[-1]}, found[line.path].noun)
        if "q" in line.filters:
            _choose_the_same(filled, line, {"q": "nothing-like-it"}, found[line.path].noun)
        _tell_what_there_is_not(filled, line, {"sort", *choices})


def _choose_the_same(desk_: Desk, line: Line, query: dict[str, str], noun: str) -> None:
    rows, page = desk_.rows(line.path, **query), desk_.page(line.path, **query)
    told = re.search(rf">(\d+) {noun[:-1]}\w+( on this page)?<", page)
    assert ('class="empty' in page) == (not rows), (line.path, query)
    if rows and len(rows) <= lists.PAGE_SIZE:
        assert told is not None, (line.path, query)
        assert int(told[1]) == len(rows), (line.path, query)
    assert query != {"q": "nothing-like-it"} or not rows, line.path


def _values(page: str, name: str) -> list[str]:
    """What a page offers for a filter, as tabs or in a field."""
    field = re.search(rf'<select[^>]* name="{name}">(.*?)</select>', page, re.DOTALL)
    options = re.findall(r'value="([^"]+)"', field[1]) if field is not None else []
    return options or re.findall(rf'href="[^"]*[?&;]{name}=([^"&]+)"', page)


def _tell_what_there_is_not(desk_: Desk, line: Line, names: set[str]) -> None:
    """A page says what it leaves out; a file could not, and is none."""
    strange = dict.fromkeys(names, "no such thing")
    page = desk_.page(line.path, **strange)
    assert page.count("“no such thing”") == len(names), line.path
    for path in (
        lists.address(desk_.file(line.path), **strange),
        lists.address(desk_.at(line.path), before="junk"),
    ):
        assert desk_.kim.get(path).status_code == 404, path
