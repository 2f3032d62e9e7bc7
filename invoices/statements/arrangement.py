"""How a statement is laid out and worded in print, and its figures on the page: pure.

Page one has the balance, how it came about, how old it is, and the stub; every movement follows, from
where there is room.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from invoices.figures import Alone, Figures, figures
from invoices.markup import Typesetting
from invoices.statements.document import Movement, Section, StatementDocument
from invoices.statements.rolling import Kind

MANY_MOVEMENTS = 60
BLOCKS = {
    Kind.PAYMENT: "Payments",
    Kind.ADJUSTMENT: "Adjustments",
    Kind.CHARGE: "New charges",
}


@dataclass(frozen=True)
class Headline:
    """The largest words: what is asked or given, how much, and by when or why."""

    what: str
    amount: Decimal
    by: str
    when: str


@dataclass(frozen=True)
class Row:
    """A line of a sum. ``kind``: plain, ``sum`` or ``total``."""

    label: str
    amount: Decimal
    kind: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Arrangement:
    """What templates ask about one statement beside its own fields."""

    document: StatementDocument
    paper: str = "Letter"

    @cached_property
    def say(self) -> Figures:
        return figures(self.document.currency, self.document.locale)

    @property
    def title(self) -> str:
        """``Statement S-100001, Fernway Broadband``"""
        number = f"Statement {self.document.number}" if self.document.number else "Statement"
        return f"{number}, {self.document.seller.name}"

    @property
    def language(self) -> str:
        """Our words are English; figures may follow another locale."""
        locale = self.document.locale
        return locale if locale == "en" or locale.startswith("en-") else "en"

    @cached_property
    def headline(self) -> Headline:
        document = self.document
        if document.overdue:
            late = f"{self.say.alone(document.overdue)} of it is late"
            whole = document.overdue == document.amount_due
            return Headline(
                "Please pay", document.amount_due, "now", "It is late" if whole else late
            )
        if document.amount_due and document.due_date is not None:
            return Headline(
                "Please pay", document.amount_due, "by", self.say.week_day(document.due_date)
            )
        if document.amount_due:
            return Headline("Please pay", document.amount_due, "due", "On receipt")
        if document.closing < 0:
            return Headline("In your favor", -document.closing, "nothing to pay", "Kept for you")
        if document.closing > 0:
            return Headline("Balance", document.closing, "for your records", "Nothing to pay now")
        return Headline("Balance", document.closing, "all is settled", "Nothing to pay")

    @cached_property
    def roll(self) -> tuple[Row, ...]:
        """Previous balance to closing balance."""
        document = self.document
        before = (
            f"statement {document.previous_number} of {self.say.day(document.previous_date)}"
            if document.previous_date
            else "this is the first statement"
        )
        moved = [
            Row(
                f"{'Now' if each.amount > 0 else 'No longer'} on this statement: {each.name}",
                each.amount,
                detail=f"account {each.account_number}",
            )
            for each in document.moves
        ]
        return (
            Row("Previous balance", document.opening, detail=before),
            *moved,
            Row(BLOCKS[Kind.PAYMENT], document.payments),
            Row(BLOCKS[Kind.ADJUSTMENT], document.adjustments),
            Row(BLOCKS[Kind.CHARGE], document.charges),
            Row("Closing balance", document.closing, "total"),
        )

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """What stands in the balance, or beside it, in sentences."""
        document, alone = self.document, self.say.alone
        made = document.composition
        found = []
        if made.charged_back:
            found.append(f"In the balance: {alone(made.charged_back)} that your bank took back.")
        if made.credit + made.unapplied:
            found.append(
                f"Taken off the balance: {alone(made.credit + made.unapplied)} of yours, "
                "not yet used on a bill."
            )
        if document.deposits:
            found.append(
                f"Apart from the balance: {alone(document.deposits)} that you paid for orders "
                "not yet billed."
            )
        return tuple(found)

    @property
    def shows_ages(self) -> bool:
        return any(age.amount for age in self.document.ageing)

    def block(self, kind: Kind) -> str:
        """The heading over movements of one kind."""
        return BLOCKS[kind]

    def section(self, section: Section) -> str:
        """``21 Mill Lane, account 318640275``"""
        parts = (section.name, section.place, f"account {section.account_number}")
        return ", ".join(part for part in parts if part)

    def detail(self, movement: Movement) -> str:
        """What stands small below a movement."""
        parts = (
            movement.detail,
            f"due {self.say.short_day(movement.due)}" if movement.due else "",
            "came in after the last statement" if movement.is_late else "",
        )
        return ", ".join(part for part in parts if part)

    @property
    def due_words(self) -> str:
        """When, on the stub."""
        document = self.document
        if document.overdue:
            return "Now"
        return self.say.day(document.due_date) if document.due_date else "On receipt"

    @property
    def page(self) -> str:
        """The kind of page: the first with room for a stub at its foot, or plain; dense where
        there are many movements."""
        page = "stubbed" if self.document.asks_for_money else "plain"
        return f"{page} dense" if self.document.movement_count >= MANY_MOVEMENTS else page

    @property
    def foot(self) -> str:
        """One line at the foot of every page: whose, which, and where to ask."""
        document = self.document
        parts = (
            f"Statement {document.number}",
            f"Account {document.buyer.account_number}",
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
    def questions(self) -> str:
        """How to dispute."""
        seller, by = self.document.seller, self.document.dispute_by
        ways = " or ".join(way for way in (seller.email, seller.phone) if way)
        if not ways:
            return ""
        when = f" by {self.say.day(by)}" if by else ""
        return (
            f"Something wrong? Say so{when}: {ways}. Name the bill and the line: "
            "what you dispute is not due while we look into it."
        )

    @property
    def sign(self) -> str:
        """The currency's sign, for the box of the amount enclosed."""
        alone: Alone = self.say.alone(Decimal(0))
        return (alone.before + alone.after).strip()


STATEMENTS = Typesetting(
    "statement.html",
    ("base.css", "document.css", "statement.css"),
    Arrangement,
    (
        "figures.py",
        "markup.py",
        "theme.py",
        "statements/arrangement.py",
        "statements/document.py",
    ),
)
