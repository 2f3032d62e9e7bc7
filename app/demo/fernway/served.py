"""Acts about services: connected, changed, rested, left, paid by somebody else, used, foreseen."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from app.demo.fernway.people import DESK, SECOND_DESK, Person
from app.demo.fernway.scene import Ago, Scene
from flows import activate_service, change_service, record_usage, run_billing
from flows.record_usage import Told
from flows.wish_service import Wanted

METER = "burrow-stored"


@dataclass(frozen=True)
class Connected:
    """A fitter was there: from today on it works."""

    when: Ago
    who: Person
    sku: str
    place: str = ""

    def happen(self, scene: Scene) -> None:
        """Staff activate it."""
        asked = scene.asked(self.who, self.sku, SECOND_DESK, self.place)
        scene.step(
            "service.activated",
            lambda: activate_service.activate(scene.house, asked, scene.today),
        )


@dataclass(frozen=True)
class Changed:
    """Somebody takes another plan, from today or from the next bill day on."""

    when: Ago
    who: Person
    sku: str
    to: str
    at_period_end: bool = False

    def happen(self, scene: Scene) -> None:
        """In the portal, by whoever it serves."""
        asked = scene.asked(self.who, self.sku, self.who)
        wanted = Wanted(self.to, 1, self.at_period_end)
        scene.step("service.plan", lambda: change_service.change(scene.house, asked, wanted))


@dataclass(frozen=True)
class Rested:
    """Somebody is away for so many days."""

    when: Ago
    who: Person
    sku: str
    days: int
    note: str

    def happen(self, scene: Scene) -> None:
        """In the portal; it goes on by itself."""
        asked = scene.asked(self.who, self.sku, self.who)
        until = scene.today + timedelta(days=self.days)
        scene.step(
            "service.paused",
            lambda: change_service.pause(scene.house, asked, "away", self.note, until),
        )


@dataclass(frozen=True)
class Left:
    """Somebody gives notice: it ends with the period that runs."""

    when: Ago
    who: Person
    sku: str
    reason: str
    note: str

    def happen(self, scene: Scene) -> None:
        """On the telephone; staff write it down."""
        asked = scene.asked(self.who, self.sku, DESK)
        scene.step(
            "service.cancelled",
            lambda: change_service.end(
                scene.house, asked, self.reason, self.note, at_period_end=True
            ),
        )


@dataclass(frozen=True)
class PaidBy:
    """Somebody else pays for it from the next bill on."""

    when: Ago
    who: Person
    sku: str
    payer: Person

    def happen(self, scene: Scene) -> None:
        """Staff write it down."""
        asked = scene.asked(self.who, self.sku, DESK)
        scene.step(
            "service.payer",
            lambda: change_service.set_payer(scene.house, asked, self.payer.account_number or ""),
        )


@dataclass(frozen=True)
class Used:
    """The box in the mine tells how much is stored. ``late`` days after it was so; or it corrects what it
    told under another key."""

    when: Ago
    who: Person
    sku: str
    key: str
    gigabytes: str
    late: int = 0
    corrects: str | None = None

    def happen(self, scene: Scene) -> None:
        """Told again it stands once."""
        at = None if self.corrects else scene.clock.now() - timedelta(days=self.late)
        service = scene.service(self.who, self.sku)
        told = Told(service.public_id, METER, self.key, Decimal(self.gigabytes), at, self.corrects)
        record_usage.record(scene.house, told, "meter")


@dataclass(frozen=True)
class Foreseen:
    """The desk looks what will be billed, so many days ahead."""

    when: Ago
    days: int

    def happen(self, scene: Scene) -> None:
        """A preview, done by the worker."""
        as_of = scene.today + timedelta(days=self.days)
        asked = run_billing.Asked(as_of, scene.actor(DESK), is_preview=True)
        scene.step("bill_run.started", lambda: run_billing.start(scene.house, asked, by_jobs=True))
