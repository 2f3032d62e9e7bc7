"""The adapter's part for chargebacks, which Stripe calls disputes; ``payments.stripe_gateway`` builds it.

Nothing here imports ``stripe``: it is handed the client and the way to ask.
"""

import io
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

from payments import stripe_reading as reading
from payments import stripe_writing as writing
from payments.network import EvidenceFile, EvidenceRequest, NetworkChargeback
from payments.stripe_writing import ident

Result = TypeVar("Result")


class Chargebacks(ABC):
    """What the card network says, and what we answer it."""

    @property
    @abstractmethod
    def _services(self) -> Any:
        """The SDK's services."""

    @abstractmethod
    def _ask(self, op_key: str | None, call: Callable[[], Result]) -> Result:
        """Make the call; every way to fail becomes one of the port's errors."""

    def get_chargeback(self, chargeback_id: str) -> NetworkChargeback:
        service, told = self._services.disputes, ident(chargeback_id)
        return self._ask(None, lambda: reading.chargeback(service.retrieve(told).to_dict()))

    def upload_evidence(self, file: EvidenceFile) -> str:
        service = self._services.files

        def upload() -> str:
            content = io.BytesIO(file.data)
            content.name = file.name
            params = {"purpose": "dispute_evidence", "file": content}
            return str(service.create(params, writing.keyed(file.op_key)).id)

        return self._ask(file.op_key, upload)

    def submit_evidence(self, request: EvidenceRequest) -> NetworkChargeback:
        service, params = self._services.disputes, writing.evidence(request)
        told, options = ident(request.chargeback_id), writing.keyed(request.op_key)
        return self._ask(
            request.op_key,
            lambda: reading.chargeback(service.update(told, params, options).to_dict()),
        )
