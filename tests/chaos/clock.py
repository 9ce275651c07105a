"""Set the clock of a server back while it runs: by libfaketime where that is installed, else within the process."""

from collections.abc import Iterator
from pathlib import Path

from tests.support.daemon import ROOT

SHIFT = ROOT / "tests" / "chaos" / "shift"
OFFSET_FILE = "HAVRE_TEST_CLOCK"


class Clock:
    """Be the clock of one server; monotonic clocks go on as they do when somebody sets a machine's time."""

    def __init__(self, file: Path, *, library: bool) -> None:
        self._file = file
        # the library makes every look at a clock slow, so that lines break of it in a short run
        self._library = next(_libraries(), None) if library else None
        self.set(0)

    @property
    def how(self) -> str:
        """Say how the clock is set."""
        return "libfaketime" if self._library else "an offset within the process"

    @property
    def environ(self) -> dict[str, str]:
        """Return what the server needs in its environment."""
        if self._library is None:
            return {"PYTHONPATH": str(SHIFT), OFFSET_FILE: str(self._file)}
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, seconds: int) -> None:
        """Let the clock be so many seconds away from the true time; holds within a second."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}s\n" if self._library else str(seconds), encoding="ascii")
        fresh.replace(self._file)


def _libraries() -> Iterator[Path]:
    for folder in (Path("/usr/lib"), Path("/usr/local/lib")):
        yield from sorted(folder.glob("**/faketime/libfaketimeMT.so.1"))
