"""Gathers what the mail with a statement says, from the statement's frozen document.

Called by ``flows.notify``. Reads; writes nothing.
"""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from core.kernel.money import Money
from core.notices import addressing
from core.notices.letters import Row, StatementLetter
from core.parties.models import Account
from flows.letters import greeting
from invoices.statements.arrangement import Arrangement
from invoices.statements.document import StatementDocument
from invoices.statements.drafting import DISPUTE_DAYS
from invoices.statements.models import Statement


def of_statement(
    session: Session, statement: Statement, link: str, *, is_attached: bool
) -> StatementLetter:
    """A statement with its roll-forward; the very figures of its page and its PDF."""
    account = session.get_one(Account, statement.account_id)
    document = StatementDocument.from_dict(statement.document)
    by = document.dispute_by or document.issue_date + timedelta(days=DISPUTE_DAYS)
    return StatementLetter(
        head=addressing.of_account(session, account),
        name=greeting(account),
        number=document.number,
        account_number=account.number,
        issued_on=document.issue_date,
        period_start=document.period_start,
        period_end=document.period_end,
        amount=_money(document.amount_due, document),
        overdue=_money(document.overdue, document),
        in_favour=_money(max(-document.closing, Decimal(0)), document),
        due_on=document.due_date,
        dispute_by=by,
        rows=_rows(document),
        link=link,
        is_attached=is_attached,
    )


def _rows(document: StatementDocument) -> tuple[Row, ...]:
    return tuple(
        Row(row.label, _money(row.amount, document), row.detail, row.kind or "line")
        for row in Arrangement(document).roll
    )


def _money(amount: Decimal, document: StatementDocument) -> Money:
    return Money.parse(str(amount), document.currency)
