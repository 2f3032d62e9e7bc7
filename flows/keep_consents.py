"""Staff keep what checkout asks people to agree to; in the audit log."""

import re

from sqlalchemy.orm import Session

from cart import consents
from core.kernel import audit
from core.kernel.errors import Invalid
from core.parties import accounts
from flows.house import House

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_HREF = re.compile(r"/[^/\s\\]\S*|https://\S+")


def put(house: House, code: str, mode: str, text: str, href: str, actor: str) -> int:
    """Ask this from now on; answers its version. Raises Invalid, by field."""
    code, text, href = code.strip(), " ".join(text.split()), href.strip()
    found: dict[str, str] = {}
    if not _CODE.fullmatch(code):
        found["code"] = "Small letters, digits and hyphens, such as terms."
    if mode not in consents.MODES:
        found["mode"] = "Choose one of these."
    if not text or len(text) > 500 or not text.isprintable():
        found["text"] = "Say what is agreed to, in at most 500 characters."
    if href and (len(href) > 300 or not _HREF.fullmatch(href)):
        found["href"] = "A page of this shop, such as /terms, or an address with https://."
    if found:
        raise Invalid(found)

    def work(session: Session) -> int:
        channel, _ = accounts.channel_by_code(session, house.rules.channel)
        now = house.clock.now()
        row = consents.put(session, channel, code, mode, text, href, actor, now)
        subject = ("consent", code)
        audit.write(session, now, actor, "consent.asked", subject, version=row.version, mode=mode)
        return row.version

    return house.db.run_tx(work)


def end(house: House, code: str, actor: str) -> None:
    """Ask it no more. NotFound when it is not asked."""

    def work(session: Session) -> None:
        channel, _ = accounts.channel_by_code(session, house.rules.channel)
        consents.end(session, channel, code, house.clock.now())
        audit.write(session, house.clock.now(), actor, "consent.ended", ("consent", code))

    house.db.run_tx(work)
