"""The whole story, on a phone and on a desktop: a stranger shops and pays, a customer pays a bill."""

import io

import pytest
from pypdf import PdfReader

from core.orders.models import Order
from invoices.models import Invoice
from tests.browser.conftest import DESKTOP, PHONE, NewVisitor
from tests.browser.installation import Installation
from tests.browser.visitor import Visitor, origin_of

pytestmark = pytest.mark.browser
DECLINED, PAYS, ASKS_THE_BANK = "4000 0000 0000 0002", "4242 4242 4242 4242", "4000002760003184"


@pytest.mark.parametrize(
    ("size", "theme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone", "desktop"]
)
def test_a_stranger_shops_and_pays_and_a_customer_pays_one_of_two_bills(
    visit: NewVisitor, installation: Installation, size: tuple[int, int], theme: str
) -> None:
    visitor = visit(size, theme=theme)
    reader = visit(size, theme=theme, origins=(installation.mail_box,))
    email = f"june-{size[0]}@example.com"
    _shop(visitor)
    _fill_in_the_checkout(visitor, email)
    _pay(visitor)
    number = _follow_the_order(visitor, email)
    _read_the_mails(visitor, reader, email, number)
    _log_in_and_pay_one_of_two(visitor, installation)


def _shop(visitor: Visitor) -> None:
    """From the first page into the cart."""
    page = visitor.go("/")
    visitor.look()
    if page.get_by_text("Menu", exact=True).is_visible():
        page.get_by_text("Menu", exact=True).click()
        visitor.look()
    visitor.follow("Wi-Fi and home", within="header")
    assert visitor.heading == "Wi-Fi and home"
    visitor.look()
    visitor.follow("Canopy mesh router")
    assert visitor.heading == "Canopy mesh router"
    assert "Plus sales tax where you live" in visitor.text
    visitor.look()
    with page.expect_navigation():
        visitor.buy_button.click()
    assert visitor.heading == "Your cart"
    assert "Held for you until" in visitor.text
    page.get_by_role("link", name="Cart 1 in it").wait_for()
    visitor.look()


def _fill_in_the_checkout(visitor: Visitor, email: str) -> None:
    """With a mistake first; it is told at its field and above, and nothing is lost."""
    page = visitor.page
    visitor.follow("Go to checkout")
    visitor.look()
    visitor.may_answer = {422}
    visitor.fill_checkout(email=email, postal_code="4309")
    visitor.press("Show me the total with tax")
    summary = page.get_by_role("alert")
    assert "One thing needs a look" in summary.inner_text()
    assert page.evaluate("document.activeElement.hasAttribute('data-error-summary')")
    visitor.look()
    zip_code = page.get_by_label("ZIP code")
    assert zip_code.get_attribute("aria-invalid") == "true"
    told = page.locator(f"#{zip_code.get_attribute('aria-describedby')}").inner_text()
    assert "ZIP" in told
    summary.get_by_role("link").click()
    assert page.evaluate("document.activeElement.name") == "postal_code"
    assert page.get_by_label("Full name").input_value() == "June Alder"
    assert page.get_by_label("State").input_value() == "OH"
    assert page.get_by_label("E-mail").input_value() == email
    zip_code.fill("43099")
    visitor.press("Show me the total with tax")
    order = page.get_by_role("complementary", name="Your order")
    assert "Sales tax" in order.inner_text()
    assert "later" not in order.inner_text()
    assert page.get_by_label("Full name").input_value() == "June Alder"
    visitor.look()
    visitor.may_answer = set()


def _pay(visitor: Visitor) -> None:
    """A card that is declined, then one that pays, at the processor's own address."""
    page, place = visitor.page, visitor.place
    button = page.get_by_role("button", name="Continue to pay $")
    due = button.inner_text().removeprefix("Continue to pay ")
    visitor.press("Continue to pay $")
    assert origin_of(page.url) == place.processor
    assert due in page.get_by_role("button", name="Pay $").inner_text()
    visitor.look()
    visitor.fill_card(DECLINED)
    visitor.may_answer = {402}
    visitor.press("Pay $")
    assert "Your card was declined" in page.get_by_role("alert").inner_text()
    visitor.look()
    visitor.may_answer = set()
    visitor.fill_card(PAYS)
    visitor.press("Pay $")
    page.wait_for_url("**/thanks")
    assert "It is yours" in visitor.heading
    assert due.removeprefix("$") in page.get_by_role("row", name="Paid").inner_text()
    visitor.look()


def _follow_the_order(visitor: Visitor, email: str) -> str:
    """The confirmation leads to the order, which leads to its bill. Answers the order's number."""
    page, place = visitor.page, visitor.place
    number = page.locator(".stub__no").inner_text()
    assert f"Order {number}" in visitor.text
    assert email in visitor.text
    place.mail(email, "bill")  # the bill is there by then
    visitor.follow("Follow this order")
    assert visitor.heading == f"Order {number}"
    assert "Paid" in visitor.text
    visitor.look()
    visitor.follow("Bill ")
    visitor.look()
    assert place.count(Order.id, Order.email == email) == 1
    return number


