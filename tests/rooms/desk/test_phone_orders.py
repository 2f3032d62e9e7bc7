"""Ordering for a customer on the phone: holds as usual, on terms or by a link; the order says who took it."""

from datetime import timedelta

from sqlalchemy import select, update

from cart import slots
from cart.delivery_models import DeliveryMethod, VisitSlot
from core.catalog.models import Variant
from core.kernel.audit import AuditEntry
from core.notices.models import Notice
from core.orders.models import Order
from core.parties.models import Account
from core.stock.models import StockLevel
from payments.models import Payment
from tests.paying import fill_cart
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, NOBODY, Stage
from tests.world import ADDRESS


def _begin(stage: Stage, sku: str) -> tuple[str, Account]:
    who = stage.newcomer()
    account = stage.row(Account, Account.id == stage.accounts[who])
    kim, path = stage.browser(KIM), f"/desk/customers/{account.public_id}/order"
    assert kim.post(path, {"sku": "NO-SUCH", "quantity": "1"}).status_code == 422
    begun = kim.post(path, {"sku": sku, "quantity": "1"})
    assert begun.status_code == 303
    return begun.headers["Location"], account


def _where(stage: Stage, path: str, **more: str) -> dict[str, str]:
    page = Page(stage.browser(KIM).get(path))
    total = next(f for _, _, f in page.forms if "expected_total" in f)["expected_total"]
    return {
        **ADDRESS,
        "email": "ash@example.com",
        "expected_total": total,
        "shipping_method": "standard",
        **more,
    }


def test_it_is_held_priced_for_the_place_and_placed_on_terms(stage: Stage):
    camera = stage.world.camera
    before = stage.row(StockLevel, StockLevel.id == camera.level_id).held
    path, account = _begin(stage, camera.sku)
    kim = stage.browser(KIM)
    assert stage.row(StockLevel, StockLevel.id == camera.level_id).held == before + 1
    assert kim.post(f"{path}/lines", {"sku": "FW-VISIT", "quantity": "2"}).status_code == 303
    assert kim.post(f"{path}/lines", {"sku": "FW-VISIT", "quantity": "x"}).status_code == 422
    assert kim.post(path, _where(stage, path, step="sums")).status_code == 303
    wrong = _where(stage, path, step="order", payment_method="invoice", postal_code="")
    refused = kim.post(path, wrong)
    assert refused.status_code == 422
    assert "postal_code-error" in Page(refused).values
    other = _where(stage, path, step="order", payment_method="invoice", expected_total="1")
    assert kim.post(path, other).status_code == 409
    wish = _where(stage, path, step="order", payment_method="invoice")
    placed = [kim.post(path, wish) for _ in range(2)]
    assert placed[0].status_code == 303
    (order,) = stage.rows(Order, Order.payer_account_id == account.id)
    assert (order.lifecycle, order.payment) == ("confirmed", "on_terms")
    assert order.taken_by == f"user:{stage.people[KIM]}"
    assert stage.row(Account, Account.id == account.id).name == account.name
    assert "Taken on the phone by Kim Lund" in Page(kim.get(f"/desk/orders/{order.public_id}")).text
    with stage.db.reading() as session:
        actors = session.scalars(
            select(AuditEntry.actor).where(
                AuditEntry.act == "order.placed", AuditEntry.subject_id == order.public_id
            )
        ).all()
    assert actors == [order.taken_by]
    stage.drain()


def test_with_a_link_the_customer_pays_on_the_processors_page(stage: Stage):
    path, account = _begin(stage, stage.world.visit.sku)
    kim = stage.browser(KIM)
    kim.post(path, _where(stage, path, step="sums"))
    wish = _where(stage, path, step="order", payment_method="card")
    assert kim.post(path, wish).status_code == 303
    assert kim.post(path, wish).status_code == 303
    (order,) = stage.rows(Order, Order.payer_account_id == account.id)
    assert order.lifecycle == "pending"
    stage.drain()
    (mail,) = stage.rows(Notice, Notice.key == f"pay-link:{order.id}")
    link = stage.house.links.order(order.public_id)
    assert link in mail.text_body
    visitor, page = stage.browser(NOBODY), link.removeprefix(stage.house.links.base_url)
    assert "Still to pay" in Page(visitor.get(page)).text
    gone = visitor.post(f"{page}/pay")
    assert gone.headers["Location"].startswith(stage.sandbox.base_url)
    stage.pay(stage.operation_of(order))
    stage.drain()
    assert stage.row(Order, Order.id == order.id).lifecycle == "confirmed"
    assert len(stage.rows(Payment, Payment.order_id == order.id)) == 1


