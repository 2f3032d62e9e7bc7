"""One dispute at the desk: the line and why it costs what it does, what was said, and the answer.

A credit is shown before it is given: the memo with its taxes, what it lowers and what becomes the customer's.
"""

from collections.abc import Callable, Sequence

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse
from wtforms import Form, HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length

from core.kernel.errors import Invalid, NotFound, ShopError, StaleState
from core.kernel.ids import new_public_id
from core.kernel.money import Money
from core.parties import users
from core.parties.roles import Role
from desk import disputes as listed
from flows import resolve_dispute, talk_about_dispute
from flows.open_dispute import Author
from flows.resolve_dispute import Answer
from invoices.disputes import deciding, reading, talking
from invoices.disputes.deciding import Preview
from invoices.disputes.models import STANDING
from invoices.disputes.reading import Told
from invoices.disputes.refusals import DisputeOver
from invoices.document import InvoiceDocument
from web import disputes as words
from web.access import Who, allow, takes
from web.context import house, today
from web.disputes import LARGEST, MessageForm, sent_files
from web.documents import bill_of
from web.flashes import say
from web.login import person
from web.pages import page, show_errors

dispute = Blueprint(
    "desk_dispute", __name__, url_prefix="/desk/disputes", template_folder="templates"
)
#: A page, or where to go on.
Answered = str | AnyResponse
_ROLES = (Role.BILLING, Role.SUPPORT)


class AnswerForm(Form):
    """How much is credited, and what they are told."""

    outcome = RadioField(
        "What we do",
        [InputRequired("Choose what we do.")],
        choices=[
            SelectChoice("full", "Credit all of it"),
            SelectChoice("part", "Credit a part"),
            SelectChoice("none", "Credit nothing"),
        ],
    )
    amount = StringField("How much, with its taxes")
    answer = TextAreaField(
        "What we tell them",
        [
            DataRequired("Tell them what you found."),
            Length(max=talking.LONGEST, message=f"At most {talking.LONGEST} characters."),
        ],
    )

    def credit(self, found: Told) -> Money:
        """The credit that was chosen. Invalid for what is no amount."""
        currency = found.dispute.currency
        if self.outcome.data == "none":
            return Money.zero(currency)
        if self.outcome.data == "full":
            return words.money(found.dispute)
        try:
            amount = Money.parse((self.amount.data or "").strip(), currency)
        except ValueError:
            raise Invalid({"amount": "An amount with a point, like 45.00."}) from None
        if amount.minor <= 0:
            raise Invalid({"amount": "More than nothing; else credit nothing."})
        return amount


class SecondForm(Form):
    """A second person's word."""

    note = TextAreaField(
        "A note for the first", [Length(max=1000, message="At most 1000 characters.")]
    )
    proposal = HiddenField()


def _author() -> Author:
    who = person()
    assert who is not None
    return Author("staff", who.name or who.email, f"user:{who.key}", who.key)


def _told(public_id: str) -> tuple[Told, Money]:
    """Everything about it, and the most that can be credited."""
    with house().db.snapshot() as session:
        found = reading.told(session, reading.one(session, public_id))
        return found, deciding.most(session, found.dispute)


def _page(
    told: tuple[Told, Money],
    form: AnswerForm | None = None,
    message: MessageForm | None = None,
    second: SecondForm | None = None,
    preview: Preview | None = None,
    problems: Sequence[str] = (),
) -> str:
    found, most = told
    row, base, who = found.dispute, f"/desk/disputes/{found.dispute.public_id}", person()
    assert who is not None
    document = InvoiceDocument.from_dict(found.invoice.document)
    printed = next((one for one in document.lines if one.line_no == found.line.line_number), None)
    waiting = found.waiting
    actors = [row.opened_by, row.decided_by, row.proposed_by]
    actors += [one.asked_by for one in found.proposals]
    actors += [one.decided_by for one in found.proposals]
    with house().db.reading() as session:
        names = users.names(session, [actor for actor in actors if actor])
    fresh = AnswerForm(data={"amount": str(most.decimal())})
    return page(
        "desk/dispute.html",
        dispute=row,
        here=base,
        state=listed.state_of(reading.Row(row, found.account, found.invoice, found.line), today()),
        reason=listed.NAMES[row.reason],
        amount=words.money(row),
        most=most,
        account=found.account,
        bill={
            "number": found.invoice.number,
            "href": f"/desk/invoices/{found.invoice.public_id}",
            "document": document,
            "said": bill_of(found.invoice, found.bill_item, today()),
        },
        line=found.line,
        line_total=Money(found.line.net_minor + found.line.tax_minor, row.currency),
        line_tax=Money(found.line.tax_minor, row.currency),
        printed=printed,
        contested=found.bill_item.contested if found.bill_item is not None else None,
        memo=(found.memo.number, f"/desk/invoices/{found.memo.public_id}") if found.memo else None,
        credited=Money(row.credited_minor, row.currency),
        kept=found.credit_item.amount if found.credit_item is not None else None,
        answer=row.answer.splitlines(),
        is_open=row.state == "open",
        is_over=row.state not in STANDING,
        waiting=waiting,
        waiting_amount=Money(waiting.amount_minor, row.currency) if waiting else None,
        mine=waiting is not None and waiting.asked_by == f"user:{who.key}",
        proposals=found.proposals,
        names=names,
        limit=house().rules.disputes.credit_limit,
        messages=words.talk(found, base),
        form=form or fresh,
        second=second or SecondForm(data={"proposal": waiting.public_id if waiting else ""}),
        preview=preview,
        problems=problems,
        message=message or MessageForm(data={"once": new_public_id()}),
        most_mb=house().rules.disputes.file_bytes // 1_000_000,
        most_files=talking.MOST_FILES,
    )


