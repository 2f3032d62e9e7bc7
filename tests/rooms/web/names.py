"""What stands in the addresses of ``routes``: what the stage has, and what is made when it is asked for."""

from collections.abc import Callable
from datetime import date, timedelta

from sqlalchemy import select, update

from cart import lines, saved, sharing, slots
from cart.delivery_models import VisitSlot
from cart.models import Cart, CartLine
from cart.saved import Keeper
from core.hooks import deliveries, endpoints
from core.hooks.endpoints import Wish
from core.hooks.reaching import Nowhere
from core.kernel.ids import new_id, new_public_id
from core.kernel.jobs import Job
from core.kernel.sealing import Sealer
from core.orders import following
from core.orders.fulfilling import Tracking
from core.orders.models import Order, OrderLine
from core.parties import tokens
from core.parties.models import Account
from core.parties.tokens import STAFF, USER, NewToken
from core.stock import places, sold, transfers, waiting
from core.stock.back_order_models import BackOrder
from core.stock.models import Hold, Location
from core.stock.places import Stands
from core.stock.transfers import Sending
from core.tax import exemptions
from core.tax.exemptions import NewExemption
from core.tax.models import TaxRate
from flows import (
    ask_return,
    draft_invoice,
    keep_consents,
    phone_order,
    pick_up,
    reconcile,
    ship_order,
    take_back,
)
from flows.set_up_method import SetUpWish, begin
from flows.ship_order import Parcel
from flows.take_back import Asked
from payments.dunning import cases
from payments.methods import Consent
from payments.models import PaymentOperation
from tests import contents, nights
from tests import world as worlds
from tests.giving import new_card_id
from tests.paying import fill_cart
from tests.rooms.web import carded, charged, disputed, provided, tried
from tests.rooms.web.stage import KIM, RILEY, Stage


class Names(dict[str, str]):
    """What fills the braces: what the stage has, and what each request uses up, made when asked for."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.ids)
        self.stage = stage

    def __missing__(self, name: str) -> str:
        self[name] = MAKERS[name](self)
        return self[name]

    def fill(self, text: str) -> str:
        return text.format_map(self)


def make_token(stage: Stage, who: str, kind: str, scopes: tuple[str, ...] = ()) -> tuple[str, str]:
    """A token of somebody's, good for everything unless told otherwise: its public id and its secret."""
    new = NewToken(kind, "A program", scopes or tuple(tokens.SCOPES[kind]))
    now = stage.clock.now()
    with stage.db.transaction() as session:
        row, secret = tokens.make(session, stage.people[who], new, now.date(), now)
        return row.public_id, secret


def hooked(stage: Stage) -> tuple[str, str]:
    """A webhook for everything: its public id and its secret. Those of earlier walks go: each hears all."""
    sealer, now = Sealer(stage.house.links.secret, endpoints.PURPOSE), stage.clock.now()
    wish = Wish("https://erp.example.com/hooks", "Books", ("*",))
    with stage.db.transaction() as session:
        for before in endpoints.listing(session, limit=endpoints.MOST)[4:]:
            endpoints.remove(session, before.public_id, "test", now)
        row, secret = endpoints.add(session, wish, Nowhere(), sealer, "test", now)
        return row.public_id, secret


def hook_test(stage: Stage, hook: str) -> str:
    """A test that was sent to it."""
    with stage.db.transaction() as session:
        row = endpoints.one(session, hook)
        return deliveries.test(session, row, "test", stage.clock.now()).public_id


def _begun_setup(stage: Stage) -> str:
    """A set-up of Riley's that waits at the processor; its public id."""
    agreed = Consent(stage.people[RILEY], "trial", new_public_id(), "I agree.", "1", "203.0.113.7")
    wish = SetUpWish(stage.accounts[RILEY], agreed, "/account", "/account")
    url = begin(stage.house, wish)
    public_id: str = stage.row(PaymentOperation, PaymentOperation.redirect_url == url).public_id
    return public_id


def _account_number(stage: Stage, who: str) -> str:
    number: str = stage.row(Account, Account.id == stage.accounts[who]).number
    return number


