"""Staff who sell are written to when a level gets low: once each time, and again after it has been more."""

import uuid
from functools import partial

from sqlalchemy.orm import Session

from core.kernel import crash
from core.notices import addressing, mails
from core.notices.mails import NewMail
from core.notices.rendering import render
from core.notices.stock_letters import LowStock
from core.parties import accounts, staff
from core.parties.roles import Role
from core.stock import dips
from flows.house import House


def run(house: House) -> int:
    """Look at all levels; says of how many staff were told. Each is one commit with its mails."""
    with house.db.reading() as session:
        found = dips.moved(session, house.clock.now())
    return sum(house.db.run_tx(partial(_tell, house, key)) for key in found)


def _tell(house: House, level_id: uuid.UUID, session: Session) -> int:
    now = house.clock.now()
    told = dips.note(session, level_id, now)
    if told is None:
        return 0
    sku, name, place, left, low_at = told
    channel, entity = accounts.channel_by_code(session, house.rules.channel)
    head = addressing.of_channel(entity, channel)
    link = f"{house.links.base_url}/desk/stock/{level_id}"
    letter = LowStock(head, "", link, name, sku, place, left, low_at)
    words = render(letter)
    for user in staff.with_role(session, Role.SALES):
        mail = NewMail(
            key=f"low-stock:{level_id}:{now.timestamp():.0f}:{user.id}",
            template=letter.TEMPLATE,
            to_address=user.email,
            words=words,
            domain=house.links.domain,
        )
        mails.queue(session, mail, now)
    crash.point("low_stock.before_commit")
    return 1
