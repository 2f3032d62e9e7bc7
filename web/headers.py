"""Security headers: nothing inline, nothing from outside, nobody frames us."""

from functools import cache

from flask import Response, g

from web.context import web_settings


@cache
def policy(pay_origins: tuple[str, ...]) -> str:
    """The content security policy; forms may lead to the processor's page."""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "media-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            " ".join(["form-action 'self'", *pay_origins]),
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ]
    )


def may_frame(response: Response) -> Response:
    """A page that shows one of our own pages in a frame: the editor beside its preview."""
    policy_ = policy(web_settings().pay_origins)
    response.headers["Content-Security-Policy"] = f"{policy_}; frame-src 'self'"
    return response


def may_be_framed(response: Response) -> Response:
    """A page that our own editor may show in a frame; nobody else may."""
    own = policy(web_settings().pay_origins).replace(
        "frame-ancestors 'none'", "frame-ancestors 'self'"
    )
    response.headers["Content-Security-Policy"] = own
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@cache
def _always(pay_origins: tuple[str, ...], secure: bool) -> tuple[tuple[str, str], ...]:
    """What every answer carries that does not say otherwise itself."""
    found = [
        ("Content-Security-Policy", policy(pay_origins)),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
    ]
    if secure:
        found.append(("Strict-Transport-Security", "max-age=31536000; includeSubDomains"))
    return tuple(found)


def send(response: Response) -> Response:
    """Add what every answer carries. Looked at once: ``setdefault`` goes through all of them each time."""
    settings, headers = web_settings(), response.headers
    there = {name.lower() for name, _ in headers}
    for name, value in _always(settings.pay_origins, settings.secure):
        if name.lower() not in there:
            headers.add(name, value)
    if "cache-control" not in there:
        shared = g.get("cacheable") and response.status_code == 200
        headers["Cache-Control"] = "public, max-age=30" if shared else "no-store"
    return response


def of_a_mail(response: Response) -> Response:
    """A mail that is shown within a page of the desk: it runs nothing and asks for nothing."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        "frame-ancestors 'self'; sandbox"
    )
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response
