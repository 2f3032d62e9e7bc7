"""Statements chain, tie to the ledger and take each posting once; whoever spoils one is found."""

from datetime import date, timedelta
from hashlib import sha256
from typing import cast
from unittest.mock import patch

import pytest
from sqlalchemy import select

from core.kernel.clock import ManualClock
from core.parties.models import Account
from flows import make_statements
from invoices import issue
from invoices.pdf import RenderedDocument
from invoices.statements.document import StatementDocument
from invoices.statements.models import Statement, StoredStatement
from payments.gateway import Gateway
from tests import books as written
from tests.books import Books, findings, run
from tests.shop import make_house

JANUARY_2 = date(2027, 1, 2)


def _paper(document: StatementDocument, **_: object) -> RenderedDocument:
    """Bytes of its own; what they say is of no matter here."""
    data = f"statement {document.number} of {document.buyer.account_number}".encode()
    return RenderedDocument(data, sha256(data).hexdigest(), "application/pdf", "1", "1", "1")


@pytest.fixture
def stated(books: Books) -> Books:
    """Books with two months of statements, all of them printed."""
    clock = books.clock
    assert isinstance(clock, ManualClock)
    clock.advance(timedelta(days=20))  # December 10
    with books.db.transaction() as session:
        riley = session.scalars(select(Account).where(Account.number == "204187751")).one()
        order = written._order(session, books, riley, [(books.world.camera, 1)], "on_terms")
        issue.for_order(session, order.id, written.PRINTING, clock.now())
        written._store(session, books, "100004")
    clock.advance(timedelta(days=23))  # January 2
    house = make_house(books.db, clock, books.folder, cast(Gateway, None))
    assert make_statements.run(house, JANUARY_2).parked == []
    with books.db.reading() as session:
        numbered = select(Statement.id).order_by(Statement.series_position)
        keys = session.scalars(numbered).all()
    with patch("invoices.pdf.render", _paper):
        for key in keys:
            make_statements.store(house, key)
    clock.advance(timedelta(hours=1))
    return books


def test_whole_statements_hold_with_their_figures(stated: Books):
    code, said = run(stated, "--documents")
    assert code == 0, said
    found = findings(stated)
    with stated.db.reading() as session:
        made = session.scalars(select(Statement)).all()
    assert len(made) >= 3
    assert {statement.currency for statement in made} == {"GBP", "USD"}
    assert found[5].figure.startswith(f"{len(made)} statements; {len(made)} ranges of postings; ")
    assert "57.84 USD at the last cut-offs" in found[5].figure
    assert f"{len(made)} statements' numbers" in found[8].figure
    assert f"{len(made)} statements read" in found[12].figure


def test_as_of_a_day_before_them_there_are_none(stated: Books):
    assert findings(stated, as_of=date(2026, 11, 30))[5].figure.startswith("0 statements")


def _riley(stated: Books, sequence: int = 1) -> Statement:
    with stated.db.reading() as session:
        return session.scalars(
            select(Statement).where(Statement.currency == "USD", Statement.sequence == sequence)
        ).one()


@pytest.mark.parametrize(
    ("line", "statement", "word"),
    [
        pytest.param(
            5,
            "UPDATE statement SET opening_minor = opening_minor + 1, "
            "closing_minor = closing_minor + 1 WHERE sequence = 2",
            "does not begin where the one before ended",
            id="a changed opening",
        ),
        pytest.param(
            5,
            "UPDATE statement SET closing_minor = closing_minor + 1, "
            "charges_minor = charges_minor + 1 WHERE sequence = 2",
            "do not sum to it",
            id="a changed closing",
        ),
        pytest.param(
            5,
            "UPDATE statement_range SET after_posting = after_posting + 1 WHERE sequence = 2",
            "was taken",
            id="postings left out",
        ),
        pytest.param(
            5,
            "UPDATE statement_range SET to_posting = to_posting - 1 WHERE sequence = 2",
            "the ledger by",
            id="postings given back",
        ),
        pytest.param(
            5, "DELETE FROM statement_range", "do not sum to it", id="ranges dropped"
        ),
        pytest.param(
            5,
            "UPDATE journal_line SET amount_minor = amount_minor + 1 "
            "WHERE ledger_code = 'accounts_receivable'",
            "the ledger by",
            id="a changed posting",
        ),
        pytest.param(
            8,
            "UPDATE statement SET series_position = series_position + 7 WHERE series_position = 1",
            "statement S-100001 is missing",
            id="a number left out",
        ),
        pytest.param(
            12,
            "UPDATE statement SET document_sha256 = 'none'",
            "its words are not those that it was made with",
            id="a changed fingerprint",
        ),
        pytest.param(
            12,
            "UPDATE statement SET due_minor = due_minor + 1",
            "it says",
            id="a changed amount to pay",
        ),
        pytest.param(
            12, "DELETE FROM stored_statement", "was never rendered", id="a paper dropped"
        ),
    ],
)  # fmt: skip
def test_whoever_spoils_a_statement_is_found(stated: Books, line: int, statement: str, word: str):
    stated.tamper(statement)
    found = findings(stated)
    assert any(word in offender for offender in found[line].offenders), found[line].offenders


def test_a_changed_word_of_a_statement_is_found(stated: Books):
    riley = _riley(stated)
    old, new = "Riley Moreno", "Riley Morena"
    stated.tamper(
        "UPDATE statement SET document = REPLACE(CAST(document AS TEXT), "
        f"'{old}', '{new}'){'' if stated.db.is_sqlite else '::json'} WHERE number = '{riley.number}'"
    )
    wrong = findings(stated)[12].offenders
    assert wrong == (f"statement {riley.number}: its words are not those that it was made with",)


def test_a_changed_byte_of_a_paper_is_found(stated: Books):
    riley = _riley(stated)
    with stated.db.reading() as session:
        key = session.get_one(StoredStatement, riley.id).sha256
    path = stated.blobs.path(key)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    (word,) = findings(stated)[12].offenders
    assert word.startswith(f"the bytes of statement {riley.number} are missing or not those of")
