"""One's own trials: how they stand, what will happen, cancelling, keeping, and going on afterwards."""

import uuid
from collections.abc import Sequence
from datetime import date

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response
from wtforms import Form, RadioField
from wtforms.fields import SelectChoice

from core.kernel.clock import local_date
from core.kernel.errors import Forbidden, Invalid, ShopError
from core.subscriptions import trial_reading
from core.subscriptions.trial_models import CARD
from core.subscriptions.trial_reading import Listed
from core.subscriptions.trials import TrialOver
from flows import keep_trial, set_up_method, store_trial_card, trial_offers
from payments.gateway import GatewayError
from web import limits, paging
from web import trials as words_of
from web.access import Who, allow
from web.context import house
from web.filters import date_full, date_words
from web.flashes import say
from web.login import own_accounts, payable_accounts
from web.pages import page, show_errors

trials = Blueprint(
    "portal_trials", __name__, url_prefix="/account/trials", template_folder="templates"
)
BASE = "/account/trials"
PAGE_SIZE = 25


class GoOnForm(Form):
    """From when it is paid for, and how."""

    when = RadioField("From when", choices=[], validate_choice=False)
    how = RadioField("How", choices=[], validate_choice=False)


_NO_ANSWER = "Our payment partner does not answer. Nothing was charged. Try again in a minute."


def _mine() -> Sequence[uuid.UUID]:
    return [row.id for row in own_accounts()]


def _today(one: Listed) -> date:
    return local_date(house().clock.now(), one.account.time_zone)


def _own(public_id: str) -> Listed:
    with house().db.reading() as session:
        return trial_reading.one(session, public_id, _mine())


def _may_change(one: Listed) -> Listed:
    """A mere viewer sees, and changes nothing."""
    if one.account.id not in payable_accounts():
        raise Forbidden
    return one


@trials.get("")
@allow(Who.CUSTOMER)
def listed() -> str:
    """All of them, the newest first."""
    before = paging.read_moment(request.args.get("before"))
    with house().db.snapshot() as session:
        found = trial_reading.of_accounts(session, _mine(), before=before, limit=PAGE_SIZE + 1)
        rows = found[:PAGE_SIZE]
        going_on = trial_reading.going_on(session, rows)
    last = rows[-1].trial if len(found) > PAGE_SIZE else None
    following = paging.write(last.asked_at, last.id) if last is not None else None
    return page(
        "portal/trials.html",
        trials=[
            words_of.row(one, going_on, _today(one)) | {"href": f"{BASE}/{one.trial.public_id}"}
            for one in rows
        ],
        page=paging.links(BASE, "before", following, before is None),
    )


@trials.get("/<public_id>")
@allow(Who.CUSTOMER)
def one(public_id: str) -> str:
    """One trial, and the very words that were agreed to."""
    with house().db.snapshot() as session:
        found = trial_reading.one(session, public_id, _mine())
        going_on = trial_reading.going_on(session, [found])
    may = words_of.acts(found, going_on)
    if found.account.id not in payable_accounts():
        may = dict.fromkeys(may, False)
    return page(
        "portal/trial.html",
        trial=words_of.row(found, going_on, _today(found)),
        agreed=words_of.agreed(found),
        agreed_at=found.trial.asked_at,
        here=f"{BASE}/{public_id}",
        **may,
    )


@trials.get("/<public_id>/cancel")
@allow(Who.CUSTOMER)
def ask(public_id: str) -> str:
    """Is it to be cancelled?"""
    found = _may_change(_own(public_id))
    return page(
        "portal/trial_cancel.html",
        trial=words_of.row(found, (), _today(found)),
        here=f"{BASE}/{public_id}",
        may_cancel=words_of.acts(found, ())["may_cancel"],
    )


@trials.post("/<public_id>/cancel")
@allow(Who.CUSTOMER)
def cancel(public_id: str) -> Response:
    """It ends without being charged."""
    found = _may_change(_own(public_id))
    try:
        ends_on = keep_trial.cancel(house(), found.trial.id, "by_portal")
    except ShopError as error:
        say(str(error), "warn")
    else:
        say(f"Cancelled. From {date_full(ends_on)} it is over.")
    return redirect(f"{BASE}/{public_id}", 303)


@trials.post("/<public_id>/keep")
@allow(Who.CUSTOMER)
def keep(public_id: str) -> Response:
    """Take the cancellation back."""
    found = _may_change(_own(public_id))
    try:
        keep_trial.keep(house(), found.trial.id)
    except ShopError as error:
        say(str(error), "warn")
    else:
        say("Good. Everything is as it was.")
    return redirect(f"{BASE}/{public_id}", 303)


@trials.get("/<public_id>/go-on")
@allow(Who.CUSTOMER)
def choose(public_id: str) -> str:
    """From when it is to be paid for, and how much that is."""
    return _choose(_may_change(_own(public_id)), GoOnForm())


