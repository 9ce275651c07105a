"""Keep the keys that wrap data keys: outside of the database and of its backups."""

from encryption.providers.base import EpochGone, KeyProvider, ProviderDown, epoch_of
from encryption.providers.file import FileProvider
from encryption.providers.memory import MemoryProvider

__all__ = ["EpochGone", "FileProvider", "KeyProvider", "MemoryProvider", "ProviderDown", "epoch_of"]
