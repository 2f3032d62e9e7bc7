"""What no bill of services may be: bounds that refuse the absurd, so that a person looks first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from core.kernel.errors import ShopError
from core.kernel.money import minor_digits
from invoices.billing.comparing import Charge
from invoices.content import Content


@dataclass(eq=False)
class TooMuch(ShopError):
    """A bill past a bound: the account is parked, and nothing of it is written."""

    code: ClassVar[str] = "too_much"
    text: ClassVar[str] = "{what}: {found:,}, and the most is {most:,}."
    what: str
    found: int
    most: int


@dataclass(frozen=True)
class Bounds:
    """As the settings say. ``most_amount`` is in major units of any currency, tax included;
    ``most_periods`` is how many periods of one service may be made up for at once; ``oldest_days`` how long
    ago the day may lie that a run bills by."""

    most_amount: int = 100_000
    most_lines: int = 500
    most_periods: int = 13
    oldest_days: int = 400

    def check_charges(self, charges: Sequence[Charge]) -> None:
        """Raises TooMuch for a service with too many periods at once."""
        counts: dict[object, set[int]] = {}
        for charge in charges:
            meter = charge.metered.meter_id if charge.metered else None
            counts.setdefault((charge.timeline.id, meter), set()).add(
                charge.served.start.toordinal()
            )
        found = max(map(len, counts.values()), default=0)
        if found > self.most_periods:
            raise TooMuch("Periods of one service at once", found, self.most_periods)

    def check(self, content: Content) -> None:
        """Raises TooMuch for an invoice with too many lines, or of too large an amount."""
        if len(content.items) > self.most_lines:
            raise TooMuch("Lines of one invoice", len(content.items), self.most_lines)
        whole = content.total_minor // 10 ** minor_digits(content.currency)
        if whole > self.most_amount:
            raise TooMuch(f"{content.currency} on one bill", whole, self.most_amount)
