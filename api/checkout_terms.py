"""What checkout asks a buyer to agree to."""

from flask import Blueprint, Response

from api import answers
from api.pace import limit
from api.problems import add_headers
from cart import consents
from web.access import Guard, Who, allow
from web.context import channel, house

checkout_terms = Blueprint("api_checkout_terms", __name__, url_prefix="/api/v1")
checkout_terms.after_request(add_headers)


@checkout_terms.get("/checkout-terms")
@allow(Who.EVERYBODY, Guard.NONE)
@limit("api")
def listed() -> Response:
    """In their order, each in the version that holds now."""
    with house().db.reading() as session:
        asks = consents.asked(session, channel()[0])
    names = ("code", "version", "mode", "text", "href")
    return answers.respond(
        {"items": [{name: getattr(ask, name) for name in names} for ask in asks]}
    )
