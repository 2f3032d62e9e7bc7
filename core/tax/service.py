"""Who works out taxes: a port. Our own table is the default; an outside service may take its place.

A question carries everything, our own table's taxes included, so that the table can always answer. An
outside service is never asked within a transaction: ``Answers`` says that an answer is missing, the flow
asks when it holds no transaction, and works again with the answer (``flows.taxing``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Protocol

from core.kernel.errors import ShopError
from core.tax.arithmetic import Tax, TaxedLine, tax_lines


@dataclass(frozen=True)
class AskedLine:
    """An amount to be taxed. ``taxes``: what our own table says, with what is relieved."""

    amount_minor: int
    category: str
    taxes: tuple[Tax, ...]


@dataclass(frozen=True)
class Place:
    """Where something is delivered or used."""

    country: str
    region: str = ""
    postal_code: str = ""
    city: str = ""


@dataclass(frozen=True)
class Question:
    """The lines of one document, where they go, and who sells."""

    seller: str
    seller_country: str
    currency: str
    #: ``document`` or ``line``.
    rounding: str
    #: Do the amounts contain their taxes?
    included: bool
    on: date
    place: Place
    #: Of a business that we may rely on, or empty.
    vat_id: str
    lines: tuple[AskedLine, ...]


@dataclass(eq=False)
class NoTaxAnswer(ShopError):
    """The outside service does not answer, or not with what can be used."""

    code: ClassVar[str] = "tax_unknown"
    text: ClassVar[str] = (
        "We cannot work out the tax just now. Nothing was charged and your things stay held. "
        "Try again in a minute."
    )


class TaxService(Protocol):
    """Answers a question with one taxed line for each of its lines, in their order.

    Raises NoTaxAnswer, within its own time limit. Asked twice, it answers the same.
    """

    @property
    def calls_out(self) -> bool:
        """Does it speak to another machine?"""
        ...

    def answer(self, question: Question) -> Sequence[TaxedLine]: ...


@dataclass(frozen=True)
class OwnTable:
    """The taxes of our own table."""

    calls_out: bool = False

    def answer(self, question: Question) -> Sequence[TaxedLine]:
        lines = [(line.amount_minor, line.taxes) for line in question.lines]
        return tax_lines(lines, question.rounding)


@dataclass(frozen=True)
class ElseOwnTable:
    """An outside service, and our own table when it does not answer."""

    service: TaxService
    calls_out: bool = True

    def answer(self, question: Question) -> Sequence[TaxedLine]:
        try:
            answer = self.service.answer(question)
            check(question, answer)
            return answer
        except NoTaxAnswer:
            return OwnTable().answer(question)


class Unanswered(Exception):
    """An outside service has to be asked first: leave the transaction."""

    def __init__(self, question: Question) -> None:
        super().__init__("a tax service has to be asked")
        self.question = question


@dataclass
class Answers:
    """What a service has answered while something is being done."""

    service: TaxService = field(default_factory=OwnTable)
    _known: dict[Question, Sequence[TaxedLine]] = field(default_factory=dict)

    def of(self, question: Question) -> Sequence[TaxedLine]:
        """The answer. Raises Unanswered when another machine has to be asked for it."""
        if not self.service.calls_out or not question.place.country:
            return OwnTable().answer(question) if self.service.calls_out else self._ask(question)
        if question not in self._known:
            raise Unanswered(question)
        return self._known[question]

    def ask(self, question: Question) -> None:
        """Ask now; hold no transaction. Raises NoTaxAnswer."""
        self._known[question] = self._ask(question)

    def _ask(self, question: Question) -> Sequence[TaxedLine]:
        answer = self.service.answer(question)
        check(question, answer)
        return answer


def check(question: Question, answer: Sequence[TaxedLine]) -> None:
    """Is it an answer to this question, and does each line add up? Raises NoTaxAnswer."""
    if len(answer) != len(question.lines):
        raise NoTaxAnswer
    for asked, line in zip(question.lines, answer, strict=True):
        relieved = any(one.tax.relief and one.tax.inclusive for one in line.taxes)
        charged = any(one.tax.relief and one.amount_minor for one in line.taxes)
        if charged or (
            not relieved and line.net_minor + line.contained_minor != asked.amount_minor
        ):
            raise NoTaxAnswer
