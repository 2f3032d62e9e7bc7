"""What a page offers somebody of the desk: a link or a form only where their roles would not be refused.

Templates say ``{% if may(address, "POST") %}`` around a form, ``{{ words|linked(address) }}`` for words that
are a link for those who may follow it, ``acts|selectattr("0", "allowed")`` for what is left of several.
Buttons, tabs and empty pages see to it by themselves.
"""

from flask import Flask
from flask_login import current_user
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

_DESK = "/desk/"


def may(address: str, method: str = "GET") -> bool:
    """May whoever looks at this page ask for an address? Roles count at the desk alone."""
    if not address.startswith(_DESK) or not getattr(current_user, "is_staff", False):
        return True
    allowed: bool = current_user.may_open(address.partition("#")[0], method)
    return allowed


@pass_context  # or it would be reckoned once, for whoever comes first
def linked(context: Context, words: object, address: str) -> Markup:
    """The words as a link; as they are for somebody who may not follow it, or where it leads nowhere."""
    if not address or not may(address):
        return escape(words)
    return Markup('<a href="{}">{}</a>').format(address, words)


@pass_context
def _allowed(context: Context, address: str) -> bool:
    return may(address)


def install(app: Flask) -> None:
    """Teach the templates to ask."""
    app.jinja_env.globals["may"] = may
    app.jinja_env.tests["allowed"] = _allowed
    app.jinja_env.filters["linked"] = linked
