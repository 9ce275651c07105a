"""Register the deploy checks."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Load the checks when Django starts."""

    name = "config"

    def ready(self) -> None:
        """Register the checks of this folder and set up logging."""
        from config import checks, logs

        checks.register_all()
        logs.configure()
