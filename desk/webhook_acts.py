"""What staff do with a webhook: try it, look at its secret, turn that, switch, send again, remove."""

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from core.hooks import deliveries, endpoints
from core.hooks.models import HookDelivery
from core.parties.roles import Role
from desk.taxes import actor
from desk.webhooks import HERE, shown
from flows.deliver_hook import sealer
from web.access import Who, allow
from web.context import house
from web.flashes import say
from web.pages import page

webhook_acts = Blueprint(
    "desk_webhook_acts", __name__, url_prefix="/desk/webhooks", template_folder="templates"
)


@webhook_acts.post("/<public_id>/test")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def test(public_id: str) -> Response:
    """Send a message that says that it is a test."""
    who, now = actor(), house().clock.now()
    house().db.run_tx(
        lambda session: deliveries.test(session, endpoints.one(session, public_id), who, now)
    )
    say("A test is on its way. How it went stands below in a moment.")
    return redirect(f"{HERE}/{public_id}", 303)


@webhook_acts.post("/<public_id>/secret")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def secret(public_id: str) -> str:
    """Look at its secret; the audit log knows who did."""
    who, now = actor(), house().clock.now()
    found = house().db.run_tx(
        lambda session: endpoints.reveal(session, public_id, sealer(house()), who, now)
    )
    if not found:
        say("Its secret cannot be opened, as SECRET_KEY is another now. Make a new one.", "bad")
    return shown(public_id, found)


@webhook_acts.post("/<public_id>/rotate")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def rotate(public_id: str) -> str:
    """A new secret; the old one signs along for a day."""
    who, now = actor(), house().clock.now()
    _, made = house().db.run_tx(
        lambda session: endpoints.rotate(session, public_id, sealer(house()), who, now)
    )
    return shown(public_id, made)


@webhook_acts.post("/<public_id>/switch")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def switch(public_id: str) -> Response:
    """Off or on, as ``to`` says."""
    on, who, now = request.form.get("to") == "on", actor(), house().clock.now()
    house().db.run_tx(lambda session: endpoints.switch(session, public_id, on, who, now))
    say("It is told again." if on else "It is told of nothing any more, until you switch it on.")
    return redirect(f"{HERE}/{public_id}", 303)


@webhook_acts.post("/<public_id>/again")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def all_again(public_id: str) -> Response:
    """What it never took, once more."""
    who, now = actor(), house().clock.now()
    count = house().db.run_tx(
        lambda session: deliveries.all_again(session, endpoints.one(session, public_id), who, now)
    )
    say(f"{count} on {'its' if count == 1 else 'their'} way again." if count else "It took all.")
    return redirect(f"{HERE}/{public_id}", 303)


@webhook_acts.post("/<public_id>/sent/<sent_id>/again")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def again(public_id: str, sent_id: str) -> Response:
    """The same message once more, under its own id."""
    who, now = actor(), house().clock.now()

    def write(session: Session) -> HookDelivery:
        endpoint = endpoints.one(session, public_id)
        return deliveries.again(session, endpoint, sent_id, who, now)

    row = house().db.run_tx(write)
    say("It is on its way again.")
    return redirect(f"{HERE}/{public_id}/sent/{row.public_id}", 303)


@webhook_acts.get("/<public_id>/remove")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def ask(public_id: str) -> str:
    """Whether it is really to go."""
    with house().db.reading() as session:
        row = endpoints.one(session, public_id)
    return page("desk/webhook_remove.html", name=row.name, here=f"{HERE}/{public_id}")


@webhook_acts.post("/<public_id>/remove")
@allow(Who.STAFF, roles=(Role.ADMIN,))
def remove(public_id: str) -> Response:
    """It is told of nothing any more."""
    who, now = actor(), house().clock.now()
    gone = house().db.run_tx(lambda session: endpoints.remove(session, public_id, who, now).name)
    say(f"“{gone}” is told of nothing any more.")
    return redirect(HERE, 303)
