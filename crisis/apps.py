"""Give `chat` the escalations for its overview."""

from django.apps import AppConfig


class CrisisConfig(AppConfig):
    """Register with `chat`, which does not know this room."""

    name = "crisis"

    def ready(self) -> None:
        """Hand the selector over."""
        from chat.hooks import register_escalations
        from crisis.selectors import open_escalations

        register_escalations(open_escalations)
