"""Acts of people who are past due: a promise to pay, and a case that the desk holds."""

from dataclasses import dataclass
from datetime import timedelta

from app.demo.fernway.buying import Ordered
from app.demo.fernway.people import DESK, EDDA, RUNA, TAM, Person
from app.demo.fernway.scene import Act, Ago, Scene
from app.demo.fernway.served import Connected
from flows import rest_case
from flows.rest_case import Wish
from payments.dunning import cases


@dataclass(frozen=True)
class Promised:
    """Somebody promises to pay within so many days, in the portal."""

    when: Ago
    who: Person
    days: int

    def happen(self, scene: Scene) -> None:
        """Nothing happens until then."""
        scene.step("past_due.promised", lambda: self._promise(scene))

    def _promise(self, scene: Scene) -> None:
        wish = Wish(scene.today + timedelta(days=self.days), scene.actor(self.who), True)
        rest_case.promise(scene.house, scene.account(self.who).id, wish)


@dataclass(frozen=True)
class Held:
    """The desk holds somebody's case for so many days."""

    when: Ago
    who: Person
    days: int
    note: str

    def happen(self, scene: Scene) -> None:
        """Nobody is written to."""
        scene.step("past_due.held", lambda: self._hold(scene))

    def _hold(self, scene: Scene) -> None:
        with scene.house.db.reading() as session:
            case = cases.open_case(session, scene.account(self.who).id)
        assert case is not None  # it is past due
        until = scene.today + timedelta(days=self.days)
        rest_case.hold(scene.house, case.public_id, Wish(until, scene.actor(DESK), note=self.note))


#: Nobody pays: Edda was reminded three times, charged the fee, and is locked; Tam has promised a day; Runa's
#: case is held. Otis and Lena were reminded, by what they bought elsewhere.
LATE: tuple[Act, ...] = (
    Ordered(Ago(72, "17:22"), EDDA, {"STR-18": 1}),
    Connected(Ago(68, "09:15"), EDDA, "STR-18"),
    Ordered(Ago(36, "19:48"), TAM, {"STR-18": 1, "CAN-100": 1}),
    Connected(Ago(32, "14:20"), TAM, "STR-18"),
    Promised(Ago(9, "20:16"), TAM, 13),
    Ordered(Ago(30, "10:37"), RUNA, {"BRK-6": 1}),
    Connected(Ago(26, "11:40"), RUNA, "BRK-6"),
    Held(Ago(9, "15:52"), RUNA, 20, "In hospital; her son called. He sees to it next week."),
)
