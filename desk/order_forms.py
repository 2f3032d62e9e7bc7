"""The desk's forms about a placed order: a parcel, pieces given up or taken back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flask import request
from wtforms import Form, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import AnyOf, DataRequired, InputRequired, Length

from core.kernel.errors import ShopError
from core.kernel.money import Money
from core.orders import carriers
from core.orders.fulfilling import TooManyPieces, Tracking
from core.orders.fulfilment_models import CANCEL_REASONS, RETURN_REASONS
from core.orders.models import OrderLine

REASONS = {
    "changed_mind": "They changed their mind",
    "not_available": "We cannot deliver it",
    "ordered_twice": "It was ordered twice",
    "damaged": "It is damaged or faulty",
    "wrong_item": "We sent the wrong thing",
    "not_as_described": "It is not as described",
    "other": "Another reason",
}
#: Where the money goes, in the words of the desk.
WHERE = {
    "usual": "Back the way they paid: cards first, then gift cards, then credit",
    "gift_card": "Back the way they paid: gift cards first, then credit, then cards",
    "credit": "Back the way they paid: credit first, then gift cards, then cards",
    "kept": "Kept as credit, which pays their next bill",
}
_MOST_PIECES = 1_000_000


class TrackingForm(Form):
    """Who carries a parcel, and where it can be followed."""

    carrier = StringField("Carrier", [Length(max=60, message="At most 60 characters.")])
    number = StringField("Tracking number", [Length(max=80, message="At most 80 characters.")])
    link = StringField(
        "Link to follow it",
        [Length(max=400, message="At most 400 characters.")],
        description="Known carriers need only their number.",
    )

    def validate(self, extra_validators: object = None) -> bool:
        """A link must lead somewhere on the web."""
        is_valid = bool(super().validate())
        if self.link.data and not carriers.is_link(self.link.data.strip()):
            self.link.errors = ["Write an address such as https://example.com/parcel/123."]
            return False
        return is_valid

    def way(self) -> Tracking:
        """As it was written."""
        found = [(field.data or "").strip() for field in (self.carrier, self.number, self.link)]
        return Tracking(*found)


class ShipForm(TrackingForm):
    """A parcel; ``once`` was made with the page."""

    once = HiddenField(validators=[Length(min=1, max=60)])


class ProvideForm(Form):
    """What was done."""

    once = HiddenField(validators=[Length(min=1, max=60)])


class ChangeForm(Form):
    """Why, a note, and where the money goes."""

    reason = SelectField("Why", [InputRequired("Choose why.")])
    note = StringField(
        "A note for whoever asks later", [Length(max=300, message="At most 300 characters.")]
    )
    refund_to = RadioField(
        "Where the money goes",
        choices=[SelectChoice(key, text) for key, text in WHERE.items()],
        default="usual",
    )
    once = HiddenField(validators=[Length(min=1, max=60)])


class CancelForm(ChangeForm):
    """Pieces that have not left."""

    def __init__(self, *given: object, **more: object) -> None:
        super().__init__(*given, **more)
        self.reason.choices = [SelectChoice(one, REASONS[one]) for one in CANCEL_REASONS]


SENDS = [
    SelectChoice("after", "Once the other is here: it is held until then"),
    SelectChoice("before", "Now: its bill waits for the return, for 30 days"),
]


class ReturnForm(ChangeForm):
    """Pieces that come back; they may be here already, and something may go out instead."""

    sends = RadioField("When what goes out instead is sent", choices=SENDS, default="after")

    here = RadioField(
        "Where are they?",
        [AnyOf(("yes", "no"))],
        choices=[
            SelectChoice("yes", "Here: take them back now"),
            SelectChoice(
                "no", "On their way: write to the customer, with the number of the return"
            ),
        ],
        default="yes",
    )

    def __init__(self, *given: object, **more: object) -> None:
        super().__init__(*given, **more)
        self.reason.choices = [SelectChoice(one, REASONS[one]) for one in RETURN_REASONS]


class AcceptForm(Form):
    """A return that was asked for may come."""

    sends = RadioField("When what they would like instead is sent", choices=SENDS, default="after")


class WithdrawForm(Form):
    """It does not come, or not as it should be."""

    replacement = RadioField(
        "What was to go out instead",
        choices=[
            SelectChoice("let_go", "Does not go out; what has left already stays billed"),
            SelectChoice("billed", "Goes out all the same, and is billed"),
        ],
        default="let_go",
    )


class DeclineForm(Form):
    """Why a customer's wish to return something is not met."""

    answer = TextAreaField(
        "What the customer is told",
        [
            DataRequired("Say why: the customer reads it."),
            Length(max=300, message="At most 300 characters."),
        ],
    )


