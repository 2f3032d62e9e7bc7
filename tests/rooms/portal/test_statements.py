"""Statements of one's own: the list, the page, the stored paper and the CSV with the same figures."""

import csv
import io
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.kernel.clock import ManualClock
from core.parties.models import Account
from flows import make_statements
from invoices.statements.arrangement import Arrangement
from invoices.statements.document import StatementDocument
from invoices.statements.models import Statement, StoredStatement
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import BILL_DAY, JUNE, KIM, RILEY, Stage


def _riley(stage: Stage) -> Statement:
    found: Statement = stage.row(Statement, Statement.public_id == stage.ids["riley_statement"])
    return found


def test_the_paper_is_the_very_bytes_that_were_stored(stage: Stage):
    statement = _riley(stage)
    row = stage.row(StoredStatement, StoredStatement.statement_id == statement.id)
    for who, base in ((RILEY, "/account"), (KIM, "/desk")):
        answer = stage.browser(who).get(f"{base}/statements/{statement.public_id}.pdf")
        assert answer.data == stage.house.blobs.get(row.sha256)
        assert answer.mimetype == "application/pdf"
        assert answer.headers["Cache-Control"] == "private, no-store"
        said = answer.headers["Content-Disposition"]
        assert said == f'inline; filename="statement-{statement.number}.pdf"'


def test_page_and_csv_have_the_documents_figures(stage: Stage):
    statement = _riley(stage)
    document = StatementDocument.from_dict(statement.document)
    say = Arrangement(document).say
    assert document.movement_count == statement.entry_count >= 4
    for who, base in ((RILEY, "/account"), (KIM, "/desk")):
        browser, path = stage.browser(who), f"{base}/statements/{statement.public_id}"
        text = Page(browser.get(path)).text
        rows = list(csv.DictReader(io.StringIO(browser.get(f"{path}.csv").data.decode())))
        assert len(rows) == document.movement_count + 3
        for row in rows:
            assert say.amount(Decimal(row["amount"])) in text, row
            assert row["number"] in text
        by_line = {row["line"]: Decimal(row["amount"]) for row in rows}
        assert by_line["closing_balance"] == document.closing
        assert by_line["to_pay"] == document.amount_due
    assert document.closing == Decimal(statement.closing_minor) / 100


def test_the_list_shows_ones_own_and_no_others(stage: Stage):
    mine, hers = stage.ids["riley_statement"], stage.ids["june_statement"]
    links = Page(stage.browser(RILEY).get("/account/statements")).values
    assert f"/account/statements/{mine}" in links
    assert f"/account/statements/{hers}" not in links
    june = stage.browser(JUNE)
    for path in (mine, f"{mine}.pdf", f"{mine}.csv"):
        assert june.get(f"/account/statements/{path}").status_code == 404


def test_whoever_has_none_yet_is_told_when_the_first_one_comes(stage: Stage):
    who = stage.newcomer()
    text = Page(stage.browser(who).get("/account/statements")).text
    assert "No statements yet" in text


def test_one_that_is_not_printed_yet_says_so_and_its_csv_is_there(stage: Stage):
    who = stage.newcomer()
    stage.order_on_terms(stage.world.visit.sku, who=who)
    account = stage.row(Account, Account.id == stage.accounts[who])
    later = replace(stage.house, clock=ManualClock(BILL_DAY))
    report = make_statements.run(later, BILL_DAY.date(), account_number=account.number)
    assert report.made == 1
    statement = stage.row(Statement, Statement.account_id == account.id)
    browser, path = stage.browser(who), f"/account/statements/{statement.public_id}"
    assert "The PDF is being made" in Page(browser.get(path)).text
    answer = browser.get(f"{path}.pdf")
    assert answer.status_code == 404
    assert f"Statement {statement.number} is just being printed" in Page(answer).text
    assert browser.get(f"{path}.csv").status_code == 200


def test_lists_go_on_page_by_page_and_pages_of_a_long_statement_too(stage: Stage):
    who = stage.newcomer()
    for _ in range(3):
        stage.order_on_terms(stage.world.visit.sku, who=who)
    number = stage.row(Account, Account.id == stage.accounts[who]).number
    end = BILL_DAY + timedelta(days=31 * 30)
    later = replace(stage.house, clock=ManualClock(end))
    make_statements.run(later, end.date(), account_number=number)
    made = stage.rows(Statement, Statement.account_id == stage.accounts[who])
    assert len(made) > 25
    browser = stage.browser(who)
    seen: list[str] = []
    address = "/account/statements"
    while address:
        answer = Page(browser.get(address))
        seen += [
            one.public_id for one in made if f"/account/statements/{one.public_id}" in answer.values
        ]
        following = [link for link in answer.values if "?before=" in link]
        address = following[0] if following else ""
    assert sorted(seen) == sorted(one.public_id for one in made)
    for page in ("0", "2", "x", "-1", "99999999999"):
        path = f"/account/statements/{made[0].public_id}?page={page}"
        assert browser.get(path).status_code == 404, page
    assert browser.get(f"/account/statements/{made[0].public_id}?page=1").status_code == 200


def test_the_desk_finds_statements_by_number_name_and_account(stage: Stage):
    statement, kim = _riley(stage), stage.browser(KIM)
    account = stage.row(Account, Account.id == statement.account_id)
    href = f"/desk/statements/{statement.public_id}"
    for words in (statement.number, statement.number.lower(), account.number, "riley m"):
        assert href in Page(kim.get("/desk/statements", query_string={"q": words})).values, words
    for words in ("June Alder", "S-1", "%"):
        assert href not in Page(kim.get("/desk/statements", query_string={"q": words})).values
