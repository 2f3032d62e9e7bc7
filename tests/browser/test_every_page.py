"""Every page at the width of a small phone, in both themes: nothing sticks out, axe finds nothing."""

import io
import pathlib
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import cast

import pyotp
import pytest
from sqlalchemy import select

from app.commands import invite
from app.web import create_app
from cart.quotes.wanting import Wanted
from core.kernel.ids import new_token, token_hash
from core.orders.models import Order
from core.parties import accounts
from core.parties.models import User, UserSession
from core.parties.tokens import STAFF as STAFF_KEY
from core.parties.tokens import USER
from flows import draft_quote, enter, second_step
from flows.set_up_method import SetUpWish, begin
from payments.methods import Consent
from payments.models import PaymentOperation
from tests.browser import served
from tests.browser.conftest import NewVisitor
from tests.browser.installation import Installation
from tests.browser.pages import (
    BY_LINK,
    FOR_CUSTOMERS,
    FOR_EVERYBODY,
    FOR_STAFF,
    FOR_SUBSCRIBERS,
    NO_PAGES,
    OF_SUBSCRIBERS,
    OF_THE_SECOND_STEP,
    Where,
)
from tests.browser.served import BACKUP, LINE, PASSWORD, PHONE_LINE
from tests.browser.visitor import Visitor
from tests.quoting import ANN, Quoting, off
from tests.world import World

pytestmark = pytest.mark.browser
SMALL = (360, 740)
MARA = ("mara@example.com", "weir-cottages-8")
STAFF = ("desk@example.com", "ferry-street-1")


def _quoted(installation: Installation, email: str) -> Quoting:
    """A quote that was sent twice and is worked on again; of somebody who logs in, when they do."""
    house = installation.house
    with house.db.reading() as session:
        user = session.scalars(select(User).where(User.email == email)).first()
    key = user.id if user is not None else None
    quoting = Quoting.ask(house, cast(World, None), "VIS-INST", email=email, user_id=key)
    quoting.ready(Wanted(sku="VIS-INST", quantity=2), Wanted(sku="BIZ-100", term_months=24))
    quoting.another(Wanted(sku="VIS-INST", quantity=3), discount=off("5"))
    draft_quote.another(house, quoting.public_id, ANN)
    return quoting


def test_each_page_of_the_shop_is_looked_at(installation: Installation) -> None:
    app = create_app(installation.settings, installation.house)
    pages = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not NO_PAGES.match(rule.rule)
    }
    assert pages == {
        *FOR_EVERYBODY,
        *FOR_CUSTOMERS,
        *FOR_SUBSCRIBERS,
        *FOR_STAFF,
        *OF_SUBSCRIBERS,
        *OF_THE_SECOND_STEP,
        *BY_LINK,
    }


def _look(visitor: Visitor, where: Where) -> None:
    """In the light, then in the dark, then on a wide screen."""
    path = where if isinstance(where, str) else where(visitor)
    page = visitor.go(path)
    assert page.url == f"{visitor.place.shop}{path}"
    visitor.look()
    visitor.look_in_the_dark()
    page.set_viewport_size({"width": 1440, "height": 900})
    visitor.see_that_nothing_sticks_out()
    page.set_viewport_size({"width": SMALL[0], "height": SMALL[1]})


def test_pages_for_everybody(visit: NewVisitor) -> None:
    visitor = visit(SMALL)
    _look(visitor, "/cart")  # while it is empty
    visitor.put_in_cart("canopy-mesh-router")
    visitor.put_in_cart("stream-18")
    for where in FOR_EVERYBODY.values():
        _look(visitor, where)
    _look(visitor, "/c/all")
    _look(visitor, "/p/business-river")
    visitor.may_answer = {404, 410}
    for path in ("/nowhere", "/account/reset/out-of-thin-air", "/o/nobody/knows"):
        _look(visitor, path)


def test_pages_for_customers(visit: NewVisitor, installation: Installation) -> None:
    _quoted(installation, MARA[0])
    visitor = visit(SMALL)
    visitor.log_in(*MARA)
    for where in FOR_CUSTOMERS.values():
        _look(visitor, where)
    visitor.go("/cart")
    visitor.put_in_cart("chime")
    _look(visitor, "/checkout")  # with the account's address and its tax


