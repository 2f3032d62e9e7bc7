"""Correcting a bill: credit some of its lines, charge more on them, or take it back in full."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse
from wtforms import BooleanField, Form, HiddenField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import Length

from core.kernel.errors import NotFound, ShopError
from core.kernel.ids import new_public_id
from core.kernel.money import Money
from core.ledger import items
from core.ledger.memos import Credited
from core.parties.models import Account
from core.parties.roles import Role
from desk.taxes import actor
from flows import correct_invoice
from flows.correct_invoice import Correction
from invoices import reading
from invoices.correctable import Corrected, is_correctable, lines_of
from invoices.memos import CREDIT_REASONS, DEBIT_REASONS, NotCorrectable
from invoices.models import Invoice
from invoices.words import EN
from web.access import Who, allow
from web.context import house
from web.filters import sign
from web.flashes import say as flash
from web.pages import page

memos = Blueprint("desk_memos", __name__, url_prefix="/desk", template_folder="templates")


class MemoForm(Form):
    """Why, and what becomes of what was paid already."""

    reason = SelectField("Why", validate_choice=True)
    message = StringField("A message to them", [Length(max=300, message="At most 300 characters.")])
    refunded = BooleanField("Send back what they had paid, the way they paid it")
    once = HiddenField()

    def offer(self, reasons: Sequence[str]) -> None:
        """Which reasons there are."""
        self.reason.choices = [SelectChoice(one, getattr(EN, one)) for one in reasons]


@dataclass(frozen=True)
class _Bill:
    """A bill that is being corrected."""

    invoice: Invoice
    customer: str
    lines: list[Corrected]
    open: Money

    @property
    def path(self) -> str:
        return f"/desk/invoices/{self.invoice.public_id}"

    def money(self, minor: int) -> Money:
        return Money(minor, self.invoice.currency)


def _bill(public_id: str) -> _Bill:
    with house().db.snapshot() as session:
        invoice = reading.one(session, public_id)
        if not is_correctable(invoice):
            raise NotFound("bill of ours")
        account = session.get_one(Account, invoice.payer_account_id)
        item = items.of_sources(session, [invoice.id]).get(invoice.id)
        lines = lines_of(session, invoice.id)
    zero = Money.zero(invoice.currency)
    return _Bill(invoice, account.name, lines, item.open if item is not None else zero)


@dataclass(frozen=True)
class _Line:
    """One line of the form: what can be typed, what was typed, and what is wrong with it."""

    number: int
    name: str
    net: Money
    left: Money
    typed: str
    error: str


def _shown(
    kind: str, bill: _Bill, form: MemoForm, wrong: dict[int, str], problems: Sequence[str] = ()
) -> str:
    form.offer(CREDIT_REASONS if kind == "credit" else DEBIT_REASONS)
    return page(
        "desk/memo.html",
        kind=kind,
        bill=bill,
        form=form,
        problems=problems,
        lines=[
            _Line(
                line.row.line_number,
                line.row.name,
                bill.money(line.row.net_minor),
                bill.money(line.creditable.left_net),
                request.form.get(f"net-{line.row.line_number}", ""),
                wrong.get(line.row.line_number, ""),
            )
            for line in bill.lines
        ],
    )


def _fresh() -> MemoForm:
    return MemoForm(data={"once": new_public_id()})


def _typed(bill: _Bill) -> tuple[dict[int, int], dict[int, str]]:
    """Net amounts by line, and what is wrong with those that cannot be read."""
    parts, wrong = {}, {}
    for line in bill.lines:
        number = line.row.line_number
        text = request.form.get(f"net-{number}", "").strip().replace("\N{MINUS SIGN}", "-")
        try:
            if text:
                parts[number] = Money.parse(text, bill.invoice.currency).minor
        except ValueError:
            wrong[number] = "An amount with a point, like 45.00."
    return parts, wrong


def _send(
    kind: str, public_id: str, work: Callable[[Correction], Invoice]
) -> str | AnyResponse | tuple[str, int]:
    bill, form = _bill(public_id), MemoForm(request.form)
    form.offer(CREDIT_REASONS if kind == "credit" else DEBIT_REASONS)
    parts, wrong = _typed(bill)
    if not form.validate() or wrong:
        return _shown(kind, bill, form, wrong), 422
    asked = Correction(
        public_id,
        parts,
        form.reason.data,
        (form.once.data or new_public_id())[:40],
        actor(),
        message=" ".join((form.message.data or "").split()),
        refunded=bool(form.refunded.data),
    )
    try:
        memo = work(asked)
    except (NotFound, NotCorrectable):
        raise
    except ShopError as error:
        return _shown(kind, bill, form, {}, (str(error),)), 422
    return redirect(f"/desk/invoices/{memo.public_id}", 303)


@memos.get("/invoices/<public_id>/credit")
@allow(Who.STAFF, roles=(Role.BILLING,))
def ask_credit(public_id: str) -> str:
    """Choose lines and amounts to give back."""
    return _shown("credit", _bill(public_id), _fresh(), {})


@memos.post("/invoices/<public_id>/credit")
@allow(Who.STAFF, roles=(Role.BILLING,))
def credit(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Issue a credit memo."""

    def work(asked: Correction) -> Invoice:
        memo, credited = correct_invoice.credit(house(), asked)
        _tell(memo, credited, refunded=asked.refunded)
        return memo

    return _send("credit", public_id, work)


def _tell(memo: Invoice, credited: Credited, *, refunded: bool) -> None:
    words = f"Credit memo {memo.number} is issued."
    if credited.kept:
        rest = sign(credited.kept)
        words += f" {rest} is on its way back." if refunded else f" {rest} is kept for them."
    flash(words)


@memos.get("/invoices/<public_id>/debit")
@allow(Who.STAFF, roles=(Role.BILLING,))
def ask_debit(public_id: str) -> str:
    """Choose lines and amounts to charge more."""
    return _shown("debit", _bill(public_id), _fresh(), {})


@memos.post("/invoices/<public_id>/debit")
@allow(Who.STAFF, roles=(Role.BILLING,))
def debit(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Issue a debit memo."""

    def work(asked: Correction) -> Invoice:
        memo = correct_invoice.debit(house(), asked)
        flash(f"Debit memo {memo.number} is issued.")
        return memo

    return _send("debit", public_id, work)


@memos.get("/invoices/<public_id>/void")
@allow(Who.STAFF, roles=(Role.BILLING,))
def ask_void(public_id: str) -> str:
    """Ask before all that is left of a bill is taken back."""
    return _void_page(_bill(public_id), _fresh())


def _void_page(bill: _Bill, form: MemoForm, problems: Sequence[str] = ()) -> str:
    left = bill.money(sum(line.creditable.left_total for line in bill.lines))
    paid: Any = max(left - bill.open, bill.money(0))
    return page("desk/void.html", bill=bill, form=form, left=left, paid=paid, problems=problems)


@memos.post("/invoices/<public_id>/void")
@allow(Who.STAFF, roles=(Role.BILLING,))
def void(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Take a bill back by a credit memo over all that is left of it."""
    form = MemoForm(request.form)
    once, refunded = (form.once.data or new_public_id())[:40], bool(form.refunded.data)
    try:
        memo, credited = correct_invoice.void(house(), public_id, once, actor(), refunded=refunded)
    except (NotFound, NotCorrectable):
        raise
    except ShopError as error:
        return _void_page(_bill(public_id), form, (str(error),)), 422
    _tell(memo, credited, refunded=refunded)
    return redirect(f"/desk/invoices/{memo.public_id}", 303)
