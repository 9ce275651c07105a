"""Throw the data of a demo away."""

import shutil
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ops.one_server import AlreadyServed, claim


class Command(BaseCommand):
    """Remove the whole data folder of a development machine, unless a server is using it."""

    help = "Throw the demo's data away; refused while it runs and outside of development"
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Remove it."""
        if not settings.DEVELOPMENT or settings.ENV.database_url:
            raise CommandError("only the data of a demo is thrown away (HAVRE_DEVELOPMENT=1, SQLite)")
        try:
            claim(settings.DATA_DIR, "reset")
        except AlreadyServed as served:
            raise CommandError(f"the demo is running on {served}; end it with Ctrl-C first") from None
        shutil.rmtree(settings.DATA_DIR)
        self.stdout.write("The demo's data is gone; make demo starts afresh.")
