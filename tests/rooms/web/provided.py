"""For the tests of pages: a service that needs a person to begin it, and an order that is held."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger import tenders
from core.ledger.splitting import Share, Source
from core.orders import placing, provisioning
from core.orders.models import Order, OrderLine
from core.orders.provisioning import NotProvisioned, Provisioning
from core.orders.screening import Rules
from core.parties.models import Account, Channel
from core.prices.models import Plan
from flows import confirm_order
from tests import world as worlds
from tests.rooms.orders import desk as orders
from tests.rooms.web.stage import Stage
from tests.serving import goods
from tests.world import Goods, _Shelf

SKU, TROUBLE = "FW-ADR-1", "No line leads to this place."


def failed(stage: Stage, name: str = "Ash Vale") -> Provisioning:
    """Somebody ordered a fixed address, and the system did not begin it."""
    now = stage.clock.now()
    with stage.db.transaction() as session:
        account: Account = worlds.account(session, stage.world, now, name=name)
        plan = _plan(stage, session)
        order = orders.write(session, stage.world, account.id, now, (plan, 1))
        lines = placing.lines_of(session, order.id)
        for line in lines:
            line.charge_kind, line.kind = "monthly", "plan"
        session.flush()
        _confirm(stage, session, order, lines)
        row = session.scalars(select(Provisioning).where(Provisioning.order_id == order.id)).one()
        provisioning.failed(session, row, NotProvisioned(TROUBLE), now)
        return row


def held(stage: Stage) -> Order:
    """An order that is held, because it is large."""
    now = stage.clock.now()
    with stage.db.transaction() as session:
        channel = session.get_one(Channel, stage.world.channel_id)
        account: Account = worlds.account(session, stage.world, now, name="Ash Vale")
        order = orders.write(session, stage.world, account.id, now, (stage.world.visit, 1))
        channel.screening = Rules(amount_from=1).to_dict()
        _confirm(stage, session, order, placing.lines_of(session, order.id))
        channel.screening = None
        return order


def _confirm(stage: Stage, session: Session, order: Order, lines: Sequence[OrderLine]) -> None:
    """It is certain, and all of it is left to its bill."""
    whole = Share(Source("terms", "terms"), Money(order.due_now_minor, order.currency))
    tenders.on_terms(session, order.payer_account_id, whole, order.id, stage.clock.now())
    confirm_order.confirm(session, stage.house, order, "on_terms", lines)


def _plan(stage: Stage, session: Session) -> Goods:
    known = session.scalars(select(Plan).where(Plan.activation == "by_system")).first()
    if known is not None:
        return goods(session, SKU)
    shelf = _Shelf(session, stage.clock.now(), stage.world.price_list_id, stage.world.location_id)
    category = shelf.category("addresses", "Addresses", 9)
    made = shelf.put(category, SKU, "Fixed address", "plan", "internet", "4.00", None)
    plan = session.scalars(select(Plan).where(Plan.variant_id == made.variant_id)).one()
    plan.activation = "by_system"
    session.flush()
    return made
