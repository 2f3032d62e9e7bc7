"""A walk through the whole table of routes as each of four people; several tests look at what came of it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from core.kernel.ids import new_public_id
from tests.rooms.web.looking import writes
from tests.rooms.web.routes import ROUTES, Names, Route
from tests.rooms.web.stage import EVERYBODY, Browser, Stage


@dataclass(frozen=True)
class Step:
    """One answer: what was wanted of it, what it was, and what happened at the database's writing door."""

    route: Route
    who: str
    wanted: str
    told: str
    status: int
    headers: Headers
    written: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.route.name} for {self.who}"


def told(response: TestResponse, stage: Stage) -> str:
    """The status, with the path of a redirect behind it."""
    target = response.headers.get("Location")
    if target is None:
        return str(response.status_code)
    if target.startswith(stage.sandbox.base_url):
        return f"{response.status_code} processor"
    return f"{response.status_code} {urlsplit(target).path}"


def walked(stage: Stage) -> list[Step]:
    """Every answer of the walk; it is done once for each stage."""
    if not stage.walk:
        for route in ROUTES:
            stage.walk += [_step(stage, route, who) for who in EVERYBODY]
        stage.drain()
    return stage.walk


def _step(stage: Stage, route: Route, who: str) -> Step:
    browser, names = stage.browser(who), Names(stage)
    if route.rule.startswith(("/cart", "/checkout", "/quote")):
        browser.keep("cart", names["cart"])
    path = names.fill(route.path)
    form = {name: names.fill(value) for name, value in route.form.items()}
    with writes(stage.db) as written:
        response = _ask(browser, route, path, form)
    return Step(
        route,
        who,
        route.gets[who],
        told(response, stage),
        response.status_code,
        response.headers,
        tuple(written),
    )


def _ask(browser: Browser, route: Route, path: str, form: dict[str, str]) -> TestResponse:
    if route.is_for_programs:
        key = {"Idempotency-Key": new_public_id()}
        return browser.ask(route.method, path, json=route.body, headers=key)
    if route.method == "GET":
        return browser.get(path)
    return browser.post(path, form)