def _line_of(stage: Stage, cart_id: str) -> str:
    with stage.db.reading() as session:
        return session.scalars(
            select(CartLine.public_id)
            .join(Cart, Cart.id == CartLine.cart_id)
            .where(Cart.public_id == cart_id)
        ).one()


def _saved_in(stage: Stage, cart_id: str) -> str:
    """Something that was saved for later out of this cart."""
    with stage.db.transaction() as session:
        found = lines.lock(session, cart_id)
        saved.keep(
            session,
            Keeper.of(found),
            stage.world.visit.variant_id,
            1,
            89_000_000,
            stage.clock.now(),
        )
        (row,) = saved.listing(
            session, Keeper.of(found), found.channel_id, found.currency, stage.clock.now()
        )
        return row.public_id


def _shared(stage: Stage, cart_id: str) -> str:
    """A frozen copy of this cart."""
    with stage.db.transaction() as session:
        return sharing.share(session, lines.find(session, cart_id), stage.clock.now()).public_id


def _consent(stage: Stage) -> str:
    """Something that checkout asks, from now on, until it is asked no more."""
    code = f"news-{new_public_id()[:8]}"
    keep_consents.put(stage.house, code, "optional", "Write to me.", "", "test")
    return code


def _visit_slot(stage: Stage) -> str:
    """A time for a visit, long from now."""
    start = stage.clock.now() + timedelta(days=400)
    with stage.db.transaction() as session:
        times = [(start, start + timedelta(hours=4))]
        slots.add(session, stage.world.channel_id, None, times, 1)
        row = session.scalars(select(VisitSlot).where(VisitSlot.starts_at == start)).one()
        return row.public_id


def _old_certificate(stage: Stage) -> str:
    """One of Riley's that frees them from nothing any more."""
    payer = stage.row(Order, Order.public_id == stage.ids["riley_order"]).payer_account_id
    first, last = date(2020, 1, 1), date(2021, 1, 1)
    new = NewExemption(payer, f"OH-{new_public_id()[:6]}", (), (), first, last)
    with stage.db.transaction() as session:
        return exemptions.enter(session, new, "system", stage.clock.now()).public_id


def _bill_run(stage: Stage) -> str:
    key, now = stage.accounts[stage.newcomer()], stage.clock.now()
    with stage.db.transaction() as session:
        return nights.past_run(session, [key], now.date(), now).public_id


def _parked(stage: Stage) -> str:
    key, now = stage.accounts[stage.newcomer()], stage.clock.now()
    with stage.db.transaction() as session:
        return nights.parked(session, session.get_one(Account, key), now)


def _account_of(stage: Stage, order: str) -> str:
    payer = stage.row(Order, Order.public_id == stage.ids[order]).payer_account_id
    found: str = stage.row(Account, Account.id == payer).public_id
    return found


def _pay_token(names: Names) -> str:
    stage = names.stage
    account = stage.row(Account, Account.public_id == names["riley_account"])
    return stage.house.links.pay_token(account)


def _late(stage: Stage, who: str) -> str:
    """Somebody's open case of being past due."""
    key, now = stage.accounts[who], stage.clock.now()
    with stage.db.transaction() as session:
        found = cases.open_case(session, key) or cases.start(session, key, now.date(), now)
        return found.public_id


def _parcel(stage: Stage) -> str:
    """A parcel of an order of Riley's that went out."""
    order = stage.order_on_terms(stage.world.router.sku, who=RILEY)
    parcel = Parcel(order.public_id, {1: 1}, Tracking("UPS", "1Z1"), "user:kim", new_public_id())
    return ship_order.ship(stage.house, parcel).public_id


def _pick_up(stage: Stage) -> str:
    """Something of Riley's that lies ready to be fetched."""
    order = stage.order_on_terms(stage.world.router.sku, who=RILEY)
    with stage.db.transaction() as session:
        session.execute(
            update(OrderLine)
            .where(OrderLine.order_id == order.id, OrderLine.kind == "delivery")
            .values(pickup_id=stage.world.location_id)
        )
    asked = pick_up.Pieces(order.public_id, {1: 1}, "user:kim", new_public_id())
    return pick_up.set_ready(stage.house, asked)[0].public_id


