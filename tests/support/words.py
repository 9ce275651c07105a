"""Let the slow hash of the words be quick where its slowness is not what is tested."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from encryption.core.slots import Cost


@contextmanager
def quick_words() -> Iterator[None]:
    """Hash quickly, and answer at once."""
    with (
        mock.patch("encryption.services.words.COST", Cost(memory_kib=8, passes=1, lanes=1)),
        mock.patch("chat.returns.pause", mock.AsyncMock()),
    ):
        yield
