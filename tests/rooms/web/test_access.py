"""Who may use which route: the table of ``routes`` against the shop as it runs."""

import re
from fnmatch import fnmatch
from typing import Any

import pytest
from flask import Blueprint

import app.web
from app.web import create_app
from core.parties.models import User
from core.parties.roles import ANY_ROLE, Role
from tests.rooms.web import tried
from tests.rooms.web.desk_roles import desk_routes, roles_for
from tests.rooms.web.looking import Offers
from tests.rooms.web.names import Names
from tests.rooms.web.routes import ROUTES
from tests.rooms.web.stage import COLLEAGUES, JUNE, KIM, NOBODY, RILEY, Stage
from tests.rooms.web.walk import told, walked
from web.access import Who, allow, may_open, roles_of, rule_of


def test_every_route_stands_in_the_table_with_whom_it_lets_in(one_stage: Stage):
    flask = one_stage.shop.app
    there = {
        f"{method} {rule.rule}": rule_of(flask.view_functions[rule.endpoint])
        for rule in flask.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    table = {route.name: (route.who, route.guard) for route in ROUTES}
    assert sorted(there.keys() - table.keys()) == [], "routes that the table doesn't name"
    assert sorted(table.keys() - there.keys()) == [], "lines whose route is gone"
    assert there == table
    assert len(table) == len(ROUTES), "a line stands twice"


def test_every_route_of_the_desk_is_for_the_roles_that_its_table_says(one_stage: Stage):
    flask = one_stage.shop.app
    views = {
        f"{method} {rule.rule}": flask.view_functions[rule.endpoint]
        for rule in flask.url_map.iter_rules()
        for method in rule.methods
    }
    wrong = []
    for route in desk_routes():
        told, table = roles_of(views[route.name]), roles_for(route)
        if told != table:
            wrong.append(
                f"{route.name}: its view says {sorted(told)}, tests/rooms/web/desk_roles.py {sorted(table)}; "
                "write a line with the start of its address there"
            )
    assert wrong == []


def test_a_page_opens_for_its_roles_and_tells_the_others_whom_to_ask(one_stage: Stage):
    """Every route of the desk as somebody of each role, and as somebody who has none.

    A page that opens offers nobody a link or a form that would be refused to them.
    """
    wrong, names = [], Names(one_stage)
    names["trial"] = tried.begun(one_stage, RILEY)  # before a service of theirs stands in its way
    people = {
        who: one_stage.browser(who) for who in COLLEAGUES
    }  # they look and are refused: no more
    for route in desk_routes():
        path = names.fill(route.path)
        needs = roles_for(route)
        for who, browser in people.items():
            may = who in needs or needs == ANY_ROLE
            if may and route.method != "GET":
                continue  # what it does is Kim's to try
            send = browser.get if route.method == "GET" else browser.post
            answer = send(path)
            if (answer.status_code == 403) == may or answer.status_code >= 500:
                wrong.append(f"{route.name} for {who}: {answer.status_code}")
            elif not may and "Ask an admin" not in answer.get_data(as_text=True):
                wrong.append(f"{route.name} for {who}: does not say whom to ask")
            elif may and answer.mimetype == "text/html":
                wrong += [
                    f"{route.name} for {who}: offers {method} {offered}"
                    for method, offered in _refused(one_stage, who, answer.get_data(as_text=True))
                ]
    assert wrong == []


def _refused(stage: Stage, who: str, html: str) -> list[tuple[str, str]]:
    """What a page offers somebody of a role, and refuses them."""
    held = [role for role in Role if role == who]
    with stage.shop.app.app_context():
        offers = sorted(Offers(html).found)
        return [offer for offer in offers if not may_open(held, offer[1], offer[0])]


def test_menu_and_todays_page_show_what_one_may_open(one_stage: Stage):
    for who in (*COLLEAGUES, KIM):
        browser = one_stage.browser(who)
        today = browser.get("/desk").get_data(as_text=True)
        listed = set(re.findall(r'href="(/desk/[^"]*)"', today))
        assert listed, who
        refused = [path for path in listed if browser.get(path).status_code == 403]
        assert refused == [], who
    assert "/desk/keys" in listed  # Kim's


def test_everybody_gets_what_the_table_says(stage: Stage):
    wrong = [
        f"{step}: {step.told}, not {step.wanted}"
        for step in walked(stage)
        if not fnmatch(step.told, step.wanted)
    ]
    assert wrong == []


def test_nothing_is_written_on_a_get(stage: Stage):
    """But counts of limits, which commit on their own; only programs' questions are counted."""
    gets = [step for step in walked(stage) if step.route.method == "GET"]
    assert len(gets) > 150
    assert any(step.written for step in walked(stage) if step.route.method == "POST")
    wrong = [
        (str(step), step.written)
        for step in gets
        if any(not _counts(statement) for statement in step.written)
        or (step.written and not step.route.rule.startswith("/api/"))
    ]
    assert wrong == []


#: What changes nothing that anybody would look for later.
NO_ACT = {
    "POST /desk/logout",
    "POST /desk/me/second-step/begin",
    # A round stands in its own table, with who asked for it; of a page what counts is its publishing.
    "POST /desk/reconciler",
    "POST /desk/content/pages/<public_id>/edit",
    # A cart is no order yet, its order is an act.
    "POST /desk/phone-orders/<cart_id>",
}


def test_what_is_done_at_the_desk_stands_in_the_audit_log(stage: Stage):
    """Of every act of the walk that changed something: who did it is written with it."""
    done = [
        step
        for step in walked(stage)
        if step.who == KIM
        and step.route.who == Who.STAFF
        and step.route.method != "GET"
        and step.status in (200, 201, 303)
        and step.route.name not in NO_ACT
        and any(_changes(statement) for statement in step.written)
    ]
    assert len(done) > 5
    silent = [
        str(step)
        for step in done
        if not any("INSERT INTO audit_entry" in statement for statement in step.written)
    ]
    assert silent == []


def _changes(statement: str) -> bool:
    return statement.startswith(("INSERT", "UPDATE", "DELETE")) and "rate_counter" not in statement


def _counts(statement: str) -> bool:
    return statement.startswith("BEGIN") or "rate_counter" in statement


#: Who holds which wrong key, and what they may not learn by it.
WRONG_KEYS = [
    (NOBODY, "/o/{riley_order}/{guest_order_token}"),
    (NOBODY, "/o/{riley_order}/{guest_order_token}/thanks"),
    (NOBODY, "/o/{riley_order}/{guest_order_token}/bills/{riley_bill}"),
    (NOBODY, "/o/{riley_order}/{guest_order_token}/bills/{riley_bill}.pdf"),
    (NOBODY, "/o/{guest_order}/{guest_order_token}/bills/{riley_bill}"),
    (NOBODY, "/o/{guest_order}/{guest_order_token}/bills/{riley_bill}.pdf"),
    (RILEY, "/o/{guest_order}/{riley_order_token}"),
    (KIM, "/o/{guest_order}/{riley_order_token}"),
    (JUNE, "/account/bills/{paid_bill}"),
    (JUNE, "/account/bills/{riley_other_bill}.pdf"),
    (JUNE, "/account/bills/{guest_bill}"),
    (RILEY, "/account/bills/{june_bill}"),
    (RILEY, "/account/bills/{june_bill}.pdf"),
    (RILEY, "/account/payments/{riley_bill}"),
    (NOBODY, "/pay/{riley_order}/return"),
    (NOBODY, "/pay/{riley_order}/cancelled"),
    (NOBODY, "/pay/{setup}/return"),
    (NOBODY, "/pay/{setup}/cancelled"),
    (NOBODY, "/methods/{operation}/return"),
    (NOBODY, "/methods/{operation}/cancelled"),
    (NOBODY, "/q/{riley_quote}/{riley_order_token}"),
    (NOBODY, "/q/{riley_quote}/{riley_order_token}/1.pdf"),
    (JUNE, "/q/{riley_quote}/{riley_order_token}/accept"),
    (JUNE, "/account/quotes/{riley_quote}"),
    (JUNE, "/account/quotes/{riley_quote}/1.pdf"),
    (RILEY, "/account/quotes/{riley_order}"),
    (RILEY, "/account/quotes/{riley_quote}/9.pdf"),
    (KIM, "/desk/quotes/{riley_order}"),
    (KIM, "/desk/orders/{riley_bill}"),
    (KIM, "/desk/invoices/{riley_order}"),
    (KIM, "/desk/payments/{riley_order}"),
    (KIM, "/desk/jobs/987654321"),
]


def test_a_wrong_key_opens_nothing_and_looks_like_nothing(stage: Stage):
    names = Names(stage)
    for who, path in WRONG_KEYS:
        browser = stage.browser(who)
        refused = browser.get(names.fill(path))
        assert refused.status_code == 404, (who, path)
        for name in ("Riley", "June", "100001"):
            assert name not in refused.get_data(as_text=True).split("<main")[1], (who, path)


def test_a_mailed_link_opens_only_what_it_is_for(stage: Stage):
    browser, link = stage.browser(), stage.ids["reset_link"]
    forged = link[:-1] + ("0" if link[-1] != "0" else "1")
    for path in (
        f"/account/reset/{forged}",
        f"/account/invite/{link}",
        f"/account/verify/{link}",
        f"/account/reset/{link[:32]}",
        "/account/reset/nothing",
    ):
        assert browser.get(path).status_code == 410, path
        assert browser.post(path, {"password": "a new long password"}).status_code == 410, path


def test_a_program_comes_in_by_its_own_secret(stage: Stage):
    browser, order = stage.browser(), f"/api/v1/orders/{stage.ids['riley_order']}"

    def status(path: str, token: str) -> int:
        return browser.get(path, headers={"Authorization": f"Bearer {token}"}).status_code

    assert status("/metrics", "figures-for-tests") == 200
    assert status("/metrics", "figures-for-test") == 404
    assert status(order, stage.ids["riley_order_token"]) == 200
    assert status(order, stage.ids["guest_order_token"]) == 401


def test_somebody_who_is_shut_out_is_out_at_once(stage: Stage):
    browser = stage.browser(JUNE)
    assert browser.get("/account").status_code == 200
    try:
        _set(stage, disabled_at=stage.clock.now())
        assert told(browser.get("/account"), stage) == "302 /account/login"
    finally:
        _set(stage, disabled_at=None)
    assert browser.get("/account").status_code == 200


def _set(stage: Stage, **values: Any) -> None:
    with stage.db.transaction() as session:
        row = session.get_one(User, stage.people[JUNE])
        for name, value in values.items():
            setattr(row, name, value)


def test_the_way_back_after_logging_in_keeps_the_whole_address(one_stage: Stage):
    answer = one_stage.browser().get("/account/pay?bill=a&bill=b")
    assert answer.headers["Location"] == "/account/login?next=/account/pay%3Fbill%3Da%26bill%3Db"


def test_a_view_that_does_not_say_whom_it_lets_in_stops_the_start(
    one_stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    stray = Blueprint("stray", __name__)
    stray.get("/stray")(lambda: "let me in")
    monkeypatch.setattr(app.web, "shop_blueprints", lambda: [stray])
    with pytest.raises(RuntimeError, match=r"/stray \(stray\..*: write @allow\(Who"):
        create_app(one_stage.shop.settings, one_stage.house)


def test_a_view_of_the_desk_that_names_no_role_stops_the_start(
    one_stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    stray = Blueprint("stray", __name__)
    stray.get("/desk/stray")(allow(Who.STAFF)(lambda: "let me in"))
    monkeypatch.setattr(app.web, "shop_blueprints", lambda: [stray])
    with pytest.raises(RuntimeError, match=r"/desk/stray .*write @allow\(Who.STAFF, roles=\(Role"):
        create_app(one_stage.shop.settings, one_stage.house)
