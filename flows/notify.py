"""What people are told by mail: one function a mail, each in the caller's transaction.

Called by the handlers of events, which may run twice: each mail has a key and is queued once.
Nothing here logs a link.
"""

import re
import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.kernel.blobs import Blob
from core.kernel.money import Money
from core.ledger import items
from core.ledger.items import Open
from core.ledger.tender_models import GiftCard
from core.notices import addressing, mails
from core.notices.addressing import Reader
from core.notices.figures import first_name
from core.notices.letters import InviteLetter, Letter, ResetLetter, VerifyLetter
from core.notices.mails import NewMail
from core.notices.rendering import render
from core.orders.models import Order
from core.parties import users
from core.parties.models import Account, LinkToken, User
from flows import charge_terms, letters, statement_letter
from flows.house import House
from flows.links import Links
from invoices.models import Invoice
from invoices.statements.models import Statement
from payments import bills_on_file, methods
from payments.automatic_models import ScheduledPayment
from payments.models import Payment, PaymentMethod, PaymentOperation, Refund

#: Documents that people are written to about.
MAILED_KINDS = frozenset({"invoice", "debit_memo", "credit_memo"})
#: A larger PDF is not sent along, it waits on its page.
LARGEST_ATTACHMENT = 5_000_000
_FILE_WORDS = {"credit_memo": "credit-memo", "debit_memo": "debit-memo"}
_NOT_IN_A_FILE_NAME = re.compile(r"[^A-Za-z0-9]+")


def order_placed(session: Session, order_id: uuid.UUID, links: Links, now: datetime) -> None:
    """Thank you, with everything that was ordered and the link by which to follow it."""
    order = session.get_one(Order, order_id)
    letter = letters.of_order(session, order, links.order(order.public_id))
    queue(
        session,
        letter,
        f"order-placed:{order.id}",
        Reader(order.email),
        links,
        now,
        account_id=order.payer_account_id,
    )


def document_stored(
    session: Session, invoice_id: uuid.UUID, sha256: str, links: Links, now: datetime
) -> None:
    """The bill with its PDF. Imported documents are history: nobody is written to about them."""
    invoice = session.get_one(Invoice, invoice_id)
    if invoice.is_external or invoice.kind not in MAILED_KINDS:
        return
    account = session.get_one(Account, invoice.payer_account_id)
    is_guest = not addressing.has_members(session, account.id)
    link = links.invoice(invoice.public_id)
    if is_guest:
        link = _order_link(session, invoice.order_id, links)
    pay_link = links.pay_page(account)
    letter = letters.of_bill(session, invoice, link, is_guest=is_guest, pay_link=pay_link)
    for reader in addressing.readers(session, account):
        queue(
            session,
            letter,
            f"document:{invoice.id}",
            reader,
            links,
            now,
            account_id=account.id,
            attachment_sha256=sha256,
            attachment_name=_file_name(invoice),
        )


def statement_stored(
    session: Session, statement_id: uuid.UUID, sha256: str, links: Links, now: datetime
) -> None:
    """The statement with its PDF, when something happened in its period or something is to be paid.

    Whoever cannot log in has the order's own mails; a statement is for those who have an account.
    """
    statement = session.get_one(Statement, statement_id)
    account = session.get_one(Account, statement.account_id)
    is_worth_it = statement.entry_count or statement.due_minor
    if not is_worth_it or not addressing.has_members(session, account.id):
        return
    size = session.get_one(Blob, sha256).size
    attached = size <= LARGEST_ATTACHMENT
    link = links.statement(statement.public_id)
    letter = statement_letter.of_statement(session, statement, link, is_attached=attached)
    for reader in addressing.readers(session, account):
        queue(
            session,
            letter,
            f"statement:{statement.id}",
            reader,
            links,
            now,
            account_id=account.id,
            attachment_sha256=sha256 if attached else None,
            attachment_name=f"statement-{statement.number}.pdf" if attached else None,
        )


def payment_applied(session: Session, payment_id: uuid.UUID, links: Links, now: datetime) -> None:
    """A receipt for paid bills. An order's payment is told of by the order's own mail."""
    payment = session.get_one(Payment, payment_id)
    if payment.order_id is not None:
        return
    account = session.get_one(Account, payment.account_id)
    may_log_in = addressing.has_members(session, account.id)
    link = links.receipt(payment.public_id) if may_log_in else ""
    letter = letters.of_receipt(session, payment, link, now)
    for reader in addressing.readers(session, account):
        queue(session, letter, f"receipt:{payment.id}", reader, links, now, account_id=account.id)


def refunded(session: Session, refund_id: uuid.UUID, links: Links, now: datetime) -> None:
    """The money goes back, and why."""
    refund = session.get_one(Refund, refund_id)
    payment = session.get_one(Payment, refund.payment_id)
    account = session.get_one(Account, payment.account_id)
    order = session.get(Order, payment.order_id) if payment.order_id else None
    link = _order_link(session, payment.order_id, links)
    letter = letters.of_refund(session, refund, payment, account, link)
    to = [Reader(order.email)] if order else addressing.readers(session, account)
    for reader in to:
        queue(session, letter, f"refunded:{refund.id}", reader, links, now, account_id=account.id)


