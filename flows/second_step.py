"""The second step of staff logging in: setting it up, a code each time, and starting anew."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from core.kernel import audit
from core.parties import second_step, staff
from core.parties.models import User
from core.parties.second_step import Secrets, WrongCode
from flows.house import House


class Stand(StrEnum):
    """What somebody who has given their password is asked for."""

    NOTHING = "nothing"
    CODE = "code"
    SET_UP = "set_up"


@dataclass(frozen=True)
class Shown:
    """A secret to put into a telephone: as letters, and as what a QR code holds."""

    secret: str = field(repr=False)
    address: str = field(repr=False)


def stand(house: House, user_id: uuid.UUID) -> Stand:
    """What follows the password."""
    with house.db.reading() as session:
        if second_step.is_set_up(session, user_id):
            return Stand.CODE
    return Stand.SET_UP if house.rules.staff_need_second_step else Stand.NOTHING


def begin(house: House, user_id: uuid.UUID) -> None:
    """Make the secret that is shown next. Nothing changes for whoever has a second step already."""
    now = house.clock.now()
    house.db.run_tx(lambda session: second_step.begin(session, _keys(house), user_id, now))


def shown(house: House, user: User, shop: str) -> Shown | None:
    """The secret to be confirmed; None when none was begun, or it is confirmed."""
    with house.db.reading() as session:
        row = second_step.of(session, user.id)
    if row is None or row.confirmed_at is not None:
        return None
    secret = second_step.secret_of(row, _keys(house))
    return Shown(secret, second_step.address(secret, user.email, shop))


def confirm(house: House, user: User, typed: str) -> list[str]:
    """The first code proves the telephone; answers the recovery codes, to be shown once.

    Raises WrongCode, TooManyWrongCodes.
    """
    keys, now = _keys(house), house.clock.now()

    def work(session: Session) -> list[str] | None:
        if second_step.take(session, keys, user.id, typed, now) != "code":
            return None
        second_step.confirm(session, user.id, now)
        codes = second_step.new_recovery_codes(session, keys, user.id, now)
        _note(session, house, user, "second_step.set_up")
        return codes

    codes = house.db.run_tx(work)
    if codes is None:
        raise WrongCode
    return codes


def check(house: House, user: User, typed: str) -> str:
    """Use up a code; says whether it was a ``code`` or a ``recovery`` code.

    Raises WrongCode, TooManyWrongCodes.
    """
    keys, now = _keys(house), house.clock.now()

    def work(session: Session) -> str | None:
        if not second_step.is_set_up(session, user.id):
            return None
        how = second_step.take(session, keys, user.id, typed, now)
        if how == "recovery":
            _note(session, house, user, "second_step.recovery_used")
        return how

    how = house.db.run_tx(work)
    if how is None:
        raise WrongCode
    return how


def renew_codes(house: House, user: User, typed: str) -> list[str]:
    """Other recovery codes, for a code of the telephone. Raises WrongCode, TooManyWrongCodes."""
    keys, now = _keys(house), house.clock.now()

    def work(session: Session) -> list[str] | None:
        if second_step.take(session, keys, user.id, typed, now) != "code":
            return None
        _note(session, house, user, "second_step.codes_renewed")
        return second_step.new_recovery_codes(session, keys, user.id, now)

    codes = house.db.run_tx(work)
    if codes is None:
        raise WrongCode
    return codes


def give_up(house: House, user: User, typed: str) -> None:
    """Go on without a second step, where the shop doesn't ask for one.

    Raises WrongCode, TooManyWrongCodes.
    """
    check(house, user, typed)

    def work(session: Session) -> None:
        second_step.reset(session, user.id)
        _note(session, house, user, "second_step.given_up")

    house.db.run_tx(work)


def reset(session: Session, user: User, actor: str, now: datetime) -> bool:
    """Forget somebody's telephone, and end their sessions: they set it up anew. False when there was none."""
    had = second_step.reset(session, user.id)
    if had:
        staff.end_sessions(session, user.id)
        audit.write(session, now, actor, "second_step.reset", ("user", user.public_id))
    return had


def _keys(house: House) -> Secrets:
    return Secrets(house.links.secret)


def _note(session: Session, house: House, user: User, act: str) -> None:
    now = house.clock.now()
    audit.write(session, now, f"user:{user.id}", act, ("user", user.public_id))
