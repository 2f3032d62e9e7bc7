"""Forms that both doors, the portal's and the desk's, are opened by."""

import re
from urllib.parse import urlsplit

from wtforms import Form, HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired

from core.kernel.money import Money

#: What browsers drop from an address, or read as another sign.
_TRICKY = re.compile(r"[\x00-\x20\x7f\\]")


class LoginForm(Form):
    """E-mail and password."""

    email = StringField("E-mail", [InputRequired("Tell us your e-mail address.")])
    password = PasswordField("Password", [InputRequired("Tell us your password.")])
    next = HiddenField()


def read_minor(text: str | None, currency: str) -> Money | None:
    """An amount that a page carried in minor units and that came back with its form."""
    if text is None or not text.isdecimal() or len(text) > 15:
        return None
    return Money(int(text), currency)


def onward(target: str | None, otherwise: str) -> str:
    """Where to go after logging in: only to a path of this shop."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return otherwise
    if _TRICKY.search(target):
        return otherwise
    parts = urlsplit(target)
    return otherwise if parts.netloc or parts.scheme else target
