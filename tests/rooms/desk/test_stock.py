"""Stock at the desk: the list and its file, what is low, one level, and correcting it."""

from sqlalchemy import delete, select

from core.stock import levels, listing, places
from core.stock.models import Location, StockLevel
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, Stage


def _level(stage: Stage) -> StockLevel:
    return stage.row(StockLevel, StockLevel.id == stage.world.camera.level_id)


def test_the_list_finds_narrows_and_leaves_as_a_file(stage: Stage):
    kim, camera = stage.browser(KIM), stage.world.camera
    href = f"/desk/stock/{camera.level_id}"
    assert href in Page(kim.get("/desk/stock?q=porch")).values
    assert href not in Page(kim.get("/desk/stock?q=router")).values
    with stage.db.transaction() as session:  # others may have bought the last
        here = (camera.variant_id, stage.world.location_id, 50, stage.clock.now())
        levels.receive(session, *here)
    limits = {"low_at": "1000", "backorder_limit": "0", "safety_stock": "0", "preorder_limit": "0"}
    set_ = kim.post(f"{href}/limits", limits)
    assert set_.status_code == 303, Page(set_).text
    assert href in Page(kim.get("/desk/stock?state=low&q=porch")).values
    file = kim.get("/desk/stock/export.csv?q=porch")
    assert file.mimetype == "text/csv"
    lines = file.get_data(as_text=True).splitlines()
    assert lines[0].startswith("\ufeffsku,") or lines[0].startswith("sku,")
    assert sum(",Harbor Lane," in line for line in lines) == 1
    assert all(line.startswith("FW-CAM-1,") for line in lines[1:])
    kim.post(f"{href}/limits", limits | {"low_at": "0"})


def test_it_is_corrected_with_a_reason_and_told_when_that_goes_below_what_is_sold(stage: Stage):
    kim, level = stage.browser(KIM), _level(stage)
    path = f"/desk/stock/{level.id}"
    form = next(f for _, _, f in Page(kim.get(path)).forms if "seen" in f)
    asked = {"seen": form["seen"], "once": form["once"], "reason": "received", "pieces": "4"}
    for _ in range(2):
        assert kim.post(path, asked).status_code == 303
    assert _level(stage).on_hand == level.on_hand + 4
    assert kim.post(path, asked | {"pieces": "x"}).status_code == 422
    stale = kim.post(path, asked | {"once": "other"})
    assert stale.status_code == 422
    assert "changed in the meantime" in Page(stale).text
    order = stage.order_on_terms(stage.world.camera.sku)
    now = _level(stage)
    low = {"seen": str(now.on_hand), "reason": "counted", "pieces": "0"}
    refused = kim.post(path, low | {"once": "low"})
    assert refused.status_code == 422
    assert "sold or held" in Page(refused).text
    assert kim.post(path, low | {"once": "low2", "even_so": "on"}).status_code == 303
    page = Page(kim.get(path))
    assert "limit for back-orders is" in page.text
    assert f"/desk/orders/{order.public_id}" in page.values
    kim.post(path, {"seen": "0", "once": "back", "reason": "found", "pieces": "20"})


def test_what_is_held_stands_with_who_has_it(stage: Stage):
    order = stage.begin_to_pay(stage.world.router.sku)
    page = Page(stage.browser(KIM).get("/desk/stock/holds"))
    assert f"/desk/orders/{order.public_id}" in page.values


def test_support_looks_and_does_not_touch(stage: Stage):
    path = f"/desk/stock/{stage.world.camera.level_id}"
    browser = stage.browser("support")
    assert [f for action, _, f in Page(browser.get(path)).forms if "seen" in f] == []
    assert browser.post(path, {}).status_code == 403


def test_a_place_is_opened_and_says_where_it_stands(stage: Stage):
    kim, path = stage.browser(KIM), "/desk/stock/places"
    form = {"code": "mill-2", "name": "Mill Street", "region": "pa", "priority": "3"}
    assert "Say in which country" in Page(kim.post(path, form)).text
    assert kim.post(path, form | {"country": "us", "postal_prefix": "150"}).status_code == 303
    with stage.db.reading() as session:
        row = places.by_code(session, "mill-2")
        assert (row.country, row.region, row.postal_prefix) == ("US", "PA", "150")
        camera = listing.level_of(session, stage.world.camera.sku, "mill-2")
    assert camera is not None, "what is counted has a level there"
    assert "already" in Page(kim.post(path, form | {"country": "US"})).text
    changed = form | {"country": "US", "priority": "9"}
    assert kim.post(f"{path}/mill-2", changed).status_code == 303
    with stage.db.transaction() as session:
        assert places.by_code(session, "mill-2").priority == 9
        session.execute(delete(StockLevel).where(StockLevel.on_hand == 0, _AT_MILL))
        session.execute(delete(Location).where(Location.code == "mill-2"))


def test_a_file_is_looked_at_and_then_done(stage: Stage):
    kim, path, level = stage.browser(KIM), "/desk/stock/import", _level(stage)
    with stage.db.reading() as session:
        place = session.get_one(Location, stage.world.location_id).code
    text = f"sku,location,reason,pieces\n{stage.world.camera.sku},{place},found,2\n"
    page = Page(kim.post(path, {"text": text}))
    action, _, form = next(one for one in page.forms if one[0].endswith("/apply"))
    assert _level(stage).on_hand == level.on_hand
    asked = {"text": text, "mark": form["mark"], "once": form["once"]}
    assert kim.post(action, asked).status_code == 303
    assert _level(stage).on_hand == level.on_hand + 2
    moved = kim.post(action, asked | {"once": "again"})
    assert moved.status_code == 409
    assert "in the meantime" in Page(moved).text
    wrong = kim.post(path, {"text": "sku,pieces\nNOTHING,1\n"})
    assert (wrong.status_code, "Nothing with this SKU" in Page(wrong).text) == (422, True)


_AT_MILL = StockLevel.location_id.in_(select(Location.id).where(Location.code == "mill-2"))
