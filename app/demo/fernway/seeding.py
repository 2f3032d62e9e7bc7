"""Opening Fernway in an empty database: the shop, its people, then their history day by day."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from sqlalchemy.orm import Session

from app import worker
from app.demo.fernway import history, marks, people, shop
from app.demo.fernway.marks import Found
from app.demo.fernway.till import Post, Till
from core.kernel.clock import ManualClock
from core.kernel.ids import new_public_id
from flows import make_statements
from flows.house import House
from payments.gateway import Gateway


def open_shop(house: House, mail_box: Path) -> Found:
    """Put Fernway into the database; answers what was there before.

    Where all of it is there, or another shop, nothing is done; a seed that was interrupted goes on.
    ``mail_box`` is the demo's folder of caught mails; those of the history are laid there.
    """
    with house.db.reading() as session:
        found = marks.look(session, house.rules.channel)
    if found.state in ("there", "other"):
        return found
    began = found.began or _furnish(house)
    _live(house, mail_box, began)
    house.db.run_tx(
        lambda session: marks.note_furnished(session, house.rules.channel, house.clock.now())
    )
    return found


def _furnish(house: House) -> datetime:
    """The shop and its people, in one commit; answers when their history begins."""
    began = house.clock.now() - timedelta(days=history.DAYS)
    hashes = people.passwords()

    def furnish(session: Session) -> None:
        entity, channel = shop.open_shop(session, house.rules.channel, history.sold(), began)
        people.move_in(session, entity, channel, hashes, began)
        marks.note_opened(session, house.rules.channel, began)

    house.db.run_tx(furnish)
    return began


def _live(house: House, mail_box: Path, began: datetime) -> None:
    """Every act at its hour, and what follows from it before the next."""
    clock = ManualClock(began)
    past = replace(
        house,
        clock=clock,
        # The till answers what these flows ask; nothing else is asked.
        gateway=cast(Gateway, Till(house.db, clock)),
        sender=Post(mail_box, house.sender.mail_from),
        rules=replace(house.rules, payment_methods=("card", "invoice")),
    )
    owner = f"seed:{new_public_id()[:8]}"
    stated = began
    for act in history.ACTS:
        moment = history.moment(began, act)
        _state(past, clock, stated, moment, owner)
        stated = moment
        clock.set(moment)
        # What an interrupted seed had in hand when it ended is free again by now.
        worker.drain(past, owner)
        history.happen(past, clock, act)
        clock.advance(timedelta(minutes=1))
        worker.drain(past, owner)
    _state(past, clock, stated, house.clock.now(), owner)


def _state(past: House, clock: ManualClock, after: datetime, until: datetime, owner: str) -> None:
    """Each morning in between, the statements of those whose bill day it is, as the worker makes them."""
    for morning in history.mornings(after, until):
        clock.set(morning)
        if make_statements.by_the_clock(past).made:
            worker.drain(past, owner)
