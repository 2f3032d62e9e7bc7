"""The pages of plain words."""

from flask import Blueprint

from web.access import Guard, Who, allow
from web.pages import page

pages = Blueprint("pages", __name__, template_folder="templates")


@pages.get("/terms")
@allow(Who.EVERYBODY, Guard.NONE)
def terms() -> str:
    """Prices and terms."""
    return page("storefront/terms.html", cacheable=True)


@pages.get("/privacy")
@allow(Who.EVERYBODY, Guard.NONE)
def privacy() -> str:
    """What is kept of people."""
    return page("storefront/privacy.html", cacheable=True)


@pages.get("/accessibility")
@allow(Who.EVERYBODY, Guard.NONE)
def accessibility() -> str:
    """How the pages can be used."""
    return page("storefront/accessibility.html", cacheable=True)
