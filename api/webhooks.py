"""What the payment processor tells us: verified, stored, answered; the work follows later."""

from flask import Blueprint, Response, request

from api import answers
from payments import inbox
from web.access import Guard, Who, allow
from web.context import house

webhooks = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@webhooks.post("/stripe")
@allow(Who.PROGRAM, Guard.NONE)
def stripe() -> Response:
    """Store an event. What is not signed by the processor is refused with 400."""
    now = house().clock.now()
    signature = request.headers.get("Stripe-Signature")
    event = house().gateway.parse_webhook(request.get_data(cache=False), signature, now)
    house().db.run_tx(lambda session: inbox.receive(session, event, now))
    return answers.respond({"received": True})
