"""What became of an order's pieces, in the words of pages: parcels, cancellations, returns, line by line."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from core.kernel.money import Money
from core.orders import carriers, changing, grouping, places
from core.orders.following import Change
from core.orders.models import Order, OrderLine
from flows.follow_order import Followed
from web.documents import State

#: What it is called when a line's pieces are all given.
_DONE = {"physical": "Sent", "delivery": "Sent", "plan": "Running"}
_NAMES = {"cancellation": "Cancelled", "change": "Changed"}
_CHANGE = {
    ("cancellation", "done"): State("bad", "Cancelled"),
    ("change", "done"): State("go", "Changed"),
    ("return", "asked"): State("wait", "Asked for: we answer by mail"),
    ("return", "declined"): State("bad", "Stays with you"),
    ("return", "announced"): State("wait", "On its way back"),
    ("return", "done"): State("go", "Back with us"),
    ("return", "withdrawn"): State("", "Called off"),
}


#: Of what was set ready to be fetched.
_PICK_UP = {
    "ready": State("wait", "Ready to collect"),
    "collected": State("go", "Handed over"),
    "put_back": State("", "Put back"),
}


def progress(line: OrderLine, is_fetched: bool = False, awaited: int = 0) -> State | None:
    """Where the pieces of a line are; none where nothing has happened yet, and of a bundle's own line.
    ``is_fetched``: its customer comes for it. ``awaited``: so many wait until they come in."""
    if line.kind == "bundle" or not (line.fulfilled or line.cancelled or awaited):
        return None
    done = "Handed over" if is_fetched else _DONE.get(line.kind, "Done")
    if line.cancelled == line.quantity:
        return State("bad", "Cancelled")
    if line.returned == line.quantity:
        return State("", "Returned")
    if line.fulfilled == line.quantity and not line.returned:
        return State("go", done)
    said = []
    if line.fulfilled:
        said.append(f"{line.fulfilled} of {line.quantity} {done.lower()}")
    if line.cancelled:
        said.append(f"{line.cancelled} cancelled")
    if line.returned:
        said.append(f"{line.returned} returned")
    if awaited == line.quantity:
        said.append("Waits for stock")
    elif awaited:
        said.append(f"{awaited} {'waits' if awaited == 1 else 'wait'} for stock")
    return State("wait" if line.waiting else "go", ", ".join(said))


def parcels(followed: Followed) -> list[dict[str, Any]]:
    """The parcels, the newest first."""
    return [
        {
            "id": one.row.public_id,
            "name": f"Parcel {number}",
            "at": one.row.at,
            "delivered_at": one.row.delivered_at,
            "carrier": one.row.carrier,
            "number": one.row.tracking_number,
            "link": carriers.followed(one.row.tracking_link),
            "pieces": _pieces(followed.lines, one.pieces),
        }
        for number, one in enumerate(
            (one for one in followed.sent if one.row.kind == "parcel"), start=1
        )
    ][::-1]


def pick_ups(followed: Followed) -> list[dict[str, Any]]:
    """What lies or lay ready to be fetched, the newest first."""
    return [
        {
            "id": one.row.public_id,
            "is_ready": one.row.state == "ready",
            "state": _PICK_UP[one.row.state],
            "place": one.place.name,
            "address": one.place.address,
            "hours": one.place.hours,
            "ready_at": one.row.ready_at,
            "ended_at": one.row.ended_at,
            "pieces": _pieces(followed.lines, one.pieces),
        }
        for one in followed.pick_ups
    ][::-1]


def changes(followed: Followed) -> list[dict[str, Any]]:
    """Cancellations, changes and returns, the newest first; ``instead``: what goes out for a return."""
    number = followed.order.number or ""
    return [
        {
            "id": one.row.public_id,
            "name": _NAMES.get(one.row.kind)
            or f"Return {changing.return_number(number, one.row.number)}",
            "kind": one.row.kind,
            "state": _CHANGE[one.row.kind, one.row.state],
            "at": one.row.done_at or one.row.asked_at,
            "pieces": _changed(followed, one)
            if one.row.kind == "change"
            else _pieces(followed.lines, one.pieces),
            "instead": _instead(followed, one),
            "row": one.row,
        }
        for one in followed.changes
    ][::-1]


def _changed(followed: Followed, change: Change) -> str:
    """What was given up and what was added, and where it goes now."""
    said = []
    if change.pieces:
        said.append(f"Given up: {_pieces(followed.lines, change.pieces)}")
    added = {
        line.id: line.quantity
        for line in grouping.added(followed.lines, change.row.id)
        if line.parent_id is None
    }
    if added:
        said.append(f"Added: {_pieces(followed.lines, added)}")
    if (change.row.details or {}).get("address"):
        said.append("Goes to another address")
    if (change.row.details or {}).get("method"):
        said.append("Goes another way")
    return ". ".join(said)


def _instead(followed: Followed, change: Change) -> str:
    exchange = followed.exchanges.get(change.row.id)
    if exchange is None:
        return ""
    return ", ".join(
        f"{change.pieces[key]} × {line.name}" if change.pieces[key] > 1 else line.name
        for key, line in exchange.lines.items()
        if key in change.pieces
    )


def worth(order: Order) -> Money | None:
    """What an order comes to now; none where that is what it came to as it was placed."""
    if order.worth_minor == order.due_now_minor:
        return None
    return Money(order.worth_minor, order.currency)


def place(address: Mapping[str, Any] | None) -> str:
    """An address in few words: who, where, which town."""
    parts = [(address or {}).get(name) for name in ("name", "line1", "city")]
    return ", ".join(str(part) for part in parts if part)


def goes_to(followed: Followed) -> dict[uuid.UUID, str]:
    """Of an order for several places: where each line goes, in few words, by its key."""
    found = places.of(followed.order, followed.lines)
    if len(found) < 2:
        return {}
    return {line.id: place(one.address) for one in found for line in one.lines}


def added(followed: Followed) -> list[dict[str, Any]]:
    """What changes added to an order since it was placed, with taxes; each has a bill of its own. ``note``:
    where it goes, of an order for several places."""
    currency, where = followed.order.currency, goes_to(followed)
    return [
        {
            "sku": one.line.sku,
            "name": one.line.name,
            "note": where.get(one.line.id, ""),
            "quantity": one.line.quantity,
            "total": Money(sum(line.net_minor + line.tax_minor for line in one.counted), currency),
            "state": progress(one.line, awaited=followed.awaited.get(one.line.id, 0)),
        }
        for one in grouping.standing(grouping.added(followed.lines))
    ]


def moments(followed: Followed) -> list[tuple[str, Any]]:
    """Titles with their times, for the line of what happened."""
    found: list[tuple[str, Any]] = [(f"{one['name']} left", one["at"]) for one in parcels(followed)]
    found += [
        (f"{one['name']} arrived", one["delivered_at"])
        for one in parcels(followed)
        if one["delivered_at"] is not None
    ]
    found += [
        (f"Done: {_pieces(followed.lines, one.pieces)}", one.row.at)
        for one in followed.sent
        if one.row.kind == "provision"
    ]
    for one in pick_ups(followed):
        found.append((f"Ready at {one['place']}: {one['pieces']}", one["ready_at"]))
        if one["ended_at"] is not None:
            title = "Put back" if one["state"] is _PICK_UP["put_back"] else "Handed over"
            found.append((f"{title}: {one['pieces']}", one["ended_at"]))
    for change in followed.changes:
        pieces = _pieces(followed.lines, change.pieces)
        row = change.row
        if row.kind == "change":
            found.append((f"Changed. {_changed(followed, change)}", row.done_at))
            continue
        if row.kind == "cancellation":
            found.append((f"Cancelled: {pieces}", row.done_at))
            continue
        # Of two at one moment the later stands first: the time line keeps them so.
        if row.state == "done":
            found.append((f"Back with us: {pieces}", row.done_at))
        elif row.state == "declined":
            found.append((f"We could not take it back: {row.answer}", row.done_at))
        elif row.state == "withdrawn":
            found.append(("The return was called off", row.done_at))
        title = "Return asked for" if row.state in ("asked", "declined") else "Return announced"
        found.append((f"{title}: {pieces}", row.asked_at))
    return found


def _pieces(lines: Sequence[OrderLine], pieces: Mapping[uuid.UUID, int]) -> str:
    named = [
        f"{pieces[line.id]} × {line.name}" if pieces[line.id] > 1 else line.name
        for line in lines
        if line.id in pieces and line.kind != "delivery"
    ]
    return ", ".join(named) or "Delivery"
