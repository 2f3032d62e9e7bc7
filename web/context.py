"""What a view works with: the house, the web settings, and the channel that the pages sell on."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from flask import current_app, g

from cart import delivery
from core.kernel.clock import local_date
from core.parties import accounts
from core.parties.models import Channel, LegalEntity
from flows.house import House

_KEY = "counterfoil"
#: How long a process goes on with what it read of the channel.
KEPT = timedelta(seconds=30)


@dataclass(frozen=True)
class WebSettings:
    """What the pages need to know of the installation."""

    base_url: str
    secret_key: str = field(repr=False)
    #: Reached by https: cookies insist on it.
    secure: bool
    #: Where forms may lead besides the shop: the processor's page.
    pay_origins: tuple[str, ...]
    #: Origins that an API checkout may return to.
    return_origins: tuple[str, ...]
    #: Origins whose pages may ask the API from a browser.
    api_origins: tuple[str, ...]
    rate_login: str
    rate_code: str
    rate_mail: str
    rate_checkout: str
    rate_gift_card: str
    rate_pay_code: str
    rate_pay_code_account: str
    rate_cart: str
    rate_api: str


@dataclass(frozen=True)
class Wired:
    """What the roof hands to the faces."""

    house: House
    web: WebSettings


def wire(extensions: dict[str, object], wired: Wired) -> None:
    """Hand the faces what they work with; once, by the roof."""
    extensions[_KEY] = wired


def house() -> House:
    """The house of the running application."""
    wired: Wired = current_app.extensions[_KEY]
    return wired.house


def web_settings() -> WebSettings:
    """The web settings of the running application."""
    wired: Wired = current_app.extensions[_KEY]
    return wired.web


def channel() -> tuple[Channel, LegalEntity]:
    """The channel that these pages sell on, with its legal entity; read again after half a minute."""
    now = house().clock.now()
    kept: tuple[datetime, tuple[Channel, LegalEntity]] | None
    kept = current_app.extensions.get(f"{_KEY}.channel")
    if kept is None or abs(now - kept[0]) > KEPT:
        with house().db.reading() as session:
            kept = (now, accounts.channel_by_code(session, house().rules.channel))
            countries = {*delivery.countries(session, kept[1][0].id), kept[1][1].country}
        current_app.extensions[f"{_KEY}.channel"] = kept
        current_app.extensions[f"{_KEY}.countries"] = frozenset(countries)
    return kept[1]


def forget_channel() -> None:
    """Read the channel anew: somebody has just changed it in this process."""
    current_app.extensions.pop(f"{_KEY}.channel", None)


def countries() -> frozenset[str]:
    """Where these pages deliver to, and where the shop is; as fresh as the channel."""
    channel()
    found: frozenset[str] = current_app.extensions[f"{_KEY}.countries"]
    return found


def today() -> date:
    """The calendar date where the shop is."""
    return local_date(house().clock.now(), channel()[0].time_zone)


def request_id() -> str:
    """The id that this request has in the logs."""
    return str(g.get("request_id", ""))