def test_whoever_comes_back_from_the_processor_unpaid_keeps_the_order_that_staff_made(stage: Stage):
    path, account = _begin(stage, stage.world.visit.sku)
    stage.browser(KIM).post(path, _where(stage, path, step="order", payment_method="card"))
    (order,) = stage.rows(Order, Order.payer_account_id == account.id)
    operation, visitor = stage.operation_of(order), stage.browser(NOBODY)
    back, own = f"/pay/{operation.public_id}/cancelled", stage.house.links.order(order.public_id)
    for answer in (visitor.get(back), visitor.post(back), visitor.get(back)):
        assert (answer.status_code // 100, answer.headers["Location"]) == (3, own)
    page = Page(visitor.get(own.removeprefix(stage.house.links.base_url)))
    assert "It is held for you until it is paid" in page.text
    assert (stage.row(Order, Order.id == order.id).lifecycle, operation.state) == (
        "pending",
        "sent",
    )
    paid = visitor.post(f"{own.removeprefix(stage.house.links.base_url)}/pay")
    assert paid.headers["Location"] == operation.redirect_url, "the same visit is still open"
    assert stage.pay(operation).amount_minor == order.due_now_minor


def test_a_time_for_the_visit_another_way_and_their_own_number_are_chosen_on_the_phone(
    stage: Stage,
):
    """What checkout asks, staff ask too: nothing of it is left to a letter afterwards."""
    world, now = stage.world, stage.house.clock.now()
    with stage.db.transaction() as session:
        session.execute(
            update(Variant).where(Variant.id == world.visit.variant_id).values(goes_by="visit")
        )
        session.execute(
            update(Variant).where(Variant.id == world.camera.variant_id).values(goes_by="bulky")
        )
        for at, code in enumerate(("van", "crane")):
            session.add(
                DeliveryMethod(
                    channel_id=world.channel_id,
                    country="US",
                    code=code,
                    name=code.capitalize(),
                    price_minor=2900 + at,
                    goes_by="bulky",
                )
            )
        start = now + timedelta(days=2)
        times = [(start, start + timedelta(hours=4))]
        slots.add(session, world.channel_id, None, times, 1)
        slot = session.scalars(select(VisitSlot.public_id)).one()
    path, account = _begin(stage, world.visit.sku)
    with stage.db.transaction() as session:
        row = session.get_one(Account, account.id)
        row.kind, row.needs_purchase_order = "organisation", True
    kim = stage.browser(KIM)
    for sku in (world.router.sku, world.camera.sku):
        assert kim.post(f"{path}/lines", {"sku": sku, "quantity": "1"}).status_code == 303
    chosen = {"slot": slot, "way-bulky": "crane", "payment_method": "invoice"}
    assert kim.post(path, _where(stage, path, step="sums", **chosen)).status_code == 303
    shown = kim.get(path).get_data(as_text=True)
    assert f'<option selected value="{slot}">' in shown
    assert '<option value="crane" selected>' in shown
    with stage.db.reading() as session:
        assert slots.seen(session, slot).held == 1
    refused = kim.post(path, _where(stage, path, step="order", **chosen))
    assert refused.status_code == 422
    assert "purchase_order-error" in Page(refused).values
    numbered = chosen | {"purchase_order": "PO-77"}
    assert kim.post(path, _where(stage, path, step="order", **numbered)).status_code == 303
    (order,) = stage.rows(Order, Order.payer_account_id == account.id)
    assert (order.purchase_order, order.ways) == ("PO-77", {"bulky": "crane"})
    with stage.db.reading() as session:
        visit = slots.of_order(session, order.id)
        assert visit is not None
        assert (visit.public_id, slots.seen(session, slot).booked) == (slot, 1)
    other, _ = _begin(stage, world.visit.sku)
    late = kim.post(other, _where(stage, other, step="sums", slot=slot))
    assert late.status_code == 409
    stage.drain()


def test_a_shoppers_own_cart_is_not_seen_here(stage: Stage):
    kim = stage.browser(KIM)
    cart = fill_cart(stage.house, "FW-VISIT")
    assert kim.get(f"/desk/phone-orders/{cart}").status_code == 404
    assert kim.post(f"/desk/phone-orders/{cart}/lines", {"sku": "FW-VISIT"}).status_code in (
        404,
        422,
    )
