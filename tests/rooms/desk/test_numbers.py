"""Numbers at the desk and in the shop: a pool is filled, one is chosen, and looked at."""

from core.stock.models import LogicalResource
from tests.rooms.web.looking import Page
from tests.rooms.web.names import Names
from tests.rooms.web.stage import KIM, NOBODY, RILEY, Stage


def test_a_pool_is_filled_looked_through_and_what_is_free_withdrawn_and_put_back(stage: Stage):
    kim, names = stage.browser(KIM), Names(stage)
    pool, sku = names["pool"], names["pool_sku"]
    base = f"/desk/stock/numbers/{pool}"
    refused = Page(kim.post("/desk/stock/numbers", {"sku": "FW-RT-6", "kind": "number"}))
    assert "only plans, services and digital goods can" in refused.text
    assert (
        "Nothing is sold under this SKU."
        in Page(kim.post("/desk/stock/numbers", {"sku": "NONE", "kind": "number"})).text
    )
    taken = Page(kim.post("/desk/stock/numbers", {"sku": sku, "kind": "number"}))
    assert "has its numbers already" in taken.text

    more = {"values": f"700 {sku} 1\n700 {sku} 2\n", "once": f"o-{sku}"}
    for _ in range(2):
        assert kim.post(f"{base}/add", more).status_code == 303
    doubled = kim.post(f"{base}/add", {"values": f"700-{sku}-1", "once": f"p-{sku}"})
    assert (doubled.status_code, "It is there already." in Page(doubled).text) == (422, True)
    file = {"text": f"value,note\n800 {sku},New\n700{sku}1,\n"}
    looked = kim.post(f"{base}/import", file)
    assert (looked.status_code, "It is there already." in Page(looked).text) == (422, True)
    text = {"text": f"value\n800 {sku}\n"}
    good = Page(kim.post(f"{base}/import", text))
    (form,) = [fields for action, _, fields in good.forms if action == f"{base}/import/apply"]
    assert kim.post(f"{base}/import/apply", form | text).status_code == 303
    assert stage.row(LogicalResource, LogicalResource.value == f"800 {sku}").state == "free"
    assert kim.post(f"{base}/terms", {"quarantine_days": "-3"}).status_code == 422

    one = stage.row(LogicalResource, LogicalResource.value == f"700 {sku} 1")
    here = f"{base}/{one.id}"
    assert here in Page(kim.get(f"{base}?state=free&q=700 {sku}")).values
    assert f"Sell 700 {sku} 1 no more?" in Page(kim.get(f"{here}/withdraw")).text
    kim.post(f"{here}/withdraw", {"note": "Ported away"})
    page = Page(kim.get(here))
    assert "Ported away" in page.text
    assert here not in Page(kim.get(f"{base}?state=free")).values
    kim.post(f"{here}/release")
    assert "It is withdrawn: this cannot be done" in Page(kim.get(here)).text
    kim.post(f"{here}/restore")
    assert "Put back" in Page(kim.get(here)).text
    assert kim.get(f"/desk/stock/numbers/{one.id}/{one.id}").status_code == 404
    assert stage.browser("support").post(f"{here}/restore").status_code == 403


def test_a_customer_chooses_from_the_free_ones_and_is_told_when_somebody_was_faster(stage: Stage):
    names, guest, other = Names(stage), stage.browser(NOBODY), stage.browser(RILEY)
    sku, slug = names["pool_sku"], names["pool_slug"]
    first = f"020 {sku.removeprefix('FW-LINE-')} 0"
    second = first[:-1] + "1"
    assert f"/numbers/{sku}" in Page(guest.get(f"/p/{slug}")).values
    listed = Page(guest.get(f"/numbers/{sku}"))
    assert {first, second} <= set(listed.values)
    found = Page(guest.get(f"/numbers/{sku}?q={first.replace(' ', '')}")).values
    assert (first in found, second in found) == (True, False)
    assert "in it" in Page(guest.get(f"/numbers/{sku}?q=nothing")).text
    put = {"sku": sku, "quantity": "1", "number": first}
    assert guest.post("/cart/lines", put).headers["Location"] == "/cart"
    cart = Page(guest.get("/cart"))
    assert first in cart.text
    late = other.post("/cart/lines", put)
    assert late.headers["Location"] == f"/numbers/{sku}"
    told = Page(other.get(late.headers["Location"]))
    assert f"Somebody else took {first}" in told.text
    assert (first in told.values, second in told.values) == (False, True)

    (again,) = {one for one in cart.values if one.startswith(f"/numbers/{sku}?line=")}
    choose = Page(guest.get(again))
    (form,) = [fields for action, _, fields in choose.forms if action.endswith("/number")]
    (action,) = [action for action, _, _ in choose.forms if action.endswith("/number")]
    assert guest.post(action, form | {"number": second}).headers["Location"] == "/cart"
    shown = Page(guest.get("/cart")).text
    assert (first in shown, second in shown) == (False, True)
    assert guest.get("/numbers/FW-VISIT").status_code == 404


def test_a_number_is_chosen_for_a_line_of_a_quote(stage: Stage):
    kim, names = stage.browser(KIM), Names(stage)
    pool, sku = names["pool"], names["pool_sku"]
    added = {"values": f"900 {sku} 1\n900 {sku} 2\n", "once": f"q-{sku}"}
    assert kim.post(f"/desk/stock/numbers/{pool}/add", added).status_code == 303
    begun = kim.post("/desk/quotes/new", {"name": "Pat Rowan", "email": "pat@rowan.example.com"})
    edit = begun.headers["Location"]
    (fields,) = [fields for action, _, fields in Page(kim.get(edit)).forms if action == edit]
    del fields["place"]  # a button that was not pressed
    fields["payment"] = "either"
    line = {"lines-0-sku": sku, "lines-0-quantity": "1", "lines-0-price": "5"}
    refused = kim.post(edit, fields | line | {"lines-0-numbers": "12", "look": "1"})
    assert refused.status_code == 422
    assert "12 is not one that can be chosen here." in Page(refused).text
    looked = kim.post(edit, fields | line | {"lines-0-numbers": f"900{sku}2", "look": "1"})
    assert looked.status_code == 303
    assert f"900 {sku} 2" in Page(kim.get(looked.headers["Location"])).text
    assert f"900 {sku} 2" in Page(kim.get(edit)).values


def test_as_many_are_typed_as_a_line_has_pieces(stage: Stage):
    kim, names = stage.browser(KIM), Names(stage)
    pool, sku = names["pool"], names["pool_sku"]
    many = [f"800 {sku} {at}" for at in range(1000, 1999)]
    added = {"values": "\n".join(many), "once": f"m-{sku}"}
    assert kim.post(f"/desk/stock/numbers/{pool}/add", added).status_code == 303
    begun = kim.post("/desk/quotes/new", {"name": "Pat Rowan", "email": "pat@rowan.example.com"})
    edit = begun.headers["Location"]
    (fields,) = [fields for action, _, fields in Page(kim.get(edit)).forms if action == edit]
    del fields["place"]  # a button that was not pressed
    line = {"lines-0-sku": sku, "lines-0-quantity": "999", "lines-0-price": "5"}
    line |= {"payment": "either", "lines-0-numbers": ", ".join(many), "look": "1"}
    assert kim.post(edit, fields | line).status_code == 303
    assert ", ".join(many) in Page(kim.get(edit)).values
