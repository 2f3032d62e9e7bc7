"""Books that are whole prove themselves, as of today and of any day before."""

from datetime import date, timedelta

from sqlalchemy import func, select

from flows.verify import TODAY_ONLY, verify
from invoices.models import Invoice
from tests.books import findings, run


def test_whole_books_hold_and_every_line_has_its_figure(books):
    code, said = run(books, "--documents")

    assert code == 0, said
    assert said.splitlines() == [
        " 1  ok      Debits are credits: 14 entries, 119.22 GBP, 1,131.80 USD on each side; "
        "14 postings in sequence",
        " 2  ok      Control accounts are their open items: accounts receivable 105.27 GBP, "
        "accounts receivable 0.00 USD, customer credit 13.95 GBP, order deposit 0.00 USD, "
        "unapplied 5.00 USD; 0 positions in other currencies; 5 of them open now",
        " 3  ok      Invoices are their lines, orders and entries: 1 credit memos, 6 invoices, "
        "1 notes, 10 lines; billed 105.27 GBP, 374.89 USD, 1 notes without an entry; "
        "3 orders billed; tax 22.89 USD; 11 open items within bounds; "
        "0 orders are worth another sum now",
        " 4  ok      Captured money is somewhere: captured 443.79 USD, applied 374.89 USD, "
        "earmarked 0.00 USD, unapplied 5.00 USD, refunded 63.90 USD; gift cards nothing; chargebacks: none; "
        "4 orders paid as agreed; 0 tenders reserved; nothing given back by tender",
        " 5  ok      Statements chain: 0 statements; 0 ranges of postings; "
        "nothing at the last cut-offs",
        " 6  ok      Bundles and revenue schedules sum up: 0 bundles on documents; 0 bundles ordered; "
        "0 obligations; earned nothing; not earned 352.00 USD",
        " 7  ok      Credit per line is no more than the line: 0 lines credited, "
        "1 memos stand alone; 0 memos on bills; 0 bills credited, 0 of them in full; "
        "0 disputes credited; nothing disputed",
        " 8  ok      Numbers have no gap and no double: 3 documents of ours; "
        "0 statements' numbers; 4 orders; 4 payments; 5 imported",
        " 9  ok      Stock is not oversold: 2 levels: 31 on hand, 3 sold, 1 held; "
        "0 parcels; 3 pieces wait to be sent; 0 numbers and keys in 0 pools, 0 free; "
        "0 numbers and keys are given out",
        "10  ok      Ageing is the receivable: 105.27 GBP (over 90 days 105.27 GBP); 0.00 USD",
        "11  ok      Services billed are services provisioned: 0 lines of services; 0 periods; "
        "0 payers up to date; no run yet; 0 of 0 ordered services have begun; "
        "0 lines given and earned; 0 begun by a system, 0 to come; 0 services provided as agreed; "
        "0 entitlements led to by their steps",
        "12  ok      The audit chain and documents are whole: 5 lines sealed; "
        "3 stored documents, 0.0 MB; 8 documents read; 0 waiting to be rendered; "
        "0 stored statements, 0.0 MB; 0 statements read; 0 statements waiting to be rendered",
        "All of it holds.",
    ]


def test_an_empty_shop_holds_too(db, clock):
    found = list(verify(db, clock))

    assert [finding.number for finding in found if not finding.holds] == []
    assert len(found) == 12


def test_every_claim_is_proved_today(books):
    silent = [number for number, one in findings(books).items() if not one.proved]

    assert silent == []


def test_as_of_a_day_the_figures_are_that_days(books):
    found = findings(books, as_of=date(2010, 12, 1))

    assert all(one.holds for one in found.values())
    assert found[1].figure.startswith("2 entries, 41.07 GBP on each side")
    assert found[2].figure == "accounts receivable 41.07 GBP; own amounts are themselves"
    assert found[10].figure == "41.07 GBP (current 41.07 GBP)"
    assert (found[9].figure, found[9].proved) == (TODAY_ONLY, False)


def test_as_of_a_day_before_a_payment_its_bill_is_open(books):
    paid_on = books.clock.now().date()

    before = findings(books, as_of=paid_on - timedelta(days=1))

    assert all(one.holds for one in before.values())
    assert "accounts receivable 125.67 USD" in before[2].figure
    assert "accounts receivable 0.00 USD" in findings(books, as_of=paid_on)[2].figure


def test_ageing_counts_from_the_due_date(books):
    due = findings(books, as_of=date(2010, 12, 31))[10].figure
    older = findings(books, as_of=date(2011, 1, 1))[10].figure

    assert due == "105.27 GBP (1–30 days 105.27 GBP)"
    assert older == "105.27 GBP (1–30 days 64.20 GBP, 31–60 days 41.07 GBP)"


def test_all_lines_are_of_one_moment(books):
    """Somebody sells while the books are being proved: the proof does not see half of it."""
    lines = verify(books.db, books.clock)
    first = next(lines)

    books.tamper("UPDATE open_item SET amount_minor = amount_minor + 1")

    assert first.holds
    assert [one.number for one in lines if not one.holds] == []
    assert not findings(books)[2].holds


def test_proving_writes_nothing(books):
    def rows() -> list[int]:
        with books.db.reading() as session:
            return [
                session.scalars(select(func.count()).select_from(table)).one()
                for table in Invoice.metadata.sorted_tables
            ]

    before = rows()
    run(books, "--documents")

    assert rows() == before
