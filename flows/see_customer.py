"""One customer with everything, for staff: a bounded piece of each list. Reads only."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from cart import agreed
from cart.agreed import Agreed
from cart.quotes import reading as quotes
from cart.quotes.models import Quote
from core.kernel import audit
from core.kernel.audit import AuditEntry
from core.ledger import balances, items
from core.ledger.balances import Position
from core.ledger.cuts import Cut
from core.ledger.items import Open
from core.notices.models import Notice
from core.orders.models import Order
from core.parties import listing, users
from core.parties.models import Account, Address, Membership, User
from core.subscriptions import reading as services
from core.subscriptions.models import Subscription
from core.subscriptions.timeline import Timeline
from invoices import reading as invoices
from invoices.disputes import reading as disputes
from invoices.models import Invoice
from invoices.statements import reading as statements
from invoices.statements.models import Statement
from payments import autopay, methods
from payments import reading as payments
from payments.automatic_models import AutoPayRule
from payments.models import Payment, PaymentMethod

#: So many of each are shown; one more is read, to know whether there are more.
SHOWN = 5
ACTS = 15


@dataclass(frozen=True)
class Customer:
    """Everything about one account; of each list at most ``SHOWN`` and one."""

    account: Account
    members: Sequence[tuple[User, Membership]]
    addresses: Sequence[Address]
    positions: Sequence[Position]
    orders: Sequence[Order]
    quotes: Sequence[Quote]
    services: Sequence[Subscription]
    timelines: dict[uuid.UUID, Timeline]
    bills: Sequence[Invoice]
    open_items: dict[uuid.UUID, Open]
    payments: Sequence[Payment]
    methods: Sequence[PaymentMethod]
    autopay: AutoPayRule | None
    disputes: Sequence[disputes.Row]
    statements: Sequence[Statement]
    notices: Sequence[Notice]
    agreed: Sequence[Agreed]
    acts: Sequence[AuditEntry]
    names: dict[str, str]


def see(session: Session, account: Account, today: date, now: datetime) -> Customer:
    """Read it all, from one snapshot."""
    mine, few = [account.id], SHOWN + 1
    orders = session.scalars(
        select(Order)
        .where(or_(Order.payer_account_id == account.id, Order.service_account_id == account.id))
        .order_by(Order.created_at.desc(), Order.id.desc())
        .limit(few)
    ).all()
    running = services.of_members(session, mine, limit=few)
    bills = invoices.of_accounts(session, mine, limit=few)
    acts = audit.about_any(session, _subjects(account, orders, running), ACTS)
    return Customer(
        account=account,
        members=listing.members(session, account.id),
        addresses=listing.addresses(session, account.id),
        positions=balances.of_account(session, account.id, Cut(account.legal_entity_id)),
        orders=orders,
        quotes=quotes.of_account(session, account.id, few),
        services=running,
        timelines={
            one.id: one
            for one in services.timelines(session, Subscription.id.in_([row.id for row in running]))
        },
        bills=bills,
        open_items=items.of_sources(session, [row.id for row in bills]),
        payments=payments.of_accounts(session, mine, limit=few),
        methods=methods.of_account(session, account.id),
        autopay=autopay.active(session, account.id),
        disputes=disputes.of_accounts(session, mine, limit=few),
        statements=statements.of_accounts(session, mine, limit=few),
        notices=_notices(session, account.id, few),
        agreed=agreed.of_accounts(session, mine),
        acts=acts,
        names=users.names(session, [entry.actor for entry in acts]),
    )


def _subjects(
    account: Account, orders: Sequence[Order], running: Sequence[Subscription]
) -> list[tuple[str, str]]:
    """What the audit log calls the account, and what hangs on it."""
    own = [("account", name) for name in (account.public_id, account.number, str(account.id))]
    return [
        *own,
        *(("order", order.public_id) for order in orders),
        *(("service", row.public_id) for row in running),
    ]


def _notices(session: Session, account_id: uuid.UUID, limit: int) -> Sequence[Notice]:
    return session.scalars(
        select(Notice)
        .where(Notice.account_id == account_id)
        .order_by(Notice.created_at.desc(), Notice.id.desc())
        .limit(limit)
    ).all()
