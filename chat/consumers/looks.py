"""What visitors' pages look up on every hello and every sign of life, read for many of them at once."""

from chat.consumers import base
from chat.consumers.open import open_sockets
from chat.core.errors import Refused
from chat.per_loop import PerLoop
from chat.selectors.glance import Glance, glances, progress
from chat.together import Together

CROWD = 500
"""Sockets of one process from which on a sign of life waits for others to be answered with."""
SIGNS_WAIT = 0.1
"""Seconds that it waits then: what its page writes within that time waits as well, which is rare and short."""


def _glances(tokens: list[str]) -> dict[str, Glance | Refused]:
    return glances(tokens, base.now())


def _signs_wait() -> float:
    return SIGNS_WAIT if len(open_sockets()) >= CROWD else 0.0


glancing = PerLoop(lambda: Together(_glances))
"""Return what looks how things stand for the visitor of a token; its `of` raises what `visitor_by_token` raises."""
signing = PerLoop(lambda: Together(_glances, _signs_wait))
"""Return the same for signs of life: those of a crowd come one after the other too, and nobody waits for the answer."""
progressing = PerLoop(lambda: Together(progress))
"""Return what looks how far a conversation's log goes; its `of` raises `Unseen` for one that was erased."""
