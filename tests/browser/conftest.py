"""A browser and a whole installation for each process that runs tests; a visitor for each test."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.installation import Installation, opened
from tests.browser.visitor import Visitor
from tests.demo import opened_first

PHONE = (390, 844)
DESKTOP = (1280, 900)

#: The first of these that there is. The one without windows draws the same pages for a quarter less.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
#: The workers of a run keep every core busy; threads beside the scripts only get into their way.
_ONE_THREAD = "--js-flags=--single-threaded"

NewVisitor = Callable[..., Visitor]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, BROWSERS)), None),
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", _ONE_THREAD],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The demo with its history, and all of its processes."""
    own = tmp_path_factory.getbasetemp()
    with opened(shutil.copytree(opened_first(own).folder, own / "demo")) as installation:
        yield installation


@pytest.fixture
def visit(chromium: Browser, installation: Installation) -> Iterator[NewVisitor]:
    """Makes visitors; each is judged at the end of the test."""
    visitors: list[Visitor] = []

    def new(
        size: tuple[int, int] = DESKTOP,
        *,
        theme: str = "light",
        script: bool = True,
        motion: str = "reduce",
        origins: tuple[str, ...] = (),
    ) -> Visitor:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce" if motion == "reduce" else "no-preference",
            java_script_enabled=script,
        )
        context.set_default_timeout(10_000)
        known = origins or (installation.shop, installation.processor)
        visitors.append(Visitor(context, installation, known))
        return visitors[-1]

    yield new
    try:
        for visitor in visitors:
            visitor.judge()
    finally:
        for visitor in visitors:
            visitor.context.close()
