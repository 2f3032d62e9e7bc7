"""A card is put on file, with what its owner agreed to; nothing is charged.

``begin`` sends somebody to the processor's page. Return page, webhook and reconciler all come through
``settle``: whoever asks first stores the card, and everybody else finds it stored.
"""

import uuid
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from core.events import MethodStored
from core.kernel import audit, crash, jobs
from core.kernel.errors import ShopError
from core.parties import accounts
from core.parties.models import Account
from flows.abandon_payment import end_visit
from flows.house import House
from payments import method_operations, methods, operations
from payments.gateway import CheckoutSession
from payments.method_operations import NewSetup
from payments.methods import Consent
from payments.models import PaymentOperation
from payments.saved import CustomerRequest, Setup


@dataclass(eq=False)
class SetupMismatch(ShopError):
    """The processor's set-up is not the one we asked for: a person must look."""

    code: ClassVar[str] = "setup_mismatch"
    text: ClassVar[str] = "The processor reports {found} where {asked} was asked for."
    asked: str
    found: str


@dataclass(frozen=True)
class SetUpWish:
    """A card of ``account_id`` is to be put on file for what ``consent`` says.

    ``done_path`` and ``back_path`` are pages of the shop, such as ``/account/trials/…``: where somebody goes
    on to when the card is on file, and when it is not.
    """

    account_id: uuid.UUID
    consent: Consent
    done_path: str
    back_path: str


def begin(house: House, wish: SetUpWish) -> str:
    """Answers the address of the processor's page. Asked again while that is open, it is the same one.

    The operation is committed before the processor is asked, and sent under its own key. Raises
    GatewayError: after Indeterminate, RateLimited and Misconfigured the same question may be asked again.
    """
    if not all(_is_own(path) for path in (wish.done_path, wish.back_path)):
        raise ValueError("a page outside of the shop")
    customer_id = _customer(house, wish.account_id)
    operation_id = house.db.run_tx(lambda session: _prepare(session, house, wish, customer_id))
    crash.point("setup.prepared")
    return operations.send(house.db, house.gateway, operation_id, house.clock)


def _is_own(path: str) -> bool:
    return path.startswith("/") and not path.startswith(("//", "/\\"))


def _customer(house: House, account_id: uuid.UUID) -> str:
    """The account at the processor; made there when it is new."""
    now = house.clock.now()

    def write(session: Session) -> tuple[str | None, CustomerRequest]:
        account = session.get_one(Account, account_id)
        row = methods.customer(session, account_id, account.name, account.email, now)
        return row.gateway_id, methods.customer_request(row)

    known, request = house.db.run_tx(write)
    if known is not None:
        return known
    crash.point("setup.customer_written")
    made = house.gateway.create_customer(request)
    crash.point("setup.customer_made")
    return house.db.run_tx(lambda session: methods.note_customer(session, account_id, made.id))


def _prepare(session: Session, house: House, wish: SetUpWish, customer_id: str) -> uuid.UUID:
    now = house.clock.now()
    account = accounts.lock(session, wish.account_id)
    new = NewSetup(
        account_id=account.id,
        customer_id=customer_id,
        currency=account.currency,
        consent=wish.consent,
        return_url=house.links.method_return("{operation}"),
        cancel_url=house.links.method_cancelled("{operation}"),
        done_path=wish.done_path,
        back_path=wish.back_path,
        expires_at=now + house.rules.payment_for,
    )
    again = method_operations.setup_underway(session, new, now + operations.ENOUGH_TIME)
    if again is not None and operations.can_be_paid(again, now):
        return again.id
    operation = method_operations.prepare_setup(session, new, now)
    actor = f"user:{wish.consent.user_id}" if wish.consent.user_id else "guest"
    audit.write(session, now, actor, "method.setup_started", ("operation", operation.public_id))
    return operation.id


def settle(house: House, operation_id: uuid.UUID) -> str:
    """Bring one set-up up to date; answers its state: sent, succeeded, expired, failed.

    Raises GatewayError when the processor does not answer, SetupMismatch when it must not be applied.
    """
    with house.db.reading() as session:
        operation = session.get_one(PaymentOperation, operation_id)
    if operation.state not in (*operations.OPEN_STATES, "expired"):
        return operation.state
    visit = _visit(house, operation)
    if visit is None:
        return operation.state
    setup = None
    if visit.status == "complete" and visit.setup_id is not None:
        setup = house.gateway.get_setup(visit.setup_id)
    crash.point("setup.fetched")
    state = house.db.run_tx(lambda session: _apply(session, house, operation_id, visit, setup))
    crash.point("setup.committed")
    return state


def _visit(house: House, operation: PaymentOperation) -> CheckoutSession | None:
    if operation.gateway_id is not None:
        return house.gateway.get_checkout(operation.gateway_id)
    return house.gateway.find_checkout_by_operation(operation.public_id, operation.created_at)


def _apply(
    session: Session,
    house: House,
    operation_id: uuid.UUID,
    visit: CheckoutSession,
    setup: Setup | None,
) -> str:
    operation = operations.lock(session, operation_id)
    now = house.clock.now()
    if operation.state not in (*operations.OPEN_STATES, "expired"):
        return operation.state
    if visit.status == "expired":
        if operation.state != "expired":
            operations.settle(session, operation, "expired", now)
        return "expired"
    if setup is None or setup.status != "succeeded" or setup.method is None:
        if operation.gateway_id is None:
            operations.note_sent(session, operation.id, visit)
        return "sent"
    _check(operation, visit, setup)
    method = methods.store(session, operation, setup.method, operation.request["customer"])
    consent = method_operations.consent_of(operation)
    methods.authorise(session, operation, method, consent, operation.created_at)
    operation.gateway_id, operation.payment_method_id = visit.id, method.id
    operations.settle(session, operation, "succeeded", now)
    audit.write(session, now, "system", "method.stored", ("method", method.public_id))
    jobs.record(session, MethodStored(str(operation.id)), now, key=f"method-stored:{operation.id}")
    crash.point("setup.before_commit")
    return "succeeded"


def _check(operation: PaymentOperation, visit: CheckoutSession, setup: Setup) -> None:
    customer_id = operation.request["customer"]
    for asked, found in (
        (operation.public_id, visit.operation_id),
        (operation.public_id, setup.operation_id),
        (customer_id, setup.customer_id),
    ):
        if found != asked:
            raise SetupMismatch(asked, str(found))


def give_up(house: House, operation_id: uuid.UUID) -> bool:
    """Nobody can put a card on file in this visit any more; False when somebody did: then it is settled.

    Raises GatewayError when the processor does not answer; nothing has changed then.
    """
    with house.db.reading() as session:
        operation = session.get_one(PaymentOperation, operation_id)
    if operation.state in operations.OPEN_STATES and not end_visit(house, operation):
        return settle(house, operation_id) != "succeeded"

    def close(session: Session) -> bool:
        locked = operations.lock(session, operation_id)
        if locked.state in operations.OPEN_STATES:
            operations.settle(session, locked, "expired", house.clock.now())
        return locked.state != "succeeded"

    return house.db.run_tx(close)
