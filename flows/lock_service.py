"""Staff lock and unlock what a service gives, with a reason; other locks on it stay."""

from sqlalchemy.orm import Session

from core.entitlements import locking
from core.kernel.errors import NotFound
from core.subscriptions import states
from flows import hold_service
from flows.hold_service import Asked
from flows.house import House

#: The reason that staff lock for.
DESK = "desk"


def lock(house: House, asked: Asked, feature: str, note: str) -> None:
    """It cannot be used until staff unlock it. NotFound when it is not given, or locked by staff already."""
    _write(house, asked, feature, note, is_lock=True)


def unlock(house: House, asked: Asked, feature: str, note: str) -> None:
    """Staff's lock goes. NotFound when there is none."""
    _write(house, asked, feature, note, is_lock=False)


def _write(house: House, asked: Asked, feature: str, note: str, *, is_lock: bool) -> None:
    def work(session: Session) -> None:
        row, now = hold_service.hold(session, house, asked), house.clock.now()
        do, word = (locking.lock, "locked") if is_lock else (locking.unlock, "unlocked")
        if not do(session, row, DESK, asked.actor, now, features={feature}):
            raise NotFound("feature for that")
        states.noted(session, row, word, asked.actor, now, feature=feature, why=note)

    house.db.run_tx(work)