def test_pages_for_who_has_services(visit: NewVisitor, installation: Installation) -> None:
    riley = served.move_in(installation, "Riley Thorne", "1 Thorne Way", "burrow-14-days")
    names = {
        "line": riley.services[LINE],
        "resting": served.rest(installation, riley, PHONE_LINE),
        "trial": riley.trial,
        "token": served.token(installation, USER, riley.user_id),
    }
    visitor = visit(SMALL)
    visitor.log_in(riley.email, PASSWORD)
    for where in FOR_SUBSCRIBERS.values():
        _look(visitor, where.format_map(names))
    _look(visitor, f"/account/services/{riley.services[PHONE_LINE]}")


def test_pages_for_staff_about_services(visit: NewVisitor, installation: Installation) -> None:
    robin = served.move_in(installation, "Robin Thorne", "2 Thorne Way")
    [staff] = installation.values(User.id, User.email == STAFF[0])
    names = {
        "line": robin.services[LINE],
        "backup": robin.services[BACKUP],
        "resting": served.rest(installation, robin, PHONE_LINE),
        "trial": robin.trial,
        "run": served.bill_run(installation, robin.account),
        "parking": served.park(installation, robin.account),
        "key": served.token(installation, STAFF_KEY, staff),
        **served.webhook(installation),
        "dead": served.dead_job(installation),
    }
    visitor = visit(SMALL)
    visitor.log_in(*STAFF, door="/desk/login")
    for where in OF_SUBSCRIBERS.values():
        _look(visitor, where.format_map(names))


def test_pages_for_staff(visit: NewVisitor, installation: Installation) -> None:
    _quoted(installation, "birch@example.com")
    visitor = visit(SMALL)
    visitor.log_in(*STAFF, door="/desk/login")
    for where in FOR_STAFF.values():
        _look(visitor, where)


def test_pages_of_the_second_step(visit: NewVisitor, installation: Installation) -> None:
    """Set up, used and given up again; and the page that asks for it where it is the rule."""
    kit = ("kit@example.com", "ferry-street-5", "/desk/login")
    visitor = visit(SMALL)
    visitor.log_in(*kit)
    visitor.go("/desk/me")
    visitor.press("Set up a second step")
    _look(visitor, "/desk/me/second-step")
    visitor.page.get_by_text("I cannot scan it").click()
    secret = visitor.page.locator("details code").inner_text().replace(" ", "")
    visitor.page.get_by_label("Code").fill(pyotp.TOTP(secret).now())
    visitor.press("Set it up")
    visitor.look()
    codes = visitor.page.locator(".codes code").all_inner_texts()
    visitor.follow("I have kept them")
    _look(visitor, "/desk/me")
    visitor.context.clear_cookies()
    visitor.log_in(*kit)
    _look(visitor, "/desk/login/code")
    visitor.page.get_by_label("Code").fill(codes[0])
    visitor.press("Go in")
    visitor.go("/desk/me")
    visitor.page.locator("[name=stop-code]").fill(codes[1])
    visitor.press("Stop asking")
    _look(visitor, "/desk/me")

    [key] = installation.values(User.id, User.email == kit[0])
    second_step.begin(installation.house, key)
    token, now = new_token(), installation.house.clock.now()
    with installation.house.db.transaction() as session:
        session.add(
            UserSession(
                token_hash=token_hash(token),
                data={"half_in": [str(key), now.isoformat(), "/desk"]},
                created_at=now,
                expires_at=now + timedelta(hours=1),
            )
        )
    other = visit(SMALL)
    other.context.add_cookies([{"name": "session", "value": token, "url": installation.shop}])
    _look(other, "/desk/login/set-up")


