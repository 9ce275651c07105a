"""The one place where a room to the left gives `chat` something to carry."""

from collections.abc import Callable

from chat.protocol import EscalationSummary

EscalationProvider = Callable[[str], tuple[EscalationSummary, ...]]
"""Takes a language for the handles, returns all open escalations."""

_providers: list[EscalationProvider] = []


def register_escalations(provider: EscalationProvider) -> None:
    """Let `provider` fill the escalations of the overview; the last one registered counts."""
    _providers[:] = [provider]


def open_escalations(language: str) -> tuple[EscalationSummary, ...]:
    """Return the open escalations, none when no room provides them."""
    return _providers[0](language) if _providers else ()
