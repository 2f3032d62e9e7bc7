"""Services that a system begins, for the tests of pages: one that needs a person."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.orders import placing, provisioning
from core.orders.provisioning import NotProvisioned, Provisioning
from core.parties.models import Account
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
        confirm_order.confirm(session, stage.house, order, "paid", lines)
        row = session.scalars(select(Provisioning).where(Provisioning.order_id == order.id)).one()
        provisioning.failed(session, row, NotProvisioned(TROUBLE), now)
        return row


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
