"""What visitors' pages look up on every hello and every sign of life, read for many of them at once."""

from chat.consumers import base
from chat.core.errors import Refused
from chat.per_loop import PerLoop
from chat.selectors.glance import Glance, glances, progress
from chat.together import Together

SIGNS_WAIT = 0.1
"""Seconds that a sign of life waits for others to be answered with."""


def _glances(tokens: list[str]) -> dict[str, Glance | Refused]:
    return glances(tokens, base.now())


glancing = PerLoop(lambda: Together(_glances))
"""Return what looks how things stand for the visitor of a token; its `of` raises what `visitor_by_token` raises."""
signing = PerLoop(lambda: Together(_glances, gather=SIGNS_WAIT))
"""Return the same for signs of life, which come singly, one after the other, and whose answers nobody waits for."""
progressing = PerLoop(lambda: Together(progress))
"""Return what looks how far a conversation's log goes; its `of` raises `Unseen` for one that was erased."""
