"""How carts hold things, at the desk: the rows that count, setting one, and removing it."""

import uuid

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response
from wtforms import BooleanField, Form, IntegerField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Optional

from cart import hold_policies
from cart.hold_policies import SEGMENTS, Terms
from core.kernel.errors import Invalid, NotFound
from core.parties.roles import Role
from desk.money import actor
from flows import keep_hold_policies
from web.access import Who, allow
from web.context import channel, house
from web.flashes import say
from web.pages import hold_words, page, show_errors

BASE = "/desk/stock/hold-rules"
hold_rules = Blueprint("desk_hold_rules", __name__, url_prefix=BASE, template_folder="templates")
_ROLES = (Role.SALES,)


class RuleForm(Form):
    """For what it counts, and what it says. What is wrong with it is said by the flow."""

    product = StringField(
        "Product", description="Its address in the shop, such as porch-camera. Empty: all products"
    )
    segment = SelectField(
        "Customers",
        choices=[SelectChoice("", "All"), *(SelectChoice(*one) for one in SEGMENTS.items())],
    )
    only_here = BooleanField("Only on this channel")
    minutes = IntegerField("Held for so many minutes", [InputRequired("Say for how long.")])
    extends = BooleanField("Whatever changes in the cart holds it for the whole time again")
    most_for_one = IntegerField(
        "At most so many for one customer",
        [Optional()],
        description="Earlier orders count. Empty: as many as they like",
    )
    holds_beyond = BooleanField("Hold also what is sold before it is there")

    def terms(self) -> Terms:
        """As it was typed."""
        return Terms(
            int(self.minutes.data or 0),
            bool(self.extends.data),
            self.most_for_one.data,
            bool(self.holds_beyond.data),
        )


@hold_rules.get("")
@allow(Who.STAFF, roles=_ROLES)
def listed() -> str:
    """The rows, those that go first on top."""
    usual = int(house().rules.hold_for.total_seconds() // 60)
    return _listed(RuleForm(data={"minutes": usual, "extends": True}))


def _listed(form: RuleForm) -> str:
    with house().db.reading() as session:
        rows = hold_policies.every(session)
    return page(
        "desk/hold_rules.html",
        rows=rows,
        segments=SEGMENTS,
        usual=hold_words(house().rules.hold_for),
        form=form,
        base=BASE,
    )


@hold_rules.post("")
@allow(Who.STAFF, roles=_ROLES)
def put() -> str | Response | tuple[str, int]:
    """Set one."""
    form = RuleForm(request.form)
    where = channel()[0].code if form.only_here.data else ""
    product, segment = (form.product.data or "").strip(), form.segment.data or ""
    try:
        if not form.validate():
            return _listed(form), 422
        keep_hold_policies.put(house(), product, segment, where, form.terms(), actor())
    except Invalid as error:
        show_errors(form, error)
        return _listed(form), 422
    say("Kept. It counts for what is put into carts from now on.")
    return redirect(BASE, 303)


@hold_rules.post("/<uuid:policy_id>/remove")
@allow(Who.STAFF, roles=_ROLES)
def remove(policy_id: uuid.UUID) -> Response:
    """It counts no more."""
    try:
        keep_hold_policies.remove(house(), policy_id, actor())
    except NotFound as error:
        say(str(error), "warn")
    else:
        say("Removed. What is more general counts from now on.")
    return redirect(BASE, 303)
