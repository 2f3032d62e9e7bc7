"""Acts at the ledger's counter."""

from tests.rooms.ledger.counter import counter

__all__ = ["counter"]
