"""Acts about trials: begun, cancelled, and the calls that the desk made."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.demo.fernway.people import SECOND_DESK, Person
from app.demo.fernway.scene import Ago, Scene
from core.parties.models import Account
from core.subscriptions import trial_desk, trial_reading
from core.subscriptions.trial_models import Trial
from flows import keep_trial, set_up_method, start_trial, trial_offers
from flows.start_trial import Wish
from payments.models import PaymentOperation

#: Out of a range that is kept for examples.
_FROM = "192.0.2.7"


@dataclass(frozen=True)
class Tried:
    """Somebody begins a trial, with the words before them; a card is put on file where it asks for one."""

    when: Ago
    who: Person
    offer: str

    def happen(self, scene: Scene) -> None:
        """Begin, unless it has begun, and see that a card which it waits for is on file."""
        house, account = scene.house, scene.account(self.who)
        with house.db.reading() as session:
            trial, operation = _of(session, self.who), _set_up(session, self.who)
        if trial is None or (trial.state == "awaiting_card" and operation is None):
            shown = trial_offers.show(house, self.offer, account)
            wish = Wish(
                self.offer, shown.fingerprint, user_id=scene.user_id(self.who), agreed_from=_FROM
            )
            started = start_trial.start(house, wish)
            if started.set_up is not None:
                set_up_method.begin(house, started.set_up)
            with house.db.reading() as session:
                operation = _set_up(session, self.who)
        if operation is not None:
            set_up_method.settle(house, operation.id)


def _of(session: Session, who: Person) -> Trial | None:
    """Somebody's trial that was not given up; nobody has two."""
    return session.scalar(select(Trial).where(Trial.email == who.email, Trial.state != "abandoned"))


def _set_up(session: Session, who: Person) -> PaymentOperation | None:
    """The visit in which somebody puts their card on file; nobody makes two."""
    return session.scalar(
        select(PaymentOperation)
        .join(Account, Account.id == PaymentOperation.account_id)
        .where(Account.email == who.email, PaymentOperation.kind == "setup")
    )


@dataclass(frozen=True)
class Stopped:
    """Somebody cancels their trial."""

    when: Ago
    who: Person

    def happen(self, scene: Scene) -> None:
        """In the portal."""
        with scene.house.db.reading() as session:
            trial = _of(session, self.who)
        assert trial is not None  # it began earlier
        key = trial.id
        scene.step("trial.cancelled", lambda: keep_trial.cancel(scene.house, key, "by_portal"))


@dataclass(frozen=True)
class Called:
    """The desk called somebody who tries without a card; the earliest call that was due is done."""

    when: Ago
    who: Person
    outcome: str
    note: str

    def happen(self, scene: Scene) -> None:
        """Write down how it went."""
        scene.step("trial.followed_up", lambda: self._note(scene))

    def _note(self, scene: Scene) -> None:
        by, now = scene.actor(SECOND_DESK), scene.clock.now()

        def write(session: Session) -> None:
            trial = _of(session, self.who)
            assert trial is not None  # it began earlier
            open_ = [
                one for one in trial_reading.follow_ups_of(session, trial.id) if not one.done_at
            ]
            trial_desk.done(session, open_[0], self.outcome, self.note, by, now)

        scene.house.db.run_tx(write)
