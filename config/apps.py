"""Set up what concerns the whole process: deploy checks, quiet logs, no debug pages."""

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class ConfigConfig(AppConfig):
    """Load the checks when Django starts."""

    name = "config"

    def ready(self) -> None:
        """Register the checks of this folder and set up logging; refuse to start with debug pages."""
        from config import checks, logs

        if settings.DEBUG:
            # only another settings module can have switched it on
            raise ImproperlyConfigured("DEBUG is on: its error pages show what people wrote")
        checks.register_all()
        logs.configure()