class ReceiveForm(Form):
    """They are here."""

    refund_to = RadioField(
        "Where the money goes",
        choices=[SelectChoice(key, text) for key, text in WHERE.items()],
    )


@dataclass(frozen=True)
class PieceRow:
    """One line of a form: how many of it can be chosen, what was typed, and what is wrong with that."""

    number: int
    sku: str
    name: str
    ordered: int
    possible: int
    typed: str
    error: str
    amount: Money | None = None
    is_goods: bool = False
    restock: bool = False
    #: What goes out instead, as it was typed.
    instead: str = ""


def rows(
    lines: Sequence[OrderLine],
    possible: Mapping[int, int],
    wrong: Mapping[int, str],
    worth: Mapping[int, Money] | None = None,
    *,
    filled: bool = True,
) -> list[PieceRow]:
    """The lines of which something can be chosen; ``filled``: with all of it, until somebody types."""
    is_fresh = request.method == "GET"
    return [
        PieceRow(
            line.line_number,
            line.sku,
            line.name,
            line.quantity,
            possible[line.line_number],
            (str(possible[line.line_number]) if filled else "")
            if is_fresh
            else request.form.get(f"pieces-{line.line_number}", "")[:12],
            wrong.get(line.line_number, ""),
            (worth or {}).get(line.line_number),
            line.kind == "physical",
            is_fresh or f"restock-{line.line_number}" in request.form,
            request.form.get(f"instead-{line.line_number}", "").strip()[:60],
        )
        for line in lines
        if possible.get(line.line_number) or line.line_number in wrong
    ]


def pieces(
    possible: Mapping[int, int], *, bounded: bool = False
) -> tuple[dict[int, int], dict[int, str]]:
    """How many of which line were typed, and what is wrong with those that cannot be read.

    ``bounded``: more than is possible is wrong, too. Whoever acts leaves that to the flow, which knows a
    button that was pressed twice.
    """
    found: dict[int, int] = {}
    wrong: dict[int, str] = {}
    for number, most in possible.items():
        text = request.form.get(f"pieces-{number}", "").strip()
        if text in ("", "0"):
            continue
        if not (text.isascii() and text.isdigit()) or len(text) > 7 or int(text) > _MOST_PIECES:
            wrong[number] = "A whole number, please."
        elif bounded and int(text) > most:
            wrong[number] = _at_most(most)
        else:
            found[number] = int(text)
    return found, wrong


def instead(chosen: Iterable[int]) -> dict[int, str]:
    """What goes out instead of pieces that come back: SKUs by line, where something was typed."""
    found = {number: request.form.get(f"instead-{number}", "").strip()[:60] for number in chosen}
    return {number: sku for number, sku in found.items() if sku}


def _at_most(most: int) -> str:
    return f"At most {most}." if most else "None is left for this."


def refused(error: ShopError) -> tuple[dict[int, str], list[str]]:
    """What a flow refused: at its line, or above the form."""
    if isinstance(error, TooManyPieces) and error.line:
        return {error.line: _at_most(error.possible)}, []
    return {}, [str(error)]


def restocked(lines: Sequence[OrderLine]) -> dict[int, bool]:
    """Which lines were ticked as back on the shelf."""
    return {line.line_number: f"restock-{line.line_number}" in request.form for line in lines}
