"""Opening Fernway in an empty database: the shop, its people, then their history day by day."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from sqlalchemy.orm import Session

from app import worker
from app.demo.fernway import (
    content,
    delivered,
    history,
    marks,
    nights,
    people,
    shop,
    stocked,
    warehouse,
)
from app.demo.fernway.marks import Found
from app.demo.fernway.scene import Scene
from app.demo.fernway.till import Post, Till
from app.provisioners import Pretend
from core.kernel.clock import ManualClock
from core.kernel.ids import new_public_id
from flows import keep_picture, keep_video
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
    _live(house, mail_box, began, found.reached or began)
    house.db.run_tx(lambda session: _finish(session, house))
    return found


def _finish(session: Session, house: House) -> None:
    """What stands there today, in the commit that says that all of it is there."""
    stocked.fill(session, house.rules.channel, house.clock.now())
    marks.note_furnished(session, house.rules.channel, house.clock.now())


def _furnish(house: House) -> datetime:
    """The shop and its people, in one commit; answers when their history begins."""
    opens = house.clock.now()
    began = opens - timedelta(days=history.DAYS)
    hashes = people.passwords()
    uploads = content.Uploads(
        keep_picture.encode(house, content.paint()),
        keep_video.store(house, content.FILM.read_bytes()),
        keep_video.store_captions(house, content.SAID.encode()),
    )

    def furnish(session: Session) -> None:
        entity, channel = shop.open_shop(session, house.rules.channel, history.sold(), began)
        delivered.offer_times(session, channel, opens)
        people.move_in(session, entity, channel, hashes, began, opens)
        warehouse.open_door(session, house, began)
        content.write(session, channel.id, people.editor(session), uploads, began, opens)
        marks.note_opened(session, house.rules.channel, began)

    house.db.run_tx(furnish)
    return began


def _live(house: House, mail_box: Path, began: datetime, reached: datetime) -> None:
    """Every act at its hour, the nights before it, and what follows; from where a seed has stopped on."""
    clock = ManualClock(began)
    past = replace(
        house,
        clock=clock,
        # The till answers what these flows ask; nothing else is asked.
        gateway=cast(Gateway, Till(house.db, clock)),
        sender=Post(mail_box, house.sender.mail_from),
        poster=warehouse.Pretended(),
        provisioner=Pretend(shop.BY_A_PERSON),
        rules=replace(house.rules, payment_methods=("card", "invoice")),
    )
    owner = f"seed:{new_public_id()[:8]}"
    scene = Scene(past, clock)
    acts = history.acts(began)
    # The last one that had begun may not have ended; those before it have.
    begun = max((at for at, _ in acts if at <= reached), default=began)
    lived = begun
    for moment, act in acts:
        if not begun <= moment <= house.clock.now():
            continue
        _sleep(past, clock, lived, moment, owner)
        lived = moment
        clock.set(moment)
        # What an interrupted seed had in hand when it ended is free again by now.
        _work(past, owner)
        act.happen(scene)
        clock.advance(timedelta(minutes=1))
        _work(past, owner)
    _sleep(past, clock, lived, house.clock.now(), owner)
    warehouse.close_door(past)


def _sleep(past: House, clock: ManualClock, after: datetime, until: datetime, owner: str) -> None:
    """The nights in between, with what follows from them."""
    for morning in nights.mornings(after, until):
        nights.pass_by(past, clock, morning)
        _work(past, owner)


def _work(past: House, owner: str) -> None:
    """Every job that is due, and what follows from it."""
    while worker.work(past, owner):
        pass
