"""Trying a plan: what is offered, what happens when, beginning it; and the page that a mail's link opens.

That page needs no log-in: whoever has the link may cancel and keep. Links open, buttons change.
"""

from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response
from wtforms import BooleanField, HiddenField, PasswordField, StringField

from cart import address as addresses
from cart.checkout import email_problem
from core.kernel.clock import local_date
from core.kernel.errors import Invalid
from core.kernel.money import Money
from core.parties import accounts
from core.parties.models import Account
from core.subscriptions import trial_reading
from core.subscriptions.trial_claims import TrialRefused
from core.subscriptions.trial_models import CARD
from core.subscriptions.trials import TrialOver
from core.tax.service import NoTaxAnswer
from flows import keep_trial, set_up_method, start_trial, trial_offers
from flows.start_trial import HasThePlan, Newcomer, NoAccount, Started, Wish, WordsChanged
from flows.trial_offers import ShownOffer
from payments.gateway import GatewayError
from storefront import business
from storefront.forms import AddressForm
from web import carts, limits
from web import trials as words_of
from web.access import Who, allow
from web.context import channel, house
from web.flashes import say
from web.login import log_in, person
from web.pages import page, show_errors

trials = Blueprint("trials", __name__, template_folder="templates")
_NO_ANSWER = (
    "Our payment partner does not answer. Nothing has begun and nothing was charged. Try again in a "
    "minute."
)
#: Where a refusal of a stranger stands: next to the field that it is about.
_FIELDS = {"email": "email", "address": "line1"}


class TrialForm(AddressForm):
    """Who a stranger is, where they live, and that they have read what happens when."""

    email = StringField("E-mail")
    password = PasswordField("Password")
    agree = BooleanField("I have read what happens when, and agree")
    shown = HiddenField()


@trials.get("/trials")
@allow(Who.EVERYBODY)
def offered() -> str:
    """Everything that can be tried."""
    with house().db.reading() as session:
        found = trial_offers.offered(session, channel()[0].currency)
    shown = [words_of.offer(one, room) for one, room in found]
    return page("storefront/trials.html", offers=shown)


@trials.get("/trials/<code>")
@allow(Who.EVERYBODY)
def one(code: str) -> str:
    """What happens when, and the button that begins it."""
    account = _account()
    shown = trial_offers.show(house(), code, account)
    return _page(TrialForm(), shown, account)


@trials.post("/trials/<code>")
@allow(Who.EVERYBODY)
@limits.limit("mail")
def begin(code: str) -> str | Response | tuple[str, int]:
    """Begin it, or go to the page that stores a card."""
    form, account = TrialForm(request.form), _account()
    shown = trial_offers.show(house(), code, account)
    if not _is_filled(form, account):
        return _page(form, shown, account), 422
    try:
        started = start_trial.start(house(), _wish(code, form))
    except Invalid as error:
        show_errors(form, error)
        return _page(form, shown, account), 422
    except TrialRefused as error:
        field = _FIELDS.get(error.kind) if person() is None else None
        if field is None:
            return _page(form, shown, account, str(error)), 422
        show_errors(form, Invalid({field: str(error)}))
        return _page(form, shown, account), 422
    except (HasThePlan, NoAccount) as error:
        return _page(form, shown, account, str(error)), 422
    except WordsChanged as error:
        return _page(form, trial_offers.show(house(), code, account), account, str(error)), 409
    except NoTaxAnswer as error:
        return _page(form, shown, account, str(error)), 503
    return _onward(started, shown)


def _onward(started: Started, shown: ShownOffer) -> Response:
    """To the trial, or to the page that puts its card on file."""
    if person() is None:
        log_in(started.user)
        carts.bring(started.user)
    if started.set_up is None:
        say(f"{shown.offered.variant.name} is yours to try. A mail tells you all of it again.")
        return redirect(f"/account/trials/{started.public_id}", 303)
    try:
        return redirect(set_up_method.begin(house(), started.set_up), 303)
    except GatewayError:
        say(_NO_ANSWER, "warn")
        return redirect(started.set_up.back_path, 303)


def _account() -> Account | None:
    """The account that whoever is logged in would try it on."""
    who = person()
    if who is None:
        return None
    with house().db.reading() as session:
        return accounts.buying_account(session, who.key, channel()[0].legal_entity_id)


