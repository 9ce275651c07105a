"""Give `chat` the escalations for its overview and the screener for its messages."""

from django.apps import AppConfig


class CrisisConfig(AppConfig):
    """Register with `chat`, which does not know this room."""

    name = "crisis"

    def ready(self) -> None:
        """Hand selector and screener over."""
        from chat.hooks import register_escalations, register_screener
        from crisis.cues import Cues
        from crisis.in_force import rules
        from crisis.selectors import open_escalations

        register_escalations(open_escalations)
        # whether the site screens is known to what is in force, and may change while the process runs
        register_screener(Cues(rules.screener))
