"""One try of a delivery: read what to send, commit, send it, write down how it went.

At least once: a crash between the other side's yes and our commit sends it again, under the same
``webhook-id``.
"""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.hooks import deliveries, endpoints, signing
from core.hooks.deliveries import Due
from core.hooks.models import HookEndpoint
from core.hooks.reaching import Answer
from core.kernel import crash
from core.kernel.sealing import Sealer
from core.notices import addressing, mails
from core.notices.hook_letters import HookOffLetter
from core.notices.mails import NewMail
from core.notices.rendering import render
from core.parties.models import Channel, LegalEntity
from flows.house import House

_SEALED = "its secret cannot be opened, as SECRET_KEY is another: make a new secret"
_AGENT = "Counterfoil-Webhooks/1"


def sealer(house: House) -> Sealer:
    """Opens and seals the endpoints' secrets."""
    return Sealer(house.links.secret, endpoints.PURPOSE)


def deliver(house: House, delivery_id: uuid.UUID) -> None:
    """Try one delivery now, if it is due. How it went is in its rows; the next try is a job of its own."""
    found = house.db.run_tx(lambda session: deliveries.due(session, delivery_id, house.clock.now()))
    if found is None:
        return
    answer = _send(house, found)
    crash.point("hook.sent")

    def write(session: Session) -> None:
        if deliveries.settle(session, delivery_id, answer, house.clock.now()):
            _give_up(session, house, found.endpoint.id, answer)

    house.db.run_tx(write)


def _send(house: House, found: Due) -> Answer:
    now = house.clock.now()
    keys = endpoints.secrets_of(found.endpoint, sealer(house), now)
    if not keys:
        return Answer(None, 0, trouble=_SEALED)
    message = found.message
    headers = signing.headers(keys, message.public_id, int(now.timestamp()), message.body)
    headers |= {"Content-Type": "application/json", "User-Agent": _AGENT}
    return house.poster.post(found.endpoint.url, headers, message.body.encode())


def _give_up(session: Session, house: House, endpoint_id: uuid.UUID, answer: Answer) -> None:
    """Switch it off, and tell the desk."""
    now = house.clock.now()
    row = session.get_one(HookEndpoint, endpoint_id)
    failing_since = row.failing_since or now
    if not endpoints.give_up(session, endpoint_id, now):
        return
    channel = session.scalars(select(Channel).where(Channel.code == house.rules.channel)).one()
    entity = session.get_one(LegalEntity, channel.legal_entity_id)
    head = addressing.of_channel(entity, channel)
    if not head.email:
        return
    letter = HookOffLetter(
        head,
        "",
        house.links.desk_webhook(row.public_id),
        endpoint=row.name,
        url=row.url,
        trouble=answer.trouble or f"it answered {answer.status}",
        days=(now - failing_since).days,
    )
    mail = NewMail(
        key=f"webhook-off:{row.id}:{now.isoformat()}",
        template=letter.TEMPLATE,
        to_address=head.email,
        words=render(letter),
        domain=house.links.domain,
    )
    mails.queue(session, mail, now)