def method_stored(session: Session, operation_id: uuid.UUID, links: Links, now: datetime) -> None:
    """A card is on file: a copy of what its owner agreed to."""
    given = methods.authorisation(session, operation_id)
    account = session.get_one(Account, given.account_id)
    may_log_in = addressing.has_members(session, account.id)
    letter = letters.of_method(session, given, links.portal() if may_log_in else "")
    for reader in addressing.readers(session, account):
        queue(session, letter, f"method:{given.id}", reader, links, now, account_id=account.id)


def charge_failed(session: Session, operation_id: uuid.UUID, house: House) -> None:
    """A card on file was not charged: why, when it is tried again, and where to put it right. Not when
    nothing of it is owed any more."""
    operation = session.get_one(PaymentOperation, operation_id)
    parts = _still_owed(session, house, operation)
    if operation.state != "failed" or not parts:
        return
    account = session.get_one(Account, operation.account_id)
    method = session.get_one(PaymentMethod, operation.payment_method_id)
    link = house.links.card(method.public_id)
    if not addressing.has_members(session, account.id):
        link = _order_link(session, parts[0][0].order_id, house.links)
    row = _payment_of(session, operation)
    letter = letters.of_failed_charge(session, operation, parts, row, link)
    key, now = f"charge-failed:{operation.id}", house.clock.now()
    for reader in addressing.readers(session, account):
        queue(session, letter, key, reader, house.links, now, account_id=account.id)


def _payment_of(session: Session, operation: PaymentOperation) -> ScheduledPayment | None:
    if operation.scheduled_payment_id is not None:
        return session.get_one(ScheduledPayment, operation.scheduled_payment_id)
    assert operation.invoice_id is not None
    return bills_on_file.of_bill(session, operation.invoice_id)


def _still_owed(
    session: Session, house: House, operation: PaymentOperation
) -> Sequence[tuple[Open, Money]]:
    """What the charge was for, where it is owed still."""
    row = _payment_of(session, operation)
    if row is None or row.origin == "bill":
        assert operation.invoice_id is not None
        item = items.of_sources(session, [operation.invoice_id]).get(operation.invoice_id)
        return [(item, item.open)] if item is not None and item.open else []
    return charge_terms.of_payment(session, house, row) if row.closed_at is None else []


def gift_cards_sold(
    session: Session, order: Order, cards: Sequence[GiftCard], links: Links, now: datetime
) -> None:
    """The codes of the cards that an order bought. The mail is forgotten once it is sent."""
    letter = letters.of_gift_cards(session, order, cards, links)
    key = f"gift-cards:{order.id}"
    queue(session, letter, key, Reader(order.email), links, now, account_id=order.payer_account_id)


def link_asked(session: Session, link_id: str, links: Links, now: datetime) -> None:
    """The mail with a link that somebody asked for. A link that is dead by now is not sent."""
    link = session.get_one(LinkToken, link_id)
    user = session.get_one(User, link.user_id)
    if link.used_at is not None or link.expires_at <= now or user.disabled_at is not None:
        return
    letter = _link_letter(session, link, user, links)
    queue(
        session,
        letter,
        f"link:{link.id}",
        Reader(user.email),
        links,
        now,
        account_id=link.account_id,
    )


def _link_letter(session: Session, link: LinkToken, user: User, links: Links) -> Letter:
    head = addressing.of_user(session, user.id, link.account_id)
    name, lasts = first_name(user.name), link.expires_at - link.created_at
    token = users.link_token(links.secret, link)
    if link.purpose == "reset":
        return ResetLetter(head, name, links.reset(token), lasts)
    if link.purpose == "verify":
        return VerifyLetter(head, name, links.verify(token), user.email, lasts)
    account = session.get(Account, link.account_id) if link.account_id else None
    return InviteLetter(
        head,
        name,
        links.invite(token),
        lasts,
        account.name if account else "",
        account.number if account else "",
    )


def _order_link(session: Session, order_id: uuid.UUID | None, links: Links) -> str:
    order = session.get(Order, order_id) if order_id else None
    return links.order(order.public_id) if order else ""


def _file_name(invoice: Invoice) -> str:
    word = _FILE_WORDS.get(invoice.kind, "bill")
    return f"{word}-{_NOT_IN_A_FILE_NAME.sub('-', invoice.number)}.pdf"


def queue(
    session: Session,
    letter: Letter,
    key: str,
    reader: Reader,
    links: Links,
    now: datetime,
    *,
    account_id: uuid.UUID | None,
    attachment_sha256: str | None = None,
    attachment_name: str | None = None,
) -> None:
    """Put a letter into words and into the queue, for one reader, once under its key."""
    mails.queue(
        session,
        NewMail(
            key=key + reader.suffix,
            template=letter.TEMPLATE,
            to_address=reader.address,
            words=render(letter),
            domain=links.domain,
            account_id=account_id,
            attachment_sha256=attachment_sha256,
            attachment_name=attachment_name,
        ),
        now,
    )
