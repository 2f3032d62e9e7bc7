"""Who may use a route: each says so at its view, the roof enforces it, and a route that doesn't
say it stops the start. ``EVERYBODY`` covers what a secret in the address opens: the view checks it.
A route of the desk names the roles that it is for, too.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, TypeVar

from flask import Flask, current_app
from werkzeug.exceptions import HTTPException

from core.kernel.errors import ShopError
from core.parties import roles as desk_roles
from core.parties.roles import Role

View = TypeVar("View", bound=Callable[..., object])
_MARK = "access_rule"
_ROLES = "access_roles"
_CODE = "after_a_code"
_SIZE = "largest_request"


class Who(StrEnum):
    """Whom a route lets in."""

    EVERYBODY = "everybody"
    #: Somebody who is logged in; what they see is scoped through their memberships.
    CUSTOMER = "customer"
    STAFF = "staff"
    #: A program with a secret of its own, which the view checks.
    PROGRAM = "program"


class Guard(StrEnum):
    """What proves that an unsafe request comes from our own pages."""

    #: A token in the form, besides the origin.
    TOKEN = "token"
    #: The browser's word on the origin alone: for forms on pages that everybody shares.
    ORIGIN = "origin"
    #: No cookie counts on this route, so there is nothing to forge.
    NONE = "none"


@dataclass(eq=False)
class RoleMissing(ShopError):
    """Somebody of the desk wants what is for other roles than theirs."""

    code: ClassVar[str] = "role_missing"
    text: ClassVar[str] = "{yours} This is for {needs}. Ask an admin if you need it."
    yours: str
    needs: str


def role_missing(held: Iterable[str], needs: frozenset[Role]) -> RoleMissing:
    """The refusal, in words that tell which role it takes."""
    own = [role.value for role in Role if role in set(held)]
    several = " and ".join(own)
    yours = (
        f"Your role{'s' if len(own) > 1 else ''} ({several}) do{'' if len(own) > 1 else 'es'}n’t"
    )
    yours = f"{yours} include this." if own else "You have no role at the desk yet."
    return RoleMissing(yours, desk_roles.listed(needs))


def allow(
    who: Who, guard: Guard = Guard.TOKEN, *, roles: Collection[Role] = ()
) -> Callable[[View], View]:
    """Say who may use a view, and what guards its unsafe methods; of the desk, for which ``roles`` it is.

    Admins may always; ``roles=ANY_ROLE`` is for everybody at the desk.
    """

    def mark(view: View) -> View:
        setattr(view, _MARK, (who, guard))
        setattr(view, _ROLES, frozenset(roles))
        return view

    return mark


def rule_of(view: Callable[..., object]) -> tuple[Who, Guard] | None:
    """What a view says about itself."""
    found: tuple[Who, Guard] | None = getattr(view, _MARK, None)
    return found


def roles_of(view: Callable[..., object]) -> frozenset[Role]:
    """The roles that a view of the desk is for; none for any other view."""
    found: frozenset[Role] = getattr(view, _ROLES, frozenset())
    return found


def may_open(held: Collection[str], path: str, method: str = "GET") -> bool:
    """May somebody of the desk with these roles ask for this address? What there is not, refuses nobody."""
    adapter = current_app.url_map.bind("")
    try:
        endpoint, _ = adapter.match(path.partition("?")[0], method=method)
    except HTTPException:
        return True
    view = current_app.view_functions[endpoint]
    who, _ = rule_of(view) or (Who.STAFF, Guard.TOKEN)
    return who != Who.STAFF or desk_roles.may(held, roles_of(view))


def after_a_code(view: View) -> View:
    """Have whoever has a second step give a code again before this, unless they just did."""
    setattr(view, _CODE, True)
    return view


def wants_code(view: Callable[..., object]) -> bool:
    """Is a view for after a code?"""
    return bool(getattr(view, _CODE, False))


def takes(most: int) -> Callable[[View], View]:
    """Let people who are logged in send a view up to ``most`` bytes: for pages that take files."""

    def mark(view: View) -> View:
        setattr(view, _SIZE, most)
        return view

    return mark


def largest_of(view: Callable[..., object]) -> int | None:
    """How much a view takes, where that is more than usual."""
    found: int | None = getattr(view, _SIZE, None)
    return found


def unnamed(app: Flask) -> list[str]:
    """What is wrong with the routes that do not say who may use them, each with what to write."""
    return sorted(
        f"{rule.rule} ({rule.endpoint}): {told}"
        for rule in app.url_map.iter_rules()
        if (told := _missing(app.view_functions[rule.endpoint]))
    )


def _missing(view: Callable[..., object]) -> str:
    rule = rule_of(view)
    if rule is None:
        return "write @allow(Who.…) under the route"
    if rule[0] == Who.STAFF and not roles_of(view):
        names = ", ".join(f"Role.{role.name}" for role in Role)
        return (
            f"write @allow(Who.STAFF, roles=(Role.…,)) with those of {names} that it is for (admins may "
            "always), or roles=ANY_ROLE for everybody at the desk; both are in core.parties.roles"
        )
    if rule[0] != Who.STAFF and roles_of(view):
        return "roles are for Who.STAFF alone"
    return ""