def _read_the_mails(visitor: Visitor, reader: Visitor, email: str, number: str) -> None:
    """Two mails came: the order's, and the bill's with its PDF; the link leads to the same bill."""
    place = visitor.place
    reader.go(f"{place.mail_box}/?to={email}")
    reader.look()
    assert reader.page.locator("tbody tr").count() == 2
    reader.page.locator("td.subject", has_text=number).get_by_role("link").first.click()
    reader.look()
    order_mail = place.mail(email, "order")
    assert number in order_mail.text
    _see_as_a_mail_program_does(reader, order_mail.html)

    bill_mail = place.mail(email, "bill")
    _see_as_a_mail_program_does(reader, bill_mail.html)
    reader.go(f"{place.mail_box}/mail/{bill_mail.id}")
    reader.look()
    [paper] = bill_mail.attachments
    bill_number, total = _see_the_bill_from_the_mail(visitor, bill_mail.links)
    _see_the_paper(paper.data, bill_number, total)
    link = visitor.page.get_by_role("link", name="Download the PDF").get_attribute("href")
    same = visitor.context.request.get(place.shop + str(link))
    assert same.headers["content-type"] == "application/pdf"
    assert same.body() == paper.data
    assert place.count(Invoice.id, Invoice.number == bill_number) == 1


def _see_the_bill_from_the_mail(visitor: Visitor, links: list[str]) -> tuple[str, str]:
    """Follows the mail's one link to the bill; answers the bill's number and its total."""
    [link] = links
    visitor.go(link)
    visitor.follow("Bill ")
    title = visitor.page.title()
    number = title.removeprefix("Bill ").partition(" ")[0]
    assert number in visitor.text
    return number, "137.39"


def _see_as_a_mail_program_does(reader: Visitor, html: str) -> None:
    """Where the mail box shows it no script may run, not even the one that looks."""
    reader.page.goto("about:blank")
    reader.page.set_content(html)
    reader.look("wcag2a", "wcag2aa")


def _see_the_paper(paper: bytes, number: str, total: str) -> None:
    assert paper.startswith(b"%PDF")
    with io.BytesIO(paper) as file:
        words = "\n".join(page.extract_text() for page in PdfReader(file).pages)
    assert number in words
    assert total in words


def _log_in_and_pay_one_of_two(visitor: Visitor, place: Installation) -> None:
    """What is owed stands first; one bill is paid with a card that asks the bank; the other stays."""
    page, who = visitor.page, "mara@example.com"
    while len(place.open_bills(who)) < 2:
        place.order_on_terms(who, {"CHIME-1": 1})
    kept, *others = place.open_bills(who)
    visitor.go("/account")  # asks for the log-in and leads back
    visitor.look()
    visitor.log_in(who, "weir-cottages-8", door=page.url)
    assert visitor.heading.endswith(", Mara")
    assert (
        f"{1 + len(others)} bills are open"
        in page.get_by_role("heading", level=2).first.inner_text()
    )
    visitor.look()
    visitor.follow("All bills")
    visitor.look()
    visitor.follow(others[0])
    visitor.look()
    visitor.go("/account")
    visitor.follow("Choose what to pay")
    visitor.look()
    with page.expect_navigation():
        page.get_by_role("checkbox", name=f"Pay {kept}").uncheck()
    assert not page.get_by_role("checkbox", name=f"Pay {kept}").is_checked()
    visitor.look()
    due = page.get_by_role("button", name="Continue to pay $").inner_text().split()[-1]
    visitor.press("Continue to pay $")
    assert origin_of(page.url) == place.processor
    assert f"Pay {due} now" in page.get_by_role("button", name="Pay $").inner_text()
    visitor.fill_card(ASKS_THE_BANK)
    visitor.press("Pay $")
    assert visitor.heading == "Is this payment yours?"
    visitor.look()
    visitor.press("Complete")
    page.wait_for_url("**/account/payments/*")
    _read_the_receipt(visitor, others, due)
    visitor.follow("Back to the overview")
    assert "Your bill of" in page.get_by_role("heading", level=2).first.inner_text()
    assert f"No. {kept}" in visitor.text
    assert place.open_bills(who) == [kept]
    visitor.look()
    _log_out(visitor)


def _read_the_receipt(visitor: Visitor, paid: list[str], due: str) -> None:
    assert visitor.heading == "Thank you. It arrived."
    assert "Visa ending 3184" in visitor.text
    for number in paid:
        assert number in visitor.text
    together = visitor.page.get_by_role("row", name="Together").inner_text()
    assert due.removeprefix("$") in together
    visitor.look()


def _log_out(visitor: Visitor) -> None:
    page = visitor.page
    page.locator("details.menu:visible > summary").click()
    visitor.look()
    with page.expect_navigation():
        page.locator("button:visible", has_text="Log out").click()
    assert "You are logged out." in visitor.text
    visitor.look()
    visitor.go("/account")
    assert visitor.heading == "Log in"
