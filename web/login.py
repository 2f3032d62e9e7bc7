"""Who is logged in, by Flask-Login over our sessions."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from flask import Flask, g, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from core.parties import accounts, users
from core.parties.models import Account, User
from web import access, csrf
from web.context import house
from web.sessions import StoredSession

#: When the code of the second step was given, in a session that came in by the desk's door; or empty.
_AT_DESK = "desk"
#: How long a code is good for before dangerous acts.
CODE_GOOD_FOR = timedelta(minutes=15)


class Person(UserMixin):
    """The user of this request."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.id = str(user.id)
        self.key = user.id
        self.name = user.name
        self.email = user.email
        self.is_staff = user.is_staff
        self.roles = frozenset(user.roles) if user.is_staff else frozenset()

    def may_open(self, path: str, method: str = "GET") -> bool:
        """May they ask for this address of the desk? For menus and buttons."""
        return access.may_open(self.roles, path, method)


def install(app: Flask) -> None:
    """Let Flask-Login find users; it protects nothing by itself.

    Not by its own ``init_app``: that one looks into the session on every request, and for every
    template, while pages that everybody shares must not ask who is there.
    """
    manager = LoginManager()
    manager.session_protection = None
    manager.user_loader(_load)
    app.extensions["login_manager"] = manager
    setattr(app, "login_manager", manager)  # noqa: B010  # where Flask-Login looks for it
    app.jinja_env.globals["current_user"] = current_user


def _load(user_id: str) -> Person | None:
    user = cast(StoredSession, session).user
    if user is None or str(user.id) != user_id:
        with house().db.reading() as db:
            user = users.by_key(db, uuid.UUID(user_id))
    if user is None or user.disabled_at is not None:
        return None
    return Person(user)


def person() -> Person | None:
    """Who is logged in; None for a stranger."""
    if not current_user.is_authenticated:
        return None
    found: Person = current_user._get_current_object()
    return found


def log_in(user: User) -> None:
    """Begin a session of this user, under a new token. It doesn't open the desk: that has its own door."""
    cast(StoredSession, session).rotate()
    for name in (_AT_DESK, "half_in"):
        session.pop(name, None)
    login_user(Person(user))
    csrf.renew()


def enter_desk(user: User, code_at: datetime | None) -> None:
    """Begin a session that opens the desk; ``code_at`` is when they gave the code of their second step."""
    log_in(user)
    session[_AT_DESK] = code_at.isoformat() if code_at is not None else ""


def at_desk() -> bool:
    """Did this session come in by the desk's door?"""
    return _AT_DESK in session


def code_was_given(*, forget: bool = False) -> None:
    """Remember that a code was given just now, or that there is none to be given any more."""
    session[_AT_DESK] = "" if forget else house().clock.now().isoformat()


def code_is_old() -> bool:
    """Is it a while ago that somebody who has a second step gave a code?"""
    given: str = session.get(_AT_DESK) or ""
    return bool(given) and house().clock.now() - datetime.fromisoformat(given) > CODE_GOOD_FOR


def log_out() -> None:
    """End it: the row goes, the cookie goes."""
    logout_user()
    session.clear()
    csrf.renew()


def own_accounts() -> Sequence[Account]:
    """The accounts that whoever is logged in may see; read once a request."""
    return [account for account, _ in _own_accounts()]


def payable_accounts() -> set[uuid.UUID]:
    """The keys of those accounts whose bills they may pay."""
    return {account.id for account, may_pay in _own_accounts() if may_pay}


def changeable_accounts() -> dict[uuid.UUID, bool]:
    """The keys of the accounts that they may see, and whether they own each: owners change services."""
    who = person()
    assert who is not None
    with house().db.reading() as db:
        owned = accounts.owned_by(db, who.key)
    return {account.id: account.id in owned for account in own_accounts()}


def _own_accounts() -> Sequence[tuple[Account, bool]]:
    if "own_accounts" not in g:
        who = person()
        assert who is not None
        with house().db.reading() as db:
            g.own_accounts = accounts.with_rights(db, who.key)
    found: Sequence[tuple[Account, bool]] = g.own_accounts
    return found
