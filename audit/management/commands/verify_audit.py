"""Check the trail against its own chain and against the signed heads."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit import heads
from audit.services import check_trail


class Command(BaseCommand):
    """Say whether the trail is what was written, and if not, where; exit status 1 then."""

    help = "Check the audit trail: find any edited, removed, inserted or re-ordered event and say where."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where signed heads are kept and whose signature to expect."""
        parser.add_argument("--heads", type=Path, default=None, help="folder of signed heads; default: HAVRE_AUDIT_DIR")
        parser.add_argument("--public-key", default="", help="the signing key's public half, 64 hexadecimal digits")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, and print one line a break."""
        signed, found = heads.read(options["heads"] or settings.AUDIT_DIR, _public_key(options["public_key"]))
        events, breaks = check_trail(signed)
        found = [*breaks, *found]
        for one in found:
            where = f"event {one.event}" if one.event else "the trail"
            self.stdout.write(f"{where}: {one.what}")
        if found:
            raise CommandError(f"the trail is broken in {len(found)} places")
        self.stdout.write(f"{events} events and {len(signed)} signed heads: all fit")


def _public_key(given: str) -> Ed25519PublicKey:
    try:
        if given:
            return Ed25519PublicKey.from_public_bytes(bytes.fromhex(given))
        return heads.signing_key(settings.KEYS_DIR).public_key()
    except (ValueError, heads.HeadsUnusable) as error:
        raise CommandError(f"no key to check signatures with: {error}") from None
