"""What the processor tells: an event of the inbox is brought to the operation that it is about.

Nothing in an event is believed but the ids: the object is fetched as it stands, and whoever settles that kind
of operation applies it.
"""

from core.kernel.errors import NotFound
from flows import charge_on_file, hear_chargeback, set_up_method, settle_payment
from flows.house import House
from flows.refund import hear_of_refund
from payments import inbox, operations
from payments.gateway import InvalidRequest
from payments.models import InboundEvent

_SETTLED_BY = {
    "checkout": settle_payment.settle,
    "setup": set_up_method.settle,
    "charge": charge_on_file.settle,
}


def hear(house: House, event_id: str) -> None:
    """Apply what an inbox row points to: fetch the object, find our operation, settle it.

    What the processor knows nothing of (any more), or never had from us, is ignored.
    """
    with house.db.reading() as session:
        event = session.get_one(InboundEvent, event_id)
    try:
        ours = _apply(house, event)
    except InvalidRequest as error:
        if not error.is_missing:
            raise
        ours = False
    state = "applied" if ours else "ignored"
    house.db.run_tx(lambda session: inbox.close(session, event_id, state, house.clock.now()))


def _apply(house: House, event: InboundEvent) -> bool:
    """False when it is none of ours."""
    if event.object_type == "refund":
        return hear_of_refund(house, event.object_id)
    if event.object_type == "dispute":
        return hear_chargeback.hear(house, event.object_id, lambda key: _settle_payment(house, key))
    return _settle(house, _operation_of(house, event))


def _settle_payment(house: House, payment_id: str) -> bool:
    return _settle(house, house.gateway.get_payment(payment_id).operation_id)


def _settle(house: House, public_id: str | None) -> bool:
    """Bring an operation of ours to where the processor has it; False when it is none."""
    if public_id is None:
        return False
    with house.db.reading() as session:
        try:
            found = operations.by_public_id(session, public_id)
        except NotFound:
            return False
    if found.kind in _SETTLED_BY:
        _SETTLED_BY[found.kind](house, found.id)
    return True


def _operation_of(house: House, event: InboundEvent) -> str | None:
    if event.object_type == "checkout.session":
        return house.gateway.get_checkout(event.object_id).operation_id
    if event.object_type == "payment_intent":
        return house.gateway.get_payment(event.object_id).operation_id
    if event.object_type == "setup_intent":
        return house.gateway.get_setup(event.object_id).operation_id
    return None
