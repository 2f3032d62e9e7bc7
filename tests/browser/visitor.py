"""A visitor with a browser of their own, whose every request and complaint is kept and judged at the end."""

import copy
import os
import pathlib
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response

from payments.sandbox.cards import CARDS
from tests.browser.colours import unreadable
from tests.browser.installation import Installation

#: A folder that keeps a picture of every page that is looked at.
PICTURES = os.environ.get("PICTURES", "")
AXE = Axe().axe_script
#: By every rule but the one about contrast, which ``tests.browser.colours`` looks at. Not within frames:
#: those of mails are shut, and nobody in them answers.
_RUN_AXE = """async tags => {
  const found = await axe.run(document, {
    resultTypes: ["violations"], iframes: false, rules: {"color-contrast": {enabled: false}},
    ...(tags.length ? {runOnly: tags} : {})});
  return found.violations.map(one => [one.id, one.nodes.map(node => node.html)]);
}"""
#: Once the style sheets and fonts are there and nothing moves any more.
_SETTLED = """async () => {
  await document.fonts.ready;
  await Promise.all(document.getAnimations().map(one => one.finished.catch(() => null)));
}"""


def origin_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


class Visitor:
    """One browser context with a page, and what it asked for and complained of."""

    def __init__(self, context: BrowserContext, place: Installation, origins: Sequence[str]):
        self.context = context
        self.place = place
        self.origins = set(origins)
        #: Statuses that documents may have besides good ones; each test names what it provokes.
        self.may_answer: set[int] = set()
        self.requests: list[Request] = []
        self.complaints: list[str] = []
        context.on("request", self._requested)
        context.on("response", self._answered)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self.page: Page = context.new_page()

    def another_tab(self) -> "Visitor":
        """A second tab of the same browser; all of its requests are judged with the first one's."""
        other = copy.copy(self)
        other.page = self.context.new_page()
        return other

    # --- going about ---

    def go(self, path: str) -> Page:
        """Opens a page of the shop, or any address."""
        address = path if path.startswith("http") else self.place.shop + path
        self.page.goto(address)
        return self.page

    def press(self, name: str) -> None:
        """Presses the first button that shows, by a part of its name; waits for where it leads."""
        buttons = self.page.get_by_role("button", name=name)
        with self.page.expect_navigation():
            buttons.locator("visible=true").first.click()

    def follow(self, name: str, *, within: str = "main") -> None:
        """Follows the first link that shows, by a part of its name."""
        links = self.page.locator(within).get_by_role("link", name=name)
        with self.page.expect_navigation():
            links.locator("visible=true").first.click()

    def put_in_cart(self, slug: str) -> None:
        """Puts one of a product into the cart; ends in the cart."""
        self.go(f"/p/{slug}")
        with self.page.expect_navigation():
            self.buy_button.click()
        assert self.page.url == f"{self.place.shop}/cart", self.page.url

    def log_in(self, email: str, password: str, door: str = "/account/login") -> None:
        self.go(door)
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.press("Log in")

    def fill_card(self, number: str) -> None:
        """Fills in the processor's page."""
        self.page.get_by_label("Card number").fill(number)
        self.page.get_by_label("Valid until").fill("12/34")
        self.page.get_by_label("Security code").fill("123")
        self.page.get_by_label("Name on the card").fill("June Alder")

    def fill_checkout(self, **changed: str) -> None:
        """Fills in the checkout with what is right, but for what is named."""
        answers = {
            "name": "June Alder",
            "phone": "555-0155",
            "email": "june@example.com",
            "line1": "5 Weir Cottages",
            "city": "Tarnbrook",
            "region": "OH",
            "postal_code": "43099",
            **changed,
        }
        for name, answer in answers.items():
            asked = self.page.locator(f"[name={name}]")
            if name == "region":
                asked.select_option(answer)
            else:
                asked.fill(answer)

    @property
    def buy_button(self) -> Locator:
        return self.page.locator("form[action='/cart/lines'].stub button.btn")

    @property
    def text(self) -> str:
        """What the page says between its header and its footer."""
        return self.page.locator("main").inner_text()

    @property
    def heading(self) -> str:
        return self.page.get_by_role("heading", level=1).inner_text()

    @property
    def cart_id(self) -> str:
        return next(one["value"] for one in self.context.cookies() if one["name"] == "cart")

    # --- looking ---

    def look(self, *tags: str) -> None:
        """The page is as it should be: axe finds nothing (by rules with a tag), nothing sticks out."""
        self._settle()
        found = self.page.evaluate(_RUN_AXE, list(tags))
        assert found == [], f"{self.page.url}: {found}"
        self._look_at_colours()

    def look_in_the_dark(self) -> None:
        """The page as who wants it dark has it: everything can be read, nothing sticks out."""
        self.page.emulate_media(color_scheme="dark")
        self._settle()
        self._look_at_colours()
        self.page.emulate_media(color_scheme="light")

    def _settle(self) -> None:
        self.page.evaluate(_SETTLED)
        self.keep_picture()
        if not self.page.evaluate("() => Boolean(window.axe)"):
            self.page.evaluate(AXE)

    def _look_at_colours(self) -> None:
        found = unreadable(self.page)
        assert found == [], f"{self.page.url}: {found}"
        self.see_that_nothing_sticks_out()

    def see_that_nothing_sticks_out(self) -> None:
        wider = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, f"{self.page.url}: {wider} pixels stick out"

    def keep_picture(self) -> None:
        """Keeps a picture of the page when pictures were asked for."""
        if PICTURES:
            folder = pathlib.Path(PICTURES)
            folder.mkdir(parents=True, exist_ok=True)
            width = self.page.evaluate("innerWidth")
            name = re.sub(r"\W+", "-", urlsplit(self.page.url).path).strip("-")[:40] or "home"
            number = len(list(folder.iterdir()))
            self.page.screenshot(path=folder / f"{number:03}-{width}-{name}.png", full_page=True)

    # --- judging ---

    def judge(self) -> None:
        """Nothing was complained of, nobody else was spoken to, and no card number came to the shop."""
        assert not self.complaints, self.complaints
        strangers = {origin_of(one.url) for one in self.requests} - self.origins
        assert not strangers, strangers
        numbers = {card.number for card in CARDS}
        for request in self.requests:
            if origin_of(request.url) == self.place.shop:
                carried = _plain(_everything_in(request))
                found = [number for number in numbers if number in carried]
                assert not found, f"a card number came to {request.url}"

    def forget(self) -> None:
        """Begins anew with what is judged."""
        self.requests.clear()
        self.complaints.clear()

    def _requested(self, request: Request) -> None:
        if not request.url.startswith(("data:", "about:", "blob:")):
            self.requests.append(request)

    def _answered(self, response: Response) -> None:
        is_page = response.request.is_navigation_request()
        if response.status >= 400 and not (is_page and response.status in self.may_answer):
            self.complaints.append(f"{response.status} {response.url}")

    def _said(self, message: ConsoleMessage) -> None:
        # What was refused is judged by its answer.
        refused = message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not refused:
            self.complaints.append(f"{message.type}: {message.text}")


def _everything_in(request: Request) -> str:
    # What was never answered has only the headers that were meant to be sent.
    answered = request.existing_response is not None
    headers: dict[str, Any] = request.all_headers() if answered else request.headers
    body = (request.post_data_buffer or b"").decode("utf-8", "replace")
    return "\n".join([request.url, body, *headers, *map(str, headers.values())])


def _plain(text: str) -> str:
    """Without what separates the groups of a card's number."""
    return re.sub(r"[\s.-]", "", unquote_plus(text))
