"""Programs with a token: whom it speaks for and what it may do. Each route names its scope.

``Who.PROGRAM`` routes of customers and staff stand behind ``scope``: it finds the token, checks it, and keeps
the caller for the request.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

from flask import g
from sqlalchemy.orm import Session

from api import reading
from api.problems import BadToken, ScopeMissing
from core.parties import accounts, tokens
from core.parties import roles as desk_roles
from core.parties.models import Account
from core.parties.roles import Role
from core.parties.tokens import STAFF, USER, Caller
from web.access import role_missing
from web.context import house, today

View = TypeVar("View", bound=Callable[..., Any])


def scope(kind: str, name: str, roles: frozenset[Role] | None = None) -> Callable[[View], View]:
    """Let in programs with a token of ``kind`` that has the scope ``name``; of staff keys for these ``roles``
    alone, where fewer than the scope's may do it at the desk.

    Raises BadToken (401) without one that works, ScopeMissing (403) when it may not do this,
    RoleMissing (403) when whoever made a staff key may not (any more).
    """
    if name not in tokens.SCOPES[kind]:
        raise ValueError(f"there is no scope {name} of {kind} tokens")

    def mark(view: View) -> View:
        @wraps(view)
        def checked(*args: Any, **values: Any) -> Any:
            _enter(kind, name, roles)
            return view(*args, **values)

        return cast(View, checked)

    return mark


def customer(name: str) -> Callable[[View], View]:
    """A customer's own token with that scope."""
    return scope(USER, name)


def staff(name: str, roles: frozenset[Role] | None = None) -> Callable[[View], View]:
    """A staff key with that scope, and (None: those of the scope) of somebody with one of these roles."""
    return scope(STAFF, name, roles)


def _enter(kind: str, name: str, roles: frozenset[Role] | None) -> None:
    secret, day = reading.bearer(), today()
    with house().db.reading() as session:
        found = tokens.find(session, secret, day) if secret else None
    if found is None or found.kind != kind:
        raise BadToken
    if name not in found.scopes:
        raise ScopeMissing(name)
    if found.lacks_role(name):
        raise role_missing(found.roles, tokens.SCOPE_ROLES[name])
    if roles is not None and not desk_roles.may(found.roles, roles):
        raise role_missing(found.roles, roles)
    if not found.seen_today:
        house().db.run_tx(lambda session: tokens.note_use(session, found.token_id, day))
    g.api_caller = found


def caller() -> Caller:
    """Who asks; only behind ``scope``."""
    found: Caller = g.api_caller
    return found


def own_accounts(session: Session) -> Sequence[tuple[Account, bool]]:
    """The accounts of the customer who asks, and whether they may do more than look."""
    return accounts.with_rights(session, caller().user_id)
