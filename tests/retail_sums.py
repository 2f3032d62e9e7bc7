"""What a till's file comes to by its own figures, and what the books say of it, to be held beside each other.

The file is read here without any of the code that brings it in.
"""

import csv
import io
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from sqlalchemy import select

from core.kernel.clock import Clock
from core.kernel.db import Database
from core.parties.models import Account
from flows import export
from flows.export import Asked

_PENNY = Decimal("0.01")


@dataclass
class Sums:
    """Amounts by document, by customer and by day: what was given back is negative."""

    by_document: Counter[str] = field(default_factory=Counter)
    by_account: Counter[str] = field(default_factory=Counter)
    by_day: Counter[str] = field(default_factory=Counter)

    def add(self, document: str, account: str, day: str, amount: Decimal) -> None:
        """Count one amount three ways."""
        for by, key in (
            (self.by_document, document),
            (self.by_account, account),
            (self.by_day, day),
        ):
            by[key] += amount  # type: ignore[assignment]  # a Counter counts decimals as well

    def differences(self, other: "Sums") -> dict[str, set[tuple[str, object]]]:
        """Where the two differ; what comes to nothing counts as not there."""
        return {
            name: set(_some(getattr(self, name))) ^ set(_some(getattr(other, name)))
            for name in ("by_document", "by_account", "by_day")
        }


def _some(by: Counter[str]) -> list[tuple[str, object]]:
    return [(key, amount) for key, amount in by.items() if amount]


def of_file(path: Path) -> tuple[Sums, set[str]]:
    """The file's own sums, and the numbers of its documents."""
    sums, documents = Sums(), set()
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            amount = Decimal(row["Quantity"]) * Decimal(row["UnitPrice"])
            customer = row["CustomerID"].removesuffix(".0") or "counter-sales"
            documents.add(row["InvoiceNo"])
            sums.add(
                row["InvoiceNo"],
                customer,
                row["InvoiceDate"].partition(" ")[0],
                amount.quantize(_PENNY, rounding=ROUND_HALF_UP),
            )
    return sums, documents


def of_books(db: Database, clock: Clock) -> Sums:
    """The same from the journal's file: what was billed and what was credited."""
    with db.reading() as session:
        query = select(Account.number, Account.external_ref)
        accounts = {number: ref or "" for number, ref in session.execute(query)}
    sums = Sums()
    for row in exported(db, clock, "journal"):
        sides = {"invoice_issued": "accounts_receivable", "credit_memo_issued": "customer_credit"}
        if row["ledger_account"] == sides.get(row["kind"]):
            amount = Decimal(row["debit"] or "0") - Decimal(row["credit"] or "0")
            customer = accounts[row["account"]]
            sums.add(row["source"], customer, row["effective_date"], amount)
    return sums


def exported(
    db: Database, clock: Clock, what: str, until: date | None = None
) -> list[dict[str, str]]:
    """A file of the books, read again."""
    return list(csv.DictReader(io.StringIO(file_of(db, clock, what, until).decode(), newline="")))


def file_of(db: Database, clock: Clock, what: str, until: date | None = None) -> bytes:
    """The bytes of a file of the books."""
    file = io.BytesIO()
    export.write(db, Asked(what, until=until), clock.now(), file, lambda code, done, whole: None)
    return file.getvalue()
