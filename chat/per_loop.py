"""One object of a kind for each event loop: a process has one loop, and tests have many."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary, ref

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Return, when called, the object of the loop that runs; the first call on a loop makes it."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self.forget()

    def forget(self) -> None:
        """Make anew from now on; for tests that play a second process."""
        self._all: WeakKeyDictionary[asyncio.AbstractEventLoop, T] = WeakKeyDictionary()
        self._last: Callable[[], asyncio.AbstractEventLoop | None] = lambda: None

    def __call__(self) -> T:
        """Return the object of this loop."""
        loop = asyncio.get_running_loop()
        # asked for several times a message, nearly always by the same loop: a look into the dictionary costs more
        if self._last() is not loop:
            if loop not in self._all:
                self._all[loop] = self._make()
            self._last, self._found = ref(loop), self._all[loop]
        return self._found
