"""The component sheet: everything that pages are made of, once."""

from flask import Blueprint

from core.parties.roles import ANY_ROLE
from desk import content_samples, service_samples
from desk.samples import sample_context
from web.access import Who, allow
from web.pages import page

styleguide = Blueprint("styleguide", __name__, url_prefix="/desk", template_folder="templates")


@styleguide.get("/styleguide")
@allow(Who.STAFF, roles=ANY_ROLE)
def show() -> str:
    """Every component in real use."""
    return page(
        "desk/styleguide.html",
        **sample_context(),
        **service_samples.context(),
        **content_samples.context(),
    )
