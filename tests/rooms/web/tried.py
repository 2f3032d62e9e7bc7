"""What the stage's people try: Burrow is put on the shelf when somebody first asks for it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.entitlements import granting
from core.kernel.clock import local_date
from core.parties.models import Account
from core.subscriptions import activating, trial_reading, trial_starting
from core.subscriptions.trial_models import Trial, TrialFollowUp, TrialOffer
from core.subscriptions.trial_starting import NewTrial
from flows import start_trial, trial_offers
from flows.start_trial import Wish
from tests import trying
from tests.rooms.web.stage import Stage


def offered(stage: Stage) -> str:
    """The offer without a card; answers its code."""
    if not stage.rows(TrialOffer):
        with stage.db.transaction() as session:
            trying.offer(session, stage.world, stage.clock.now())
    return trying.NO_CARD_OFFER


def begun(stage: Stage, who: str) -> str:
    """Somebody's only trial; answers its public id."""
    account_id = stage.accounts[who]
    with stage.db.reading() as session:
        found = trial_reading.of_accounts(session, [account_id])
    if found:
        return found[0].trial.public_id
    code, row = offered(stage), _account(stage, who)
    shown = trial_offers.show(stage.house, code, row)
    wish = Wish(code, shown.fingerprint, user_id=stage.people[who])
    made = start_trial.start(stage.house, wish)
    stage.drain()
    return made.public_id


def call(stage: Stage, public_id: str) -> str:
    """The public id of the first call about a trial."""
    with stage.db.reading() as session:
        return session.scalars(
            select(TrialFollowUp.public_id)
            .join(Trial, Trial.id == TrialFollowUp.trial_id)
            .where(Trial.public_id == public_id)
            .order_by(TrialFollowUp.due_on)
        ).all()[0]


def _account(stage: Stage, who: str) -> Account:
    found: Account = stage.row(Account, Account.id == stage.accounts[who])
    return found


def grown(session: Session, stage: Stage, who: str) -> str:
    """One more trial of somebody's, with a call that is due; what it claims is left out."""
    now = stage.clock.now()
    found = session.scalars(select(TrialOffer).where(TrialOffer.code == trying.NO_CARD_OFFER))
    if found.first() is None:
        trying.offer(session, stage.world, now)
    offer = trial_reading.offer(session, trying.NO_CARD_OFFER).offer
    account = session.get_one(Account, stage.accounts[who])
    new = NewTrial(
        offer=offer,
        account=account,
        user_id=stage.people[who],
        email=f"{who}@example.com",
        price_micros=9_000_000,
        price_trace={},
        interval="month",
        interval_count=1,
        words=["Today: It begins."],
        words_version="1",
    )
    service = trial_starting.open_service(session, account, stage.world.channel_id, new, None, now)
    today = local_date(now, account.time_zone)
    activating.activate(session, service, today, "test", now)
    granting.grant(session, service, today, "test", now)
    made = trial_starting.start_at_once(session, new, service, today, now)
    session.add(TrialFollowUp(trial_id=made.id, due_on=today))
    session.flush()
    return made.public_id
