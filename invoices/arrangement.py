"""How a document is laid out and worded in print: pure, asked by the PDF's template.

Page one must be enough to understand and to pay. A short document stands there whole; a long one
gives its sums per group there, and every line with its reason from page two on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from invoices import room
from invoices.document import Group, InvoiceDocument, Kind, Row
from invoices.figures import Alone, Figures, figures

KIND_WORDS = {
    Kind.INVOICE: "Invoice",
    Kind.CREDIT_MEMO: "Credit memo",
    Kind.DEBIT_MEMO: "Debit memo",
    Kind.NOTE: "Note",
}
MANY_LINES = 60
FEWEST_POINTS = 120.0  # of a table that begins at the foot of page one


@dataclass(frozen=True)
class Headline:
    """The largest words: what is asked or given, how much, and by when or why."""

    what: str
    amount: Decimal
    by: str
    when: str


@dataclass(frozen=True)
class Arrangement:
    """What the template asks about one document beside its own fields."""

    document: InvoiceDocument
    paper: str = "Letter"

    @cached_property
    def say(self) -> Figures:
        return figures(self.document.currency, self.document.locale)

    @property
    def kind(self) -> str:
        return KIND_WORDS[self.document.kind]

    @property
    def title(self) -> str:
        """``Invoice 118204, Fernway Broadband``"""
        name = f"{self.kind} {self.document.number}" if self.document.number else "Draft"
        return f"{name}, {self.document.seller.name}"

    @property
    def language(self) -> str:
        """Our words are English; figures may follow another locale."""
        locale = self.document.locale
        return locale if locale == "en" or locale.startswith("en-") else "en"

    @cached_property
    def headline(self) -> Headline:
        document, totals = self.document, self.document.totals
        if document.draft:
            return Headline("Draft, not yet a bill", totals.gross, "so far", "Nothing to pay yet")
        if document.imported or document.kind is Kind.NOTE:
            return Headline(
                "For your records", totals.gross, "on", self.say.day(document.issue_date)
            )
        if document.kind is Kind.CREDIT_MEMO:
            return Headline("Credit to you", totals.gross, *self._corrected())
        if totals.amount_due > 0:
            if document.due_date is None:
                return Headline("Please pay", totals.amount_due, "due", "On receipt")
            return Headline(
                "Please pay", totals.amount_due, "by", self.say.week_day(document.due_date)
            )
        if totals.amount_due < 0:
            return Headline(
                "In your favor", -totals.amount_due, "nothing to pay", "On your account"
            )
        if totals.gross > 0:
            return Headline("Paid, thank you", totals.gross, "in full", "Nothing left to pay")
        return Headline("No charge", totals.gross, "due", "Nothing to pay")

    def _corrected(self) -> tuple[str, str]:
        if not self.document.preceding:
            return "kept for you", "On your account"
        return "on invoice", ", ".join(each.number for each in self.document.preceding)

    @property
    def bottom_line(self) -> str:
        """What the last sum is called."""
        document = self.document
        if document.imported or document.kind is Kind.NOTE:
            return "Total"
        if document.kind is Kind.CREDIT_MEMO:
            return "Credit"
        if document.draft:
            return "To pay, so far"
        return "In your favor" if document.totals.amount_due < 0 else "To pay"

    @property
    def lines_word(self) -> str:
        """The heading over lines that belong to no group."""
        return "Given back" if self.document.kind is Kind.CREDIT_MEMO else "Charges"

    @property
    def foot(self) -> str:
        """One line at the foot of every page: whose, which, and where to ask."""
        document = self.document
        account = document.buyer.account_number
        parts = (
            self.kind + (f" {document.number}" if document.number else ", draft"),
            f"Account {account}" if account else "",
            document.seller.name,
            document.seller.phone or document.seller.email,
        )
        return " · ".join(part for part in parts if part)

    @property
    def letterhead(self) -> tuple[str, ...]:
        """The seller's address, ways to ask and tax number, as lines."""
        seller = self.document.seller
        ways = (seller.phone, seller.email, seller.website)
        lines = (
            ", ".join((seller.name, *seller.address)),
            " · ".join(way for way in ways if way),
            f"Tax number {seller.tax_id}" if seller.tax_id else "",
        )
        return tuple(line for line in lines if line)

    @property
    def deliver_to(self) -> tuple[str, ...]:
        """The delivery or service address as lines."""
        place = self.document.deliver_to
        if place is None:
            return ()
        return tuple(line for line in (place.name, *place.address) if line)

    @property
    def questions(self) -> str:
        """How to ask or dispute."""
        seller, by = self.document.seller, self.document.dispute_by
        ways = " or ".join(way for way in (seller.email, seller.phone) if way)
        if not ways:
            return ""
        if by is None:
            return f"Something wrong, or a question? {ways}."
        return (
            f"Something wrong? Say so by {self.say.day(by)}: {ways}. "
            "A line you dispute is not due while we look into it."
        )

    @property
    def sign(self) -> str:
        """The currency's sign, for the box of the amount enclosed."""
        alone: Alone = self.say.alone(Decimal(0))
        return (alone.before + alone.after).strip()

    # -- columns -------------------------------------------------------------------------------

    @cached_property
    def detail_label(self) -> str:
        """Head of the middle column."""
        lines = self.document.lines
        if any(line.period_start or line.period_end for line in lines):
            return "Period"
        return "Quantity" if any(self._counted(row) for row in self._rows()) else ""

    def detail(self, row: Row) -> tuple[str, ...]:
        """The middle column: how many at what price, and for which days."""
        line, say = row.line, self.say
        if row.is_bundle:
            return (f"together {say.amount(line.net)}",)
        found = []
        if self._counted(row) and line.unit_price is not None:
            unit = f" {line.unit}" if line.unit else ""
            found.append(f"{say.quantity(line.quantity)}{unit} × {say.price(line.unit_price)}")
        found.append(say.period(line.period_start, line.period_end))
        return tuple(part for part in found if part)

    @staticmethod
    def _counted(row: Row) -> bool:
        line = row.line
        return line.unit_price is not None and (line.quantity != 1 or line.unit_price != line.net)

    def _rows(self) -> Iterator[Row]:
        for group in self.document.groups:
            yield from group.rows

    # -- pages ---------------------------------------------------------------------------------

    @property
    def page(self) -> str:
        """The kind of page: the first with room for a stub at its foot, or plain; dense where
        there are many lines."""
        page = "stubbed" if self.document.asks_for_money else "plain"
        return f"{page} dense" if len(self.document.lines) >= MANY_LINES else page

    @cached_property
    def summary(self) -> tuple[Group, ...]:
        """The groups whose sums page one shows in place of the lines; empty when all fits there."""
        document, left = self.document, self._left
        if room.of_details(document, left) <= left:
            return ()
        groups = document.groups
        if room.of_summary(document, len(groups)) <= left:
            return groups
        return (Group(f"Charges in {len(groups)} groups", (), document.totals.line_total),)

    @property
    def lines_start_over(self) -> bool:
        """Whether the lines begin on page two, rather than in what the summary leaves of page one."""
        return self._left - room.of_summary(self.document, len(self.summary)) < FEWEST_POINTS

    @cached_property
    def _left(self) -> float:
        return room.on_page_one(self.document, self.paper, self._facts, len(self.letterhead))

    @property
    def _facts(self) -> int:
        """Lines that the facts beside the address take."""
        document = self.document
        shown = (
            document.number,
            document.buyer.account_number,
            document.period_start or document.period_end,
            document.order_number,
            document.purchase_order,
            document.terms,
        )
        rows = 1 + sum(1 for fact in shown if fact) + len(document.preceding)
        return rows + len(self.deliver_to)

    @property
    def shows_group_totals(self) -> bool:
        return len(self.document.groups) > 1

    @property
    def shows_line_total(self) -> bool:
        """The sum of lines, where something follows that is added to it."""
        document = self.document
        added = bool(document.totals.delivery or document.tax_on_top)
        return added and bool(document.lines) and len(self.summary) != 1
