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
from invoices.words import Words

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
    def words(self) -> Words:
        """The fixed words, in the document's language."""
        return self.say.words

    @property
    def kind(self) -> str:
        """Its kind in words."""
        return str(getattr(self.words, self.document.kind.value))

    @property
    def title(self) -> str:
        """``Invoice 118204, Fernway Broadband``"""
        number = self.document.number
        name = f"{self.kind} {number}" if number else self.words.draft
        return f"{name}, {self.document.seller.name}"

    @property
    def language(self) -> str:
        """Of the words: figures may follow another locale."""
        locale, language = self.document.locale, self.words.language
        return locale if locale.partition("-")[0] == language else language

    @cached_property
    def headline(self) -> Headline:
        document, totals, w = self.document, self.document.totals, self.words
        if document.kind is Kind.QUOTE:
            until = self.say.week_day(document.valid_until) if document.valid_until else ""
            return Headline(w.we_offer, totals.gross, w.valid_until, until)
        if document.draft:
            return Headline(w.not_yet_a_bill, totals.gross, w.so_far, w.nothing_yet)
        if document.imported or document.kind is Kind.NOTE:
            return Headline(w.for_records, totals.gross, w.on, self.say.day(document.issue_date))
        if document.kind is Kind.CREDIT_MEMO:
            return Headline(w.credit_to_you, totals.gross, *self._corrected())
        if totals.amount_due > 0:
            if document.due_date is None:
                return Headline(w.please_pay, totals.amount_due, w.due, w.on_receipt)
            day = self.say.week_day(document.due_date)
            return Headline(w.please_pay, totals.amount_due, w.by, day)
        if totals.amount_due < 0:
            return Headline(w.in_your_favor, -totals.amount_due, w.nothing_to_pay_, w.on_account)
        if totals.gross > 0:
            return Headline(w.paid_thanks, totals.gross, w.in_full, w.nothing_left)
        return Headline(w.no_charge, totals.gross, w.due, w.nothing_to_pay)

    def _corrected(self) -> tuple[str, str]:
        if not self.document.preceding:
            return self.words.kept_for_you, self.words.on_account
        return self.words.on_invoice, ", ".join(each.number for each in self.document.preceding)

    @property
    def bottom_line(self) -> str:
        """What the last sum is called."""
        document = self.document
        if document.kind is Kind.QUOTE:
            return self.words.due_at_acceptance
        if document.imported or document.kind is Kind.NOTE:
            return self.words.total
        if document.kind is Kind.CREDIT_MEMO:
            return self.words.credit
        if document.draft:
            return self.words.to_pay_so_far
        in_favor = document.totals.amount_due < 0
        return self.words.in_your_favor if in_favor else self.words.to_pay

    @property
    def lines_word(self) -> str:
        """The heading over lines that belong to no group."""
        if self.document.kind is Kind.QUOTE:
            return self.words.what_you_get
        gives = self.document.kind is Kind.CREDIT_MEMO
        return self.words.given_back if gives else self.words.charges

    @property
    def later(self) -> tuple[tuple[str, str, Decimal], ...]:
        """What a quote charges again: each as words, how it comes about, and how much."""
        w, say = self.words, self.say
        return tuple(
            (
                w.then_each_year if part.every == "year" else w.then_each_month,
                w.before_and_tax.format(net=say.amount(part.net), tax=say.amount(part.tax))
                if part.tax
                else "",
                part.total,
            )
            for part in self.document.later
        )

    @property
    def foot(self) -> str:
        """One line at the foot of every page: whose, which, and where to ask."""
        document = self.document
        account = document.buyer.account_number
        parts = (
            f"{self.kind} {document.number}"
            if document.number
            else f"{self.kind}, {self.words.draft.lower()}",
            f"{self.words.account} {account}" if account else "",
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
            self.words.tax_number.format(seller.tax_id) if seller.tax_id else "",
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
        ways = self.words.or_.join(way for way in (seller.email, seller.phone) if way)
        if not ways:
            return ""
        if by is None:
            return self.words.question.format(ways=ways)
        return self.words.dispute.format(by=self.say.day(by), ways=ways)

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
            return self.words.period
        return self.words.quantity if any(self._counted(row) for row in self._rows()) else ""

    def detail(self, row: Row) -> tuple[str, ...]:
        """The middle column: how many at what price, and for which days."""
        line, say = row.line, self.say
        if row.is_bundle:
            return (self.words.bundle_sum.format(say.amount(line.net)),)
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
        name = self.words.in_groups.format(len(groups))
        return (Group(name, (), document.totals.line_total),)

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
            document.buyer.vat_id,
            document.period_start or document.period_end,
            document.order_number,
            document.purchase_order,
            document.cost_centre,
            document.terms,
            document.reason,
            document.valid_until,
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
