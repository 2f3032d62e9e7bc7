"""What the mail says that tells the desk of a webhook that was switched off. See ``core.notices.letters``."""

from dataclasses import dataclass
from typing import ClassVar

from core.notices.letters import Letter


@dataclass(frozen=True)
class HookOffLetter(Letter):
    """An endpoint took nothing for ``days`` and is off; ``trouble`` is how the last try went."""

    TEMPLATE: ClassVar[str] = "hook_off"

    endpoint: str
    url: str
    trouble: str
    days: int