def _needs_address(account: Account | None) -> bool:
    where = account.billing_address if account is not None else None
    return not where or bool(addresses.problems(addresses.clean(where)))


def _is_filled(form: TrialForm, account: Account | None) -> bool:
    """Everything at once, so that nobody is sent back twice; errors stand at their fields."""
    if not form.agree.data:
        show_errors(form, Invalid({"agree": "Please tick this, so that we know you have read it."}))
    if person() is None:
        show_errors(form, Invalid(_missing(form)))
    if _needs_address(account):
        place = addresses.clean(_told(form))
        problems = addresses.problems({**place, "name": place["name"] or "unnamed"})
        show_errors(form, Invalid({name: text for name, text in problems.items() if name in form}))
    return not form.errors


def _missing(form: TrialForm) -> dict[str, str]:
    """What a stranger has not said of themselves, by field."""
    found, email = {}, (form.email.data or "").strip()
    if not (form.name.data or "").strip():
        found["name"] = "Tell us your name."
    if not email:
        found["email"] = "Tell us your e-mail address; it is your log-in."
    elif problem := email_problem(email):
        found["email"] = problem
    if not form.password.data:
        found["password"] = "Choose a password."
    return found


def _told(form: TrialForm) -> dict[str, Any]:
    raw = {name: form[name].data for name in addresses.FIELDS if name in form}
    return {**raw, "country": business.country(form)}


def _wish(code: str, form: TrialForm) -> Wish:
    who = person()
    new = None
    if who is None:
        name, email = form.name.data or "", form.email.data or ""
        new = Newcomer(name.strip()[:120], email, form.password.data or "")
    told = _told(form)
    if not told.get("name"):
        told.pop("name", None)
    return Wish(
        offer=code,
        shown=form.shown.data or "",
        user_id=who.key if who is not None else None,
        newcomer=new,
        address=told,
        agreed_from=request.remote_addr or "",
    )


def _page(form: TrialForm, shown: ShownOffer, account: Account | None, problem: str = "") -> str:
    business.offer_places(form)
    form.shown.data = shown.fingerprint
    return page(
        "storefront/trial.html",
        form=form,
        offer=words_of.offer(shown.offered, shown.room),
        steps=words_of.steps(shown.steps, shown.today),
        cost=shown.cost,
        nothing=Money.zero(shown.price.currency),
        with_card=shown.offered.offer.kind == CARD,
        problems=[problem] if problem else [],
        signed_in=person() is not None,
        account=account,
        needs_address=_needs_address(account),
        login_href=f"/account/login?next=/trials/{shown.offered.offer.code}",
    )


# --- what a mail's link opens ---------------------------------------------------------------------


@trials.get("/trial/<public_id>/<token>")
@allow(Who.EVERYBODY)
def linked(public_id: str, token: str) -> str:
    """How the trial stands, with a button that cancels it."""
    with house().db.reading() as session:
        found = keep_trial.by_link(session, house(), public_id, token)
        going_on = trial_reading.going_on(session, [found])
    today = local_date(house().clock.now(), found.account.time_zone)
    return page(
        "storefront/trial_link.html",
        trial=words_of.row(found, going_on, today),
        here=f"/trial/{public_id}/{token}",
        **words_of.acts(found, going_on),
    )


@trials.post("/trial/<public_id>/<token>/cancel")
@allow(Who.EVERYBODY)
def cancel(public_id: str, token: str) -> Response:
    """Cancel it; it stays until its end."""
    with house().db.reading() as session:
        found = keep_trial.by_link(session, house(), public_id, token)
    try:
        keep_trial.cancel(house(), found.trial.id, "by_mail")
    except TrialOver as error:
        say(str(error), "warn")
    return redirect(f"/trial/{public_id}/{token}", 303)


@trials.post("/trial/<public_id>/<token>/keep")
@allow(Who.EVERYBODY)
def keep(public_id: str, token: str) -> Response:
    """Take it back."""
    with house().db.reading() as session:
        found = keep_trial.by_link(session, house(), public_id, token)
    try:
        keep_trial.keep(house(), found.trial.id)
    except TrialOver as error:
        say(str(error), "warn")
    return redirect(f"/trial/{public_id}/{token}", 303)
