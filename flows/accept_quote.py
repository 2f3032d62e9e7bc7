"""A customer accepts a version of a quote, once: it becomes one order at exactly its prices. Or says no.

By terms the order is certain at once. By card it waits for the money, and the quote stays open: whoever
comes back unpaid can accept again, the same way or another.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from cart.checkout import (
    LONGEST_REFERENCE,
    ORDER_NUMBER_ASKED,
    PURCHASE_ORDER_NEEDED,
    CheckoutIncomplete,
    Requirement,
)
from cart.quotes import answering, drafting, sent
from cart.quotes.answering import Signature
from cart.quotes.models import Quote, QuoteVersion
from cart.quotes.refusals import OverTheBuyersLimit, PaymentNotOffered, QuoteAccepted
from core.kernel import crash
from core.kernel.errors import Invalid, StaleState
from core.kernel.money import Money
from core.ledger.splitting import Share, Source
from core.orders import placing
from core.orders.models import Order
from core.parties import accounts
from core.parties.accounts import NewAccount
from core.parties.models import Account, Channel, LegalEntity, Membership
from flows import start_payment
from flows.abandon_payment import abandon
from flows.house import House
from flows.place_order import Placed
from payments import operations

#: What is agreed to, and the version of these words: both are kept with the acceptance.
CONSENT_VERSION = "2026-11"
CONSENT = (
    "I accept this quote for the customer named in it, and may do so. It becomes a binding order at these "
    "prices; what recurs is billed until it is cancelled or its term is over."
)
#: What is kept when a card is declined or the page is closed: nothing was ordered.
GIVEN_UP = "changed_at_acceptance"


@dataclass(frozen=True)
class Answer:
    """What somebody filled in to accept. ``payment`` is ``terms`` or ``card``."""

    public_id: str
    version: int
    name: str
    role: str
    agrees: bool
    payment: str
    ip: str
    #: Who is logged in and answers for their account; None for whoever holds the link.
    user_id: uuid.UUID | None = None
    #: Their own number of the order; may be empty, unless their account wants one.
    purchase_order: str = ""

    @property
    def signature(self) -> Signature:
        """As it is kept."""
        return Signature(
            self.name.strip(), self.role.strip(), CONSENT_VERSION, CONSENT, self.ip, self.user_id
        )


@dataclass(frozen=True)
class _Written:
    order: Order
    operation_id: uuid.UUID | None
    stale: bool = False


def accept(house: House, answer: Answer) -> Placed:
    """Accept a version. Pressed twice it is one order, and the same page to pay.

    Raises a NotAcceptable that says why not (NumberGone among them), Invalid by field, CheckoutIncomplete
    when the account wants a number of its own, OutOfStock when the stock was not held any more; a
    GatewayError when the processor does not answer, and then the same answer goes on from there.
    """
    wrong = problems(answer)
    if wrong:
        raise Invalid(wrong)
    written = house.db.run_tx(lambda session: _write(session, house, answer))
    if written.stale:
        # They came back and chose another way to pay: the first attempt is given up.
        abandon(house, written.order.id, GIVEN_UP)
        written = house.db.run_tx(lambda session: _write(session, house, answer))
    if written.stale:
        raise StaleState("quote", "sent")
    crash.point("accept.after_commit")
    if written.operation_id is None:
        return Placed.of(written.order, None)
    return Placed.of(written.order, start_payment.go(house, written.operation_id))


def problems(answer: Answer) -> dict[str, str]:
    """What is missing, by field."""
    found = {}
    for name, text in (("name", answer.name), ("role", answer.role)):
        if not text.strip():
            found[name] = "Tell us your name." if name == "name" else "Tell us what you do there."
        elif len(text) > 120 or not text.strip().isprintable():
            found[name] = "Use at most 120 plain characters."
    number = answer.purchase_order
    if len(number) > LONGEST_REFERENCE or not number.isprintable():
        found["purchase_order"] = f"Use at most {LONGEST_REFERENCE} characters."
    if not answer.agrees:
        found["agrees"] = "Tick this to accept."
    if answer.payment not in ("terms", "card"):
        found["payment"] = "Choose how to pay."
    return found


def _write(session: Session, house: House, answer: Answer) -> _Written:
    now = house.clock.now()
    quote = drafting.lock(session, drafting.by_public_id(session, answer.public_id).id)
    earlier = _earlier(session, quote, answer, now)
    if earlier is not None:
        return earlier
    version = answering.acceptable(session, quote, answer.version, now)
    _check_limit(session, quote, version, answer)
    account_id = _account(session, quote, version, answer, now)
    _check_number(session, account_id, answer)
    order = answering.accept(
        session,
        quote,
        version,
        answer.signature,
        answer.payment,
        account_id,
        answer.purchase_order.strip(),
        now + house.rules.payment_for + house.rules.payment_grace,
        now,
    )
    crash.point("accept.written")
    lines = placing.lines_of(session, order.id)
    operation_id = start_payment.begin_order(session, house, order, None, _shares(order), lines)
    crash.point("accept.before_commit")
    return _Written(order, operation_id)


def _shares(order: Order) -> list[Share]:
    whole = Money(order.due_now_minor, order.currency)
    if not whole:
        return []
    rest = "terms" if order.payment_method == "invoice" else "card"
    return [Share(Source(rest, rest), whole)]


def _earlier(session: Session, quote: Quote, answer: Answer, now: datetime) -> _Written | None:
    """The order that this quote has become already, or is becoming."""
    order = sent.order_of(session, quote)
    if order is None:
        return None
    version = session.get_one(QuoteVersion, order.quote_version_id)
    if version.number != answer.version:
        # Another version is an order, or is being paid for: this one is not theirs to accept.
        raise QuoteAccepted(order.number or "")
    if order.lifecycle != "pending":
        return _Written(order, None)
    # What will be refused anyway gives up nobody's payment.
    _check_limit(session, quote, version, answer)
    if version.payment not in ("either", answer.payment):
        raise PaymentNotOffered
    operation = operations.of_order(session, order.id)
    same = order.payment_method == ("card" if answer.payment == "card" else "invoice")
    if operation is None or not same or not operations.can_be_paid(operation, now):
        answering.refuse(session, quote, version, now)
        return _Written(order, None, stale=True)
    return _Written(order, operation.id)


def _check_limit(session: Session, quote: Quote, version: QuoteVersion, answer: Answer) -> None:
    """A buyer with a limit accepts no more than that, by the link of their own mail neither."""
    who = answer.user_id or quote.user_id
    if who is None or quote.account_id is None:
        return
    member = session.get(Membership, (who, quote.account_id))
    if member is None or member.role != "buyer" or member.limit_minor is None:
        return
    if (version.net_minor or 0) + (version.tax_minor or 0) > member.limit_minor:
        raise OverTheBuyersLimit


def _check_number(session: Session, account_id: uuid.UUID, answer: Answer) -> None:
    """As checkout asks it of an account that wants a number of its own on each order."""
    needs = session.get_one(Account, account_id).needs_purchase_order
    if needs and not answer.purchase_order.strip():
        wrong = Requirement(PURCHASE_ORDER_NEEDED, "purchase_order", ORDER_NUMBER_ASKED)
        raise CheckoutIncomplete([wrong])


def _account(
    session: Session, quote: Quote, version: QuoteVersion, answer: Answer, now: datetime
) -> uuid.UUID:
    """Who is billed: the quote's account; of a new customer one that is opened now, once."""
    if quote.account_id is not None:
        return quote.account_id
    entity = session.get_one(LegalEntity, quote.legal_entity_id)
    channel = session.get_one(Channel, quote.channel_id)
    sites = drafting.offer_of(session, version).sites
    new = NewAccount(
        quote.company or quote.name,
        quote.email,
        dict(sites[0]) if sites else None,
        kind="organisation" if quote.company else "person",
    )
    account = accounts.open_account(session, entity, channel, new, now)
    if quote.user_id is not None:
        accounts.join(session, quote.user_id, account.id, "owner", now)
    if quote.vat_id:
        account.vat_id = quote.vat_id
    quote.account_id = account.id
    return account.id


