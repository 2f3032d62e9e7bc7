"""Products at the desk: made, described, priced, shown and archived; what is sold follows."""

from core.catalog.models import Product, Variant
from core.stock.models import StockLevel
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, NOBODY, Stage

PICTURE = "img/products/plug.svg"


def _new(name: str, **more: str) -> dict[str, str]:
    slug = name.lower().replace(" ", "-")
    return {
        "once": f"new-{slug}",
        "name": name,
        "slug": slug,
        "summary": "In one line",
        "description": "Two\nlines",
        "picture": PICTURE,
        "category": "devices",
        "sku": slug.upper(),
        "variant_name": name,
        "kind": "physical",
        "tax_category": "device",
        "price": "12.50",
        **more,
    }


def test_a_product_is_made_shown_priced_and_archived(stage: Stage):
    kim, visitor = stage.browser(KIM), stage.browser(NOBODY)
    made = [kim.post("/desk/products/new", _new("Garden lamp")) for _ in range(2)]
    assert [one.status_code for one in made] == [303, 303]
    path = "/desk/products/garden-lamp"
    assert visitor.get("/p/garden-lamp").status_code == 404
    assert path in Page(kim.get("/desk/products?q=garden&state=archived")).values
    thing = stage.row(Variant, Variant.sku == "GARDEN-LAMP")
    assert stage.row(StockLevel, StockLevel.variant_id == thing.id).on_hand == 0
    assert kim.post(f"{path}/publish", {"shown": "yes"}).status_code == 303
    assert "12.50" in Page(visitor.get("/p/garden-lamp")).text
    price = {"GARDEN-LAMP-variant_name": "Lamp", "GARDEN-LAMP-price": "14.00"}
    things = f"{path}/things/GARDEN-LAMP"
    assert kim.post(things, price | {"GARDEN-LAMP-active": "y"}).status_code == 303
    assert stage.row(Variant, Variant.sku == "GARDEN-LAMP").name == "Lamp"
    assert "14.00" in kim.get(path).get_data(as_text=True)
    refused = kim.post(things, price | {"GARDEN-LAMP-price": "much"})
    assert refused.status_code == 422
    assert "GARDEN-LAMP-price-error" in Page(refused).values
    assert kim.post(f"{path}/publish", {"shown": "no"}).status_code == 303
    assert visitor.get("/p/garden-lamp").status_code == 404


def test_a_product_moves_and_its_old_address_leads_to_it(stage: Stage):
    kim, visitor = stage.browser(KIM), stage.browser(NOBODY)
    kim.post("/desk/products/new", _new("Old lamp"))
    kim.post("/desk/products/old-lamp/publish", {"shown": "yes"})
    for wrong in ("porch-camera", "Old Lamp", ""):
        refused = kim.post("/desk/products/old-lamp/address", {"slug": wrong})
        assert refused.status_code == 422
        assert "slug-error" in Page(refused).values
    moved = kim.post("/desk/products/old-lamp/address", {"slug": "new-lamp"})
    assert moved.headers["Location"] == "/desk/products/new-lamp/address"
    led = visitor.get("/p/old-lamp?campaign=x")
    assert (led.status_code, led.headers["Location"]) == (301, "/p/new-lamp?campaign=x")
    assert "Old lamp" in Page(visitor.get("/p/new-lamp")).text
    assert "/p/old-lamp" in Page(kim.get("/desk/products/new-lamp/address")).text
    kim.post("/desk/products/new-lamp/address", {"slug": "old-lamp"})
    assert visitor.get("/p/old-lamp").status_code == 200
    assert visitor.get("/p/new-lamp").headers["Location"] == "/p/old-lamp"


def test_what_is_wrong_stands_at_its_field(stage: Stage):
    kim = stage.browser(KIM)
    wrong = _new("Night lamp", slug="Night Lamp", sku="night lamp", price="-1", picture="x")
    refused = kim.post("/desk/products/new", wrong | {"name": " "})
    assert refused.status_code == 422
    kim.post("/desk/products/new", _new("Hall lamp"))
    again = kim.post("/desk/products/new", _new("Hall lamp", once="other", sku="HALL-2"))
    assert "slug-error" in Page(again).values
    same = kim.post(
        "/desk/products/hall-lamp/things", _new("Hall lamp", once="third", sku="FW-CAM-1")
    )
    assert "sku-error" in Page(same).values
    assert stage.rows(Product, Product.slug == "Night Lamp") == []


def test_somebody_elses_words_are_not_overwritten(stage: Stage):
    kim = stage.browser(KIM)
    kim.post("/desk/products/new", _new("Step lamp"))
    path = "/desk/products/step-lamp"
    seen = next(f for _, _, f in Page(kim.get(path)).forms if "seen" in f)["seen"]
    said = _new("Step light") | {"seen": seen}
    assert kim.post(path, said).status_code == 303
    kim.post(path, said | {"name": "Somebody else"})
    assert stage.row(Product, Product.slug == "step-lamp").name == "Step light"
