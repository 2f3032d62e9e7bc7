"""One sentence from one page to the next, in a signed cookie: reading it writes nothing."""

from flask import Response, g, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from web.context import web_settings

_SECONDS = 300


def _name() -> str:
    return "__Host-said" if web_settings().secure else "said"


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(web_settings().secret_key, salt="said")


def say(text: str, kind: str = "good") -> None:
    """Show a sentence on the next page: ``good``, ``warn`` or ``bad``."""
    g.setdefault("said_now", []).append([kind, text])


def said(with_categories: bool = True) -> list[tuple[str, str]]:
    """What the page before said, for the template; each is shown once."""
    value = request.cookies.get(_name())
    if value is None:
        return []
    g.said_shown = True
    try:
        found = _serializer().loads(value, max_age=_SECONDS)
    except BadSignature:
        return []
    return [(str(kind), str(text)) for kind, text in found]


def send_cookie(response: Response) -> Response:
    """Carry new sentences on; forget those that were shown."""
    if g.get("said_now"):
        response.set_cookie(
            _name(),
            str(_serializer().dumps(g.said_now)),
            max_age=_SECONDS,
            httponly=True,
            secure=web_settings().secure,
            samesite="Lax",
        )
    elif g.get("said_shown"):
        secure = web_settings().secure
        response.delete_cookie(_name(), secure=secure, httponly=True, samesite="Lax")
    return response
