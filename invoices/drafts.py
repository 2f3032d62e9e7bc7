"""Invoices that staff write: drafted, previewed, discarded or issued. A draft has no number, is in no ledger,
and nobody outside sees it; its number is taken when it is issued.

Called by ``flows.draft_invoice``.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.kernel import audit, crash
from core.kernel.clock import local_date
from core.kernel.db import changed
from core.kernel.errors import NotFound, ShopError, StaleState
from core.kernel.money import MICROS, Money, extend
from core.kernel.sorting import Place, Sorts
from core.ledger import business
from core.ledger.chart import CONTRACT_LIABILITY, REVENUE
from core.parties import accounts
from core.parties.listing import called
from core.parties.models import Account, Channel, LegalEntity
from core.tax import buyers, rates
from core.tax.arithmetic import TaxedLine, tax_lines
from core.tax.buyers import Known
from core.tax.relief import relieve
from invoices import discount, frozen, terms, wording, writing
from invoices.content import Content, Item, TaxPart, bundled
from invoices.document import InvoiceDocument, Kind
from invoices.issue import terms_of
from invoices.memos import MemoBelowZero
from invoices.models import Invoice, InvoiceDraft
from invoices.why import Formula, Why
from invoices.wording import Name, Printing

#: The ledger accounts that a line may stand on: earned later, or earned already.
LEDGER_CODES = (CONTRACT_LIABILITY, REVENUE)
MOST_LINES = 200


@dataclass(eq=False)
class NothingToIssue(ShopError):
    """A draft without a line that counts."""

    code: ClassVar[str] = "nothing_to_issue"
    text: ClassVar[str] = "Write at least one line before you issue this invoice."


@dataclass(frozen=True)
class DraftLine:
    """One line as it was written; ``part_of`` is the number of the bundle's line above it."""

    name: str
    quantity: Decimal = Decimal(1)
    unit_price_micros: int = 0
    tax_category: str = ""
    ledger_code: str = CONTRACT_LIABILITY
    part_of: int | None = None
    description: str = ""
    period_start: date | None = None
    period_end: date | None = None
    cost_minor: int | None = None
    sale_price_minor: int | None = None


