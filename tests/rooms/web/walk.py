"""A walk through the whole table of routes as each of four people; several tests look at what came of it."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from core.kernel.ids import new_public_id
from tests.rooms.web.looking import writes
from tests.rooms.web.names import Names
from tests.rooms.web.routes import ROUTES, Route
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


@dataclass
class _Baggage:
    """What goes along from step to step: it is used up only by who is let in and changes something."""

    stage: Stage
    names: Names
    #: Of each person the cookies of their log-in.
    passes: dict[str, dict[str, str]] = field(default_factory=dict)

    def browser(self, who: str) -> Browser:
        """One without a past, but logged in."""
        if who not in self.passes:
            browser = self.stage.browser(who)
            browser.token()
            kept = {name: browser.cookie(name) for name in ("session", "csrf")}
            self.passes[who] = {name: value for name, value in kept.items() if value is not None}
        browser = self.stage.browser()
        for name, value in self.passes[who].items():
            browser.keep(name, value)
        return browser

    def after(self, step: Step) -> None:
        """Once something was done, what comes next gets things of its own; whoever sent it logs in anew."""
        if step.route.method == "GET" or step.status >= 400:
            return
        self.passes.pop(step.who, None)  # it may have been logging out
        if not step.told.endswith("/login"):  # the door, for want of a key
            self.names = Names(self.stage)


def walked(stage: Stage) -> list[Step]:
    """Every answer of the walk; it is done once for each stage."""
    if not stage.walk:
        baggage = _Baggage(stage, Names(stage))
        for route in ROUTES:
            stage.walk += [_step(baggage, route, who) for who in EVERYBODY]
        stage.drain()
    return stage.walk


def _step(baggage: _Baggage, route: Route, who: str) -> Step:
    browser, names, stage = baggage.browser(who), baggage.names, baggage.stage
    if route.rule.startswith(("/cart", "/checkout", "/quote")):
        browser.keep("cart", names["cart"])
    path = names.fill(route.path)
    form = {name: names.fill(value) for name, value in route.form.items()}
    with writes(stage.db) as written:
        response = _ask(browser, route, path, form)
    step = Step(
        route,
        who,
        route.gets[who],
        told(response, stage),
        response.status_code,
        response.headers,
        tuple(written),
    )
    baggage.after(step)
    return step


def _ask(browser: Browser, route: Route, path: str, form: dict[str, str]) -> TestResponse:
    if route.is_for_programs:
        key = {"Idempotency-Key": new_public_id()}
        return browser.ask(route.method, path, json=route.body, headers=key)
    if route.method == "GET":
        return browser.get(path)
    return browser.post(path, form)
