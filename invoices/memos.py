"""Credit and debit memos by line of an issued bill: written, numbered and posted in one transaction.

A memo copies the bill's own tax lines, and stands where the bill stood: on contract liability. What was
earned of it before is taken back from revenue by an entry beside it (``earned``). Credits of one line never
come to more than the line: the payer's account is locked here, and the database refuses what is too much.
Called by ``flows.correct_invoice``.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel import crash
from core.kernel.clock import local_date
from core.kernel.errors import ShopError
from core.kernel.money import Money
from core.ledger import items, writeoffs
from core.ledger import memos as ledger
from core.ledger.items import Open
from core.ledger.memos import Credited
from core.parties import accounts
from core.parties.models import Account, Channel, LegalEntity
from core.tax.arithmetic import Tax, tax_lines
from invoices import correcting, terms, writing
from invoices.content import Content, Item, TaxPart
from invoices.correctable import Corrected, is_correctable, lines_of
from invoices.document import InvoiceDocument, Kind, Line
from invoices.earned import after_memo
from invoices.figures import figures
from invoices.issue import terms_of
from invoices.models import Invoice, InvoiceLine
from invoices.why import Formula, Why
from invoices.wording import Printing

VOID, EARLY_PAYMENT = "void", "early_payment"
CREDIT_REASONS = ("returned", "wrong", "goodwill")
DEBIT_REASONS = ("more_used", "wrong")


@dataclass(eq=False)
class NotCorrectable(ShopError):
    """Only bills of our own are corrected by a memo: no notes, no credit memos, no imported history."""

    code: ClassVar[str] = "not_correctable"
    text: ClassVar[str] = "{number} is no bill of ours that a memo could correct."
    number: str


@dataclass(eq=False)
class NothingToCredit(ShopError):
    """All of it was credited before, or nothing was chosen."""

    code: ClassVar[str] = "nothing_to_credit"
    text: ClassVar[str] = "Nothing of {number} was chosen that is left to be credited or charged."
    number: str


@dataclass(eq=False)
class MoreThanTheBill(ShopError):
    """The chosen lines alone come to more than the bill, which something was taken off."""

    code: ClassVar[str] = "more_than_the_bill"
    text: ClassVar[str] = "{number} has {left} left to credit in all, not {asked}."
    number: str
    left: Money
    asked: Money


@dataclass(eq=False)
class MemoBelowZero(ShopError):
    """What was chosen comes to less than nothing: the other kind of memo is meant."""

    code: ClassVar[str] = "memo_below_zero"
    text: ClassVar[str] = "What was chosen comes to {total}, which is less than nothing."
    total: Money


@dataclass(frozen=True)
class Because:
    """Why a line of a service is credited: it was not used. ``rated_minor`` is what is taken back at the
    plan's own price, which contains the taxes that the line's price contains."""

    why: Why
    rated_minor: int


@dataclass(frozen=True)
class Wish:
    """A memo that is wanted: net amounts by line number of the bill; ``None``: all that is left.

    ``made_of`` is unique: asked again with the same one, the first memo is answered.
    """

    invoice_id: uuid.UUID
    parts: Mapping[int, int] | None
    reason: str
    made_of: str
    actor: str
    message: str = ""
    refunded: bool = False  # only what the memo says becomes of the credit
    #: So much of what is left of it pays the bill for what a change added: for the memo's words, too.
    moved_minor: int = 0
    because: Mapping[int, Because] = field(default_factory=dict)
    #: What a line's credit comes to with its taxes, to the cent, by line number.
    gross: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Bill:
    """A bill under the lock of its payer."""

    invoice: Invoice
    lines: Sequence[Corrected]
    payer: Account
    channel: Channel
    entity: LegalEntity


#: Chooses the net amounts by line number once the bill is locked.
Choice = Callable[[Sequence[Corrected]], Mapping[int, int]]


def credit(
    session: Session, wish: Wish, printing: Printing, now: datetime
) -> tuple[Invoice, Credited]:
    """Issue a credit memo; what it gives back first lowers what is open of the bill.

    Raises NotCorrectable, NothingToCredit, MemoBelowZero, MoreThanTheLine or MoreThanTheBill. Asked again
    with the same ``made_of`` it answers the first memo, with nothing credited.
    """
    return _credit(session, wish, lambda lines: _chosen(wish, lines), printing, now)


def take_discount(
    session: Session, wish: Wish, ppm: int, printing: Printing, now: datetime
) -> tuple[Invoice, Credited]:
    """Issue the memo of a discount for early payment: ``ppm`` of what is left of each line, with its tax."""

    def choose(lines: Sequence[Corrected]) -> Mapping[int, int]:
        nets = correcting.percent_of([line.creditable for line in lines], ppm)
        return {line.row.line_number: net for line, net in zip(lines, nets, strict=True) if net}

    return _credit(session, wish, choose, printing, now)


def _credit(
    session: Session, wish: Wish, choose: Choice, printing: Printing, now: datetime
) -> tuple[Invoice, Credited]:
    bill = _lock(session, wish.invoice_id)
    zero = Money.zero(bill.invoice.currency)
    existing = session.scalar(select(Invoice).where(Invoice.made_of == wish.made_of))
    if existing is not None:
        return existing, Credited(zero, zero, None)
    chosen = choose(bill.lines)
    items_ = [
        _unused(
            _credit_item(bill, line, chosen, wish), wish.because.get(line.row.line_number), bill
        )
        for line in bill.lines
        if _picked(line, chosen)
    ]
    owed = items.of_sources(session, [bill.invoice.id]).get(bill.invoice.id)
    content = _content(bill, wish, Kind.CREDIT_MEMO, items_, now)
    _within(bill, content)
    if owed is not None:
        wanted = Money(content.total_minor, content.currency)
        owed = writeoffs.make_room(session, owed, wanted, content.issue_date, now)
    content = replace(content, notes=_notes(content, wish, owed, bill))
    memo = writing.write(session, content, printing, now)
    crash.point("memo.written")
    told = writing.for_the_ledger(memo, content)
    credited = ledger.credit_bill(session, told, owed, now)
    changed = [line.row for line in bill.lines if _picked(line, chosen)]
    after_memo.settle(session, bill.invoice, changed, now)
    writing.tell(session, memo, wish.actor, now)
    return memo, credited


def debit(session: Session, wish: Wish, printing: Printing, now: datetime) -> Invoice:
    """Issue a debit memo: more on lines of a bill, at the lines' own tax rates.

    Raises NotCorrectable, NothingToCredit or MemoBelowZero.
    """
    bill = _lock(session, wish.invoice_id)
    existing = session.scalar(select(Invoice).where(Invoice.made_of == wish.made_of))
    if existing is not None:
        return existing
    chosen = dict(wish.parts or {})
    picked = [line for line in bill.lines if _picked(line, chosen)]
    content = _content(bill, wish, Kind.DEBIT_MEMO, _debit_items(bill, picked, chosen), now)
    holding = replace(terms_of(bill.payer, bill.channel), discount_ppm=0)
    due = terms.due_date(holding, content.issue_date, bill.entity.country)
    content = replace(content, terms=holding, due_date=due)
    memo = writing.write(session, content, printing, now)
    crash.point("memo.written")
    ledger.debit_customer(session, writing.for_the_ledger(memo, content), now)
    after_memo.settle(session, bill.invoice, [line.row for line in picked], now)
    writing.tell(session, memo, wish.actor, now)
    return memo


def _lock(session: Session, invoice_id: uuid.UUID) -> _Bill:
    invoice = session.get_one(Invoice, invoice_id)
    payer = accounts.lock(session, invoice.payer_account_id)
    if not is_correctable(invoice):
        raise NotCorrectable(invoice.number)
    return _Bill(
        invoice,
        lines_of(session, invoice.id),
        payer,
        session.get_one(Channel, invoice.channel_id),
        session.get_one(LegalEntity, invoice.legal_entity_id),
    )


def _chosen(wish: Wish, lines: Sequence[Corrected]) -> Mapping[int, int]:
    if wish.parts is not None:
        return wish.parts
    return {line.row.line_number: line.creditable.left_net for line in lines}


def _picked(line: Corrected, chosen: Mapping[int, int]) -> bool:
    return bool(chosen.get(line.row.line_number))


def _content(bill: _Bill, wish: Wish, kind: Kind, items_: Sequence[Item], now: datetime) -> Content:
    if not items_:
        raise NothingToCredit(bill.invoice.number)
    content = Content(
        kind=kind,
        entity=bill.entity,
        channel=bill.channel,
        payer=bill.payer,
        currency=bill.invoice.currency,
        issue_date=local_date(now, bill.entity.time_zone),
        due_date=None,
        items=items_,
        service_account_id=bill.invoice.service_account_id,
        order_id=bill.invoice.order_id,
        order_number=_printed(bill).order_number,
        corrects=bill.invoice,
        reason=wish.reason,
        made_of=wish.made_of,
        message=wish.message,
    )
    if content.total_minor < 0:
        raise MemoBelowZero(Money(content.total_minor, content.currency))
    return content


def _within(bill: _Bill, content: Content) -> None:
    left = sum(line.creditable.left_total for line in bill.lines)
    if content.total_minor > left:
        asked = Money(content.total_minor, content.currency)
        raise MoreThanTheBill(bill.invoice.number, Money(left, content.currency), asked)


def _printed(bill: _Bill) -> InvoiceDocument:
    return InvoiceDocument.from_dict(bill.invoice.document)


def _credit_item(bill: _Bill, line: Corrected, chosen: Mapping[int, int], wish: Wish) -> Item:
    number, currency = line.row.line_number, bill.invoice.currency
    net = chosen[number]
    taxes = correcting.credit(line.creditable, net, currency, wish.gross.get(number))
    whole = Money(line.row.net_minor + _contained(line.creditable.taxes), currency)
    return _item(bill, line.row, net, taxes, whole)


def _unused(item: Item, because: Because | None, bill: _Bill) -> Item:
    """The item with the reason that rating gave, turned around: a memo's amounts are positive."""
    if because is None:
        return item
    why = because.why
    amount = Money(item.net_minor + item.contained_minor, bill.invoice.currency).decimal()
    turned = replace(why, amount=amount, residue=-why.residue - why.amount - amount)
    return replace(item, why=turned, repaired_minor=because.rated_minor)


