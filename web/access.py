"""Who may use a route: each says so at its view, the roof enforces it, and a route that doesn't
say it stops the start. ``EVERYBODY`` covers what a secret in the address opens: the view checks it.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from flask import Flask

View = TypeVar("View", bound=Callable[..., object])
_MARK = "access_rule"
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


def allow(who: Who, guard: Guard = Guard.TOKEN) -> Callable[[View], View]:
    """Say who may use a view, and what guards its unsafe methods."""

    def mark(view: View) -> View:
        setattr(view, _MARK, (who, guard))
        return view

    return mark


def rule_of(view: Callable[..., object]) -> tuple[Who, Guard] | None:
    """What a view says about itself."""
    found: tuple[Who, Guard] | None = getattr(view, _MARK, None)
    return found


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
    """The routes that do not say who may use them."""
    return sorted(
        f"{rule.rule} ({rule.endpoint})"
        for rule in app.url_map.iter_rules()
        if rule_of(app.view_functions[rule.endpoint]) is None
    )
