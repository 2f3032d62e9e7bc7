"""Staff set terms of payment, for a channel or for one account. Issued bills keep theirs."""

import uuid

from sqlalchemy.orm import Session

from core.kernel import audit
from core.parties import accounts
from core.parties.models import Channel
from flows.house import House
from invoices.terms import Terms


def of_channel(house: House, channel_id: uuid.UUID, terms: Terms, actor: str) -> None:
    """For everybody who has no terms of their own."""

    def write(session: Session) -> None:
        channel = session.get_one(Channel, channel_id, with_for_update=True)
        channel.terms = terms.to_dict()
        subject = ("channel", channel.code)
        audit.write(session, house.clock.now(), actor, "terms.set", subject, **terms.to_dict())

    house.db.run_tx(write)


def of_account(house: House, account_id: uuid.UUID, terms: Terms | None, actor: str) -> None:
    """For one account; None: the channel's hold again."""

    def write(session: Session) -> None:
        account = accounts.lock(session, account_id)
        account.terms = terms.to_dict() if terms is not None else None
        account.terms_days = None
        subject = ("account", account.public_id)
        said = terms.to_dict() if terms is not None else {}
        audit.write(session, house.clock.now(), actor, "terms.set", subject, **said)

    house.db.run_tx(write)
