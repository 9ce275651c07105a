"""Write the generated files of the protocol."""

from typing import Any

from django.core.management.base import BaseCommand

from ops.protocol_export import outputs


class Command(BaseCommand):
    """Write browser types, documents and golden frames."""

    help = "Write protocol.d.ts, docs/protocol.md, docs/asyncapi.yaml and the golden frames"

    def handle(self, *args: Any, **options: Any) -> None:
        """Write them all."""
        for path, text in outputs().items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
