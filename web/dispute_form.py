"""The form that disputes a line of a bill: for its customer, for whoever has its link, and for staff on the
phone.
"""

from collections.abc import Sequence
from typing import Any

from wtforms import Form, HiddenField, MultipleFileField, RadioField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from core.kernel.errors import Invalid, NotFound, ShopError
from core.kernel.ids import new_public_id
from core.kernel.money import Money
from core.ledger.items import Open
from flows.open_dispute import Asked
from invoices.correctable import Corrected
from invoices.disputes import talking
from invoices.disputes.refusals import DisputedTooMuch
from invoices.models import Invoice
from web.context import house
from web.disputes import REASONS, sent_files
from web.pages import page, show_errors

#: A bill, the line that is meant, and what of the bill is open.
Found = tuple[Invoice, Corrected, Open | None]


class DisputeForm(Form):
    """What is wrong with a line, how much of it, and what to do with money that was paid."""

    reason = RadioField(
        "What is wrong",
        [InputRequired("Choose what is wrong.")],
        choices=[SelectChoice(code, text) for code, text in REASONS.items()],
        default="overcharge",
    )
    amount = StringField("How much of it", [InputRequired("Tell us how much.")])
    text = TextAreaField(
        "In your words",
        [Length(max=talking.LONGEST, message=f"At most {talking.LONGEST} characters.")],
    )
    files = MultipleFileField("Pictures")
    wish = RadioField(
        "If we credit what you have paid",
        choices=[
            SelectChoice("keep", "Keep it for my next bill"),
            SelectChoice("refund", "Send it back the way I paid"),
        ],
        default="keep",
    )
    once = HiddenField()

    def asked(self, found: Found, *, with_files: bool = True) -> Asked:
        """What is disputed. Invalid when the form is wrong; its fields then say what is."""
        invoice, line, _ = found
        if not self.validate():
            raise Invalid({})
        try:
            amount = Money.parse((self.amount.data or "").strip(), invoice.currency)
        except ValueError:
            raise Invalid({"amount": "An amount with a point, like 45.00."}) from None
        return Asked(
            invoice.public_id,
            line.row.line_number,
            self.reason.data,
            amount,
            self.text.data or "",
            sent_files() if with_files else [],
            self.wish.data or "keep",
            named=self.once.data or "",
        )

    def explain(self, error: ShopError) -> list[str]:
        """Put it next to its field; answers what belongs to none."""
        if isinstance(error, DisputedTooMuch):
            error = Invalid({"amount": str(error)})
        if isinstance(error, Invalid):
            show_errors(self, error)
            return []
        return [str(error)]


def left(found: Found) -> Money:
    """What of the line can be disputed, with its taxes."""
    invoice, line, _ = found
    return Money(line.creditable.left_total, invoice.currency)


def fresh(found: Found) -> DisputeForm:
    """All of the line is filled in; only what is wrong is to be chosen."""
    data = {"amount": str(left(found).decimal()), "once": new_public_id()}
    return DisputeForm(data=data | {"reason": "overcharge", "wish": "keep"})


def one_of(lines: Sequence[Corrected], number: int) -> Corrected:
    """The line with this number. NotFound when it cannot be disputed."""
    for line in lines:
        if line.row.line_number == number:
            return line
    raise NotFound("line to dispute")


def shown(
    template: str,
    found: Found,
    form: DisputeForm,
    bill_href: str,
    problems: Sequence[str] = (),
    *,
    most_files: int = talking.MOST_FILES,
    **more: Any,
) -> str:
    """The page that asks."""
    invoice, line, item = found
    rest = left(found)
    return page(
        template,
        form=form,
        problems=problems,
        bill_href=bill_href,
        here=f"{bill_href}/lines/{line.row.line_number}/dispute",
        bill=invoice.number,
        issued=invoice.issue_date,
        line=line.row.name,
        left=rest,
        credited=Money(line.row.net_minor + line.row.tax_minor, invoice.currency) - rest,
        paid=item is not None and item.open < item.amount,
        most_mb=house().rules.disputes.file_bytes // 1_000_000,
        most_files=most_files,
        days=house().rules.disputes.answer_days,
        **more,
    )
