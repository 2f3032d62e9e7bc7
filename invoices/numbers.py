"""The numbers of our own documents: one gapless series for each kind, and how a number looks.

Imported documents keep the numbers that they came with; those are in no series of ours.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Series:
    """One series. The first number is one more than ``before_first``; ``scan_from`` is what a position
    counts from in the eight digits of a stub's scan line, so that no two kinds read alike."""

    name: str
    prefix: str
    before_first: int
    scan_from: int

    def number(self, position: int) -> str:
        """The number as people know it."""
        return f"{self.prefix}{self.before_first + position}"

    def scan_number(self, position: int) -> int:
        """The number as the scan line has it."""
        return self.scan_from + position


INVOICES = Series("invoice", "", 100_000, 100_000)
SERIES = {
    "invoice": INVOICES,
    "credit_memo": Series("credit_memo", "C", 100_000, 80_000_000),
    "debit_memo": Series("debit_memo", "D", 100_000, 90_000_000),
}
