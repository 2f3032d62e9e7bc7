"""The faces are tested on a shop with people in it, with the sandbox processor behind it."""

from tests.rooms.web.stage import one_stage, quiet, stage, stages

__all__ = ["one_stage", "quiet", "stage", "stages"]