@trials.post("/<public_id>/go-on")
@allow(Who.CUSTOMER)
def go_on(public_id: str) -> str | Response | tuple[str, int]:
    """Agree to it; by card on a page of its own, which says what exactly is agreed."""
    found, form = _may_change(_own(public_id)), GoOnForm(request.form)
    when = _when(form.when.data)
    if when is None:
        show_errors(form, Invalid({"when": "Choose one of the two."}))
        return _choose(found, form), 422
    if form.how.data == "card" and found.trial.kind != CARD:
        return redirect(f"{BASE}/{public_id}/card?when={when}", 303)
    if "invoice" not in house().rules.payment_methods and found.trial.kind != CARD:
        show_errors(form, Invalid({"how": "Choose how it is paid."}))
        return _choose(found, form), 422
    try:
        on = keep_trial.go_on(house(), public_id, _mine(), when)
    except ShopError as error:
        say(str(error), "warn")
    else:
        say(f"{found.variant.name} is yours, from {date_full(on)}. Thank you.")
    return redirect(f"{BASE}/{public_id}", 303)


def _when(text: str | None) -> keep_trial.When | None:
    if text == "now":
        return "now"
    return "end" if text == "end" else None


@trials.get("/<public_id>/card")
@allow(Who.CUSTOMER)
def agree(public_id: str) -> str | Response:
    """What exactly is agreed by putting a card on file."""
    found = _may_change(_own(public_id))
    when = _when(request.args.get("when"))
    if when is None or not words_of.acts(found, ())["may_pay_now"]:
        return redirect(f"{BASE}/{public_id}/go-on")
    wish = store_trial_card.card_for(house(), public_id, _mine(), when, "")
    return page(
        "portal/trial_card.html",
        trial=words_of.row(found, (), _today(found)),
        text=wish.consent.text,
        when=when,
        here=f"{BASE}/{public_id}",
    )


@trials.post("/<public_id>/card")
@allow(Who.CUSTOMER)
@limits.limit("checkout")
def put_on_file(public_id: str) -> Response:
    """Off to the page that puts the card on file."""
    _may_change(_own(public_id))
    when = _when(request.form.get("when")) or "end"
    try:
        wish = store_trial_card.card_for(
            house(), public_id, _mine(), when, request.remote_addr or ""
        )
        return redirect(set_up_method.begin(house(), wish), 303)
    except TrialOver as error:
        say(str(error), "warn")
    except GatewayError:
        say(_NO_ANSWER, "warn")
    return redirect(f"{BASE}/{public_id}", 303)


def _choose(found: Listed, form: GoOnForm) -> str:
    with house().db.snapshot() as session:
        going_on = trial_reading.going_on(session, [found])
        cost = trial_offers.cost_of(session, house(), found.trial, found.account)
    may = words_of.acts(found, going_on)
    asides = _offer(form, found, may)
    form.when.data = form.when.data if form.when.data in asides else next(iter(asides), None)
    hows = _offer_ways(form, found)
    if hows and form.how.data not in hows:
        form.how.data = next(iter(hows))
    return page(
        "portal/trial_go_on.html",
        form=form,
        trial=words_of.row(found, going_on, _today(found)),
        cost=cost,
        amount=cost.total or cost.net,
        every=cost.every,
        notes=asides,
        hows=hows,
        by_card=found.trial.kind == CARD,
        here=f"{BASE}/{found.trial.public_id}",
    )


def _offer(form: GoOnForm, found: Listed, may: dict[str, bool]) -> dict[str, str]:
    """Give the form its choices; answers what each means."""
    choices, notes = [], {}
    last = words_of.trial_end(found)
    if may["may_go_on"] and last is not None:
        choices.append(SelectChoice("end", f"When the free days are over, on {date_full(last)}"))
        notes["end"] = f"Nothing to pay before. Free until {date_words(words_of.day_before(last))}."
    if may["may_pay_now"]:
        choices.append(SelectChoice("now", "From today"))
        notes["now"] = "The first bill is made at once; the free days that are left are given up."
    form.when.choices = choices
    return notes


def _offer_ways(form: GoOnForm, found: Listed) -> dict[str, str]:
    """The same for how it is paid; nothing to choose where a card is on file for it."""
    if found.trial.kind == CARD:
        del form.how
        return {}
    ways = {"invoice": ("bill", "By bill"), "card": ("card", "By card")}
    notes = {
        "bill": "We send it by mail each time; you pay it the way you like.",
        "card": "You put a card on file on our payment partner’s page; nothing is charged there.",
    }
    chosen = [ways[name] for name in ("invoice", "card") if name in house().rules.payment_methods]
    form.how.choices = [SelectChoice(*one) for one in chosen]
    return {key: notes[key] for key, _ in chosen}
