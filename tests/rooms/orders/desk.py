"""Orders written down for tests, without a cart around them."""

import uuid
from datetime import datetime

from sqlalchemy.orm import Session

from core.kernel.ids import new_id
from core.kernel.money import extend
from core.orders import placing
from core.orders.drafting import NewLine, NewOrder
from core.orders.models import Order
from core.tax.arithmetic import Tax, tax_lines
from tests.world import OHIO_PPM, Goods, World

OHIO = Tax("Ohio", "Sales tax", OHIO_PPM)


def write(
    session: Session,
    world: World,
    payer_id: uuid.UUID,
    now: datetime,
    *goods: tuple[Goods, int],
    cart_id: uuid.UUID | None = None,
    email: str = "riley@example.com",
) -> Order:
    """A pending order of the payer; the router alone unless told otherwise."""
    wanted = goods or ((world.router, 1),)
    nets = [(extend(one.unit_price_micros, pieces, "USD").minor, [OHIO]) for one, pieces in wanted]
    lines = [
        NewLine(
            variant_id=one.variant_id,
            sku=one.sku,
            name=one.sku.title(),
            kind="physical" if one.level_id else "service",
            tax_category="device",
            charge_kind="one_off",
            quantity=pieces,
            unit_price_micros=one.unit_price_micros,
            price_trace={"list": "web-usd"},
            taxed=taxed,
        )
        for (one, pieces), taxed in zip(wanted, tax_lines(nets, "document"), strict=True)
    ]
    return placing.write(
        session,
        NewOrder(
            legal_entity_id=world.legal_entity_id,
            channel_id=world.channel_id,
            currency="USD",
            payer_account_id=payer_id,
            service_account_id=payer_id,
            cart_id=cart_id or new_id(),
            payment_method="card",
            email=email,
            shipping_address=None,
            shipping_method=None,
            lines=lines,
        ),
        now,
    )