def _back_order(stage: Stage) -> str:
    """A router that somebody bought waits for a release."""
    order = stage.order_on_terms(stage.world.router.sku, who=RILEY)
    key = new_id()
    with stage.db.transaction() as session:
        session.add(
            BackOrder(
                id=key,
                level_id=stage.world.router.level_id,
                reference=sold.reference(order.public_id),
                quantity=1,
                waiting=1,
                let_go=0,
                since=stage.clock.now() + timedelta(seconds=int(order.number[2:])),
            )
        )
    return str(key)


def _return(stage: Stage) -> str:
    """Something of Riley's that is to come back."""
    parcel = _parcel(stage)
    with stage.db.reading() as session:
        order = following.parcel(session, parcel)[1]
    asked = Asked(order.public_id, {1: 1}, "damaged", "kept", "user:kim", new_public_id())
    return take_back.announce(stage.house, asked).public_id


def _asked_return(stage: Stage) -> str:
    """Something that Riley asks to return."""
    parcel = _parcel(stage)
    with stage.db.reading() as session:
        order = following.parcel(session, parcel)[1]
    asked = Asked(order.public_id, {1: 1}, "damaged", "usual", "guest", new_public_id())
    return ask_return.ask(stage.house, asked).public_id


def _dead_job(stage: Stage) -> str:
    now = stage.clock.now()
    job = Job(
        key=f"tidy-{new_public_id()}",
        name="tidy",
        handler="tidy",
        payload={},
        state="dead",
        run_at=now,
        created_at=now,
        last_error="it broke",
    )
    with stage.db.transaction() as session:
        session.add(job)
    return str(job.id)


def _cart(names: Names) -> str:
    return fill_cart(names.stage.house, names.stage.world.visit.sku)


def _held(names: Names) -> str:
    """What is held for a cart."""
    stage = names.stage
    with stage.db.reading() as session:
        cart = select(Cart.id).where(Cart.public_id == fill_cart(stage.house, "FW-RT-6"))
        return str(session.scalars(select(Hold.id).where(Hold.owner_id.in_(cart))).one())


def _colleague(names: Names) -> str:
    """Somebody at the desk whom nothing else needs."""
    now, name = names.stage.clock.now(), f"lee-{new_public_id()[:8]}"
    with names.stage.db.transaction() as session:
        user = worlds.user(session, now, email=f"{name}@example.com", name="Lee Fenn")
        user.is_staff, user.roles = True, ["support"]
        return user.public_id


def _fresh_operation(names: Names) -> str:
    order = names.stage.begin_to_pay(names.stage.world.visit.sku)
    return names.stage.operation_of(order).public_id


def _spare_bill(names: Names) -> str:
    order = names.stage.order_on_terms(names.stage.world.visit.sku, who=names.stage.newcomer())
    return names.stage.bill_of(order).public_id


#: What is made when an address asks for it.
def _transfer(stage: Stage) -> str:
    """A plug on its way to another place."""
    world, now = stage.world, stage.clock.now()
    with stage.db.transaction() as session:
        if not session.scalar(select(Location.id).where(Location.code == "annex")):
            places.open_place(session, "annex", Stands("The annex"))
        sku, asked = world.router.sku, ("harbor", "annex")
        return str(transfers.send(session, Sending(sku, *asked, 1), "user:kim", now).id)


def _wait(stage: Stage) -> str:
    """Somebody's place in the line for a camera."""
    world = stage.world
    with stage.db.transaction() as session:
        variant, where = world.camera.variant_id, world.channel_id
        who = f"{new_public_id()[:8]}@example.com"
        return waiting.ask(session, where, variant, who, stage.clock.now()).public_id


