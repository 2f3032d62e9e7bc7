"""A customer's trials, by a token of their own: what may be tried, beginning, cancelling, going on."""

from collections.abc import Collection, Sequence
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from api import answers, callers, cursors, reading
from api.answers import Json
from api.callers import customer
from api.once import once
from api.pace import limit
from api.problems import add_headers
from api.shapes import Nothing
from api.trial_shapes import TrialBegin, TrialGoOn, TrialQuery
from core.kernel.errors import Forbidden, Invalid
from core.parties import accounts
from core.parties.models import Account
from core.subscriptions import trial_reading
from core.subscriptions import trials as trial_states
from core.subscriptions.trial_reading import Listed
from flows import keep_trial, set_up_method, start_trial, trial_offers
from flows.start_trial import Wish
from flows.trial_offers import ShownOffer
from web.access import Guard, Who, allow
from web.context import channel, house, web_settings

trials = Blueprint("api_trials", __name__, url_prefix="/api/v1/account")
trials.after_request(add_headers)


def _account(session: Session) -> Account | None:
    """The account that whoever asks would try something on."""
    entity = channel()[0].legal_entity_id
    return accounts.buying_account(session, callers.caller().user_id, entity)


def _offer(shown: ShownOffer) -> Json:
    found = shown.offered
    return {
        "code": found.offer.code,
        "kind": found.offer.kind,
        "plan": found.variant.sku,
        "name": found.variant.name,
        "days": found.offer.days,
        "steps": [
            {
                "when": step.when,
                "text": step.text,
                "on": step.on.isoformat() if step.on is not None else None,
            }
            for step in shown.steps
        ],
        "shown": shown.fingerprint,
    }


def _trial(found: Listed, going_on: Collection[Any]) -> Json:
    row, subscription = found.trial, found.subscription
    return {
        "id": row.public_id,
        "state": row.state,
        "kind": row.kind,
        "plan": found.variant.sku,
        "name": found.variant.name,
        "account": found.account.number,
        "starts_on": row.starts_on.isoformat() if row.starts_on else None,
        "ends_on": row.ends_on.isoformat() if row.ends_on else None,
        "cancelled": subscription is not None and trial_states.is_cancelled(subscription),
        "goes_on": row.id in going_on,
        "service_id": subscription.public_id if subscription is not None else None,
    }


def _told(session: Session, found: Sequence[Listed]) -> list[Json]:
    going_on = trial_reading.going_on(session, found)
    return [_trial(one, going_on) for one in found]


def _one(trial_id: str, *, to_change: bool = False) -> Listed:
    """One of theirs. Raises NotFound; Forbidden for a viewer who wants to change it."""
    wanted = reading.public_id(trial_id, "trial")
    with house().db.reading() as session:
        mine = {row.id: may for row, may in callers.own_accounts(session)}
        found = trial_reading.one(session, wanted, list(mine))
    if to_change and not mine[found.account.id]:
        raise Forbidden
    return found


def _answer(public_id: str) -> Json:
    with house().db.snapshot() as session:
        (content,) = _told(session, [trial_reading.one(session, public_id)])
    return content


@trials.get("/trial-offers")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer("services:read")
def offered() -> Response:
    """Everything that can be tried, with what happens when."""
    with house().db.reading() as session:
        offered_now = trial_offers.offered(session, channel()[0].currency)
        codes = [one.offer.code for one, _ in offered_now]
        account = _account(session)
    found = [trial_offers.show(house(), code, account) for code in codes]
    return answers.respond({"offers": [_offer(shown) for shown in found]})


@trials.get("/trials")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer("services:read")
def listed() -> Response:
    """All trials of theirs, the newest first."""
    query, secret = reading.query(TrialQuery), web_settings().secret_key
    before = cursors.read_moment(secret, query.cursor)
    with house().db.snapshot() as session:
        mine = [row.id for row, _ in callers.own_accounts(session)]
        found = trial_reading.of_accounts(session, mine, before=before, limit=query.page_size + 1)
        rows = found[: query.page_size]
        content = _told(session, rows)
    following = None
    if len(found) > len(rows):
        last = rows[-1].trial
        following = cursors.write_moment(secret, last.asked_at, last.id)
    return answers.respond({"trials": content, "next_cursor": following})


@trials.get("/trials/<trial_id>")
@allow(Who.PROGRAM, Guard.NONE)
@limit("api")
@customer("services:read")
def show(trial_id: str) -> Response:
    """One trial."""
    return answers.respond(_answer(_one(trial_id).trial.public_id))


@trials.post("/trials")
@allow(Who.PROGRAM, Guard.NONE)
@limit("mail")
@customer("services:write")
def begin() -> Response:
    """Begin a trial; one with a card answers where the card is put on file first."""
    asked, caller = reading.body(TrialBegin), callers.caller()
    wish = Wish(
        asked.offer,
        asked.shown,
        user_id=caller.user_id,
        address=asked.address.model_dump() if asked.address is not None else None,
        agreed_from=request.remote_addr or "",
    )

    def work() -> tuple[int, Json]:
        try:
            started = start_trial.start(house(), wish)
        except Invalid as error:
            raise reading.refused(error) from None
        url = set_up_method.begin(house(), started.set_up) if started.set_up else None
        return 201, {"trial": _answer(started.public_id), "redirect_url": url}

    status, body = once(f"begin-trial:{caller.token_id.hex}", asked, work)
    return answers.respond(body, status, f"/api/v1/account/trials/{body['trial']['id']}")


@trials.post("/trials/<trial_id>/cancel")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("services:write")
def cancel(trial_id: str) -> Response:
    """It ends without being charged; once more is no change."""
    reading.body(Nothing, optional=True)
    found = _one(trial_id, to_change=True)
    keep_trial.cancel(house(), found.trial.id, "by_api")
    return answers.respond(_answer(found.trial.public_id))


@trials.post("/trials/<trial_id>/keep")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("services:write")
def keep(trial_id: str) -> Response:
    """Take the cancellation back; once more is no change."""
    reading.body(Nothing, optional=True)
    found = _one(trial_id, to_change=True)
    keep_trial.keep(house(), found.trial.id)
    return answers.respond(_answer(found.trial.public_id))


@trials.post("/trials/<trial_id>/go-on")
@allow(Who.PROGRAM, Guard.NONE)
@limit("checkout")
@customer("services:write")
def go_on(trial_id: str) -> Response:
    """Agree to pay for the plan, from the end of the trial or from today; its bills are sent."""
    asked, found = reading.body(TrialGoOn), _one(trial_id, to_change=True)
    public_id = found.trial.public_id

    def work() -> tuple[int, Json]:
        keep_trial.go_on(house(), public_id, [found.account.id], asked.when)
        return 200, _answer(public_id)

    scope = f"go-on-trial:{public_id}:{callers.caller().token_id.hex}"
    status, body = once(scope, asked, work)
    return answers.respond(body, status)
