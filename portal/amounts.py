"""Another amount on the pay page: as typed, and what it would pay, in rows."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import request

from core.kernel.errors import ShopError
from core.kernel.money import Money
from flows import pay_amount
from flows.pay_amount import Plan
from web.context import house


@dataclass(frozen=True)
class Typed:
    """The amount as it stands in the form. ``shown`` is the digest of the plan that the payer saw."""

    text: str = ""
    amount: Money | None = None
    shown: str = ""
    error: str = ""
    plan: Plan | None = None

    @property
    def is_shown(self) -> bool:
        """Has the payer seen exactly this plan?"""
        return self.plan is not None and self.shown == self.plan.digest


def read(account_id: UUID | None, currency: str, chosen: Collection[UUID]) -> Typed:
    """What the form says, with what it would pay now; nothing was typed where ``text`` is empty."""
    text, shown = request.form.get("amount", "").strip()[:20], request.form.get("shown", "")
    if not text or account_id is None:
        return Typed()
    try:
        amount = Money.parse(text.replace(",", "."), currency)
    except ValueError:
        return Typed(text, error="Write an amount like 25.00.")
    try:
        with house().db.snapshot() as session:
            found = pay_amount.plan(session, house(), account_id, amount, chosen)
    except ShopError as error:
        return Typed(text, amount, error=str(error))
    return Typed(text, amount, shown, plan=found)


def words(typed: Typed) -> dict[str, Any]:
    """For the template."""
    plan = typed.plan
    return {
        "typed": typed.text,
        "error": typed.error,
        "shown": plan.digest if plan is not None else "",
        "plan": {
            "rows": [
                {
                    "number": one.item.number,
                    "open": one.asked,
                    "pays": one.pays,
                    "stays": one.stays,
                }
                for one in plan.parts
            ],
            "credit": plan.credit if plan.credit.minor else None,
            "left": plan.left,
            "amount": plan.amount,
        }
        if plan is not None
        else None,
    }
