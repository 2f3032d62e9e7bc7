"""Who has been here before, told by the cookies that the shop sets anyway: no cookie is set to know it."""

from flask import request

#: Set by the first form that somebody opens or sends: a cart, a log-in.
_OURS = ("cart", "csrf", "session")


def has_been_here() -> bool:
    """Did this browser put something in a cart, open a form of its own, or log in before?"""
    return any(request.cookies.get(name) or request.cookies.get(f"__Host-{name}") for name in _OURS)
