"""A consent taken back by its owner's token, as the desk sees it; an account that wants its own number."""

from dataclasses import replace
from typing import Any

from api import order_shapes as shapes
from api.consent_shapes import AgreementList
from core.parties import accounts
from core.parties.models import Channel, LegalEntity, User
from flows import keep_consents
from flows.place_order import place
from tests.paying import fill_cart
from tests.paying import wish as asked
from tests.rooms.api.conftest import Program, bearers
from tests.shop import Shop
from tests.world import World


def test_a_consent_is_taken_back_once_and_the_desk_sees_it(
    program: Program, shop: Shop, world: World
):
    tokens, house = bearers(shop), shop.house
    with house.db.transaction() as session:
        riley = session.query(User).filter_by(email="riley@example.com").one()
        channel = session.get_one(Channel, world.channel_id)
        entity = session.get_one(LegalEntity, world.legal_entity_id)
        new = accounts.NewAccount("Vale Mills", "riley@example.com", None, "organisation")
        account = accounts.open_account(session, entity, channel, new, house.clock.now())
        accounts.join(session, riley.id, account.id, "owner", house.clock.now())
    keep_consents.put(house, "news", "optional", "Write to me.", "", "test")
    wish = replace(asked(fill_cart(house, "FW-VISIT"), "invoice"), user_id=riley.id)
    place(house, replace(wish, details=replace(wish.details, consents={"news": 1})))

    def ask(side: str, method: str, path: str, body: Any = None, key: str = "") -> Any:
        headers = {"Authorization": f"Bearer {tokens[side]}"}
        if key:
            headers["Idempotency-Key"] = key
        return program.ask(method, path, body, headers=headers)

    seen = ask("account", "GET", "/account/consents")
    (one,) = AgreementList.model_validate_json(seen.data).items
    assert (one.account, one.code, one.version, one.withdrawn_at) == (
        account.number,
        "news",
        1,
        None,
    )
    body = {"account": account.number, "code": "news"}
    path = "/account/consents/withdraw"
    assert ask("account", "POST", path, body | {"code": "age"}, "no").status_code == 404
    back = [ask("account", "POST", path, body, key) for key in ("a", "a", "b")]
    assert {answer.status_code for answer in back} == {200}
    assert len({answer.data for answer in back}) == 1, "it was taken back once"
    at_desk = ask("desk", "GET", f"/desk/customers/{account.number}/consents")
    assert at_desk.json == back[0].json
    assert at_desk.json["items"][0]["withdrawn_at"] is not None
    # The same account is to give its own number with each order.
    firm = {"name": "Vale Mills", "kind": "organisation", "needs_purchase_order": True}
    kept = ask("desk", "PUT", f"/desk/customers/{account.number}", firm)
    assert shapes.CustomerAnswer.model_validate_json(kept.data).needs_purchase_order
    wrong = ask("desk", "PUT", f"/desk/customers/{account.number}", firm | {"kind": "person"})
    assert wrong.json["errors"][0]["field"] == "needs_purchase_order"
