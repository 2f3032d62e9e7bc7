"""The processor's own page in a real browser: readable by everyone, on a phone and on a desk."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from core.kernel.money import Money
from payments.gateway import CheckoutLine, CheckoutRequest
from payments.saved import CustomerRequest, SetupRequest
from payments.stripe_gateway import StripeGateway
from tests.sandbox_process import SandboxProcess, WebhookCatcher, running_sandbox

pytestmark = pytest.mark.browser
SIZES = {"phone": (360, 740), "desk": (1280, 900)}


@pytest.fixture(params=[("phone", "dark"), ("desk", "light")], ids="-".join)
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """A page of each size and of each theme."""
    size, theme = request.param
    width, height = SIZES[size]
    context = chromium.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running_sandbox(tmp_path_factory.mktemp("processor")) as process:
        yield process


def _gateway(sandbox: SandboxProcess) -> StripeGateway:
    return StripeGateway(
        sandbox.api_key,
        api_base=sandbox.base_url,
        webhook_secrets=(sandbox.webhook_secret,),
        sandbox=True,
    )


def _set_up(sandbox: SandboxProcess, shop: str) -> str:
    gateway = _gateway(sandbox)
    now = datetime.fromtimestamp(sandbox.now(), UTC)
    name = f"setup-{now.timestamp()}-{shop[-6:]}"
    customer = gateway.create_customer(CustomerRequest(f"{name}-who", name, "June Alder"))
    ends = now + timedelta(minutes=40)
    asked = SetupRequest(name, name, customer.id, f"{shop}/done", f"{shop}/back", ends)
    url = gateway.start_setup(asked).url
    assert url is not None
    return url


def _visit(sandbox: SandboxProcess, shop: str) -> str:
    gateway = _gateway(sandbox)
    now = datetime.fromtimestamp(sandbox.now(), UTC)
    name = f"{now.timestamp()}-{shop[-6:]}"
    long_name = "Installation visit, Tuesday, November 24, 9:00 to 12:00"
    session = gateway.start_checkout(
        CheckoutRequest(
            op_key=name,
            operation_id=name,
            lines=(
                CheckoutLine("Canopy mesh router", Money(12900, "USD"), 2),
                CheckoutLine(long_name, Money(6000, "USD")),
            ),
            total=Money(31800, "USD"),
            success_url=f"{shop}/done?session={{CHECKOUT_SESSION_ID}}",
            cancel_url=f"{shop}/back",
            expires_at=now + timedelta(minutes=40),
        )
    )
    assert session.url is not None
    return session.url


def _assert_readable(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert found == [], [(one["id"], one["nodes"][0]["html"]) for one in found]
    wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wider <= 0, f"{wider} pixels stick out"


def test_a_payer_is_refused_asked_by_the_bank_and_led_back_to_the_shop(
    page: Page, sandbox: SandboxProcess
) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    with WebhookCatcher() as catcher:
        shop = catcher.shop  # at another host name than the page
        page.goto(_visit(sandbox, shop))
        assert page.title() == "Pay Fernway · test"
        _assert_readable(page)

        page.get_by_label("Card number").fill("4000 0000 0000 9995")
        page.get_by_label("Valid until").fill("12/34")
        page.get_by_label("Security code").fill("123")
        page.get_by_label("Name on the card").fill("June Alder")
        page.get_by_role("button", name="Pay $318.00 now").click()
        assert "insufficient funds" in page.get_by_role("alert").inner_text()
        number = page.get_by_label("Card number")
        assert number.get_attribute("aria-invalid") == "true"
        assert number.get_attribute("aria-describedby") == "number-error"
        _assert_readable(page)

        page.get_by_role("link", name="4000 0027 6000 3184").click()
        page.get_by_role("button", name="Pay $318.00 now").click()
        _assert_readable(page)
        page.get_by_role("button", name="Complete").click()
        page.wait_for_url(f"{shop}/done?session=cs_test_*")
        assert page.title() == "The shop"
    assert complaints == []


def test_a_card_is_put_on_file_on_a_page_that_says_that_nothing_is_charged(
    page: Page, sandbox: SandboxProcess
) -> None:
    with WebhookCatcher() as catcher:
        page.goto(_set_up(sandbox, catcher.shop))
        assert "Nothing is charged now" in page.locator("main").inner_text()
        _assert_readable(page)
        page.get_by_role("link", name="4000 0000 0000 0002").click()
        page.get_by_role("button", name="Save this card, charge nothing").click()
        assert "Your card was declined" in page.get_by_role("alert").inner_text()
        _assert_readable(page)
        page.get_by_role("link", name="4000 0027 6000 3184").click()
        page.get_by_role("button", name="Save this card, charge nothing").click()
        _assert_readable(page)
        page.get_by_role("button", name="Complete").click()
        page.wait_for_url(f"{catcher.shop}/done")
    page.goto(sandbox.base_url)
    assert "visa 3184" in page.locator("main").inner_text()
    _assert_readable(page)


def test_a_payer_can_go_back_without_paying(page: Page, sandbox: SandboxProcess) -> None:
    shop = "http://localhost:9"
    page.route(f"{shop}/**", lambda route: route.fulfill(body="<title>Your cart</title>"))
    page.goto(_visit(sandbox, shop))
    page.get_by_role("link", name="Cancel and go back to Fernway").click()
    page.wait_for_url(f"{shop}/back")


def test_every_other_page_is_readable_too(page: Page, sandbox: SandboxProcess) -> None:
    url = _visit(sandbox, "http://localhost:9")
    for address in (f"{sandbox.base_url}/", f"{sandbox.base_url}/pay/cs_test_none"):
        page.goto(address)
        _assert_readable(page)
    entry = {"number": "4242424242424242", "expiry": "01/20", "cvc": "1", "name": ""}
    page.goto(url)
    for name, value in entry.items():
        page.locator(f"#{name}").fill(value)
    page.get_by_role("button", name="Pay").click()
    assert page.get_by_role("alert").get_by_role("link").count() == 3
    _assert_readable(page)


def test_a_page_that_has_lapsed_is_readable(page: Page, tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as sandbox:
        url = _visit(sandbox, "http://localhost:9")
        sandbox.advance(41 * 60)
        page.goto(url)
        assert page.get_by_role("heading", level=1).inner_text() == "This page has lapsed"
        _assert_readable(page)
