"""Pages of content, and the pages of plain words that a shop has before anybody wrote one."""

from flask import Blueprint
from werkzeug.wrappers import Response

from core.kernel.errors import NotFound
from web import content
from web.access import Guard, Who, allow
from web.pages import page

pages = Blueprint("pages", __name__, template_folder="templates")


@pages.get("/pages/<slug>")
@allow(Who.EVERYBODY, Guard.NONE)
def show(slug: str) -> Response:
    """A page that the merchant wrote."""
    found = content.answer(slug)
    if found is None:
        raise NotFound("page")
    return found


@pages.get("/terms")
@allow(Who.EVERYBODY, Guard.NONE)
def terms() -> str | Response:
    """Prices and terms."""
    return content.answer("terms") or page("storefront/terms.html", cacheable=True)


@pages.get("/privacy")
@allow(Who.EVERYBODY, Guard.NONE)
def privacy() -> str | Response:
    """What is kept of people."""
    return content.answer("privacy") or page("storefront/privacy.html", cacheable=True)


@pages.get("/accessibility")
@allow(Who.EVERYBODY, Guard.NONE)
def accessibility() -> str | Response:
    """How the pages can be used."""
    return content.answer("accessibility") or page("storefront/accessibility.html", cacheable=True)
