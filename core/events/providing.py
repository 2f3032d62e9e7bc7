"""What happens while ordered services are begun by a system outside."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class ProvisionWanted:
    """A service is to begin: asked of the system outside after so many tries of a round."""

    NAME: ClassVar[str] = "ProvisionWanted"
    VERSION: ClassVar[int] = 1
    provisioning_id: str
    round: int
    tries: int
