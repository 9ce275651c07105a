"""Load sample staff, directory entries and settings; refused outside of development."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ops.samples import seed


class Command(BaseCommand):
    """Load the samples."""

    help = "Load sample staff, directory entries and settings"

    def handle(self, *args: Any, **options: Any) -> None:
        """Load them; a second run changes nothing."""
        if not settings.DEVELOPMENT:
            raise CommandError("sample accounts are for development only (HAVRE_DEVELOPMENT=1)")
        seed()
