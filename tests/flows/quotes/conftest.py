"""Quotes are tested with a processor beside them: a customer may pay by card."""

from tests.paying import house, processor, sandbox

__all__ = ["house", "processor", "sandbox"]
