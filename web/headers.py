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


def send(response: Response) -> Response:
    """Add what every answer carries."""
    settings = web_settings()
    response.headers.setdefault("Content-Security-Policy", policy(settings.pay_origins))
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    if settings.secure:
        response.headers.setdefault(
            "Strict-Transport-Security", "max-age=31536000; includeSubDomains"
        )
    if "Cache-Control" not in response.headers:
        shared = g.get("cacheable") and response.status_code == 200
        response.headers["Cache-Control"] = "public, max-age=30" if shared else "no-store"
    return response


def of_a_mail(response: Response) -> Response:
    """A mail that is shown within a page of the desk: it runs nothing and asks for nothing."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        "frame-ancestors 'self'; sandbox"
    )
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response
