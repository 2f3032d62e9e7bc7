"""The desk's lists are sorted, filtered and exported; a page goes on where the one before ended."""

import csv
import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from core.kernel import audit
from core.kernel.audit import AuditEntry
from core.kernel.ids import new_public_id
from core.kernel.jobs import Job
from core.orders.models import Order
from core.parties.models import Account
from desk import lists
from tests.rooms.web.names import Names
from tests.rooms.web.stage import KIM, RILEY, Browser, Stage


@pytest.fixture
def kim(stage: Stage) -> Browser:
    return stage.browser(KIM)


def _text(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def _csv(browser: Browser, path: str) -> list[dict[str, str]]:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


def _next(page: str) -> str:
    found = re.search(r'href="([^"]*before=[^"]*)"', page)
    return found[1].replace("&amp;", "&") if found is not None else ""


PATHS = {
    "/desk/orders": ("-placed", "placed", "-due", "due"),
    "/desk/invoices": ("-issued", "issued", "-due", "due"),
}


@pytest.mark.parametrize("path", sorted(PATHS))
def test_every_row_is_met_once_however_the_list_is_sorted(
    stage: Stage, kim: Browser, monkeypatch: pytest.MonkeyPatch, path: str
):
    monkeypatch.setattr(lists, "PAGE_SIZE", 4)
    # by its head: a memo's row names the bill that it corrects, too
    row = re.compile(rf'<th scope="row"[^>]*><a href="({path}/[0-9a-f]+)"')
    everything = {}
    for sort in PATHS[path]:
        met: list[str] = []
        pages: list[str] = []
        here = f"{path}?sort={sort}"
        while here:
            assert f"sort={sort}" in here
            assert here not in pages
            pages.append(here)
            page = _text(kim, here)
            found = row.findall(page.partition("<tbody>")[2])
            assert found
            met += found
            here = _next(page)
        everything[sort] = met
    assert len({frozenset(met) for met in everything.values()}) == 1
    assert all(len(met) == len(set(met)) for met in everything.values())
    down, up = PATHS[path][:2]
    assert everything[down] == everything[up][::-1]


def test_what_customers_typed_is_no_formula_in_a_file(stage: Stage, kim: Browser):
    order = stage.row(Order, Order.public_id == stage.ids["riley_order"])
    before = stage.row(Account, Account.id == order.payer_account_id).name
    try:
        _rename(stage, order, '=HYPERLINK("http://evil.example.com")')
        [row] = _csv(kim, f"/desk/orders.csv?q={order.number}")
        assert row["customer"].startswith("'=HYPERLINK")
        [bill] = _csv(kim, f"/desk/invoices.csv?q={stage.bill_of(order).number}")
        assert bill["customer"].startswith("'=")
    finally:
        _rename(stage, order, before)


def _rename(stage: Stage, order: Order, name: str) -> None:
    with stage.db.transaction() as session:
        session.get_one(Account, order.payer_account_id).name = name


def test_a_sort_that_there_is_not_and_a_page_that_is_none(one_stage: Stage):
    kim = one_stage.browser(KIM)
    assert _text(kim, "/desk/orders?sort=shoe-size").count('aria-sort="descending"') == 1
    for junk in ("x", "5_5", "2026-11-17_", f"{'9' * 30}_{'0' * 32}"):
        assert kim.get(f"/desk/orders?sort=due&before={junk}").status_code == 404, junk
        assert kim.get(f"/desk/audit?before={junk}x").status_code == 404, junk


def test_the_audit_log_is_found_by_who_what_about_and_when(stage: Stage, kim: Browser):
    now, name = stage.clock.now(), f"thing-{new_public_id()[:8]}"
    kims = f"user:{stage.people[KIM]}"
    with stage.db.transaction() as session:
        audit.write(session, now - timedelta(days=400), kims, "thing.kept", ("thing", name), a=1)
        audit.write(session, now, "system", "thing.swept", ("thing", name))

    def acts(**query: str) -> list[str]:
        return [row["act"] for row in _csv(kim, lists.address("/desk/audit.csv", **query))]

    assert acts(subject=f"thing:{name}") == ["thing.swept", "thing.kept"]
    assert acts(subject=name, actor="kim lund") == ["thing.kept"]
    assert acts(subject=name, actor="kim@example.com") == ["thing.kept"]
    assert acts(subject=name, actor="system") == ["thing.swept"]
    assert acts(subject=name, actor="nobody at all") == []
    assert acts(subject=name, q="thing.k") == ["thing.kept"]
    assert acts(subject=name, since=(now - timedelta(days=2)).date().isoformat()) == ["thing.swept"]
    assert acts(subject=name, through="2025-12-31") == ["thing.kept"]
    page = _text(kim, f"/desk/audit?subject=thing:{name}")
    assert "Kim Lund" in page
    assert "a 1" in page


def test_a_changed_line_is_told(one_stage: Stage):
    kim, db = one_stage.browser(KIM), one_stage.db
    with db.transaction() as session:
        audit.write(session, one_stage.clock.now(), "system", "thing.done", ("thing", "1"))
        while audit.seal(session, one_stage.clock.now()):
            pass
        last = session.scalars(
            select(AuditEntry.id).order_by(AuditEntry.seal_number.desc()).limit(1)
        ).one()
    assert "The chain is whole" in _text(kim, "/desk/audit/chain")

    def forge(act: str) -> None:
        with db.transaction() as session:
            trigger = "SELECT sql FROM sqlite_master WHERE name = 'audit_entry_no_update'"
            fence = session.execute(text(trigger)).scalar_one()
            session.execute(text("DROP TRIGGER audit_entry_no_update"))
            session.execute(
                text("UPDATE audit_entry SET act = :act WHERE id = :id"), {"act": act, "id": last}
            )
            session.execute(text(fence))

    forge("thing.forged")
    try:
        assert "The chain is broken" in _text(kim, "/desk/audit/chain")
    finally:
        forge("thing.done")
    assert "The chain is whole" in _text(kim, "/desk/audit/chain")


def test_a_job_that_failed_is_run_again_or_given_up(stage: Stage, kim: Browser):
    names = Names(stage)
    number = names["dead_job"]
    here = f"/desk/jobs/{number}"
    page = _text(kim, here)
    assert "it broke" in page
    assert "Give up “tidy”?" in _text(kim, f"{here}/discard")
    assert kim.post(f"{here}/discard", {"why": " "}).status_code == 422
    assert stage.row(Job, Job.id == int(number)).state == "dead"
    assert kim.post(f"{here}/discard", {"why": "Otis called; it is settled."}).status_code == 303
    job = stage.row(Job, Job.id == int(number))
    assert (job.state, job.last_error) == (
        "done",
        "Discarded: Otis called; it is settled.\nit broke",
    )
    assert "Discarded" in _text(kim, here)
    assert kim.get(f"{here}/discard").status_code == 404
    assert kim.post(f"{here}/retry").status_code == 404
    entry = stage.row(
        AuditEntry, AuditEntry.act == "job.discarded", AuditEntry.subject_id == number
    )
    assert entry.actor == f"user:{stage.people[KIM]}"
    assert entry.detail["why"] == "Otis called; it is settled."
    assert stage.browser(RILEY).get(here).status_code == 404
