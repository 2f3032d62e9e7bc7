"""The roll-forward: previous balance, payments, adjustments, new charges, closing balance. Pure.

What a journal entry changes of an account's balance has a sign: charges add, payments and credits take
off. The balance is receivable and charged back, less customer credit and unapplied money; deposits for
orders are not in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from core.kernel.money import Money, total
from core.ledger.chart import CUSTOMER_CREDIT, RECEIVABLE, RECEIVABLE_CHARGED_BACK, UNAPPLIED

#: The accounts of the chart that make an account's balance; debits are positive.
BALANCE = (RECEIVABLE, RECEIVABLE_CHARGED_BACK, CUSTOMER_CREDIT, UNAPPLIED)


class Kind(StrEnum):
    """Which line of the roll-forward an entry belongs to."""

    PAYMENT = "payment"
    ADJUSTMENT = "adjustment"
    CHARGE = "charge"


#: Kinds of journal entries that are new charges, and those that are money of the payer. All others
#: (credits, write-offs, charge-backs, refunds, corrections) are adjustments.
CHARGES = frozenset({"invoice_issued", "debit_memo_issued"})
PAYMENTS = frozenset(
    {
        "payment_captured",
        "transfer_received",
        "identified",
        "credit_applied",
        "credit_moved",
        "gift_card_applied",
        "gift_card_used",
        "history_settled",
    }
)


def kind_of(entry_kind: str, amount: Money) -> Kind:
    """The line that an entry of this kind and amount stands in.

    A charge that takes off, or a payment that adds, is no such thing: it is an adjustment.
    """
    if entry_kind in CHARGES and amount.minor > 0:
        return Kind.CHARGE
    if entry_kind in PAYMENTS and amount.minor < 0:
        return Kind.PAYMENT
    return Kind.ADJUSTMENT


@dataclass(frozen=True)
class Roll:
    """One period's roll-forward; payments and credits are negative."""

    opening: Money
    payments: Money
    adjustments: Money
    charges: Money
    moved: Money

    @property
    def closing(self) -> Money:
        """What is owed at the end; below zero it is in the payer's favour."""
        return self.opening + self.moved + self.payments + self.adjustments + self.charges


def roll(opening: Money, moved: Money, changes: Iterable[tuple[Kind, Money]]) -> Roll:
    """Roll ``opening`` forward over the changes of a period."""
    by_kind: dict[Kind, list[Money]] = {kind: [] for kind in Kind}
    for kind, amount in changes:
        by_kind[kind].append(amount)
    sums = {kind: total(amounts, opening.currency) for kind, amounts in by_kind.items()}
    return Roll(opening, sums[Kind.PAYMENT], sums[Kind.ADJUSTMENT], sums[Kind.CHARGE], moved)
