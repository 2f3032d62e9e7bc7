"""What a bill would be: the same comparison and the same documents, written nowhere."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from core.kernel.money import Money, total
from core.ledger import credits
from core.parties.models import Account
from core.tax.service import Answers
from invoices.billing import issuing, repairing
from invoices.billing.bounds import Bounds
from invoices.billing.comparing import Charge, Difference, Repair
from invoices.billing.composing import Bill, Ground
from invoices.billing.repairing import Back
from invoices.content import Content, Item
from invoices.why import Why


@dataclass(frozen=True)
class Line:
    """One line of a bill to be; a repair's amounts are below zero. ``last`` is the last day that it is for.

    ``amount`` is at the plan's own price, with the tax that it contains; ``net`` is before any tax.
    """

    subscription_id: uuid.UUID
    public_id: str
    name: str
    description: str
    starts: date | None
    last: date | None
    amount: Money
    net: Money
    tax: Money
    why: Why
    is_repair: bool


@dataclass(frozen=True)
class Tax:
    """One tax of the bill to be, with those that go back taken off."""

    name: str
    rate_ppm: int
    amount: Money


@dataclass(frozen=True)
class Preview:
    """What would be posted in one currency. ``total`` is charged less given back; ``credit_used`` is what
    credit pays of the new bills, ``to_pay`` what is left of them, ``credit_left`` what stays for later.

    ``parked`` is why it could not be billed now: the code of the reason.
    """

    currency: str
    lines: tuple[Line, ...]
    taxes: tuple[Tax, ...]
    net: Money
    tax: Money
    total: Money
    credit_used: Money
    credit_left: Money
    to_pay: Money
    parked: str = ""

    @property
    def charges(self) -> tuple[Line, ...]:
        """What is charged."""
        return tuple(line for line in self.lines if not line.is_repair)

    @property
    def repairs(self) -> tuple[Line, ...]:
        """What goes back."""
        return tuple(line for line in self.lines if line.is_repair)


@dataclass(frozen=True)
class Foreseen:
    """The documents that would be written."""

    bills: tuple[Bill, ...]
    backs: tuple[Back, ...]


def foresee(
    session: Session,
    ground: Ground,
    bounds: Bounds,
    payer: Account,
    difference: Difference,
    answers: Answers,
) -> Foreseen:
    """The documents of a difference. Raises what posting it would raise."""
    bills = issuing.composed(session, ground, bounds, payer, difference, answers)
    return Foreseen(tuple(bills), tuple(repairing.foresee(session, difference.repairs)))


def preview(
    session: Session,
    payer: Account,
    difference: Difference,
    foreseen: Foreseen,
    currency: str,
    parked: str = "",
) -> Preview:
    """The documents of one currency, line by line, and what credit does to them."""
    contents = [bill.content for bill in foreseen.bills if bill.content.currency == currency]
    backs = [back for back in foreseen.backs if back.bill.currency == currency]
    lines = [*_repairs(difference.repairs, backs, currency), *_charges(difference, contents)]
    used, left = _credit(session, payer, contents, backs, currency)
    net = total((line.net for line in lines), currency)
    tax = total((line.tax for line in lines), currency)
    gross = sum(content.total_minor for content in contents)
    return Preview(
        currency=currency,
        lines=tuple(lines),
        taxes=_taxes(contents, backs, currency),
        net=net,
        tax=tax,
        total=net + tax,
        credit_used=Money(used, currency),
        credit_left=Money(left, currency),
        to_pay=Money(gross - used, currency),
        parked=parked,
    )


def _charges(difference: Difference, contents: Sequence[Content]) -> list[Line]:
    charges = {charge.charge_key: charge for charge in difference.charges}
    return [
        _charge(charges[item.charge.key], item, content.currency)
        for content in contents
        for item in content.items
        if item.charge is not None
    ]


def _charge(charge: Charge, item: Item, currency: str) -> Line:
    return Line(
        charge.timeline.id,
        charge.timeline.public_id,
        item.name,
        item.description,
        item.period_start,
        item.period_end,
        Money(item.net_minor + item.contained_minor, currency),
        Money(item.net_minor, currency),
        Money(item.tax_minor, currency),
        charge.change.why,
        is_repair=False,
    )


def _repairs(repairs: Sequence[Repair], backs: Sequence[Back], currency: str) -> list[Line]:
    found = []
    for back in backs:
        for part in back.parts:
            repair = next(one for one in repairs if one.line.id == part.line_id)
            timeline, line = repair.timeline, repair.line
            found.append(
                Line(
                    timeline.id,
                    timeline.public_id,
                    part.name,
                    timeline.label,
                    line.served.start if line.served else None,
                    line.served.last if line.served else None,
                    Money(-part.net - part.contained, currency),
                    Money(-part.net, currency),
                    Money(-part.tax, currency),
                    repair.change.why,
                    is_repair=True,
                )
            )
    return found


def _taxes(contents: Sequence[Content], backs: Sequence[Back], currency: str) -> tuple[Tax, ...]:
    sums: dict[tuple[str, int], int] = {}
    charged = [part for content in contents for item in content.counted for part in item.taxes]
    for part in charged:
        key = (part.name, part.rate_ppm)
        sums[key] = sums.get(key, 0) + part.amount_minor
    for part in (tax for back in backs for one in back.parts for tax in one.taxes):
        key = (part.name, part.rate_ppm)
        sums[key] = sums.get(key, 0) - part.amount_minor
    return tuple(Tax(name, ppm, Money(minor, currency)) for (name, ppm), minor in sums.items())


def _credit(
    session: Session,
    payer: Account,
    contents: Sequence[Content],
    backs: Sequence[Back],
    currency: str,
) -> tuple[int, int]:
    """What credit pays of the new bills, and what stays; older bills come first."""
    free = [item for item in credits.free(session, payer.id) if item.open.currency == currency]
    mine = [back for back in backs if back.bill.payer_account_id == payer.id]
    available = sum(item.open.minor for item in free) + sum(back.kept for back in mine)
    if not available or not contents:
        return 0, available
    lowered = {back.bill.id: back.settled for back in mine}
    older = sum(
        max(item.uncontested.minor - lowered.get(item.source_id, 0), 0)
        for item in credits.payable(session, payer.id)
        if item.open.currency == currency
    )
    for_new = max(available - older, 0)
    used = min(for_new, sum(content.total_minor for content in contents))
    return used, for_new - used
