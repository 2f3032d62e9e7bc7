"""Customers at the desk: found, sorted, one page with everything, opened and changed."""

from core.parties.models import Account
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, RILEY, Stage


def _riley(stage: Stage) -> Account:
    return stage.row(Account, Account.id == stage.accounts[RILEY])


def test_customers_are_found_by_name_mail_number_and_who_logs_in(stage: Stage):
    kim, riley = stage.browser(KIM), _riley(stage)
    href = f"/desk/customers/{riley.public_id}"
    spaced = f"{riley.number[:3]} {riley.number[3:]}"
    for words in ("riley m", riley.number, spaced, "RILEY@example.com"):
        assert href in Page(kim.get("/desk/customers", query_string={"q": words})).values, words
    for words in ("June", "%", "_iley"):
        assert href not in Page(kim.get("/desk/customers", query_string={"q": words})).values
    for sort in ("name", "-name", "number", "created", "nonsense"):
        assert kim.get(f"/desk/customers?sort={sort}&kind=person").status_code == 200
    file = kim.get(f"/desk/customers/export.csv?q={riley.number}")
    assert len(file.get_data(as_text=True).splitlines()) == 2


def test_pages_follow_one_another_in_each_order(stage: Stage, monkeypatch):
    monkeypatch.setattr("desk.lists.PAGE_SIZE", 3)
    kim, everybody = stage.browser(KIM), len(stage.rows(Account))
    for sort in ("name", "-number", "-created"):
        seen: list[str] = []
        path = f"/desk/customers?sort={sort}"
        while path:
            page = Page(kim.get(path))
            found = [one for one in page.values if one.startswith("/desk/customers/")]
            seen += [
                one for one in dict.fromkeys(found) if len(one) == len("/desk/customers/") + 32
            ]
            following = [
                one for one in page.values if "before=" in one and "/desk/customers" in one
            ]
            path = following[0] if following else ""
        assert len(seen) == len(set(seen)) == everybody, sort


def test_one_page_tells_everything_and_shows_what_ones_role_may(stage: Stage):
    riley = _riley(stage)
    path = f"/desk/customers/{riley.public_id}"
    order = stage.order_on_terms(stage.world.visit.sku, who=RILEY)  # the page lists the newest
    page = Page(stage.browser(KIM).get(path))
    assert f"/desk/orders/{order.public_id}" in page.values
    assert f"/desk/invoices/{stage.bill_of(order).public_id}" in page.values
    assert f"/desk/payments/{stage.ids['riley_payment']}" in page.values
    assert f"/desk/quotes/{stage.ids['riley_quote']}" in page.values
    for words in ("riley@example.com", "owner", "Mails sent", "Audit log", "Accounts receivable"):
        assert words in page.text, words
    assert f"/desk/terms/{riley.number}" in page.values
    support = Page(stage.browser("support").get(path))
    assert f"/desk/terms/{riley.number}" not in support.values
    assert f"{path}/edit" in support.values


def test_an_account_is_opened_once_and_changed(stage: Stage):
    kim = stage.browser(KIM)
    typed = {
        "once": "new-one",
        "name": "Theo Marsh",
        "kind": "person",
        "email": "theo@example.com",
        "line1": "9 Quay Street",
        "city": "Marrow Bay",
        "region": "OH",
        "postal_code": "44001",
        "country": "US",
    }
    refused = kim.post("/desk/customers/new", typed | {"name": " ", "postal_code": "4"})
    assert refused.status_code == 422
    assert {"name-error", "postal_code-error"} <= set(Page(refused).values)
    made = [kim.post("/desk/customers/new", typed) for _ in range(2)]
    assert [one.status_code for one in made] == [303, 303]
    account = stage.row(Account, Account.email == "theo@example.com")
    path = f"/desk/customers/{account.public_id}/edit"
    seen = next(f for _, _, f in Page(kim.get(path)).forms if "seen" in f)["seen"]
    assert kim.post(path, typed | {"name": "Theo Marsh-Hale", "seen": seen}).status_code == 303
    stale = kim.post(path, typed | {"name": "Somebody else", "seen": seen})
    assert stale.headers["Location"].endswith("/edit")
    assert stage.row(Account, Account.id == account.id).name == "Theo Marsh-Hale"
