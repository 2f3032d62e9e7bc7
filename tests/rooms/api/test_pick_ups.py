"""What lies ready to be fetched, over all orders: a key of the desk sees what the desk's own list shows."""

from datetime import timedelta
from typing import Any

import pytest

from cart.delivery_models import DeliveryMethod
from core.parties import tokens
from core.parties.roles import Role
from core.parties.tokens import STAFF, NewToken
from core.stock.models import Location
from tests import world as worlds
from tests.rooms.api.conftest import Program, wish
from tests.rooms.web.looking import statements
from tests.shop import Shop
from tests.world import World

LIST = "/desk/pick-ups"


def _key(shop: Shop, role: Role, *scopes: str) -> dict[str, str]:
    now = shop.house.clock.now()
    with shop.house.db.transaction() as session:
        user = worlds.user(session, now, email=f"{role.value}-{len(scopes)}@example.com")
        user.is_staff, user.roles = True, [role.value]
        new = NewToken(STAFF, "A program", scopes)
        _, secret = tokens.make(session, user.id, new, now.date(), now)
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def key(shop: Shop, world: World) -> dict[str, str]:
    """Sales'; things may be fetched at Harbor Lane or at the mill."""
    with shop.house.db.transaction() as session:
        mill = Location(code="mill", name="Mill Street")
        session.add(mill)
        session.flush()
        where = {"channel_id": world.channel_id, "country": "US", "price_minor": 0}
        for code, spot in (("here", world.location_id), ("mill", mill.id)):
            session.add(
                DeliveryMethod(
                    **where, code=code, name=code, kind="pickup", location_id=spot, position=5
                )
            )
    return _key(shop, Role.SALES, "orders:read", "orders:write")


def _ready(program: Program, key: dict[str, str], way: str, pieces: int) -> str:
    """An order that lies ready; answers its pick-up."""
    cart = program.cart("FW-RT-6")
    (line,) = program.get(cart).json["lines"]
    program.patch(f"{cart}/lines/{line['id']}", {"quantity": pieces})
    order = program.order(cart, wish(shipping_method=way), cart[-9:]).json["id"]
    program.wait(timedelta(minutes=1))
    once = {**key, "Idempotency-Key": cart[-9:]}
    told = program.post(
        f"/desk/orders/{order}/ready", {"lines": [{"line": 1, "quantity": pieces}]}, headers=once
    ).json
    return str(told["pick_ups"][0]["id"])


def _ids(program: Program, key: dict[str, str], query: str = "") -> list[str]:
    return [one["id"] for one in program.get(f"{LIST}{query}", headers=key).json["items"]]


def test_what_lies_ready_over_all_orders_is_listed_by_place_and_state_page_by_page(
    program: Program, shop: Shop, key: dict[str, str]
):
    ways = ["here", "mill", "here", "mill", "here"]
    made = [_ready(program, key, way, at + 1) for at, way in enumerate(ways)]
    assert _ids(program, key) == made, "what has waited longest stands first"
    one: dict[str, Any] = program.get(LIST, headers=key).json["items"][1]
    assert (one["location"], one["pieces"], one["status"]) == ("mill", 2, "ready")
    assert one["ended_at"] is None
    order = program.get(f"/desk/orders/{one['order']}", headers=key).json
    assert order["number"] == one["number"]
    assert order["pick_ups"][0]["id"] == one["id"]
    once = {**key, "Idempotency-Key": "over"}
    assert program.post(f"{LIST}/{made[0]}/hand-over", headers=once).status_code == 200
    assert program.post(f"{LIST}/{made[1]}/put-back", headers=once).status_code == 200
    assert _ids(program, key) == made[2:]
    assert _ids(program, key, "?location=mill") == [made[3]]
    assert _ids(program, key, "?location=nowhere") == []
    assert _ids(program, key, "?status=collected") == [made[0]]
    assert _ids(program, key, "?status=put_back&location=mill") == [made[1]]
    assert _ids(program, key, f"?q={one['number']}&status=all") == [made[1]]
    seen, cursor = [], ""
    while cursor is not None:
        page = program.get(f"{LIST}?status=all&page_size=2{cursor}", headers=key).json
        seen.append([row["id"] for row in page["items"]])
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert seen == [made[:2], made[2:4], made[4:]]
    bad = program.get(f"{LIST}?cursor=x", headers=key)
    assert (bad.status_code, bad.json["errors"][0]["code"]) == (422, "bad_cursor")
    assert program.get(f"{LIST}?status=gone", headers=key).status_code == 422
    with statements(shop.house.db) as sent:
        program.get(LIST, headers=key)
    assert len(sent) <= 3


def test_only_those_see_it_whom_the_desk_lets_see_its_list(program: Program, shop: Shop):
    for role, status in (
        (Role.SALES, 200),
        (Role.SUPPORT, 200),
        (Role.ADMIN, 200),
        (Role.BILLING, 403),
    ):
        answer = program.get(LIST, headers=_key(shop, role, "orders:read"))
        assert answer.status_code == status, role
    assert answer.json["code"] == "role_missing"
    other = program.get(LIST, headers=_key(shop, Role.SALES, "orders:write", "stock:read"))
    assert (other.status_code, other.json["code"]) == (403, "scope_missing")
    assert program.get(LIST).status_code == 401