@dataclass(frozen=True)
class Draft:
    """What a draft says; lines are numbered from 1 in their order."""

    lines: tuple[DraftLine, ...] = ()
    purchase_order: str = ""
    message: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As its row keeps it."""
        return dict(frozen.to_plain(self))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Draft":
        """What ``to_dict`` wrote."""
        return frozen.from_plain(cls, data)


def start(
    session: Session, account_id: uuid.UUID, draft: Draft, actor: str, now: datetime
) -> InvoiceDraft:
    """Begin a draft for an account."""
    account = session.get_one(Account, account_id)
    if account.channel_id is None:
        raise NotFound("account that we bill")
    row = InvoiceDraft(
        payer_account_id=account_id, content=draft.to_dict(), created_at=now, updated_at=now
    )
    session.add(row)
    session.flush()
    audit.write(session, now, actor, "draft.started", ("draft", row.public_id))
    return row


def change(session: Session, public_id: str, draft: Draft, revision: int, now: datetime) -> None:
    """Write a draft anew. StaleState when somebody else changed, issued or discarded it first."""
    _move(session, public_id, revision, {"content": draft.to_dict()}, now)


def discard(session: Session, public_id: str, revision: int, actor: str, now: datetime) -> None:
    """Give a draft up; no number was taken. StaleState as in ``change``."""
    _move(session, public_id, revision, {"state": "discarded"}, now)
    audit.write(session, now, actor, "draft.discarded", ("draft", public_id))


def _move(
    session: Session, public_id: str, revision: int, values: dict[str, Any], now: datetime
) -> None:
    found = one(session, public_id)
    move = (
        update(InvoiceDraft)
        .where(
            InvoiceDraft.id == found.id,
            InvoiceDraft.state == "open",
            InvoiceDraft.revision == revision,
        )
        .values(revision=revision + 1, updated_at=now, **values)
    )
    if not changed(session.execute(move)):
        raise StaleState("draft", "open")


def one(session: Session, public_id: str) -> InvoiceDraft:
    """A draft by its public id. NotFound when there is none."""
    found = session.scalar(select(InvoiceDraft).where(InvoiceDraft.public_id == public_id))
    if found is None:
        raise NotFound("draft")
    return found


#: What the desk's list may be sorted by.
SORTS = Sorts(InvoiceDraft.id, {"changed": InvoiceDraft.updated_at})
NEWEST = Place("-changed")


def listing(
    session: Session,
    *,
    state: str = "open",
    words: str = "",
    place: Place = NEWEST,
    limit: int = 50,
) -> list[tuple[InvoiceDraft, Account]]:
    """Drafts with who is billed, from a place on; ``words`` in name and account number."""
    query = (
        select(InvoiceDraft, Account)
        .join(Account, Account.id == InvoiceDraft.payer_account_id)
        .where(InvoiceDraft.state == state)
    )
    if words:
        query = query.where(called(words))
    rows = session.execute(SORTS.apply(query, place, limit))
    return [(draft, account) for draft, account in rows]


def preview(
    session: Session, row: InvoiceDraft, printing: Printing, now: datetime
) -> InvoiceDocument:
    """What the invoice would say if it were issued now: without a number, marked as a draft."""
    content = _content(session, row, now)
    return wording.document(content, Name(), printing, discount.of_content(content))


def issue(
    session: Session, public_id: str, revision: int, printing: Printing, actor: str, now: datetime
) -> Invoice:
    """Give a draft its number and post it; a second time answers the first invoice.

    Raises NothingToIssue, MemoBelowZero, StaleState when it was changed meanwhile, NotFound when it was
    discarded.
    """
    found = one(session, public_id)
    accounts.lock(session, found.payer_account_id)
    row = session.get_one(InvoiceDraft, found.id, with_for_update=True, populate_existing=True)
    if row.invoice_id is not None:
        return session.get_one(Invoice, row.invoice_id)
    if row.state != "open" or row.revision != revision:
        raise StaleState("draft", "open")
    content = _content(session, row, now)
    if not content.counted:
        raise NothingToIssue
    if content.total_minor < 0:
        raise MemoBelowZero(Money(content.total_minor, content.currency))
    content = replace(content, made_of=f"draft:{row.id}")
    if not content.total_minor:
        content = replace(content, due_date=None)
    invoice = writing.write(session, content, printing, now)
    crash.point("draft.written")
    business.charge(session, writing.for_the_ledger(invoice, content), now)
    row.state, row.invoice_id, row.updated_at = "issued", invoice.id, now
    writing.tell(session, invoice, actor, now)
    return invoice


def _content(session: Session, row: InvoiceDraft, now: datetime) -> Content:
    draft = Draft.from_dict(row.content)
    account = session.get_one(Account, row.payer_account_id)
    channel = session.get_one(Channel, account.channel_id)
    entity = session.get_one(LegalEntity, account.legal_entity_id)
    today, holding = local_date(now, entity.time_zone), terms_of(account, channel)
    return Content(
        kind=Kind.INVOICE,
        entity=entity,
        channel=channel,
        payer=account,
        currency=account.currency,
        issue_date=today,
        due_date=terms.due_date(holding, today, entity.country),
        terms=holding,
        discount_until=terms.discount_until(holding, today, entity.country),
        items=_items(session, draft, account, channel, entity, today),
        service_account_id=account.id,
        purchase_order=draft.purchase_order,
        message=draft.message,
    )


def _items(
    session: Session,
    draft: Draft,
    account: Account,
    channel: Channel,
    entity: LegalEntity,
    today: date,
) -> list[Item]:
    bundles = {line.part_of for line in draft.lines}
    counted = [
        (number, line) for number, line in enumerate(draft.lines, start=1) if number not in bundles
    ]
    place = account.billing_address
    included = channel.prices_include_tax
    known = Known(account.id, account.vat_id or "")
    taxes = relieve(
        rates.taxes_by_category(session, entity.id, place, today, included=included),
        buyers.read(session, known, today),
        entity.country,
        place,
    )
    asked = [
        (_amount(line, account.currency).minor, taxes.of(line.tax_category)) for _, line in counted
    ]
    found = tax_lines(asked, entity.tax_rounding)
    taxed = {number: one for (number, _), one in zip(counted, found, strict=True)}
    return bundled(
        [
            _item(number, line, taxed.get(number), account.currency)
            for number, line in enumerate(draft.lines, start=1)
        ]
    )


def _amount(line: DraftLine, currency: str) -> Money:
    return extend(line.unit_price_micros, line.quantity, currency)


def _item(number: int, line: DraftLine, taxed: TaxedLine | None, currency: str) -> Item:
    amount = _amount(line, currency)
    price = Decimal(line.unit_price_micros) / MICROS
    return Item(
        line_number=number,
        name=line.name,
        net_minor=taxed.net_minor if taxed is not None else 0,
        taxes=tuple(map(TaxPart.reckoned, taxed.taxes)) if taxed is not None else (),
        quantity=line.quantity,
        unit_price_micros=line.unit_price_micros,
        ledger_code=line.ledger_code,
        tax_category=line.tax_category,
        description=line.description,
        period_start=line.period_start,
        period_end=line.period_end,
        parent=line.part_of,
        cost_minor=line.cost_minor,
        sale_price_minor=line.sale_price_minor,
        why=Why(
            Formula.QUANTITY,
            amount.decimal(),
            quantity=line.quantity,
            unit_price=price,
            residue=price * line.quantity - amount.decimal(),
        ),
    )
