"""Gathers the facts of mails about disputes. Called by ``flows.tell_dispute`` alone; writes nothing."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.ledger import items
from core.ledger.items import Open
from core.notices import addressing
from core.notices.dispute_letters import (
    DisputeClosedLetter,
    DisputeDeskLetter,
    DisputeMessageLetter,
    DisputeOpenedLetter,
)
from core.notices.figures import first_name
from core.orders.models import Order
from core.parties.models import Account
from flows.links import Links
from invoices.disputes.models import Dispute, DisputeFile, DisputeMessage
from invoices.models import Invoice, InvoiceLine

#: What a reason is called, in a sentence.
REASONS = {
    "overcharge": "it is too much",
    "duplicate": "it is billed twice",
    "late_fee": "a late fee",
    "not_received": "they did not get it",
    "courtesy": "a wish for a courtesy",
}


def of_opening(session: Session, dispute: Dispute, links: Links) -> DisputeOpenedLetter:
    """We have it."""
    account, invoice, line = _about(session, dispute)
    item = items.of_sources(session, [invoice.id]).get(invoice.id)
    zero = Money.zero(dispute.currency)
    return DisputeOpenedLetter(
        addressing.of_account(session, account),
        first_name(account.name) if account.kind == "person" else "",
        _link(session, dispute, invoice, links),
        number=dispute.number,
        bill=invoice.number,
        line=line.name,
        amount=Money(dispute.amount_minor, dispute.currency),
        answer_by=dispute.answer_by,
        contested=item.contested if item is not None else zero,
        still_due=item.uncontested if item is not None else zero,
        due=invoice.due_date,
        words=_first_words(session, dispute),
    )


def of_message(
    session: Session, message: DisputeMessage, dispute: Dispute, links: Links
) -> DisputeMessageLetter:
    """The other side wrote."""
    account, invoice, _ = _about(session, dispute)
    for_desk = message.side == "customer"
    link = _link(session, dispute, invoice, links)
    return DisputeMessageLetter(
        addressing.of_account(session, account),
        first_name(account.name) if account.kind == "person" else "",
        links.desk_dispute(dispute.public_id) if for_desk else link,
        number=dispute.number,
        bill=invoice.number,
        author=" ".join(message.author.split())[:160],
        words=tuple(message.text.splitlines()),
        pictures=_pictures(session, message),
        for_desk=for_desk,
    )


def of_end(session: Session, dispute: Dispute, links: Links) -> DisputeClosedLetter:
    """It is over, and how."""
    account, invoice, line = _about(session, dispute)
    memo = session.get(Invoice, dispute.memo_id) if dispute.memo_id is not None else None
    found = items.of_sources(session, [invoice.id, *([memo.id] if memo is not None else [])])
    bill, zero = found.get(invoice.id), Money.zero(dispute.currency)
    credited = Money(dispute.credited_minor, dispute.currency)
    kept = _amount(found.get(memo.id) if memo is not None else None, zero)
    return DisputeClosedLetter(
        addressing.of_account(session, account),
        first_name(account.name) if account.kind == "person" else "",
        _link(session, dispute, invoice, links),
        number=dispute.number,
        bill=invoice.number,
        line=line.name,
        how=dispute.outcome or dispute.state,
        amount=Money(dispute.amount_minor, dispute.currency),
        credited=credited,
        memo=memo.number if memo is not None else "",
        settles=credited - kept,
        kept=kept,
        goes_back=dispute.wish == "refund",
        words=tuple(dispute.answer.splitlines()),
        still_due=bill.uncontested if bill is not None else zero,
        due=invoice.due_date,
    )


def for_desk(session: Session, dispute: Dispute, how: str, links: Links) -> DisputeDeskLetter:
    """The house is told."""
    account, invoice, line = _about(session, dispute)
    said = first(session, dispute)
    return DisputeDeskLetter(
        addressing.of_account(session, account),
        "",
        links.desk_dispute(dispute.public_id),
        number=dispute.number,
        bill=invoice.number,
        line=line.name,
        how=how,
        who=" ".join(account.name.split())[:160],
        account=account.number,
        amount=Money(dispute.amount_minor, dispute.currency),
        reason=REASONS[dispute.reason],
        answer_by=dispute.answer_by,
        words=tuple(said.text.splitlines()),
        pictures=_pictures(session, said),
    )


def _about(session: Session, dispute: Dispute) -> tuple[Account, Invoice, InvoiceLine]:
    return (
        session.get_one(Account, dispute.account_id),
        session.get_one(Invoice, dispute.invoice_id),
        session.get_one(InvoiceLine, dispute.line_id),
    )


def _link(session: Session, dispute: Dispute, invoice: Invoice, links: Links) -> str:
    """Where its customer follows it: in the account, or by the order's link where there is none."""
    if invoice.order_id is None or addressing.has_members(session, dispute.account_id):
        return links.dispute(dispute.public_id)
    order = session.get_one(Order, invoice.order_id)
    return links.order_dispute(order.public_id, dispute.public_id)


def _amount(item: Open | None, zero: Money) -> Money:
    return item.amount if item is not None else zero


def first(session: Session, dispute: Dispute) -> DisputeMessage:
    """The words that it began with."""
    return session.scalars(
        select(DisputeMessage)
        .where(DisputeMessage.dispute_id == dispute.id)
        .order_by(DisputeMessage.at, DisputeMessage.id)
        .limit(1)
    ).one()


def _first_words(session: Session, dispute: Dispute) -> tuple[str, ...]:
    return tuple(first(session, dispute).text.splitlines())


def _pictures(session: Session, message: DisputeMessage) -> int:
    found = select(func.count()).where(DisputeFile.message_id == message.id)
    return int(session.scalar(found) or 0)
