"""Against forged requests: a signed cookie whose value each form repeats, and the browser's own word.

A stranger needs no session row for it, and pages that everybody shares carry no token.
"""

import hmac
from dataclasses import dataclass
from typing import ClassVar

from flask import Request, Response, g, request
from itsdangerous import BadSignature, Signer
from markupsafe import Markup, escape

from core.kernel.errors import ShopError
from core.kernel.ids import new_token
from web.access import Guard
from web.context import web_settings

FIELD = "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(eq=False)
class Forged(ShopError):
    """The request does not prove that it comes from our own pages."""

    code: ClassVar[str] = "forged_request"
    text: ClassVar[str] = (
        "This form was open for too long, or came from elsewhere. Please try again."
    )


def _cookie_name() -> str:
    return "__Host-csrf" if web_settings().secure else "csrf"


def _signer() -> Signer:
    return Signer(web_settings().secret_key, salt="csrf")


def token() -> str:
    """This visitor's token; a new one goes out as a cookie with the answer."""
    if "csrf_token" not in g:
        found = _from_cookie(request)
        g.csrf_fresh = found is None
        g.csrf_token = found or _signer().sign(new_token()).decode()
    return str(g.csrf_token)


def field() -> Markup:
    """The hidden input for a form; empty on a page that may be cached."""
    if g.get("cacheable"):
        return Markup("")
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, escape(token()))


def _from_cookie(source: Request) -> str | None:
    value = source.cookies.get(_cookie_name())
    if value is None:
        return None
    try:
        _signer().unsign(value)
    except BadSignature:
        return None
    return value


def renew() -> None:
    """Begin with a new token, at log-in and log-out."""
    g.csrf_token = _signer().sign(new_token()).decode()
    g.csrf_fresh = True


def send_cookie(response: Response) -> Response:
    """Set the cookie when this request made a token."""
    if g.get("csrf_fresh"):
        response.set_cookie(
            _cookie_name(),
            g.csrf_token,
            httponly=True,
            secure=web_settings().secure,
            samesite="Lax",
            path="/",
        )
    return response


def is_forged(source: Request, guard: Guard) -> bool:
    """Does an unsafe request fail to prove that it comes from our own pages?"""
    if guard == Guard.NONE or source.method in SAFE_METHODS:
        return False
    if _from_elsewhere(source):
        return True
    if guard == Guard.ORIGIN:
        return False
    expected = _from_cookie(source)
    given = source.form.get(FIELD) or source.headers.get("X-CSRF-Token") or ""
    return expected is None or not hmac.compare_digest(given.encode(), expected.encode())


def _from_elsewhere(source: Request) -> bool:
    site = source.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        return True
    origin = source.headers.get("Origin")
    return origin is not None and origin not in (web_settings().base_url, source.host_url[:-1])
