"""How objects are told: without the processor's own fields, with what was asked to be expanded."""

from collections.abc import Callable

from payments.sandbox.errors import ApiError
from payments.sandbox.store import PREFIXES, Body, Tx

_KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}


def told(body: Body) -> Body:
    """The object as the API tells it."""
    return {name: value for name, value in body.items() if not name.startswith("_")}


def expanded(tx: Tx, body: Body, paths: list[str]) -> Body:
    """Replace ids by their objects along dotted paths such as ``latest_charge``."""
    result = told(body)
    for path in paths:
        head, _, rest = path.partition(".")
        if head not in result:
            raise ApiError(f"This property cannot be expanded ({head}).", param=f"expand[{path}]")
        value = result[head]
        if isinstance(value, str):
            kind = next((k for p, k in _KINDS.items() if value.startswith(p)), None)
            if kind is None:
                raise ApiError(
                    f"This property cannot be expanded ({head}).", param=f"expand[{path}]"
                )
            value = tx.get(kind, value)
        if isinstance(value, dict):
            result[head] = expanded(tx, value, [rest] if rest else [])
    return result


def listing(
    tx: Tx,
    kind: str,
    url: str,
    query: Body,
    *,
    ref: str | None = None,
    tell: Callable[[Body], Body] = told,
) -> Body:
    """A list object: one page of a kind, newest first; ``ref`` narrows it to one other object."""
    paths = [path.removeprefix("data.") for path in query.get("expand", [])]
    found, more = tx.listing(kind, query, ref)
    data = [expanded(tx, tell(body), paths) for body in found]
    return {"object": "list", "data": data, "has_more": more, "url": url}