def decline(
    house: House,
    public_id: str,
    number: int,
    reason: str,
    note: str,
    name: str,
    user_id: uuid.UUID | None = None,
) -> None:
    """Say no to the version that is sent; its stock is free.

    Invalid without a reason; a NotAcceptable when there is nothing to decline. Whoever was on the way to
    pay gives that up first; when it turns out to be paid, QuoteAccepted.
    """
    if reason not in answering.DECLINED_BECAUSE:
        raise Invalid({"reason": "Choose the reason that fits best."})
    if len(note) > 1000:
        raise Invalid({"note": "At most 1000 characters."})
    with house.db.reading() as session:
        quote = drafting.by_public_id(session, public_id)
        order = sent.order_of(session, quote)
        # What will be refused anyway gives up nobody's payment.
        answering.acceptable(session, quote, number, house.clock.now())
    if order is not None and order.lifecycle == "pending":
        abandon(house, order.id, "declined")

    def work(session: Session) -> None:
        now = house.clock.now()
        quote = drafting.lock(session, drafting.by_public_id(session, public_id).id)
        version = answering.acceptable(session, quote, number, now)
        actor = f"user:{user_id}" if user_id is not None else "guest"
        signature = (name.strip()[:120] or quote.name, actor)
        answering.decline(session, quote, version, reason, note.strip(), signature, now)

    house.db.run_tx(work)
