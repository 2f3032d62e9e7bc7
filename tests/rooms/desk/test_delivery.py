"""Delivery at the desk: ways, zones and times for visits, and what the shop offers then."""

from cart.delivery_models import DeliveryMethod, DeliveryZone, VisitSlot
from core.stock.models import Location
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, Stage

WAY = {"code": "fetch", "country": "us", "name": "Fetch it", "kind": "pickup", "price": "0.00"}
BASE = "/desk/delivery"


def test_a_way_and_its_zone_are_made_and_changed(stage: Stage):
    kim = stage.browser(KIM)
    wrong = kim.post(f"{BASE}/zones", {"code": "near", "name": "Near", "areas": "Ohio"})
    assert (wrong.status_code, "areas-error" in Page(wrong).values) == (422, True)
    zone = {"code": "near", "name": "Near", "areas": "US OH 430\nUS * 44001"}
    assert kim.post(f"{BASE}/zones", zone).status_code == 303
    kept = stage.row(DeliveryZone, DeliveryZone.code == "near")
    assert kept.areas == [["US", "OH", "430"], ["US", "", "44001"]]
    assert "US * 44001" in kim.get(f"{BASE}/zones/new?zone=near").get_data(as_text=True)
    place = stage.rows(Location)[0].code
    for bad, field in (({"price": "much"}, "price"), ({"location": ""}, "location")):
        refused = kim.post(f"{BASE}/ways", WAY | {"location": place, **bad})
        assert refused.status_code == 422
        assert f"{field}-error" in Page(refused).values
    asked = WAY | {"location": place, "zone": "near", "weight_to": "2.5", "per_kg": "0.50"}
    for name in ("Fetch it", "Fetch it here"):
        assert kim.post(f"{BASE}/ways", asked | {"name": name}).status_code == 303
    row = stage.row(DeliveryMethod, DeliveryMethod.code == "fetch")
    assert (row.name, row.country, row.weight_to_g, row.per_kg_minor, row.active) == (
        "Fetch it here",
        "US",
        2500,
        50,
        False,
    )
    assert "Fetch it here" in Page(kim.get(BASE)).text
    assert "Fetch it here" in Page(kim.get(f"{BASE}/ways/US/fetch")).text


def test_times_are_offered_once_and_never_below_what_is_promised(stage: Stage):
    kim = stage.browser(KIM)
    asked = {
        "first": "2027-03-01",
        "last": "2027-03-07",
        "weekdays": ["0", "1"],
        "begins": "08:00",
        "ends": "12:00",
        "capacity": "2",
    }
    assert kim.post(f"{BASE}/times", asked | {"ends": "07:00"}).status_code == 422
    for _ in range(2):
        assert kim.post(f"{BASE}/times", asked).status_code == 303
    first, second = stage.rows(VisitSlot, VisitSlot.capacity == 2)
    assert first.starts_at.isoformat() == "2027-03-01T13:00:00+00:00"
    with stage.db.transaction() as session:
        session.get_one(VisitSlot, second.id).booked = 1
    for room, given in (("0", 1), ("5", 5)):
        assert kim.post(f"{BASE}/times/{second.public_id}", {"capacity": room}).status_code == 303
        assert stage.row(VisitSlot, VisitSlot.id == second.id).capacity == given
    assert kim.post(f"{BASE}/times/{second.public_id}", {"capacity": "-1"}).status_code == 422
    assert "1 booked" in Page(kim.get(f"{BASE}/times/{second.public_id}")).text
    with stage.db.transaction() as session:
        session.query(VisitSlot).filter(VisitSlot.id.in_([first.id, second.id])).delete()
