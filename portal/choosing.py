"""Which of their accounts a page is about: the one that the address or the form names, else the first."""

import uuid
from typing import Any

from flask import request

from core.kernel.errors import Forbidden, NotFound
from core.parties.models import Account
from web.login import own_accounts, payable_accounts


def account() -> Account | None:
    """The account; None for somebody who has none. NotFound for a number that is none of theirs."""
    mine = own_accounts()
    number = (request.values.get("account") or "").replace(" ", "")
    if not number:
        payable = payable_accounts()
        return next((row for row in mine if row.id in payable), mine[0] if mine else None)
    found = next((row for row in mine if row.number == number), None)
    if found is None:
        raise NotFound("account")
    return found


def payer() -> Account:
    """The account, for who may pay its bills. NotFound without one, Forbidden for a mere viewer."""
    found = account()
    if found is None:
        raise NotFound("account")
    if found.id not in payable_accounts():
        raise Forbidden
    return found


def tabs(path: str) -> list[tuple[str, str]]:
    """The other accounts' pages, where there are several."""
    mine = own_accounts()
    return [(row.name, f"{path}?account={row.number}") for row in mine] if len(mine) > 1 else []


def shown(found: Account, path: str) -> dict[str, Any]:
    """What every page about one account is given."""
    return {
        "account": {"number": found.number, "name": found.name},
        "may_pay": found.id in payable_accounts(),
        "accounts": tabs(path),
        "here_of_account": f"{path}?account={found.number}",
    }


def may_pay(account_id: uuid.UUID) -> None:
    """Raises Forbidden for who may only look at the account."""
    if account_id not in payable_accounts():
        raise Forbidden
