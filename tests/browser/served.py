"""Customers with services: a line that runs, a phone that waits to be connected, a backup that counts."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.demo.fernway import people
from core.catalog.models import Variant
from core.hooks import deliveries, endpoints
from core.hooks.endpoints import Wish as HookWish
from core.hooks.reaching import Answer, Nowhere
from core.kernel.clock import local_date
from core.kernel.ids import new_public_id
from core.kernel.jobs import Job
from core.kernel.sealing import Sealer
from core.parties import tokens
from core.parties.models import Account
from core.parties.tokens import NewToken
from core.subscriptions.models import Subscription, SubscriptionPhase
from flows import activate_service, change_service, start_trial, trial_offers
from flows.hold_service import Asked
from flows.start_trial import Newcomer, Wish
from tests import nights
from tests.browser.installation import Installation

PASSWORD = "three calm words"
LINE, PHONE_LINE, BACKUP = "STR-18", "TEL-1", "BUR-0"
#: So long ago the line was connected: within its first month, which its order billed.
RUNS_FOR = timedelta(days=10)


@dataclass(frozen=True)
class Served:
    """Who they are, and the public ids of their services by the SKU that they began with."""

    email: str
    account: Account
    user_id: uuid.UUID
    services: dict[str, str]
    #: Of the backup.
    trial: str


def move_in(place: Installation, name: str, street: str, offer: str = "burrow-5-gb") -> Served:
    """Somebody new tries the backup and orders a line and a phone; the line is connected."""
    house, email = place.house, f"{name.replace(' ', '.').lower()}@example.com"
    shown = trial_offers.show(house, offer, None)
    who = Newcomer(name, email, PASSWORD)
    address = people.NELL.address | {"name": name, "line1": street}
    wish = Wish(offer, shown.fingerprint, newcomer=who, address=address, agreed_from="192.0.2.7")
    started = start_trial.start(house, wish)
    place.order_on_terms(email, {LINE: 1, PHONE_LINE: 1})
    [account] = place.values(Account, Account.email == email)
    served = Served(email, account, started.user.id, _services(place, account), started.public_id)
    today = local_date(house.clock.now(), account.time_zone)
    asked = Asked(served.services[LINE], "system")
    activate_service.activate(house, asked, today - RUNS_FOR)
    return served


def rest(place: Installation, served: Served, sku: str) -> str:
    """What was ordered works, and rests from today on; answers its public id."""
    house, asked = place.house, Asked(served.services[sku], "system")
    today = local_date(house.clock.now(), served.account.time_zone)
    activate_service.activate(house, asked, today)
    change_service.pause(house, asked, "away", "", None)
    return asked.public_id


def token(place: Installation, kind: str, user_id: uuid.UUID) -> str:
    """Something that a program of theirs comes in with; answers its public id."""
    now = place.house.clock.now()
    new = NewToken(kind, "The meter in the cellar", tuple(tokens.SCOPES[kind]))
    return place.house.db.run_tx(
        lambda session: tokens.make(session, user_id, new, now.date(), now)[0].public_id
    )


def webhook(place: Installation) -> dict[str, str]:
    """A webhook that has not taken what was sent; its public id, and that of what was told."""
    now, sealer = place.house.clock.now(), Sealer(place.house.links.secret, endpoints.PURPOSE)

    def write(session: Session) -> dict[str, str]:
        wish = HookWish(
            "https://books.example.com/hooks", "Books", ("invoice.issued", "order.paid")
        )
        row, _ = endpoints.add(session, wish, Nowhere(), sealer, "test", now)
        told = deliveries.test(session, row, "test", now)
        deliveries.settle(session, told.id, Answer(503, 41, "try later"), now)
        return {"hook": row.public_id, "told": told.public_id}

    return place.house.db.run_tx(write)


def _services(place: Installation, account: Account) -> dict[str, str]:
    with place.house.db.reading() as session:
        rows = session.execute(
            select(Variant.sku, Subscription.public_id)
            .join(SubscriptionPhase, SubscriptionPhase.variant_id == Variant.id)
            .join(Subscription, Subscription.id == SubscriptionPhase.subscription_id)
            .where(Subscription.service_account_id == account.id, SubscriptionPhase.number == 0)
        )
        return {row.sku: row.public_id for row in rows}


def park(place: Installation, account: Account) -> str:
    """In some night the account came to more than a bill may be; answers the parking's public id."""
    now = place.house.clock.now()
    return place.house.db.run_tx(
        lambda session: nights.parked(session, session.get_one(Account, account.id), now)
    )


def bill_run(place: Installation, account: Account) -> str:
    """A preview for the account, which is done; answers its public id."""

    def work(session: Session) -> str:
        now = place.house.clock.now()
        today = local_date(now, account.time_zone)
        return nights.past_run(session, [account.id], today, now).public_id

    return place.house.db.run_tx(work)


def dead_job(installation: Installation) -> str:
    """A job that failed for good; its number."""
    now = installation.house.clock.now()
    job = Job(
        key=f"tidy-{new_public_id()}",
        name="tidy",
        handler="tidy",
        payload={},
        state="dead",
        run_at=now,
        created_at=now,
        last_error="Nobody answered.",
    )
    with installation.house.db.transaction() as session:
        session.add(job)
        session.flush()
        return str(job.id)
