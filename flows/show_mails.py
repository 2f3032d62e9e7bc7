"""Every mail that the shop sends, as it would look now, for somebody who is invented. Nothing is sent."""

from dataclasses import dataclass

from core.kernel.errors import NotFound
from core.notices import addressing, rendering, samples
from core.notices.letters import Letter
from core.parties.models import Channel, LegalEntity
from flows.house import House
from flows.show_brand import inline


@dataclass(frozen=True)
class Sample:
    """A mail: its subject, its page with the logo within, and its plain-text twin."""

    name: str
    template: str
    subject: str
    html: str
    text: str


def every(channel: Channel, entity: LegalEntity) -> list[tuple[str, str, str]]:
    """Name, kind and subject of each, by kind and name."""
    found = samples.every(addressing.of_channel(entity, channel))
    told = [(name, one.TEMPLATE, rendering.render(one).subject) for name, one in found.items()]
    return sorted(told, key=lambda one: (one[1], one[0]))


def one(house: House, channel: Channel, entity: LegalEntity, name: str) -> Sample:
    """One of them. NotFound for a name that none has."""
    letter: Letter | None = samples.every(addressing.of_channel(entity, channel)).get(name)
    if letter is None:
        raise NotFound("mail")
    words = rendering.render(letter)
    html = inline(house, letter.head, words.html)
    return Sample(name, letter.TEMPLATE, words.subject, html, words.text)
