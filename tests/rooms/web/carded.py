"""What the stage's people have on file: cards, AutoPay, payments on a date."""

from datetime import date, timedelta

from sqlalchemy.orm import Session

from core.kernel.clock import local_date
from core.kernel.ids import new_id, new_public_id
from core.parties.models import Account
from flows import manage_cards, schedule_payment, set_up_method
from flows.schedule_payment import Wish
from payments import autopay, methods, scheduled
from payments.methods import Consent
from payments.models import PaymentMethod, PaymentOperation
from payments.scheduled import Wanted
from tests.paying import CARD
from tests.rooms.web.stage import Stage
from tests.world import ZONE


def on_file(stage: Stage, who: str, card: str = CARD) -> str:
    """A card that somebody put on file at the processor; answers its public id."""
    account = stage.row(Account, Account.id == stage.accounts[who])
    with stage.db.reading() as session:
        wish = manage_cards.card_to_keep(
            session, account, stage.people[who], "203.0.113.7", "/account/cards"
        )
    url = set_up_method.begin(stage.house, wish)
    stage.sandbox.pay(url, card)
    operation = stage.row(PaymentOperation, PaymentOperation.redirect_url == url)
    assert set_up_method.settle(stage.house, operation.id) == "succeeded"
    stage.drain()
    found = stage.row(PaymentOperation, PaymentOperation.id == operation.id)
    return stage.row(PaymentMethod, PaymentMethod.id == found.payment_method_id).public_id


def planned(stage: Stage, who: str, card: str, kind: str = "balance") -> str:
    """A payment of everything in ten days; answers its public id."""
    account, today = stage.accounts[who], local_date(stage.clock.now(), ZONE)
    wish = Wish(account, stage.people[who], card, kind, today + timedelta(days=10), "203.0.113.7")
    made = schedule_payment.plan(stage.house, wish)
    stage.drain()
    return made.public_id


def grown(session: Session, stage: Stage, who: str, number: int) -> tuple[str, str]:
    """One more card and one more payment with it, without the processor; answers their public ids."""
    now, account = stage.clock.now(), session.get_one(Account, stage.accounts[who])
    card = PaymentMethod(
        id=new_id(),
        public_id=new_public_id(),
        account_id=account.id,
        gateway_customer_id=f"cus-{who}",
        gateway_id=f"pm-{who}-{number}",
        brand="visa",
        last4=f"{number:04}",
        exp_month=12,
        exp_year=2030,
        state="active",
        created_at=now,
    )
    session.add(card)
    session.flush()
    consent = Consent(stage.people[who], "autopay", "test", "I agree.", "1", "203.0.113.7")
    given = methods.agree(session, card, consent, now)
    if number == 0:
        autopay.start(session, card, given, "test", now)
    day = date(2027, 1, 4) + timedelta(days=number)
    row = scheduled.plan(
        session, new_id(), card, Wanted("balance"), account.currency, day,
        now + timedelta(days=40), given.id, "test", now,
    )  # fmt: skip
    return card.public_id, row.public_id
