"""What can be tried, and how: the offers as staff set them."""

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import BooleanField, Form, IntegerField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import Optional

from core.kernel.errors import Invalid
from core.parties.roles import Role
from core.prices import plans
from core.subscriptions import trial_desk, trial_reading
from core.subscriptions.trial_desk import NewOffer, OfferChange
from core.subscriptions.trial_models import FREE_TIER, SHORTEST_NOTICE
from core.subscriptions.trial_reading import Offered
from desk.money import actor
from desk.trials import BASE, TABS
from web import trials as words_of
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page, show_errors

trial_offers = Blueprint(
    "desk_trial_offers", __name__, url_prefix=BASE, template_folder="templates"
)


class OfferForm(Form):
    """How an offer is set."""

    days = IntegerField("Days", [Optional()])
    notice_days = IntegerField("Days of notice before the end", [Optional()])
    follow_up_days = StringField("Calls, so many days after the start")
    is_active = BooleanField("Offered in the shop")


class NewOfferForm(OfferForm):
    """The same, with what it is of and how it is tried."""

    sku = SelectField("Plan", validate_choice=False)
    kind = SelectField(
        "How it is tried",
        choices=[
            SelectChoice("", "Choose"),
            *(SelectChoice(*one) for one in words_of.KINDS.items()),
        ],
        validate_choice=False,
    )
    code = StringField("Address in the shop")


@trial_offers.get("/offers")
@allow(Who.STAFF, roles=(Role.SALES,))
def offers() -> str:
    """Everything that can be tried, or could."""
    with house().db.reading() as session:
        found = trial_reading.offers(session)
    return page(
        "desk/trial_offers.html",
        tabs_=TABS,
        current_tab=f"{BASE}/offers",
        offers=[words_of.offer_row(one) for one in found],
    )


@trial_offers.get("/offers/new")
@allow(Who.STAFF, roles=(Role.SALES,))
def new() -> str:
    """Another one: of which plan, how, and for how long."""
    return _new(NewOfferForm(data={"days": 14, "notice_days": 7, "is_active": True}))


@trial_offers.post("/offers/new")
@allow(Who.STAFF, roles=(Role.SALES,))
def make() -> str | Response | tuple[str, int]:
    """Offer it."""
    form = NewOfferForm(request.form)

    def write(session: Session) -> None:
        kind = form.kind.data or ""
        wish = NewOffer(
            (form.code.data or "").strip(), form.sku.data or "", kind, _wanted(form, kind)
        )
        trial_desk.add_offer(session, wish, actor(), house().clock.now())

    try:
        if not form.validate():
            raise Invalid({})
        house().db.run_tx(write)
    except Invalid as error:
        show_errors(form, error)
        return _new(form), 422
    say("The offer is there.")
    return redirect(f"{BASE}/offers", 303)


def _new(form: NewOfferForm) -> str:
    with house().db.reading() as session:
        found = plans.on_offer(session)
    choices = [SelectChoice(sku, f"{name} ({sku})") for sku, name in found]
    form.sku.choices = [SelectChoice("", "Choose"), *choices]
    return page("desk/trial_offer_new.html", form=form, here=f"{BASE}/offers/new")


@trial_offers.get("/offers/<code>")
@allow(Who.STAFF, roles=(Role.SALES,))
def offer(code: str) -> str:
    """How one is set."""
    with house().db.reading() as session:
        found = trial_reading.offer(session, code)
    row = found.offer
    return _offer(
        OfferForm(
            data={
                "days": row.days,
                "notice_days": row.notice_days,
                "follow_up_days": ", ".join(str(day) for day in row.follow_up_days),
                "is_active": row.is_active,
            }
        ),
        found,
    )


@trial_offers.post("/offers/<code>")
@allow(Who.STAFF, roles=(Role.SALES,))
def set_offer(code: str) -> str | Response | tuple[str, int]:
    """Change it for whoever comes from now on."""
    form = OfferForm(request.form)

    def write(session: Session) -> None:
        row = trial_reading.offer(session, code).offer
        trial_desk.change_offer(session, row, _wanted(form, row.kind), actor(), house().clock.now())

    try:
        if not form.validate():
            raise Invalid({})
        house().db.run_tx(write)
    except Invalid as error:
        show_errors(form, error)
        with house().db.reading() as session:
            return _offer(form, trial_reading.offer(session, code)), 422
    say("Trials that run keep what was agreed; this holds for whoever begins now.")
    return redirect(f"{BASE}/offers", 303)


def _wanted(form: OfferForm, kind: str) -> OfferChange:
    days = trial_desk.days_of(form.follow_up_days.data or "")
    if days is None:
        raise Invalid({"follow_up_days": "Days with commas between them, like 3, 10."})
    return OfferChange(
        days=None if kind == FREE_TIER else form.days.data,
        notice_days=form.notice_days.data or (SHORTEST_NOTICE if kind == FREE_TIER else 0),
        follow_up_days=days,
        is_active=bool(form.is_active.data),
    )


def _offer(form: OfferForm, found: Offered) -> str:
    return page(
        "desk/trial_offer.html",
        form=form,
        offer=words_of.offer_row(found),
        has_days=found.offer.kind != FREE_TIER,
        here=f"{BASE}/offers/{found.offer.code}",
    )
