"""Late fees: a debit memo of one line, once for each bill that was late, and taken back when it is waived.

It stands by itself and corrects no bill: the bill is right, it is late. No tax is charged on it. Called by
``flows.charge_late_fee`` under the lock of the payer's account.
"""

import uuid
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.clock import local_date
from core.kernel.money import MICROS, Money, minor_digits
from core.ledger import memos as ledger
from core.ledger.chart import REVENUE
from core.ledger.items import Open
from core.ledger.memos import Credited
from core.parties.models import Account, Channel, LegalEntity
from invoices import memos, terms, writing
from invoices.content import Content, Item
from invoices.document import Kind
from invoices.figures import figures
from invoices.issue import terms_of
from invoices.memos import Wish
from invoices.models import Invoice
from invoices.wording import Printing

LATE_FEE, WAIVED = "late_fee", "fee_waived"


def charge(
    session: Session,
    account: Account,
    fee: Money,
    late: Open,
    printing: Printing,
    now: datetime,
) -> Invoice:
    """Issue the fee's debit memo; ``late`` is the bill that was not paid in time.

    Asked again for the same bill it answers the first memo.
    """
    made_of = f"late-fee:{late.id}"
    existing = session.scalar(select(Invoice).where(Invoice.made_of == made_of))
    if existing is not None:
        return existing
    channel = session.get_one(Channel, account.channel_id)
    entity = session.get_one(LegalEntity, account.legal_entity_id)
    issued = local_date(now, entity.time_zone)
    holding = replace(terms_of(account, channel), discount_ppm=0)
    content = Content(
        kind=Kind.DEBIT_MEMO,
        entity=entity,
        channel=channel,
        payer=account,
        currency=account.currency,
        issue_date=issued,
        due_date=terms.due_date(holding, issued, entity.country),
        terms=holding,
        items=(),
        service_account_id=account.id,
        reason=LATE_FEE,
        made_of=made_of,
    )
    content = replace(content, items=(_item(content, fee, late),))
    memo = writing.write(session, content, printing, now)
    ledger.debit_customer(session, writing.for_the_ledger(memo, content), now)
    writing.tell(session, memo, "system", now)
    return memo


def _item(content: Content, fee: Money, late: Open) -> Item:
    say = figures(content.currency, content.locale)
    day = say.day(late.due_date or late.effective_date)
    return Item(
        line_number=1,
        name=say.words.late_fee,
        net_minor=fee.minor,
        unit_price_micros=fee.minor * (MICROS // 10 ** minor_digits(fee.currency)),
        priced_each=False,
        ledger_code=REVENUE,
        description=say.words.late_fee_of.format(number=late.number, day=day),
    )


def take_back(
    session: Session, memo_id: uuid.UUID, actor: str, printing: Printing, now: datetime
) -> tuple[Invoice, Credited]:
    """Credit all that is left of a fee; what was paid of it is kept for the customer. Once."""
    wish = Wish(memo_id, None, WAIVED, f"late-fee-waived:{memo_id}", actor)
    return memos.credit(session, wish, printing, now)
