"""What is paid by the month: changed, rested, left by who has it; connected, counted and billed by staff."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from core.kernel.clock import local_date
from tests.browser.conftest import DESKTOP, PHONE, NewVisitor
from tests.browser.installation import Installation
from tests.browser.served import BACKUP, PASSWORD, Served, move_in, park
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser
#: A phone that works for so long owes its second month: 8.00 and its tax.
WORKS_FOR, SECOND_MONTH = timedelta(days=35), "8.52"


@pytest.mark.parametrize(
    ("name", "size", "theme"),
    [("Riley Moreno", PHONE, "dark"), ("Rowan Tell", DESKTOP, "light")],
    ids=["phone", "desktop"],
)
def test_a_line_is_changed_rested_and_left_and_billed_as_foreseen(
    visit: NewVisitor, installation: Installation, name: str, size: tuple[int, int], theme: str
) -> None:
    customer = move_in(installation, name, f"{size[0]} Moreno Walk")
    visitor = visit(size, theme=theme)
    visitor.log_in(customer.email, PASSWORD, door="/account/login?next=/account/services")
    [line, phone] = [
        visitor.page.get_by_role("row", name=one).inner_text()
        for one in ("Stream 18", "Phone line")
    ]
    assert "Running" in line
    assert "Starts when it works" in phone
    visitor.look()
    visitor.follow("Stream 18")
    visitor.look()
    _change(visitor)
    _rest(visitor)
    _leave(visitor)


def _change(visitor: Visitor) -> None:
    """To a better line from today on: first what it comes to, then the same on the account."""
    page = visitor.page
    visitor.follow("Another plan or quantity")
    page.get_by_role("radio", name="River 100 $").check()
    page.get_by_role("radio", name="From today").check()
    visitor.press("Show what it costs")
    page.get_by_text("Why this amount").first.click()
    visitor.look()
    foreseen = {one: _amount(visitor, one) for one in ("River 100", "Stream 18", "Together")}
    assert foreseen["Stream 18"] < 0 < foreseen["River 100"]
    assert sum(foreseen.values()) == 2 * foreseen["Together"]
    visitor.press("Change to River 100")
    assert visitor.heading == "River 100"
    assert "That is how it is from today on." in visitor.text
    service = page.url
    visitor.follow("All bills")
    amounts = page.locator("main tbody td:nth-last-child(3)").all_text_contents()
    assert {_last_number(text) for text in amounts[:2]} == {
        foreseen["River 100"],
        foreseen["Stream 18"],
    }
    visitor.go(service)


def _rest(visitor: Visitor) -> None:
    """Nothing is paid for days of rest; what came back is billed again when they end at once."""
    visitor.follow("Pause it")
    visitor.look()
    came_back = _amount(visitor, "Comes back")
    visitor.press("Pause it from today on")
    assert "Locked while it rests" in visitor.text
    assert "Nothing is to be paid as long as it rests." in visitor.text
    visitor.look()
    visitor.follow("Resume it")
    assert _amount(visitor, "Together") == came_back
    visitor.press("Resume it today")
    assert "It runs again." in visitor.text


def _leave(visitor: Visitor) -> None:
    """With the period and a reason; and stay after all."""
    visitor.follow("Cancel it")
    page = visitor.page
    assert page.get_by_role("radio", name="At the end of the period").is_checked()
    page.get_by_label("Why").select_option("Moving away")
    visitor.look()
    visitor.press("Cancel this service")
    assert "It ends: the last day is" in visitor.text
    assert "Moving away" in visitor.text
    visitor.look()
    visitor.press("Keep it after all")
    assert "Taken back: it stays as it is." in visitor.text
    assert "It ends" not in visitor.text


def _amount(visitor: Visitor, row: str) -> Decimal:
    """The number of a row of the preview."""
    rows = visitor.page.locator("tr:has(th[scope=row])", has_text=row)
    return _last_number(rows.last.locator("> .num").inner_text())


def _last_number(text: str) -> Decimal:
    return Decimal(re.findall(r"[−-]?[\d,]+\.\d\d", text)[-1].replace("−", "-").replace(",", ""))


@pytest.mark.parametrize(
    ("name", "size", "theme"),
    [("Robin Vale", PHONE, "light"), ("Remy Holt", DESKTOP, "dark")],
    ids=["phone", "desktop"],
)
def test_the_desk_connects_counts_bills_and_lets_go(
    visit: NewVisitor, installation: Installation, name: str, size: tuple[int, int], theme: str
) -> None:
    customer = move_in(installation, name, f"{size[0]} Lund Walk")
    staff = visit(size, theme=theme)
    staff.log_in("desk@example.com", "ferry-street-1", door="/desk/login")
    _connect(staff, customer)
    _count(staff, customer)
    for kind in ("Preview", "Bills"):
        _bill(staff, customer, kind)
    _let_go(staff, customer)


def _connect(staff: Visitor, customer: Served) -> None:
    """The phone works, since a while ago."""
    staff.go(f"/desk/services?q={customer.account.number}")
    staff.look()
    staff.follow("Phone line")
    today = local_date(staff.place.house.clock.now(), customer.account.time_zone)
    staff.page.get_by_label("First day of service").fill(f"{today - WORKS_FOR}")
    staff.press("Activate it")
    assert "It runs. Its periods are billed from that day on." in staff.text
    staff.look()


def _count(staff: Visitor, customer: Served) -> None:
    """So much is stored; five gigabytes are free."""
    page = staff.go(f"/desk/services/{customer.services[BACKUP]}")
    page.get_by_label("How much").fill("7")
    page.get_by_label("Record's own name").fill("monday")
    staff.press("Record it")
    assert "7 GB, $2.00 if that is all" in staff.text
    staff.look()


def _bill(staff: Visitor, customer: Served, kind: str) -> None:
    """The worker does it; what it came to stands against the last time."""
    page = staff.go("/desk/bill-runs")
    page.get_by_label("Account number").fill(customer.account.number)
    page.get_by_label("Only look").set_checked(kind == "Preview")
    staff.press("Start this run")
    assert staff.heading.startswith(kind)
    for _ in range(100):
        if not page.get_by_role("link", name="Look again").count():
            break
        page.wait_for_timeout(100)
        staff.follow("Look again")
    assert "1 of 1 accounts looked at" in staff.text
    row = page.get_by_role("row", name=customer.account.number)
    assert SECOND_MONTH in row.inner_text()
    assert row.get_by_role("link").count() == (kind == "Bills")
    assert re.search(r"Billed for the first time\s+1\b", staff.text)
    staff.look()


def _let_go(staff: Visitor, customer: Served) -> None:
    """An account that a night could not bill."""
    parking = park(staff.place, customer.account)
    staff.go("/desk/parked")
    assert "More than a bill may be" in staff.text
    staff.look()
    staff.follow(customer.account.number)
    assert staff.page.url.endswith(parking)
    staff.look()
    staff.may_answer = {422}
    staff.press("Let it go and bill it")
    assert "Say what was put right." in staff.text
    staff.page.get_by_label("What you found").fill("A line was entered twice; it is put right.")
    staff.press("Let it go and bill it")
    assert "Let go and billed." in staff.text
