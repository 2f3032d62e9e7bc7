"""Roles at the desk: what somebody who works here may see and do.

A view, a scope of the API or an item of a menu names the roles that it is for; whoever has one of them may.
An admin may everything. Called by the faces, and by ``tokens`` for staff keys.
"""

from collections.abc import Collection, Iterable
from enum import StrEnum


class Role(StrEnum):
    """A part of the work. Somebody may have several."""

    CONTENT = "content"
    SALES = "sales"
    BILLING = "billing"
    SUPPORT = "support"
    ADMIN = "admin"


#: In words, for the page of admins.
WORDS = {
    Role.CONTENT: "Pages, pictures and menus of the shop",
    Role.SALES: "Orders, quotes, trials, services and customers",
    Role.BILLING: "Bills, payments, refunds, ledger, tax and bill runs",
    Role.SUPPORT: "Customers: their orders, services, bills and payments to look at, and what helps them",
    Role.ADMIN: "Everything, and staff, keys, jobs and the audit log",
}
#: For what everybody at the desk may do, even without a role.
ANY_ROLE = frozenset(Role)


def may(held: Collection[str], needs: frozenset[Role]) -> bool:
    """May somebody who holds these roles do what is for ``needs``?"""
    return needs == ANY_ROLE or Role.ADMIN in held or any(role in held for role in needs)


def listed(roles: Iterable[str]) -> str:
    """``billing or sales``, in the order of the enumeration; admins go without saying."""
    found = set(roles)
    names = [role.value for role in Role if role in found and role != Role.ADMIN]
    if not names:
        return Role.ADMIN.value
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
