"""Cards, AutoPay and planned payments as the API answers them."""

import hashlib
from collections.abc import Sequence

from api.answers import Json, moment, money
from core.kernel.money import Money
from core.parties.models import Account
from flows.card_uses import Use
from flows.schedule_payment import Foreseen
from flows.see_cards import Planned, Told, Wallet
from payments.models import PaymentMethod


def terms(text: str) -> Json:
    """A text that is agreed to, and what proves that it was read."""
    return {"text": text, "shown": digest(text)}


def digest(text: str) -> str:
    """Changes with every word."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def card(method: PaymentMethod, uses: Sequence[Use], *, is_first: bool) -> Json:
    """One card."""
    return {
        "id": method.public_id,
        "brand": method.brand,
        "last4": method.last4,
        "exp_month": method.exp_month,
        "exp_year": method.exp_year,
        "state": method.state,
        "is_first": is_first,
        "uses": [{"kind": use.kind, "id": use.key, "name": use.words} for use in uses],
    }


def cards(wallet: Wallet) -> list[Json]:
    """The cards on file."""
    first = wallet.default.id if wallet.default is not None else None
    return [card(one, wallet.uses[one.id], is_first=one.id == first) for one in wallet.cards]


def payment(account: Account, seen: Planned) -> Json:
    """One payment."""
    row = seen.row
    return {
        "id": row.public_id,
        "account": account.number,
        "origin": row.origin,
        "kind": row.wants,
        "state": row.state,
        "card": seen.method.public_id,
        "on": row.on_date.isoformat(),
        "next_at": moment(row.next_at),
        "amount": money(seen.amount) if seen.amount is not None else None,
        "bills": list(seen.bills),
        "tries": row.tries,
        "code": row.failure,
        "revision": row.revision,
    }


def detail(account: Account, told: Told) -> Json:
    """One payment with what was agreed and every try."""
    return payment(account, told.planned) | {
        "agreed": told.agreed.text if told.agreed is not None else None,
        "attempts": [
            {
                "at": moment(one.created_at),
                "amount": money(Money(one.amount_minor, one.currency)),
                "state": one.state,
                "code": one.failure,
            }
            for one in told.tries
        ],
    }


def foreseen(found: Foreseen) -> Json:
    """What a plan would take."""
    return {
        "total": money(found.total),
        "parts": [{"bill": item.number, "amount": money(part)} for item, part in found.parts],
        "terms": terms(found.text),
    }
