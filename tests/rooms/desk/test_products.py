"""Products at the desk: made, described, priced, shown and archived; what is sold follows."""

import io

from core.catalog.models import Product, Variant
from core.stock.models import StockLevel
from tests import contents
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, NOBODY, Stage

PICTURE = "img/products/plug.svg"


def new_product(name: str, **more: str) -> dict[str, str]:
    slug = name.lower().replace(" ", "-")
    return {
        "once": f"new-{slug}",
        "name": name,
        "slug": slug,
        "summary": "In one line",
        "description": "Two\nlines",
        "pictures": PICTURE,
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
    made = [kim.post("/desk/products/new", new_product("Garden lamp")) for _ in range(2)]
    assert [one.status_code for one in made] == [303, 303]
    path = "/desk/products/garden-lamp"
    assert visitor.get("/p/garden-lamp").status_code == 404
    assert path in Page(kim.get("/desk/products?q=garden&state=archived")).values
    thing = stage.row(Variant, Variant.sku == "GARDEN-LAMP")
    levels = stage.rows(StockLevel, StockLevel.variant_id == thing.id)
    assert {level.on_hand for level in levels} == {0}
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
    packs = price | {"GARDEN-LAMP-active": "y", "GARDEN-LAMP-quantity_step": "5"}
    for wrong in ({"GARDEN-LAMP-quantity_least": "lots"}, {"GARDEN-LAMP-quantity_most": "4"}):
        refused = kim.post(things, packs | wrong)
        assert refused.status_code == 422
        assert f"{next(iter(wrong))}-error" in Page(refused).values
    assert kim.post(things, packs | {"GARDEN-LAMP-quantity_least": "10"}).status_code == 303
    sold = stage.row(Variant, Variant.sku == "GARDEN-LAMP")
    assert (sold.quantity_step, sold.quantity_least, sold.quantity_most) == (5, 10, None)
    assert "5 at a time, at least 10" in Page(visitor.get("/p/garden-lamp")).text
    assert kim.post(f"{path}/publish", {"shown": "no"}).status_code == 303
    assert visitor.get("/p/garden-lamp").status_code == 404


def test_a_product_moves_and_its_old_address_leads_to_it(stage: Stage):
    kim, visitor = stage.browser(KIM), stage.browser(NOBODY)
    kim.post("/desk/products/new", new_product("Old lamp"))
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


def test_pictures_are_uploaded_ordered_and_shown_wherever_the_product_is(stage: Stage):
    kim, visitor = stage.browser(KIM), stage.browser(NOBODY)
    kim.post("/desk/products/new", new_product("Photo lamp", category=""))
    path = "/desk/products/photo-lamp"
    kim.post(f"{path}/publish", {"shown": "yes"})

    def do(act: str, data: bytes = b"", **typed: str) -> int:
        sent = {"csrf_token": kim.token(), "do": act, **typed}
        form = sent | {"file": (io.BytesIO(data), "lamp.jpg")} if data else sent
        answer = kim.ask("POST", f"{path}/pictures", data=form, content_type="multipart/form-data")
        return answer.status_code

    assert do("upload", contents.photo(), alt="") == 422, "nobody knows what it shows"
    assert do("upload", b"<svg onload=alert(1)>", alt="A lamp") == 422
    assert do("upload", contents.photo(), alt="A lamp & its <shade>") == 303
    for wrong in ("media:" + "0" * 32, "img/../css/base.css", ""):
        assert do("add", pictures=wrong) == 422
    assert do("up:1") == 303
    row = stage.row(Product, Product.slug == "photo-lamp")
    upload = row.pictures[0].removeprefix("media:")
    assert (row.picture, row.pictures[1]) == (f"/media/{upload}-480.jpg", PICTURE)
    html = visitor.get("/p/photo-lamp").get_data(as_text=True)
    assert f'src="/media/{upload}-960.jpg"' in html
    assert 'alt="A lamp &amp; its &lt;shade&gt;"' in html
    assert f'"image":["{stage.shop.settings.base_url}/media/{upload}-1200.jpg",' in html
    told = visitor.get("/api/v1/products/photo-lamp").json
    assert told["picture"].endswith(f"/media/{upload}-480.jpg")
    assert [one["width"] for one in told["pictures"][0]["sources"]] == [480, 960, 1200]
    assert do("out:0") == 303
    assert do("out:0") == 422, "the last one stays"
    assert stage.row(Product, Product.slug == "photo-lamp").picture == PICTURE


def test_what_is_wrong_stands_at_its_field(stage: Stage):
    kim = stage.browser(KIM)
    wrong = new_product("Night lamp", slug="Night Lamp", sku="night lamp", price="-1", pictures="x")
    refused = kim.post("/desk/products/new", wrong | {"name": " "})
    assert refused.status_code == 422
    kim.post("/desk/products/new", new_product("Hall lamp"))
    again = kim.post("/desk/products/new", new_product("Hall lamp", once="other", sku="HALL-2"))
    assert "slug-error" in Page(again).values
    same = kim.post(
        "/desk/products/hall-lamp/things", new_product("Hall lamp", once="third", sku="FW-CAM-1")
    )
    assert "sku-error" in Page(same).values
    assert stage.rows(Product, Product.slug == "Night Lamp") == []


def test_somebody_elses_words_are_not_overwritten(stage: Stage):
    kim = stage.browser(KIM)
    kim.post("/desk/products/new", new_product("Step lamp"))
    path = "/desk/products/step-lamp"
    seen = next(f for _, _, f in Page(kim.get(path)).forms if "seen" in f)["seen"]
    said = new_product("Step light") | {"seen": seen}
    assert kim.post(path, said).status_code == 303
    kim.post(path, said | {"name": "Somebody else"})
    assert stage.row(Product, Product.slug == "step-lamp").name == "Step light"
