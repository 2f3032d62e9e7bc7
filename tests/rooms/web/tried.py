"""What the stage's people try: Burrow is put on the shelf when somebody first asks for it."""

from sqlalchemy import select

from core.parties.models import Account
from core.subscriptions import trial_reading
from core.subscriptions.trial_models import Trial, TrialFollowUp, TrialOffer
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