def _contained(parts: Sequence[TaxPart]) -> int:
    return sum(part.amount_minor for part in parts if part.inclusive)


def _debit_items(bill: _Bill, picked: Sequence[Corrected], chosen: Mapping[int, int]) -> list[Item]:
    """Taxes on top of each net, also where the bill's prices contained them."""
    taxes = [[_as_tax(part) for part in line.creditable.taxes] for line in picked]
    nets = [chosen[line.row.line_number] for line in picked]
    taxed = tax_lines(list(zip(nets, taxes, strict=True)), bill.entity.tax_rounding)
    made = []
    for line, own, net, found in zip(picked, taxes, nets, taxed, strict=True):
        parts = dict(zip(own, line.creditable.taxes, strict=True))
        more = tuple(
            replace(parts[one.tax], base_minor=one.base_minor, amount_minor=one.amount_minor)
            for one in found.taxes
        )
        made.append(_item(bill, line.row, net, more, None))
    return made


def _as_tax(part: TaxPart) -> Tax:
    return Tax(part.jurisdiction, part.name, part.rate_ppm, inclusive=False, **part.more)


def _item(
    bill: _Bill, row: InvoiceLine, net: int, taxes: tuple[TaxPart, ...], whole: Money | None
) -> Item:
    printed = _line_of(bill, row.line_number)
    amount = Money(net + _contained(taxes), bill.invoice.currency).decimal()
    return Item(
        line_number=row.line_number,
        name=row.name,
        net_minor=net,
        taxes=taxes,
        sku=row.sku,
        prints_sku=printed is None or bool(printed.sku),
        unit_price_micros=row.unit_price_micros,
        priced_each=False,
        ledger_code=row.ledger_code,
        tax_category=row.tax_category,
        group=printed.group if printed is not None else "",
        description=printed.description if printed is not None else "",
        period_start=row.period_start,
        period_end=row.period_end,
        memo_of_id=row.id,
        why=Why(
            Formula.CREDIT,
            amount,
            of=whole.decimal() if whole is not None else None,
            source=bill.invoice.number,
        ),
    )


def _line_of(bill: _Bill, line_number: int) -> Line | None:
    lines = _printed(bill).lines
    return next((line for line in lines if line.line_no == line_number), None)


def _notes(content: Content, wish: Wish, owed: Open | None, bill: _Bill) -> list[str]:
    """What becomes of the credit, in the reader's words."""
    say = figures(content.currency, content.locale)
    still = owed.open.minor if owed is not None else 0
    settled = min(content.total_minor, still)
    kept, notes = content.total_minor - settled, []
    if settled:
        amount = say.alone(content.decimal(settled))
        text = say.words.credit_settles
        notes.append(text.format(amount=amount, number=bill.invoice.number))
    moved = min(kept, wish.moved_minor)
    if moved:
        notes.append(say.words.credit_moved.format(amount=say.alone(content.decimal(moved))))
        kept -= moved
    if kept:
        text = say.words.credit_refunded if wish.refunded else say.words.credit_kept
        notes.append(text.format(amount=say.alone(content.decimal(kept))))
    return notes
