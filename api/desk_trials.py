"""What can be tried, by a key of the desk: listed, offered, set otherwise."""

from collections.abc import Callable

from flask import Blueprint, Response
from sqlalchemy.orm import Session

from api import answers, reading
from api.answers import Json
from api.callers import caller, staff
from api.once import once
from api.pace import limit
from api.problems import add_headers
from api.trial_shapes import OfferSet, OfferWish
from core.kernel.errors import Invalid
from core.subscriptions import trial_desk, trial_reading
from core.subscriptions.trial_desk import NewOffer, OfferChange
from core.subscriptions.trial_reading import Offered
from web.access import Guard, Who, allow
from web.context import house

desk_trials = Blueprint("api_desk_trials", __name__, url_prefix="/api/v1/desk")
desk_trials.after_request(add_headers)


@desk_trials.get("/trial-offers")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("trials:read")
def listed() -> Response:
    """Everything that can be tried, or could."""
    with house().db.reading() as session:
        found = trial_reading.offers(session)
    return answers.respond({"offers": [_told(one) for one in found]})


@desk_trials.post("/trial-offers")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("trials:write")
def make() -> Response:
    """Offer a plan to be tried."""
    wish = reading.body(OfferWish)

    def run() -> tuple[int, Json]:
        def write(session: Session) -> Offered:
            new = NewOffer(wish.code, wish.sku, wish.kind, _change(wish))
            trial_desk.add_offer(session, new, caller().actor, house().clock.now())
            return trial_reading.offer(session, wish.code)

        return 201, _told(_written(write))

    status, body = once(f"trial-offer:{caller().token_id.hex}", wish, run)
    return answers.respond(body, status)


@desk_trials.put("/trial-offers/<code>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@staff("trials:write")
def change(code: str) -> Response:
    """Set it otherwise for whoever begins from now on."""
    wish = reading.body(OfferSet)

    def write(session: Session) -> Offered:
        found = trial_reading.offer(session, code)
        now = house().clock.now()
        trial_desk.change_offer(session, found.offer, _change(wish), caller().actor, now)
        return found

    return answers.respond(_told(_written(write)))


def _written(write: Callable[[Session], Offered]) -> Offered:
    try:
        return house().db.run_tx(write)
    except Invalid as error:
        raise reading.refused(error) from None


def _change(wish: OfferSet) -> OfferChange:
    days = tuple(sorted(set(wish.follow_up_days)))
    return OfferChange(wish.days, wish.notice_days, days, wish.active)


def _told(found: Offered) -> Json:
    row = found.offer
    return {
        "code": row.code,
        "sku": found.variant.sku,
        "plan": found.variant.name,
        "kind": row.kind,
        "days": row.days,
        "notice_days": row.notice_days,
        "follow_up_days": list(row.follow_up_days),
        "active": row.is_active,
    }
