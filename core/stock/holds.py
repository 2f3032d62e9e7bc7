"""Holds: pieces kept for a cart, quote or order until a time, and how they become sold.

Levels are met in the order of their keys, so that two takers never wait for each other in a circle. One line
may have several holds, also of one thing: its pieces may lie at several places.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.stock import freeing, hold_rows, lapsing, levels, numbers, picks, sourcing
from core.stock.hold_rows import Owner
from core.stock.planning import Demand, Part
from core.stock.sourcing import NOT_KNOWN, Near, OutOfStock

__all__ = ["Demand", "Near", "OutOfStock", "Owner"]

lapse = lapsing.lapse


def hold(
    session: Session,
    owner: Owner,
    demands: Sequence[Demand],
    expires_at: datetime,
    now: datetime,
    near: Near = NOT_KNOWN,
    *,
    beyond: bool = True,
) -> bool:
    """Keep pieces for ``owner`` until ``expires_at``. What is neither physical nor counted needs none.

    All or nothing: raises OutOfStock for the first variant that falls short, after letting the lapsed holds
    of its levels go. The caller rolls back. ``near`` is where they are to go: see ``sourcing``.
    Without ``beyond`` only what lies there is held: False when it can be had, but only before it is there.
    """
    if len(demands) == 1:
        (one,) = demands
        level_id = sourcing.take_at_once(session, one, near)
        if level_id is not None:
            _write(session, owner, [(one, level_id, one.quantity)], expires_at, now)
            return True
        sourcing.refuse_at_a_glance(session, one, now)
    parts = sourcing.take(session, demands, now, near, beyond=beyond)
    if parts is None:
        return False
    _write(session, owner, parts, expires_at, now)
    return True


def _write(
    session: Session, owner: Owner, parts: Sequence[Part], expires_at: datetime, now: datetime
) -> None:
    """New holds; of what is numbered it is decided which ones."""
    goods = [part for part in parts if not part[0].numbered]
    hold_rows.write(session, owner, _pieces(goods), expires_at, now)
    for part in parts:
        if part[0].numbered:
            _write_numbered(session, owner, part, expires_at, now)


def _write_numbered(
    session: Session, owner: Owner, part: Part, expires_at: datetime, now: datetime
) -> uuid.UUID:
    demand, level_id, quantity = part
    pieces = [(demand.line_id, level_id, quantity)]
    (key,) = hold_rows.write(session, owner, pieces, expires_at, now, numbered=True)
    kept = numbers.Kept(key, demand.line_id, level_id, quantity)
    numbers.fit(session, owner, kept, now)
    return key


def _pieces(parts: Iterable[Part]) -> list[tuple[uuid.UUID, uuid.UUID, int]]:
    return [(demand.line_id, level_id, quantity) for demand, level_id, quantity in parts]


def change(
    session: Session,
    owner: Owner,
    demand: Demand,
    expires_at: datetime,
    now: datetime,
    near: Near = NOT_KNOWN,
    *,
    beyond: bool = True,
) -> bool:
    """Keep another quantity for a line until ``expires_at``; what has lapsed is taken again.

    Answers, and raises OutOfStock, as ``hold`` does; the caller rolls back.
    """
    rows = hold_rows.active(session, owner, demand.line_id)
    if len(rows) == 1 and rows[0].variant_id == demand.variant_id:
        (row,) = rows
        if levels.hold_more(session, row.level_id, demand.quantity - row.quantity):
            hold_rows.keep(session, row, demand.quantity, expires_at)
            if row.numbered:
                kept = numbers.Kept(row.id, row.line_id, row.level_id, demand.quantity)
                numbers.fit(session, owner, kept, now)
            return True
    return _hold_anew(session, owner, rows, [demand], expires_at, now, near, beyond)


def change_all(
    session: Session,
    owner: Owner,
    line_id: uuid.UUID,
    demands: Sequence[Demand],
    expires_at: datetime,
    now: datetime,
    near: Near = NOT_KNOWN,
    *,
    beyond: bool = True,
) -> bool:
    """As ``change``, for a line that needs several things: a bundle. All of them or OutOfStock."""
    rows = hold_rows.active(session, owner, line_id)
    return _hold_anew(session, owner, rows, demands, expires_at, now, near, beyond)


def _hold_anew(
    session: Session,
    owner: Owner,
    rows: Iterable[Any],
    demands: Sequence[Demand],
    expires_at: datetime,
    now: datetime,
    near: Near,
    beyond: bool,
) -> bool:
    """What the line has already does not stand in its own way: it is let go first."""
    for row in rows:
        hold_rows.end(session, row, "released")
    return hold(session, owner, demands, expires_at, now, near, beyond=beyond)


def release(
    session: Session,
    owner: Owner,
    line_id: uuid.UUID | None = None,
    *,
    telling: datetime | None = None,
) -> int:
    """Let the active holds of an owner (or of one of its lines) go; says how many. ``telling`` is the moment
    when others may have them: whoever waits is thought of. None: the same transaction takes them again."""
    rows = hold_rows.active(session, owner, line_id)
    done = sum(hold_rows.end(session, row, "released") for row in rows)
    if telling is not None:
        freeing.tell(session, [row.level_id for row in rows], telling)
    return done


def of(session: Session, owner: Owner, now: datetime) -> dict[uuid.UUID, datetime]:
    """Until when each line of ``owner`` is held (the first of its holds); not lines that lapsed."""
    return hold_rows.until(session, owner, now)


def move_near(
    session: Session, owner: Owner, near: Near, now: datetime, demands: Sequence[Demand] = ()
) -> None:
    """Where pieces go is known now: what is held of things that several places have is held at those that are
    near, for the same lines and as long. Where that cannot be, it stays as it is.

    ``demands``: for what it is held, of which some may be fetched at a place.
    """
    if not hold_rows.elsewhere(session, owner, now):
        return
    try:
        with session.begin_nested():
            _move_near(session, owner, near, now, demands)
    except OutOfStock:
        # Safety stock was raised meanwhile: what they have they keep.
        return


def _move_near(
    session: Session, owner: Owner, near: Near, now: datetime, demands: Sequence[Demand]
) -> None:
    rows = [
        row for row in hold_rows.active(session, owner) if row.expires_at > now and not row.numbered
    ]
    wanted: dict[tuple[uuid.UUID, uuid.UUID], int] = {}
    until: dict[uuid.UUID, datetime] = {}
    for row in rows:
        key = (row.line_id, row.variant_id)
        wanted[key] = wanted.get(key, 0) + row.quantity
        until[row.line_id] = min(row.expires_at, until.get(row.line_id, row.expires_at))
        hold_rows.end(session, row, "released")
    parts = sourcing.take(session, _as_wanted(wanted, demands), now, near) or []
    for line_id, end in until.items():
        mine = [part for part in parts if part[0].line_id == line_id]
        _write(session, owner, mine, end, now)


def _as_wanted(
    held: Mapping[tuple[uuid.UUID, uuid.UUID], int], demands: Sequence[Demand]
) -> list[Demand]:
    """What is held, by line and variant, with the place where so many pieces of it are to be fetched."""
    found: list[Demand] = []
    left: list[list[Any]] = [[one, one.quantity] for one in demands if one.place is not None]
    for (line_id, variant_id), quantity in held.items():
        rest = quantity
        for pair in left:
            part = min(rest, pair[1]) if pair[0].variant_id == variant_id else 0
            if part:
                found.append(Demand(line_id, variant_id, part, place=pair[0].place))
            pair[1] -= part
            rest -= part
        if rest:
            found.append(Demand(line_id, variant_id, rest))
    return found


def pass_on(
    session: Session,
    giver: Owner,
    taker: Owner,
    demands: Sequence[Demand],
    expires_at: datetime,
    now: datetime,
    near: Near = NOT_KNOWN,
) -> None:
    """A cart's holds become an order's: what was held stays held, what had lapsed is taken again, what is not
    wanted any more is let go.

    Raises OutOfStock when something lapsed and is gone. The caller rolls back.
    """
    left: list[list[Any]] = [[one, one.quantity] for one in demands]
    picks.pass_on(session, giver, taker, demands, now)
    for row in hold_rows.to_pass_on(session, giver):
        wanted = [pair for pair in left if pair[0].variant_id == row.variant_id and pair[1]]
        # A hold that is just what somebody wants stays in one piece.
        wanted.sort(key=lambda pair: pair[1] != row.quantity)
        _share_out(session, row, taker, wanted, expires_at, now)
    parts = _take_missing(session, left, now, near)
    _write(session, taker, parts, expires_at, now)


def _take_missing(
    session: Session, left: Iterable[Sequence[Any]], now: datetime, near: Near
) -> list[Part]:
    """What of each demand is not there yet, by the demand and how many."""
    missing: list[Demand] = []
    kept: dict[uuid.UUID, int] = {}
    for one, more in left:
        if more:
            missing.append(replace(one, quantity=more))
        kept[one.variant_id] = kept.get(one.variant_id, 0) + one.quantity - more
    return (sourcing.take(session, missing, now, near, kept) or []) if missing else []


def _share_out(
    session: Session,
    row: Any,
    taker: Owner,
    wanted: Iterable[list[Any]],
    expires_at: datetime,
    now: datetime,
) -> None:
    """One hold goes to those who want it, as far as it lasts; the rest is let go. Counts down ``wanted``."""
    rest, given = row.quantity, []
    for pair in wanted:
        demand, part = pair[0], min(rest, pair[1])
        if part and rest == row.quantity:
            hold_rows.hand_over(session, row, taker, demand.line_id, part, expires_at)
            given.append(numbers.Kept(row.id, demand.line_id, row.level_id, part))
        elif part:
            piece = (demand.line_id, row.level_id, part)
            (key,) = hold_rows.write(
                session, taker, [piece], expires_at, now, numbered=row.numbered
            )
            given.append(numbers.Kept(key, demand.line_id, row.level_id, part))
        pair[1] -= part
        rest -= part
    if rest == row.quantity:
        hold_rows.end(session, row, "released")
    elif rest:
        levels.shift(session, row.level_id, held=-rest)
    if row.numbered and given and (rest or len(given) > 1):
        numbers.share_out(session, taker, row.id, given, now)


def allocate(
    session: Session,
    owner: Owner,
    demands: Sequence[Demand],
    reference: str,
    now: datetime,
    near: Near = NOT_KNOWN,
) -> None:
    """Holds become sold. What lapsed meanwhile is taken again, or OutOfStock is raised; what a line held
    beyond what is sold of it is let go."""
    left = {(one.line_id, one.variant_id): one.quantity for one in demands}
    sold = {one.line_id for one in demands}
    for row in hold_rows.active(session, owner):
        key = (row.line_id, row.variant_id)
        part = min(row.quantity, left.get(key, 0))
        if not part and row.line_id in sold:  # another of its holds had enough
            hold_rows.end(session, row, "released")
        if not part or not hold_rows.close(session, row, "allocated"):
            continue
        if part < row.quantity:
            levels.shift(session, row.level_id, held=part - row.quantity)
        if row.numbered:
            numbers.assign(session, row.id, [(row.line_id, part)], reference, now)
        _sell(session, row.level_id, part, reference, now)
        left[key] -= part
    pairs = [(one, left[one.line_id, one.variant_id]) for one in demands]
    for missing in _take_missing(session, pairs, now, near):
        _assign_missing(session, owner, missing, reference, now)
        _sell(session, missing[1], missing[2], reference, now)


def sell(
    session: Session,
    giver: Owner,
    demands: Sequence[Demand],
    reference: str,
    now: datetime,
    near: Near = NOT_KNOWN,
    held_near: Near | None = None,
) -> None:
    """``move_near``, ``pass_on`` and ``allocate`` in one, for an order that is certain at once: what a cart
    holds is sold, in three statements where each thing is held at one place.

    ``held_near``: for where it was held, when that may be another place than ``near``, or than where it is
    fetched. What lapsed is taken again, what is not wanted any more is let go. Raises OutOfStock.
    """
    rows = hold_rows.take_all(session, giver)
    may_lie_elsewhere = held_near != near or any(one.place is not None for one in demands)
    if held_near is not None and may_lie_elsewhere and any(row.has_others for row in rows):
        hold_rows.give_back(session, rows)
        move_near(session, giver, near, now, demands)
        rows = hold_rows.take_all(session, giver)
    left: list[list[Any]] = [[one, one.quantity] for one in demands]
    picks.pass_on(session, giver, giver, demands, now)
    sold: dict[uuid.UUID, int] = {}
    numbered: list[tuple[Any, list[tuple[uuid.UUID, int]]]] = []
    for row in rows:
        rest, shares = row.quantity, []
        for pair in left:
            if pair[0].variant_id == row.variant_id:
                part = min(rest, pair[1])
                shares.append((pair[0].line_id, part))
                pair[1] -= part
                rest -= part
        if rest == row.quantity:
            hold_rows.give_back(session, [row])
            hold_rows.end(session, row, "released")
            continue
        if row.numbered:
            numbered.append((row, shares))
        if rest:
            levels.shift(session, row.level_id, held=-rest)
        sold[row.level_id] = sold.get(row.level_id, 0) + row.quantity - rest
    for row, shares in numbered:
        numbers.assign(session, row.id, shares, reference, now)
    for part in _take_missing(session, left, now, near):
        _assign_missing(session, giver, part, reference, now)
        sold[part[1]] = sold.get(part[1], 0) + part[2]
    levels.sell(session, sold, reference, now)


def _assign_missing(
    session: Session, owner: Owner, part: Part, reference: str, now: datetime
) -> None:
    """Of what is numbered, and was taken again to be sold at once, it is decided which ones."""
    demand, _, quantity = part
    if demand.numbered:
        key = _write_numbered(session, owner, part, now, now)
        hold_rows.shut(session, key, "allocated")
        numbers.assign(session, key, [(demand.line_id, quantity)], reference, now)


def _sell(
    session: Session, level_id: uuid.UUID, quantity: int, reference: str, now: datetime
) -> None:
    """Pieces that are held are sold."""
    levels.sell(session, {level_id: quantity}, reference, now)
