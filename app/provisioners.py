"""What begins ordered services in this installation: nobody (a person does), or a pretend system."""

from collections.abc import Collection
from dataclasses import dataclass

from core.orders.provisioning import NotProvisioned, Provisioned, Wanted


@dataclass(frozen=True)
class Pretend:
    """Begins everything at once, but what it is told to refuse; for the demo and for tests.

    ``refuses`` are SKUs that need a person; ``busy`` are those for which it does not answer.
    """

    refuses: Collection[str] = ()
    busy: Collection[str] = ()

    def provision(self, wanted: Wanted) -> Provisioned:
        if wanted.sku in self.refuses:
            raise NotProvisioned(f"The exchange does not do {wanted.sku} by itself.")
        if wanted.sku in self.busy:
            raise NotProvisioned("The exchange does not answer.", again=True)
        return Provisioned(f"X-{wanted.key[:8]}")
