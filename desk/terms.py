"""Terms of payment: the channel's, and those of an account that has its own."""

from decimal import Decimal, InvalidOperation

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse
from wtforms import BooleanField, Form, IntegerField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, NumberRange, Optional

from core.parties import accounts
from core.parties.models import Account, Channel
from core.parties.roles import Role
from desk.taxes import actor, percent
from flows import set_terms
from invoices.issue import terms_of
from invoices.terms import Due, Terms, holding
from web.access import Who, allow
from web.context import channel, house
from web.flashes import say
from web.pages import page

terms = Blueprint("desk_terms", __name__, url_prefix="/desk", template_folder="templates")
_PER_CENT = 10_000
_DUE = {
    Due.DAYS: "So many days after the bill’s date",
    Due.MONTH_END: "So many days after the end of its month",
    Due.DAY_OF_MONTH: "On a day of the month, so many days after it at least",
}
_WITHIN = "From 0 to 365."


class TermsForm(Form):
    """When a bill is due, and what paying early is worth."""

    own = BooleanField("Terms of their own")
    due = SelectField("Due", choices=[SelectChoice(key.value, text) for key, text in _DUE.items()])
    days = IntegerField("Days", [InputRequired(_WITHIN), NumberRange(0, 365, message=_WITHIN)])
    day = IntegerField(
        "Day of the month", [Optional(), NumberRange(1, 31, message="From 1 to 31.")]
    )
    discount = StringField("Percent for paying early")
    discount_days = IntegerField("Within days", [Optional(), NumberRange(0, 365, message=_WITHIN)])

    @classmethod
    def of(cls, now: Terms, *, own: bool) -> "TermsForm":
        """The form with what holds now."""
        return cls(
            data={
                "own": own,
                "due": now.due.value,
                "days": now.days,
                "day": now.day,
                "discount": percent(now.discount_ppm) if now.discount_ppm else "",
                "discount_days": now.discount_days or None,
            }
        )

    def wanted(self) -> Terms | None:
        """What was typed; None when the percent is none."""
        ppm = _ppm(self.discount.data)
        if ppm is None:
            self.discount.errors = ["A percent below 100, like 2 or 1.5."]
            return None
        return Terms(
            due=Due(self.due.data),
            days=self.days.data or 0,
            day=self.day.data or 1,
            discount_ppm=ppm,
            discount_days=self.discount_days.data or 0,
        )


def _ppm(text: str | None) -> int | None:
    try:
        value = Decimal((text or "").strip() or "0") * _PER_CENT
    except InvalidOperation:
        return None
    whole = value.is_finite() and value == value.to_integral_value()
    return int(value) if whole and 0 <= value < 100 * _PER_CENT else None


def _channels(found: Channel) -> Terms:
    return holding((None, None), (found.terms, found.terms_days))


def _page(form: TermsForm, account: Account | None) -> str:
    where = f"/desk/terms/{account.number}" if account is not None else "/desk/terms"
    name = account.name if account is not None else ""
    return page("desk/terms.html", form=form, customer=name, here=where)


@terms.get("/terms")
@allow(Who.STAFF, roles=(Role.BILLING,))
def general() -> str:
    """Those of everybody who has none of their own."""
    with house().db.reading() as session:
        found = session.get_one(Channel, channel()[0].id)
    return _page(TermsForm.of(_channels(found), own=True), None)


@terms.post("/terms")
@allow(Who.STAFF, roles=(Role.BILLING,))
def set_general() -> str | AnyResponse | tuple[str, int]:
    """Change them; bills that are issued keep theirs."""
    form = TermsForm(request.form)
    wanted = form.wanted() if form.validate() else None
    if wanted is None:
        return _page(form, None), 422
    set_terms.of_channel(house(), channel()[0].id, wanted, actor())
    say("These terms hold for bills from now on.")
    return redirect("/desk/terms", 303)


@terms.get("/terms/<account_number>")
@allow(Who.STAFF, roles=(Role.BILLING,))
def own(account_number: str) -> str:
    """Those of one account."""
    with house().db.reading() as session:
        account, its = _account(session, account_number)
    has_own = account.terms is not None or account.terms_days is not None
    return _page(TermsForm.of(terms_of(account, its), own=has_own), account)


def _account(session: Session, number: str) -> tuple[Account, Channel]:
    account = accounts.by_number(session, number)
    key = account.channel_id or channel()[0].id
    return account, session.get_one(Channel, key)


@terms.post("/terms/<account_number>")
@allow(Who.STAFF, roles=(Role.BILLING,))
def set_own(account_number: str) -> str | AnyResponse | tuple[str, int]:
    """Give an account terms of its own, or the channel's again."""
    form = TermsForm(request.form)
    with house().db.reading() as session:
        account, _ = _account(session, account_number)
    wanted = form.wanted() if form.validate() else None
    if wanted is None:
        return _page(form, account), 422
    set_terms.of_account(house(), account.id, wanted if form.own.data else None, actor())
    say(f"These terms hold for {account.name} from now on.")
    return redirect(f"/desk/terms/{account.number}", 303)