MAKERS: dict[str, Callable[[Names], str]] = {
    "phone_cart": lambda names: phone_order.begin(
        names.stage.house, names["riley_account"], "FW-VISIT", 1, "user:kim"
    ),
    "level": lambda names: str(names.stage.world.router.level_id),
    "held": _held,
    "parcel": lambda names: _parcel(names.stage),
    "back_order": lambda names: _back_order(names.stage),
    "pick_up": lambda names: _pick_up(names.stage),
    "order_return": lambda names: _return(names.stage),
    "asked_return": lambda names: _asked_return(names.stage),
    "cart": _cart,
    "transfer": lambda names: _transfer(names.stage),
    "wait": lambda names: _wait(names.stage),
    "wait_token": lambda names: names.stage.house.links.wait_token(names["wait"]),
    "content_page": lambda names: contents.published(
        names.stage.house, names.stage.world.channel_id
    )[1],
    "banner": lambda names: contents.banner(names.stage.house, names.stage.world.channel_id),
    "segment": lambda names: contents.segment(
        names.stage.house, names.stage.world.channel_id, campaigns=("x",)
    ),
    "page": lambda names: contents.published(names.stage.house, names.stage.world.channel_id)[0],
    "picture": lambda names: contents.picture(names.stage.house),
    "video": lambda names: contents.video(names.stage.house),
    "brand_kit": lambda names: str(contents.kit(names.stage.house, names.stage.world.channel_id)),
    "line": lambda names: _line_of(names.stage, names["cart"]),
    "saved": lambda names: _saved_in(names.stage, names["cart"]),
    "shared": lambda names: _shared(names.stage, names["cart"]),
    "consent": lambda names: _consent(names.stage),
    "visit_slot": lambda names: _visit_slot(names.stage),
    "fresh_operation": _fresh_operation,
    "setup": lambda names: _begun_setup(names.stage),
    "fresh_setup": lambda names: _begun_setup(names.stage),
    "riley_service": lambda names: names.stage.service(RILEY),
    "fresh_verify_link": lambda names: names.stage.link("verify", RILEY),
    "gift_card": lambda names: new_card_id(names.stage),
    "gift_card_token": lambda names: names.stage.house.links.gift_card_token(names["gift_card"]),
    "guest_billed": lambda names: names.stage.order_on_terms(names.stage.world.visit.sku).public_id,
    "guest_billed_token": lambda names: names.stage.house.links.order_token(names["guest_billed"]),
    "guest_billed_bill": lambda names: disputed.bill_by_link(names.stage, names["guest_billed"]),
    "guest_dispute": lambda names: disputed.by_link(names.stage, names["guest_billed"]),
    "dispute": lambda names: disputed.opened(names.stage, RILEY).public_id,
    "dispute_file": lambda names: disputed.file_of(names.stage, names["dispute"]),
    "held_order": lambda names: provided.held(names.stage).public_id,
    "provisioning": lambda names: provided.failed(names.stage).public_id,
    "chargeback": lambda names: charged.opened(names.stage).public_id,
    "chargeback_file": lambda names: charged.file_of(names.stage, names["chargeback"]),
    "tax_rate": lambda names: str(names.stage.rows(TaxRate)[0].id),
    "certificate": lambda names: _old_certificate(names.stage),
    "riley_account": lambda names: _account_of(names.stage, "riley_order"),
    "riley_number": lambda names: _account_number(names.stage, RILEY),
    "spare_bill": _spare_bill,
    "draft": lambda names: (
        draft_invoice.start(names.stage.house, names["riley_number"], "test").public_id
    ),
    "riley_card": lambda names: carded.on_file(names.stage, RILEY),
    "riley_scheduled": lambda names: carded.planned(names.stage, RILEY, names["riley_card"]),
    "riley_token": lambda names: make_token(names.stage, RILEY, USER)[0],
    "colleague": _colleague,
    "key": lambda names: make_token(names.stage, KIM, STAFF)[0],
    "hook": lambda names: hooked(names.stage)[0],
    "spare_hook": lambda names: hooked(names.stage)[0],
    "hook_delivery": lambda names: hook_test(names.stage, names["hook"]),
    "bill_run": lambda names: _bill_run(names.stage),
    "parked": lambda names: _parked(names.stage),
    "pay_token": lambda names: _pay_token(names),
    "round": lambda names: reconcile.run(names.stage.house).public_id,
    "late": lambda names: _late(names.stage, RILEY),
    "dead_job": lambda names: _dead_job(names.stage),
    "trial_offer": lambda names: tried.offered(names.stage),
    "trial": lambda names: tried.begun(names.stage, RILEY),
    "trial_token": lambda names: names.stage.house.links.trial_token(names["trial"]),
    "trial_call": lambda names: tried.call(names.stage, names["trial"]),
}
