"""A card that is off file here is taken off file at the processor: by the job of ``MethodDetached``.

The row says first that it may not be charged; the processor is told after that is committed, however often.
"""

import uuid

from core.kernel import crash
from flows.house import House
from payments.gateway import InvalidRequest
from payments.models import PaymentMethod


def detach(house: House, method_id: uuid.UUID) -> None:
    """Have the processor forget a card; one that it does not know any more is forgotten.

    Raises GatewayError when there was no answer: asked again it is the same.
    """
    with house.db.reading() as session:
        method = session.get_one(PaymentMethod, method_id)
    crash.point("detach.before_call")
    try:
        house.gateway.detach(f"detach-{method.id.hex}", method.gateway_id)
    except InvalidRequest as error:
        if not error.is_missing:
            raise
    crash.point("detach.done")
