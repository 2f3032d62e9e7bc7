"""Plans, gift cards and bundles are made at the desk, and priced on several lists; the shop sells them so."""

from datetime import timedelta

from core.catalog.models import Variant
from core.prices.models import Plan, PriceList
from tests.rooms.desk.test_products import new_product
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, NOBODY, Stage


def _thing(sku: str, kind: str, price: str, **more: str) -> dict[str, str]:
    return {
        "once": f"thing-{sku}",
        "sku": sku,
        "variant_name": sku.title(),
        "kind": kind,
        "tax_category": "device",
        "price": price,
        **more,
    }


def test_a_plan_is_made_with_its_terms_and_sold(stage: Stage):
    kim, visitor = stage.browser(KIM), stage.browser(NOBODY)
    plan = {"kind": "plan", "interval": "month", "activation": "at_once", "price": "9.50"}
    terms = {"family": "watch", "features": "alarm, cloud"}
    made = kim.post("/desk/products/new", new_product("Night watch", **plan, **terms))
    assert made.status_code == 303
    path = "/desk/products/night-watch"
    kim.post(f"{path}/publish", {"shown": "yes"})
    yearly = _thing("WATCH-Y", "plan", "95", interval="year", activation="at_once")
    assert kim.post(f"{path}/things", yearly).status_code == 303
    row = stage.row(Variant, Variant.sku == "NIGHT-WATCH")
    kept = stage.row(Plan, Plan.variant_id == row.id)
    assert (kept.interval, kept.family, kept.features) == ("month", "watch", ["alarm", "cloud"])
    shown = Page(visitor.get("/p/night-watch")).text
    assert "9.50" in shown
    assert "a year" in shown
    assert "begins with the order" in Page(kim.get(f"{path}/things/NIGHT-WATCH")).text
    for wrong in ({"interval": "week"}, {"family": "Not One"}, {"features": "A B"}):
        sent = _thing("WATCH-W", "plan", "1", activation="at_once") | {"interval": "month"} | wrong
        assert kim.post(f"{path}/things", sent).status_code == 422
    assert kim.post(f"{path}/things", _thing("CARD-0", "gift_card", "0")).status_code == 422
    card = _thing("CARD-30", "gift_card", "30")
    assert kim.post(f"{path}/things", card).status_code == 303
    assert stage.row(Variant, Variant.sku == "CARD-30").tax_category == "gift_card"


def test_a_list_that_holds_goes_first_and_many_cost_less(one_stage: Stage):
    stage, now = one_stage, one_stage.clock.now()
    kim, visitor = stage.browser(KIM), stage.browser(NOBODY)
    kim.post("/desk/products/new", new_product("Sale lamp"))
    path = "/desk/products/sale-lamp"
    kim.post(f"{path}/publish", {"shown": "yes"})
    until = (now + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    spring = {"code": "spring", "priority": "50", "valid_to": until}
    assert kim.post("/desk/price-lists", spring).status_code == 303
    for wrong in (spring, spring | {"code": "No Code"}, spring | {"code": "x", "priority": "a"}):
        assert kim.post("/desk/price-lists", wrong).status_code == 422
    prices = f"{path}/things/SALE-LAMP/prices"

    def set_price(price: str, quantity: str = "1", code: str = "spring") -> int:
        sent = {"code": code, "price": price, "min_quantity": quantity, "charge_kind": "one_off"}
        return kim.post(prices, sent).status_code

    assert [set_price("9.00"), set_price("7.00", "10"), set_price("8.0000005")] == [303, 303, 422]
    assert [set_price("1", "0"), set_price("1", code="other")] == [422, 404]
    told = Page(kim.get(f"{path}/things/SALE-LAMP")).text
    assert "from 10 on" in told
    assert "9.00" in Page(visitor.get("/p/sale-lamp")).text
    assert set_price("", "10") == 303
    assert "from 10 on" not in Page(kim.get(f"{path}/things/SALE-LAMP")).text
    base = next(
        action.split("/")[3]
        for action, _, _ in Page(kim.get("/desk/price-lists")).forms
        if action.endswith("/end")
    )
    assert base == "spring", "the list that always holds has no button"
    assert kim.post("/desk/price-lists/spring/end").status_code == 303
    assert "12.50" in Page(visitor.get("/p/sale-lamp")).text


def test_a_bundle_is_packed_priced_and_sold(stage: Stage):
    kim, visitor = stage.browser(KIM), stage.browser(NOBODY)
    bundle = {"kind": "bundle", "price": ""}
    assert kim.post("/desk/products/new", new_product("Porch set", **bundle)).status_code == 303
    path = "/desk/products/porch-set"
    kim.post(f"{path}/publish", {"shown": "yes"})
    assert visitor.get("/p/porch-set").status_code == 404, "nothing is in it yet"
    here = f"{path}/things/PORCH-SET"
    wrong = {"sku-0": "NOTHING", "quantity-0": "1", "weight-0": "1", "sku-1": "PORCH-SET"}
    refused = Page(kim.post(f"{here}/pieces", wrong))
    assert {"sku-0-error", "sku-1-error", "quantity-1-error"} <= set(refused.values)
    pieces = {"sku-0": "fw-cam-1", "quantity-0": "2", "weight-0": "200"}
    assert kim.post(f"{here}/pieces", pieces).status_code == 303
    code = stage.row(PriceList, PriceList.priority == 0).code
    once = {"code": code, "charge_kind": "one_off", "price": "180.00"}
    assert kim.post(f"{here}/prices", once).status_code == 303
    assert "180.00" in Page(visitor.get("/p/porch-set")).text
    assert kim.post(f"{here}/prices", once | {"charge_kind": "weekly"}).status_code == 422
