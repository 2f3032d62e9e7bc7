"""The web application: faces registered, guards in front, errors behind."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import structlog
from flask import Flask, Response, abort, current_app, g, redirect, request
from werkzeug.middleware.proxy_fix import ProxyFix

from api import blueprints as api_blueprints
from app import errors, health, logs, metrics, wiring
from app import settings as settings_module
from app.settings import Settings
from core.kernel import db, turns
from core.kernel.ids import new_public_id
from core.parties import roles
from desk import blueprints as desk_blueprints
from flows.house import House
from portal import blueprints as portal_blueprints
from storefront import blueprints as shop_blueprints
from web import access, carts, cors, csrf, filters, flashes, headers, limits, login, offering
from web.access import Guard, Who
from web.context import Wired, wire
from web.csrf import Forged
from web.login import Person, at_desk, code_is_old, person
from web.sessions import DatabaseSessions

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_log = structlog.get_logger("web")
#: The largest request that is read.
LARGEST = 1024 * 1024
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


def create() -> Flask:
    """The application as the server starts it, from the environment."""
    settings = settings_module.load()
    logs.configure(settings.mode)
    return create_app(settings, wiring.build(settings))


def create_app(settings: Settings, house: House) -> Flask:
    """Wire an application. Raises RuntimeError for a route that does not say who may use it."""
    app = Flask(
        "counterfoil", static_folder="../static", template_folder="templates", root_path=_here()
    )
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=LARGEST,
        TRUSTED_HOSTS=list(settings.trusted_hosts) or [_host(settings.base_url)],
        METRICS_TOKEN=settings.metrics_token,
        SEND_FILE_MAX_AGE_DEFAULT=31_536_000,
    )
    app.session_interface = DatabaseSessions()
    wire(app.extensions, Wired(house, wiring.web_settings(settings)))
    if settings.proxies:
        count = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, count, count, count)  # type: ignore[method-assign]  # as Flask documents
    app.wsgi_app = _in_turn(app.wsgi_app)  # type: ignore[assignment,method-assign]  # as Flask documents
    login.install(app)
    offering.install(app)
    limits.install(app)
    filters.install(app)
    errors.install(app)
    app.before_request(_begin)
    carts.install(app)
    app.after_request(flashes.send_cookie)
    app.after_request(csrf.send_cookie)
    app.after_request(headers.send)
    cors.install(app)
    app.after_request(_end)
    _register(app)
    missing = access.unnamed(app)
    if missing:
        raise RuntimeError("these routes do not say who may use them:\n" + "\n".join(missing))
    return app


def _in_turn(answer: "WSGIApplication") -> "WSGIApplication":
    def in_turn(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        with turns.taken():
            return answer(environ, start)

    return in_turn


def _here() -> str:
    return __file__.rpartition("/")[0]


def _host(base_url: str) -> str:
    return base_url.partition("//")[2].partition(":")[0]


def _register(app: Flask) -> None:
    access.allow(Who.EVERYBODY, Guard.NONE)(app.view_functions["static"])
    for blueprint in (
        health.health,
        *shop_blueprints(),
        *portal_blueprints(),
        *desk_blueprints(),
        *api_blueprints(),
    ):
        app.register_blueprint(blueprint)


def _begin() -> Any:
    g.began = time.perf_counter()
    g.transactions = db.begun()
    g.request_id = new_public_id()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if request.endpoint is None or request.routing_exception is not None:
        return None
    who, guard = access.rule_of(_view()) or (Who.STAFF, Guard.TOKEN)
    largest = access.largest_of(_view())
    if largest is not None and person() is not None:
        request.max_content_length = largest  # before the form is read for its token
    if csrf.is_forged(request, guard):
        raise Forged
    if _has_null(guard):
        abort(400)
    if who in (Who.CUSTOMER, Who.STAFF):
        return _let_in(who)
    return None


def _has_null(guard: Guard) -> bool:
    """Is there the one sign in it that no text has and not every database takes?"""
    texts = [request.path, *(text for _, text in request.args.items(multi=True))]
    if guard != Guard.NONE and request.method not in csrf.SAFE_METHODS:
        texts += [text for _, text in request.form.items(multi=True)]
    return any("\0" in text for text in texts)


def _view() -> Any:
    return current_app.view_functions[request.endpoint or ""]


def _let_in(who: Who) -> Any:
    somebody = person()
    if somebody is None:
        return _to_door("/desk/login" if who == Who.STAFF else "/account/login")
    return _let_in_at_the_desk(somebody) if who == Who.STAFF else None


def _to_door(door: str) -> Any:
    if request.method in csrf.SAFE_METHODS:
        return redirect(f"{door}?next={quote(request.full_path.rstrip('?'))}")
    return redirect(door)


def _let_in_at_the_desk(somebody: Person) -> Any:
    if not somebody.is_staff:
        abort(404)
    if not at_desk():
        return _to_door("/desk/login")
    needs = access.roles_of(_view())
    if not roles.may(somebody.roles, needs):
        raise access.role_missing(somebody.roles, needs)
    if access.wants_code(_view()) and code_is_old():
        return _ask_for_a_code()
    return None


def _ask_for_a_code() -> Any:
    """To the page that asks for one; from there on to this page, or to the one whose form was sent."""
    back = request.full_path.rstrip("?")
    if request.method not in csrf.SAFE_METHODS:
        back = urlsplit(request.referrer or "/desk").path
        flashes.say("Nothing was done yet: give a code first, then send it again.", "warn")
    return redirect(f"/desk/again?next={quote(back)}", 303)


def _end(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "unmatched"
    took = time.perf_counter() - g.get("began", time.perf_counter())
    # Whoever asks may invent methods; the figures may not grow by them.
    method = request.method if request.method in METHODS else "other"
    metrics.requests.labels(route, method, str(response.status_code)).inc()
    metrics.seconds.labels(route).observe(took)
    response.headers["X-Request-Id"] = str(g.get("request_id", ""))
    if request.endpoint not in ("static", "health.alive", "health.ready"):
        _log.info(
            "request",
            method=request.method,
            route=route,
            status=response.status_code,
            ms=round(took * 1000, 1),
        )
    return response
