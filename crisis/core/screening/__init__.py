"""Screening of texts by rules that can be read and explained: no model, no framework, no clock."""

from crisis.core.screening.loading import BadRule, build, check, check_all
from crisis.core.screening.result import ORDINARY, Cue, Screening
from crisis.core.screening.screener import Screener

__all__ = ["ORDINARY", "BadRule", "Cue", "Screener", "Screening", "build", "check", "check_all"]
