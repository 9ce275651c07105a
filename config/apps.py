"""Set up what concerns the whole process: deploy checks, quiet logs, no debug pages."""

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class ConfigConfig(AppConfig):
    """Load the checks when Django starts."""

    name = "config"

    def ready(self) -> None:
        """Register the checks of this folder, set up logging and end the loading; refuse to start with debug pages."""
        from config import checks, logs, process

        if settings.DEBUG:
            # only another settings module can have switched it on
            raise ImproperlyConfigured("DEBUG is on: its error pages show what people wrote")
        checks.register_all()
        logs.configure()
        # every model and all that it needs is there by now
        process.loaded()
