"""Which other origins' pages may ask the API from a browser: those in ``API_ORIGINS``, each named whole.

Cookies never count there, so ``Access-Control-Allow-Credentials`` is never sent; and what is for
the desk's keys is for no browser at all.
"""

from flask import Flask, Response, request

from web.context import web_settings

_BELOW, _NOT_BELOW = "/api/v1/", "/api/v1/desk/"
_ALLOWED = "Authorization, Content-Type, Idempotency-Key, If-Match"
_SHOWN = "ETag, Idempotent-Replayed, Location, Retry-After, WWW-Authenticate, X-Request-Id"
#: A browser asks anew whether it may after so many seconds.
_KEPT = "600"


def install(app: Flask) -> None:
    """Answer browsers that ask for pages of other origins."""
    app.after_request(send)


def send(response: Response) -> Response:
    """Say that an origin may read this answer, or send what it wants to, when it may."""
    origins = web_settings().api_origins
    if not origins or not request.path.startswith(_BELOW) or request.path.startswith(_NOT_BELOW):
        return response
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin not in origins:
        return response
    response.headers["Access-Control-Allow-Origin"] = origin
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "GET")
        response.headers["Access-Control-Allow-Headers"] = _ALLOWED
        response.headers["Access-Control-Max-Age"] = _KEPT
    else:
        response.headers["Access-Control-Expose-Headers"] = _SHOWN
    return response
