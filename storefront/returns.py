"""Asking to return or exchange goods of an order, by its link; the account's orders lead to the same page."""

from collections.abc import Mapping, Sequence

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response
from wtforms import Form, HiddenField, SelectField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from core.kernel.errors import ShopError
from core.kernel.ids import new_public_id
from core.orders.fulfilling import TooManyPieces
from core.orders.models import OrderLine
from flows import ask_return, exchange
from flows.follow_order import Followed
from flows.take_back import Asked
from storefront.order_link import followed
from web import limits
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page
from web.return_words import REASONS

returns = Blueprint(
    "order_returns",
    __name__,
    url_prefix="/o/<public_id>/<token>/return",
    template_folder="templates",
)
#: As many pieces of a line as a form takes.
_MOST = 10_000


class ReturnForm(Form):
    """Why it is to come back."""

    reason = SelectField(
        "Why",
        [InputRequired("Choose why.")],
        choices=[SelectChoice("", "Choose"), *(SelectChoice(*one) for one in REASONS.items())],
    )
    note = TextAreaField(
        "What is wrong with it", [Length(max=300, message="At most 300 characters.")]
    )
    once = HiddenField(validators=[Length(min=1, max=60)])


def may_ask(order: Followed) -> bool:
    """Is there something that can come back, and no wish that still waits for its answer?"""
    is_open = order.order.lifecycle in ("confirmed", "completed")
    waits = any(one.row.state == "asked" for one in order.changes)
    return is_open and not waits and any(map(ask_return.may_come_back, order.lines))


@returns.get("")
@allow(Who.EVERYBODY)
def asking(public_id: str, token: str) -> str:
    """Which pieces, and why?"""
    form = ReturnForm(data={"once": new_public_id()})
    return _page(followed(public_id, token), token, form, {}, {})


@returns.post("")
@allow(Who.EVERYBODY)
@limits.limit("checkout")
def ask(public_id: str, token: str) -> str | Response | tuple[str, int]:
    """Keep the wish: somebody answers it."""
    order, form = followed(public_id, token), ReturnForm(request.form)
    typed = {
        line.line_number: request.form.get(f"pieces-{line.line_number}", "").strip()[:12]
        for line in order.lines
    }
    chosen, wrong = _chosen(typed)
    instead = {
        number: sku
        for number in chosen
        if (sku := request.form.get(f"instead-{number}", "").strip()[:60])
    }
    also: list[str] = []
    if form.validate() and not wrong:
        more = (str(form.reason.data), "usual", "guest", str(form.once.data))
        note = " ".join((form.note.data or "").split())
        try:
            ask_return.ask(house(), Asked(public_id, chosen, *more, note, instead))
        except TooManyPieces as error:
            wrong = {error.line: f"At most {error.possible}."}
        except ShopError as error:
            also = [str(error)]
        else:
            say("We have it, and answer by mail. Keep the pieces until then.")
            return redirect(f"/o/{public_id}/{token}", 303)
    return _page(order, token, form, typed, wrong, also), 422


def _chosen(typed: Mapping[int, str]) -> tuple[dict[int, int], dict[int, str]]:
    found: dict[int, int] = {}
    wrong: dict[int, str] = {}
    for number, text in typed.items():
        if text in ("", "0"):
            continue
        if not (text.isascii() and text.isdigit()) or int(text) > _MOST:
            wrong[number] = "A whole number, please."
        else:
            found[number] = int(text)
    return found, wrong


def _page(
    order: Followed,
    token: str,
    form: ReturnForm,
    typed: Mapping[int, str],
    wrong: Mapping[int, str],
    also: Sequence[str] = (),
) -> str:
    def row(line: OrderLine, possible: int) -> dict[str, object]:
        number = line.line_number
        only = "1" if possible == 1 and len(rows_) == 1 else ""
        return {
            "number": number,
            "name": line.name,
            "possible": possible,
            "typed": typed.get(number, only),
            "error": wrong.get(number, ""),
            "instead": request.form.get(f"instead-{number}", ""),
            "choices": choices.get(line.id, []),
        }

    rows_ = [(line, left) for line in order.lines if (left := ask_return.may_come_back(line))]
    with house().db.snapshot() as session:
        lines = [line for line, _ in rows_]
        choices = exchange.choices(session, house(), order.order, lines)
    href = f"/o/{order.order.public_id}/{token}"
    return page(
        "storefront/return.html",
        number=order.order.number or "",
        order_href=href,
        may_ask=may_ask(order),
        rows=[row(*one) for one in rows_],
        form=form,
        also=also,
    )
