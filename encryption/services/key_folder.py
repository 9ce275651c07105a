"""The folder of the file provider: made once, while its disk is there, and never by a process that found none."""

from datetime import datetime

from audit.services import record
from encryption.models import Wrap
from encryption.providers import FileProvider
from encryption.services import sealing


class NoKeyInIt(Exception):
    """Report that the database needs keys and the folder has none of them: its disk may not be mounted."""


class NoFolder(Exception):
    """Report that keys are not kept in a folder here."""


def make(*, although_empty: bool, now: datetime) -> None:
    """Mark the folder as that of the keys; harmless when it is. Raises `NoFolder`, `NoKeyInIt`, `ProviderDown`."""
    provider = sealing.provider()
    if not isinstance(provider, FileProvider):
        raise NoFolder
    needed = set(Wrap.objects.values_list("epoch", flat=True).distinct())
    if needed and not although_empty and not needed & set(provider.found()):
        raise NoKeyInIt
    if not provider.is_made():
        provider.make_folder()
        record(actor="command", action="key_folder.made", subject="keys", now=now)


def first_start(now: datetime) -> bool:
    """Make the folder where there is none and nothing was ever sealed, and return whether that was so."""
    provider = sealing.provider()
    if not isinstance(provider, FileProvider) or provider.is_there() or Wrap.objects.exists():
        return False
    provider.make_folder()
    record(actor="system", action="key_folder.made", subject="keys", now=now)
    return True
