"""Check the trail against its own chain, the signed heads, and what it says was destroyed."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit import heads, signing
from audit.core import Break
from audit.services import check_trail
from chat.selectors.borne_out import unborne
from encryption.providers import ProviderDown
from encryption.services.receipts import discrepancies, overdue


class Command(BaseCommand):
    """Say whether the trail is what was written, and if not, where; exit status 1 then."""

    help = "Check the audit trail and what it says was destroyed: find any event that was tampered with and say where."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where signed heads are kept and whose signature to expect."""
        parser.add_argument("--heads", type=Path, default=None, help="folder of signed heads; default: HAVRE_AUDIT_DIR")
        parser.add_argument("--no-heads", action="store_true", help="there are no signed heads: check without them")
        parser.add_argument("--public-key", default="", help="a signing key's public half, of any time, 64 digits")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, and print one line a break."""
        signed = heads.read(options["heads"] or settings.AUDIT_DIR, _public_key(options["public_key"]))
        events, breaks = check_trail(signed.heads, None if options["no_heads"] else signed.keys)
        found = [*breaks, *signed.broken]
        if events and not signed.heads and not options["no_heads"]:
            # without one, whoever writes the database could have written the whole trail anew
            found.append(Break(0, "there is no signed head to check it with; --no-heads if there never was one"))
        for one in found:
            where = f"event {one.event}" if one.event else "the trail"
            self.stdout.write(f"{where}: {one.what}")
        borne_out = _borne_out()
        for line in borne_out:
            self.stdout.write(line)
        if found or borne_out:
            raise CommandError(f"the trail is broken in {len(found) + len(borne_out)} places")
        self.stdout.write(f"{events} events and {len(signed.heads)} signed heads: all fit")


def _borne_out() -> list[str]:
    """Return where keys, wraps, readers, holds and removed texts are not what the trail says of them."""
    try:
        return [*discrepancies(), *overdue(timezone.now()), *unborne()]
    except ProviderDown as down:
        raise CommandError(f"the key provider cannot be asked what was destroyed: {down}") from None


def _public_key(given: str) -> bytes:
    """Return a key to begin with: each one vouches for those before and after it, as far as both signed the change."""
    try:
        known = bytes.fromhex(given) if given else signing.public_of(signing.signing_key(settings.KEYS_DIR))
        Ed25519PublicKey.from_public_bytes(known)
    except (ValueError, heads.HeadsUnusable) as error:
        raise CommandError(f"no key to check signatures with: {error}") from None
    return known