def test_the_component_sheet_has_its_picture_taken(
    visit: NewVisitor, tmp_path: pathlib.Path
) -> None:
    """For people to look at; here each picture must show a whole sheet, and the themes must differ."""
    visitor = visit()
    visitor.log_in(*STAFF, door="/desk/login")
    page = visitor.go("/desk/styleguide")
    shots = {}
    for width, theme in ((390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        visitor.see_that_nothing_sticks_out()
        path = tmp_path / f"sheet-{width}-{theme}.png"
        shots[width, theme] = page.screenshot(path=path, full_page=True)
    assert len(set(shots.values())) == 4
    assert min(map(len, shots.values())) > 50_000
    for part in ("Buttons", "Fields", "Table"):
        assert page.get_by_role("heading", name=part).count() >= 1, part


def test_pages_by_link(visit: NewVisitor, installation: Installation) -> None:
    visitor = visit(SMALL)
    # The pages on the way back from paying press their button by themselves; here they wait.
    visitor.context.add_init_script("HTMLFormElement.prototype.requestSubmit = () => {};")
    look: Callable[[str], None] = partial(_look, visitor)
    order = installation.order_by_guest("ash@example.com", "invoice")
    installation.mail("ash@example.com", "bill")
    at = installation.house.links.order(order.public_id).removeprefix(installation.shop)
    for path in (at, f"{at}/thanks"):
        look(path)
    bill = visitor.go(at).locator(f"main a[href*='{at}/bills/']").first.get_attribute("href")
    look(str(bill).removeprefix(installation.shop))
    leads = str(visitor.page.locator("main a[href$='/dispute']").first.get_attribute("href"))
    look(leads)
    visitor.press("Dispute it")
    look(visitor.page.url.removeprefix(installation.shop))
    assert "We look at it" in visitor.text

    [sent] = installation.values(Order.public_id, Order.email == "tessa@example.com")
    look(f"{installation.house.links.order(sent).removeprefix(installation.shop)}/return")
    assert "Ask to return it" in visitor.text

    quoted = _quoted(installation, "rowan@example.com")
    at = installation.house.links.quote(quoted.public_id).removeprefix(installation.shop)
    for path in (at, f"{at}/compare", f"{at}/accept", f"{at}/decline", f"{at}?version=1"):
        look(path)

    riley = served.move_in(installation, "Rue Thorne", "3 Thorne Way")
    look(installation.house.links.trial(riley.trial).removeprefix(installation.shop))

    unpaid = installation.order_by_guest("elm@example.com", "card")
    operation = installation.operation_of(unpaid.order_id)
    look(f"/pay/{operation}/return")
    look(f"/pay/{operation}/cancelled")
    setup = _begun_setup(installation)
    look(f"/methods/{setup}/return")
    look(f"/methods/{setup}/cancelled")

    enter.ask_reset(installation.house, "otis@example.com")
    enter.register(installation.house, "oak@example.com", "Oak Reed", "slow boats on the tarn")
    _invite(installation, "318640275", "yew@example.com")
    for to, subject in (
        ("otis@example.com", "password"),
        ("oak@example.com", "address"),
        ("yew@example.com", ""),
    ):
        [link] = [
            one
            for one in installation.mail(to, subject).links
            if one.startswith(f"{installation.shop}/account/")
        ]
        look(link.removeprefix(installation.shop))


def _begun_setup(installation: Installation) -> str:
    house = installation.house
    with house.db.reading() as session:
        account = accounts.by_number(session, "318640275")
    agreed = Consent(None, "trial", "trial:T-1", "I agree.", "1", "203.0.113.7")
    url = begin(house, SetUpWish(account.id, agreed, "/account", "/account"))
    [begun] = installation.values(PaymentOperation.public_id, PaymentOperation.redirect_url == url)
    return str(begun)


def _invite(installation: Installation, account: str, email: str) -> None:
    house = installation.house
    said = io.StringIO()
    code = invite.run([account, email], installation.settings, house.db, house.clock, said)
    assert code == 0, said.getvalue()


def test_pages_of_the_mail_box_and_of_the_processor(
    visit: NewVisitor, installation: Installation
) -> None:
    visitor = visit(SMALL, origins=(installation.mail_box, installation.processor))
    mail = installation.mail("mara@example.com", "bill")
    visitor.may_answer = {404}
    for address in (
        f"{installation.mail_box}/",
        f"{installation.mail_box}/?to=nobody",
        f"{installation.mail_box}/mail/{mail.id}",
        f"{installation.mail_box}/mail/none",
        f"{installation.processor}/",
    ):
        visitor.go(address)
        visitor.look()
        visitor.look_in_the_dark()
