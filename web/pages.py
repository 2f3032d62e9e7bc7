"""Rendering a page with what every page needs."""

from datetime import timedelta
from typing import Any, NamedTuple

from flask import current_app, g, render_template
from wtforms import Form

from core.catalog import products
from core.kernel.errors import Invalid
from web import site
from web.context import channel, house, web_settings
from web.filters import static_address


class Shelf(NamedTuple):
    """A category in the navigation."""

    slug: str
    name: str
    text: str


class Logo(NamedTuple):
    """A brand's own mark instead of the leaf."""

    href: str
    width: int
    height: int


class Shopfront(NamedTuple):
    """What header and footer say."""

    name: str
    phone: str
    hours: str
    address: str
    email: str
    locale: str
    #: Of a published brand kit: the address of its style sheet, and its logo (``.href``, ``.width``,
    #: ``.height``).
    css: str = ""
    logo: Logo | None = None


def shopfront() -> Shopfront:
    """The channel as the layouts show it."""
    found, entity = channel()
    brand = found.brand
    return Shopfront(
        found.name,
        str(brand.get("phone", entity.phone or "")),
        str(brand.get("hours", "")),
        str(brand.get("address", ", ".join(map(str, entity.address)))),
        str(brand.get("email", entity.email or "")),
        found.locale.replace("_", "-"),
        *look(site.kit()),
    )


def look(kit: dict[str, Any]) -> tuple[str, Logo | None]:
    """Style sheet and logo of a brand kit."""
    picture = kit.get("picture")
    logo = None
    if picture:
        href = picture["href"] or static_address(picture["drawn"])
        logo = Logo(href, picture["width"], picture["height"])
    return (f"/brand/{kit['number']}.css" if kit else ""), logo


def shelves() -> list[Shelf]:
    """The navigation; read again after half a minute."""
    now = house().clock.now()
    kept = current_app.extensions.get("counterfoil.shelves")
    if kept is None or (now - kept[0]).total_seconds() > 30:
        with house().db.reading() as session:
            found = [Shelf(row.slug, row.name, row.intro) for row in products.categories(session)]
        kept = (now, found)
        current_app.extensions["counterfoil.shelves"] = kept
    answer: list[Shelf] = kept[1]
    return answer


def shelf(slug: str) -> Shelf:
    """One category, mostly without asking the database. NotFound when there is none."""
    for known in shelves():
        if known.slug == slug:
            return known
    with house().db.reading() as session:  # it may be younger than what is kept
        row = products.category(session, slug)
    return Shelf(row.slug, row.name, row.intro)


def hold_words(length: timedelta) -> str:
    """How long things are held: ``30 minutes``, ``1 minute``."""
    minutes = int(length.total_seconds() // 60)
    return f"{minutes} minute{'s' if minutes != 1 else ''}"


def page(template: str, *, cacheable: bool = False, **context: Any) -> str:
    """Render a template. ``cacheable``: it holds no byte of its visitor."""
    g.cacheable = cacheable
    given = {"channel": shopfront(), "site": site.site(), **context}
    return render_template(
        template,
        nav_categories=shelves(),
        cacheable=cacheable,
        hold_words=hold_words(house().rules.hold_for),
        base_url=web_settings().base_url,
        now_iso=house().clock.now().isoformat().replace("+00:00", "Z"),
        **given,
    )


def show_errors(form: Form, error: Invalid) -> None:
    """Put the errors of a flow next to the fields of a form."""
    for name, text in error.fields_.items():
        field = form[name.rpartition(".")[2]]
        field.errors = [*field.errors, text]