@dispute.get("/<public_id>")
@allow(Who.STAFF, roles=_ROLES)
def show(public_id: str) -> str:
    """The dispute and what can be done with it."""
    return _page(_told(public_id))


@dispute.get("/<public_id>/files/<file_id>")
@allow(Who.STAFF, roles=_ROLES)
def file(public_id: str, file_id: str) -> Response:
    """A picture of it."""
    with house().db.reading() as session:
        found = reading.one(session, public_id)
        return words.picture(talking.file_of(session, found, file_id), found)


@dispute.post("/<public_id>/preview")
@allow(Who.STAFF, roles=_ROLES)
def preview(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """The memo as it would be; nothing is done yet."""
    return _try(public_id, _foreseen)


def _foreseen(told: tuple[Told, Money], form: AnswerForm, credit: Money) -> str:
    seen = resolve_dispute.preview(house(), told[0].dispute.public_id, credit)
    return _page(told, form, preview=seen)


@dispute.post("/<public_id>/decision")
@allow(Who.STAFF, roles=_ROLES)
def decide(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Answer it, or have a second person asked."""

    def work(_: tuple[Told, Money], form: AnswerForm, credit: Money) -> AnyResponse:
        answer = Answer(credit, form.answer.data or "")
        state = resolve_dispute.decide(house(), public_id, answer, _author())
        say(
            "It is answered, and they are told."
            if state == "resolved"
            else "It is over the limit: somebody else has to agree."
        )
        return redirect(f"/desk/disputes/{public_id}", 303)

    return _try(public_id, work)


def _try(
    public_id: str, work: Callable[[tuple[Told, Money], AnswerForm, Money], Answered]
) -> Answered | tuple[str, int]:
    """Read the form, do the work; what is wrong with it stands next to its field."""
    told, form = _told(public_id), AnswerForm(request.form)
    if not form.validate():
        return _page(told, form), 422
    try:
        return work(told, form, form.credit(told[0]))
    except Invalid as error:
        show_errors(form, error)
        return _page(told, form), 422
    except NotFound:
        raise
    except (DisputeOver, StaleState) as error:
        return _quicker(public_id, error)
    except ShopError as error:
        return _page(_told(public_id), form, problems=(str(error),)), 422


def _quicker(public_id: str, error: ShopError) -> AnyResponse:
    """Somebody else was quicker, or it was pressed twice: the page says how it stands."""
    say(str(error), "warn")
    return redirect(f"/desk/disputes/{public_id}", 303)


@dispute.post("/<public_id>/second")
@allow(Who.STAFF, roles=_ROLES)
def second(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """A second person's word: done, or given back."""
    form, approved = SecondForm(request.form), bool(request.form.get("approve"))
    if not form.validate():
        return _page(_told(public_id), second=form), 422
    try:
        resolve_dispute.second(
            house(),
            public_id,
            form.proposal.data or "",
            _author(),
            approved=approved,
            note=form.note.data or "",
        )
    except NotFound:
        raise
    except (DisputeOver, StaleState) as error:
        return _quicker(public_id, error)
    except ShopError as error:
        return _page(_told(public_id), second=form, problems=(str(error),)), 422
    say("It is answered, and they are told." if approved else "It is open again.")
    return redirect(f"/desk/disputes/{public_id}", 303)


@dispute.post("/<public_id>/messages")
@allow(Who.STAFF, roles=_ROLES)
@takes(LARGEST)
def write(public_id: str) -> str | AnyResponse | tuple[str, int]:
    """Write to the customer."""
    form = MessageForm(request.form)
    try:
        talk_about_dispute.write(
            house(),
            public_id,
            _author(),
            form.text.data or "",
            None,
            files=sent_files(),
            named=form.once.data or "",
        )
    except Invalid as error:
        show_errors(form, error)
        return _page(_told(public_id), message=form), 422
    say("Your message is on its way.")
    return redirect(f"/desk/disputes/{public_id}#messages", 303)
